"""Channels, contacts and texts in a config: every mistake with its place, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom.config.load import parse
from warroom.config.problems import ConfigError
from warroom.config.settings import Settings
from warroom.engine.channels import channel_members
from warroom.engine.contacts import in_order, of_runbook, reaches
from warroom.engine.members import settled
from warroom.runbooks.model import Contact

FILE = Path("warroom.toml")
HOOK = "https://hooks.slack.com/services/T0/B0/verysecret"


def settings(source: str) -> Settings:
    return settled(parse(source, FILE))[0]


def complaint(source: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(source)
    (line,) = str(caught.value).splitlines()
    return line


def test_every_kind_of_channel_is_shaped_and_knows_its_audience() -> None:
    found = settings(
        """
        [incident]
        channel = "#incident-YYYYMMDD-description"
        [updates]
        templates = "updates"
        [[channel]]
        kind = "slack"
        name = "ops"
        url = "env:HOOK"
        [[channel]]
        kind = "webhook"
        audience = "management"
        url = "https://tools.example/hook"
        headers = { Authorization = "env:TOKEN", X-Team = "shop" }
        body = { content = "{text}", level = ["{severity}"] }
        [[channel]]
        kind = "smtp"
        host = "mail.shop.example"
        from = "incidents@shop.example"
        to = ["all@shop.example"]
        user = "shop"
        password = "file:~/mail"
        [[channel]]
        kind = "statuspage"
        page = "kctbh9vrtdwd"
        key = "command:pass statuspage"
        impact = { P1 = "major" }
        """
    )
    members, problems = channel_members(found)
    assert problems == []
    assert [(m.name, m.audience) for m in members] == [
        ("ops", "chat"),
        ("webhook", "management"),
        ("smtp", "stakeholders"),
        ("statuspage", "status page"),
    ]


SMTP = 'kind = "smtp"\nhost = "m.example"\nfrom = "a@b.example"\n'
TO = 'to = ["a@b.example"]\n'
WRONG = {
    'kind = "slck"\nurl = "env:X"': 'no channel is of kind "slck"; did you mean "slack"?',
    'kind = "slack"\nurl = "https://hooks.example/T/verysecret"': "does not belong in a config",
    'kind = "slack"\nurl = "http://hooks.example/verysecret"': "only https",
    'kind = "slack"': '"url" is missing',
    'kind = "slack"\nurl = "env:X"\nbearr = "x"': "unknown key",
    'kind = "webhook"\nurl = "http://tools.example/verysecret"': "only https",
    'kind = "webhook"\nurl = "https://u:verysecret@tools.example/"': "a password does not belong",
    'kind = "webhook"\nurl = "env:X"\nmethod = "GET"': '"GET" is not allowed',
    'kind = "webhook"\nurl = "env:X"\nheaders = { X-Token = "verysecret" }': "X-Token holds a",
    'kind = "webhook"\nurl = "env:X"\nheaders = { "a b" = "x" }': "not the name of a header",
    'kind = "webhook"\nurl = "env:X"\nbearer = "verysecret"': "a token does not belong",
    'kind = "webhook"\nurl = "env:X"\nbody = { a = "{txt}" }': '{txt} is not known; did you mean',
    SMTP + "to = []": "names nobody",
    SMTP.replace("a@b.example", "nobody") + TO: '"nobody" is no address',
    SMTP + 'to = ["a@b\\r\\nBcc: c@d.example"]': "is no address",
    SMTP + TO + 'security = "none"': "on this machine only",
    SMTP + TO + 'user = "u"': "go together",
    SMTP + TO + 'user = "u"\npassword = "verysecret"': "does not belong",
    'kind = "statuspage"\npage = "x/../y"\nkey = "env:X"': "not the id of a page",
    'kind = "statuspage"\npage = "x"\nkey = "verysecret"': "an API key does not belong",
    'kind = "statuspage"\npage = "x"\nkey = "env:X"\nimpact = { P1 = "huge" }': '"huge" is not one',
    'kind = "statuspage"\npage = "x"\nkey = "env:X"\nurl = "http://api.example"': "only https",
}  # fmt: skip


@pytest.mark.parametrize("entry", WRONG)
def test_a_mistake_in_a_channel_is_said_with_its_place_and_without_its_secret(entry: str) -> None:
    line = complaint(f"[[channel]]\n{entry}\n")
    assert WRONG[entry] in line
    assert line.startswith("warroom.toml:")
    assert "verysecret" not in line


def test_two_channels_of_one_name_and_a_wrong_pattern_are_said() -> None:
    two = '[[channel]]\nkind = "slack"\nurl = "env:X"\n' * 2
    assert "is the name of another channel already" in complaint(two)
    assert "channel: lower-case letters" in complaint('[incident]\nchannel = "#War Room"')
    assert "chanel" in complaint("[[chanel]]\n")


def test_a_contact_wants_a_way_to_be_reached() -> None:
    assert "wants one of phone, email, chat" in complaint('[[contact]]\nname = "Dana"')
    assert "level: 1 is called first" in complaint(
        '[[contact]]\nname = "Dana"\nphone = "1"\nlevel = 12'
    )
    assert 'did you mean "phone"?' in complaint('[[contact]]\nname = "Dana"\nfone = "1"')


def test_contacts_stand_by_level_and_say_how_to_reach_them() -> None:
    found = settings(
        '[[contact]]\nname = "C"\nphone = "3"\n[[contact]]\nname = "B"\nemail = "b@x"\nlevel = 2\n'
        '[[contact]]\nname = "A"\nphone = "1"\nchat = "@a"\nlevel = 1'
    )
    ordered = in_order(found.contacts)
    assert [contact.name for contact in ordered] == ["A", "B", "C"]
    assert reaches(ordered[0]) == (("phone", "1"), ("chat", "@a"))


@pytest.mark.parametrize(
    ("reach", "ways"),
    [
        ("+49 30 1234-567", (("phone", "+49 30 1234-567"),)),
        ("d@shop.example or +1 555 0100", (("phone", "+1 555 0100"), ("email", "d@shop.example"))),
        ("#dba on Slack", (("chat", "#dba on Slack"),)),
        ("a\x1b[31m\u202eb", (("chat", "a␛[31m␦b"),)),
    ],
)  # fmt: skip
def test_a_runbooks_contact_is_taken_apart_as_far_as_that_goes(
    reach: str, ways: tuple[tuple[str, str], ...]
) -> None:
    contact = of_runbook(Contact(3, "DBA \x9b" + "x" * 100, reach, "P0 only"))
    assert contact is not None
    assert reaches(contact) == ways
    assert (contact.name[:5], len(contact.name), contact.when) == ("DBA ␦", 64, "P0 only")
    assert of_runbook(Contact(3, "DBA", "  ")) is None


def test_a_channels_options_show_no_secret() -> None:
    found = settings('[[channel]]\nkind = "slack"\nurl = "http://127.0.0.1:1/verysecret"')
    (member,), _ = channel_members(found)
    assert "verysecret" not in repr(member.options)
