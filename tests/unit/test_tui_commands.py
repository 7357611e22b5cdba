"""Keys: each declared once, none that belongs to somebody else."""

from __future__ import annotations

import itertools

from warroom.engine.actions import PANE_ACTIONS
from warroom.tui.commands import COMMANDS, FORBIDDEN, by_word, conflicts
from warroom.tui.screens.room import RoomScreen


def keys() -> list[str]:
    return [key for command in COMMANDS for key in command.keys.split(",")]


def test_no_key_stands_twice() -> None:
    assert len(keys()) == len(set(keys()))


def test_no_word_and_no_id_stands_twice() -> None:
    words = [command.word for command in COMMANDS if command.word]
    assert len(words) == len(set(words))
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)


def test_keys_of_screen_tmux_flow_control_and_job_control_are_never_bound() -> None:
    assert not FORBIDDEN & set(keys())


def test_keys_of_actions_are_not_taken_by_commands() -> None:
    acting = [key for actions in PANE_ACTIONS.values() for key, _ in actions]
    assert not set(acting) & set(keys())


def test_every_command_has_a_method_behind_it() -> None:
    for command in COMMANDS:
        assert callable(getattr(RoomScreen, f"action_{command.action}", None)), command.id


def test_a_word_finds_its_command() -> None:
    command = by_word("note")
    assert command is not None
    assert command.id == "note"
    assert by_word("nothing") is None


def test_remapping_to_a_forbidden_key_or_an_unknown_id_is_said() -> None:
    assert conflicts({"note": "ctrl+s"}) == ["ctrl+s is never bound"]
    assert conflicts({"nte": "N"}) == ['no command has the id "nte"']


def test_the_key_bar_has_an_order() -> None:
    places = [command.bar for command in COMMANDS if command.bar]
    assert len(places) == len(set(places))
    assert sorted(places) == list(itertools.accumulate([1] * len(places)))


def test_a_key_that_two_things_want_is_said() -> None:
    assert conflicts({"note": "q"}) == ["q is the key of both note and quit"]
    assert conflicts({}, {"Restart api": "n"}) == [
        'n is the key of note: "Restart api" needs another'
    ]
    assert conflicts({}, {"Restart api": "r"}) == []
