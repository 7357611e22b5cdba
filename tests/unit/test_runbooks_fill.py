"""What is filled in stays one word, or a part of one, whatever it is: bash itself says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from warroom.runbooks.fill import Unfillable, contexts, filled, splits, wanted

MARK: Final = "zQz9"
TEMPLATES: Final = (
    "show <x>", "show a <x> b | cat", "show --to=<x>", 'show "in <x> quotes"',
    "show 'in <x> quotes'", "show $(show <x>)", "show `show <x>`", "show <x> # <x>\nshow b",
    "show a;show <x>", "show a&&show <x>", "(show <x>)", "if true; then show <x>; fi",
    "for i in 1 <x>; do show $i; done", "A=<x> show a", "show <x> > /dev/null; show <x>",
    "cat <<EOF\n<x>\nEOF", "show {<x>,b}", "show a{<x>}",
    "bash -c 'show {<x>}'", "eval show <x>", "bash -c 'show <x>'",
    "bash -c 'show $0' <x>", "[[ <x> == a ]] || show <x>",
    "case <x> in a) show b;; *) show <x>;; esac",
    "show \\<x>", "show $'<x>'", "show $((1)) <x>", "show a\\\n <x>", "show 2>&1 <x>",
    'show "$(show "<x>")"', "show ${HOME:+<x>}", "show '' <x>", "show <<<<x>", "show a <x>b",
    "export A=<x>; show $A", "echo <x> | xargs show", "<x>", "A=1 <x> b", "show a | <x>",
    "<x>=1 show", "test -v <x>; show a", "show i-xxx",
)  # fmt: skip
NASTY: Final = (
    "$(touch pwned)", "`touch pwned`", "; touch pwned", "a b", "-rf", "--help", "'; touch pwned; '",
    '"; touch pwned; "', "a' b", 'a" b', "\\", "a\\", "$HOME", "${x}", "~", "*", "?", "[a-z]",
    "a|touch pwned", "a&touch pwned", ">pwned", "a>pwned", "{a,b}", "!!", "#", "a #b", "x=1",
    "a[$(touch pwned)]", "<x>", "(touch pwned)", "$'\\n'", "é\u00a0ü", "😀", "%s%n", "a,b", "1..9",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program that says its arguments, a line each."""
    folder = tmp_path_factory.mktemp("fill")
    show = folder / "show"
    show.write_text("#!/bin/bash\nfor word; do printf '<%s>\\n' \"$word\"; done\n")
    show.chmod(0o700)
    return folder


def said(place: Path, text: str) -> str:
    done = subprocess.run(
        ["bash", "-c", text], cwd=place, capture_output=True, check=False, timeout=20,
        env={**os.environ, "PATH": f"{place}:/usr/bin:/bin"},
    )  # fmt: skip
    return done.stdout.decode("utf-8", "surrogateescape")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(TEMPLATES),
    st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=("C", "Z")), min_size=1),
)
@example("show $(show <x>)", "$(touch pwned)")
@example("show 'in <x> quotes'", "'; touch pwned; '")
def test_bash_reads_a_value_as_one_word_or_nothing_runs(
    place: Path, template: str, value: str
) -> None:
    try:
        text = filled(template, {"<x>": value, "i-xxx": value})
        plain = filled(template, {"<x>": MARK, "i-xxx": MARK})
    except Unfillable:
        return
    assert said(place, text) == said(place, plain).replace(MARK, value)
    assert not (place / "pwned").exists()


@pytest.mark.parametrize("value", NASTY)
def test_a_bare_word_is_quoted_whatever_it_is(place: Path, value: str) -> None:
    """So that the property above is not held by refusing everything."""
    if value.startswith("-"):
        with pytest.raises(Unfillable, match="looks like an option"):
            filled("show <x>", {"<x>": value})
    else:
        assert said(place, filled("show a <x> | cat", {"<x>": value})) == f"<a>\n<{value}>\n"


@pytest.mark.parametrize(
    "template", ["<x>", "sudo <x>", "a | <x>", "docker exec web <x>", "bash -c '<x> a'", "$(<x>)"]
)
def test_a_value_is_never_a_program(template: str) -> None:
    with pytest.raises(Unfillable, match="where a program does"):
        filled(template, {"<x>": "ls"})


def test_what_reads_its_arguments_again_takes_harmless_characters_only() -> None:
    assert (
        filled("ssh web cat <file>", {"<file>": "/var/log/a.log"}) == "ssh web cat /var/log/a.log"
    )
    with pytest.raises(Unfillable, match="before ssh, which reads it once more"):
        filled("ssh web cat <file>", {"<file>": "a;reboot"})


def test_a_secret_is_read_from_the_environment_and_never_put_in() -> None:
    text = filled('curl -H "Authorization: <api-token>" <url>', {"<api-token>": "s", "<url>": "u"})
    assert text == 'curl -H "Authorization: ${API_TOKEN}" u'
    with pytest.raises(Unfillable, match="is a secret"):
        filled("curl -H 'X: <api-token>' u", {"<api-token>": "s"})


def test_nothing_runs_that_is_not_filled_in() -> None:
    with pytest.raises(Unfillable, match="<db-id> is not filled in"):
        filled("doctl databases get <db-id>", {})
    assert wanted("psql $DATABASE_URL -c 'x' --to ${REGION:-fra1}") == ("$DATABASE_URL",)


def test_a_variable_that_the_shell_would_split_is_told() -> None:
    assert splits("echo $A", "A", "a b")
    assert splits("echo ${A}", "A", "*")
    assert not splits('echo "$A" "${A}"', "A", "a b")
    assert not splits("psql $A", "A", "postgres://u@h/db?sslmode=require")


def test_where_a_character_stands() -> None:
    text = "a 'b' \"c\" # d\ne $(f"
    marks = contexts(text)
    told = [str(marks[text.index(letter)]) for letter in "abcdef"]
    assert told == [
        "plain", "within single quotes", "within double quotes", "in a comment", "plain",
        "within another command or a here-document",
    ]  # fmt: skip
