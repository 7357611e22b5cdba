"""A team's own scheme and checklist in the config: everything that a built-in one has, and every
mistake with its place."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from warroom.config.checklist import items
from warroom.config.load import parse
from warroom.config.problems import ConfigError
from warroom.config.settings import Settings
from warroom.domain.checklist import Item, Phase
from warroom.domain.conditions import parsed
from warroom.domain.incident import Role
from warroom.domain.severity import SCHEMES, Audience, Rung, SeverityLevel, Thresholds

OURS = """
[incident]
scheme = "ours"
watch = "10m"
[schemes.ours]
close = ["incident commander"]
postmortem = "24h"
escalation = [{ name = "on-call" }, { name = "lead", contact = "+49 30 1", after = "20m" }]
[[schemes.ours.levels]]
name = "S1"
label = "Down"
response = "5m"
update = "10m"
told = "everyone"
audiences = { "status page" = "20m" }
suggest = { errors = 20, latency = "4s", endpoints_down = 50, systems_down = 2 }
[[schemes.ours.levels]]
name = "S2"
close = []
postmortem = "72h"
escalation = []
"""


def settled(source: str) -> Settings:
    return parse(source, Path("warroom.toml")).settled()


def complaint(source: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settled(source)
    return str(caught.value)


def test_a_scheme_of_ones_own_has_everything_that_a_level_can_promise() -> None:
    settings = settled(OURS)
    assert float(settings.incident.watch) == 600
    assert settings.scheme.levels == (
        SeverityLevel(
            "S1", "Down", 300, 600, "everyone",
            audiences=(Audience("status page", 1200),),
            closers=(Role.COMMANDER,),
            postmortem_s=86400,
            ladder=(Rung("on-call"), Rung("lead", "+49 30 1", 1200)),
            suggest=Thresholds(20, 4, 50, 2),
        ),
        SeverityLevel("S2", "", None, None, postmortem_s=3 * 86400),
    )  # fmt: skip


LEVEL = 'name = "S1"'


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (f'{LEVEL}\nresponse = "soon"', "levels[0].response: \"soon\" is not a duration"),
        (f'{LEVEL}\nupdate = "0s"', "update: a cadence is at least 1 s"),
        (f'{LEVEL}\naudiences = {{ chat = "often" }}', "audiences.chat: \"often\" is not"),
        (f'{LEVEL}\naudiences = {{ chat = "0s" }}', 'the cadence of "chat" is at least 1 s'),
        (f'{LEVEL}\naudiences = {{ "\\u001b[2J" = "5m" }}', "name has 1 to 64 printable"),
        (f'{LEVEL}\nclose = ["comander"]', 'did you mean "incident commander"?'),
        (f'{LEVEL}\nclose = "anybody"', "expected a list"),
        (f'{LEVEL}\npostmortem = -1', "postmortem: -1 is not a duration"),
        (f'{LEVEL}\nescalation = [{{ contact = "x" }}]', '"name" is missing'),
        (
            f'{LEVEL}\nescalation = [{{ name = "a", after = "5m" }}, {{ name = "b" }}]',
            'escalation: "b" is called after 0 s, and "a" before it after 300 s',
        ),
        (f"{LEVEL}\nsuggest = {{ errors = 0 }}", "suggest.errors: 0 is no percentage"),
        (f"{LEVEL}\nsuggest = {{ endpoints_down = 101 }}", "endpoints_down: 101 is no percentage"),
        (f'{LEVEL}\nsuggest = {{ latency = "0s" }}', "suggest.latency: above 0 s"),
        (f"{LEVEL}\nsuggest = {{ systems_down = 0 }}", "suggest.systems_down: at least 1"),
        (f"{LEVEL}\nsuggest = {{ error = 5 }}", 'did you mean "errors"?'),
        (f"{LEVEL}\nsugest = {{ errors = 5 }}", 'did you mean "suggest"?'),
    ],
)  # fmt: skip
def test_a_mistake_in_a_level_is_said_with_its_place(level: str, said: str) -> None:
    text = complaint(f"[[schemes.ours.levels]]\n{level}")
    assert said in text
    assert text.startswith("warroom.toml:")
    assert text.isprintable() or "\n" in text


def test_the_watch_after_a_resolution_is_a_duration() -> None:
    assert "incident.watch" in complaint('[incident]\nwatch = "a while"')
    assert not settled("[incident]\nwatch = 0").incident.watch


# The checklist -------------------------------------------------------------------------------

PROBE = '[[probe]]\nkind = "http"\nname = "api"\nurl = "http://127.0.0.1:9/"\n'


def test_items_are_plain_texts_or_tables_that_say_when_they_tick_themselves() -> None:
    source = """
    [incident]
    checklist = [
      "page the DBA",
      "after: write it up",
      { text = "api is back", phase = "verify", when = "api ok" },
      { text = "no phase" },
    ]
    """
    assert items(settled(source + PROBE).incident.checklist) == (
        Item("page the DBA", Phase.ASSESS, "page the DBA"),
        Item("after: write it up", Phase.AFTER, "write it up"),
        Item("api is back", Phase.VERIFY, "api is back", "api ok"),
        Item("no phase", Phase.ASSESS, "no phase"),
    )


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ('{ text = "x", when = "apy ok" }', 'no probe is called "apy"; did you mean "api"?'),
        ('{ text = "x", when = "comander named" }', 'did you mean "commander named"?'),
        ('{ text = "x", when = "the moon is full" }', "there are: commander named,"),
        ('{ text = "x", phase = "verfy" }', 'did you mean "verify"?'),
        ('{ text = " " }', "an item without words cannot be ticked"),
        ('{ phase = "verify" }', '"text" is missing'),
        ("7", "checklist[0]: expected text, found 7"),
    ],
)
def test_a_mistake_in_an_item_is_said_with_its_place(item: str, said: str) -> None:
    text = complaint(f"[incident]\nchecklist = [{item}]\n{PROBE}")
    assert said in text
    assert text.startswith("warroom.toml:2:")


# The built-in ones ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMES)
def test_a_built_in_scheme_promises_less_and_suggests_later_with_each_level(name: str) -> None:
    levels = SCHEMES[name].levels
    for worse, better in itertools.pairwise(levels):
        assert (worse.response_s or 0) < (better.response_s or float("inf"))
        assert (worse.update_s or 0) < (better.update_s or float("inf"))
        assert (worse.suggest.errors or 101) > (better.suggest.errors or 0)
    assert levels[0].closers == (Role.COMMANDER,)
    assert levels[-1].suggest == Thresholds(), "the mildest is never suggested"
    for level in levels:
        waits = [rung.after_s for rung in level.ladder]
        assert waits == sorted(waits)


def test_every_condition_of_the_built_in_checklist_is_known() -> None:
    from warroom.domain.checklist import DEFAULT

    for item in DEFAULT:
        assert not item.when or parsed(item.when)
