"""A team's runbook sets the clocks and the checklist."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom.config.problems import ConfigError
from warroom.config.settings import IncidentSettings, Settings
from warroom.engine.adopt import with_runbooks

RUNBOOK = """
# When it burns

## Severity levels

### P1 - Critical
- **Response Time:** 15 minutes

### P2 - High
- **Response Time:** 1 hour

### P3 - Medium
- **Response Time:** 4 hours

### P4 - Low
- **Response Time:** Next business day

## After
- [ ] write it down
- [ ] sleep
"""


@pytest.fixture
def runbook(tmp_path: Path) -> Path:
    file = tmp_path / "incident.md"
    file.write_text(RUNBOOK)
    file.chmod(0o600)
    return file


def test_a_named_runbook_gives_the_scheme_its_times_and_the_checklist(runbook: Path) -> None:
    settings = with_runbooks(Settings(), [str(runbook)])
    assert settings.incident.scheme == "P1-P4"
    assert [level.response_s for level in settings.scheme.levels] == [900, 3600, 14400, 86400]
    assert settings.incident.checklist == ("write it down", "sleep")


def test_what_a_runbook_does_not_say_stays_as_the_scheme_has_it(runbook: Path) -> None:
    assert with_runbooks(Settings(), [str(runbook)]).scheme.levels[0].update_s == 900


def test_a_pattern_of_the_config_is_seen_from_its_folder(runbook: Path) -> None:
    incident = IncidentSettings(scheme="P1-P4", runbooks=("*.md",))
    settings = Settings(incident=incident, file=runbook.parent / "warroom.toml")
    assert with_runbooks(settings).incident.checklist == ("write it down", "sleep")


def test_the_configs_own_checklist_goes_before_the_runbooks(runbook: Path) -> None:
    settings = Settings(incident=IncidentSettings(checklist=("mine",)))
    assert with_runbooks(settings, [str(runbook)]).incident.checklist == ("mine",)


def test_a_runbook_that_others_may_write_to_is_refused(runbook: Path) -> None:
    runbook.chmod(0o666)
    with pytest.raises(ConfigError, match="chmod go-w"):
        with_runbooks(Settings(), [str(runbook)])
