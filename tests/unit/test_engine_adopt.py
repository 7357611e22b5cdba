"""A team's runbook sets the clocks and the checklist."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom.config.checklist import items
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


def texts(settings: Settings) -> list[str]:
    return [item.text for item in items(settings.incident.checklist)]


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
    assert texts(settings) == ["write it down", "sleep"]


def test_what_a_runbook_does_not_say_stays_as_the_scheme_has_it(runbook: Path) -> None:
    assert with_runbooks(Settings(), [str(runbook)]).scheme.levels[0].update_s == 900


def test_a_pattern_of_the_config_is_seen_from_its_folder(runbook: Path) -> None:
    incident = IncidentSettings(scheme="P1-P4", runbooks=("*.md",))
    settings = Settings(incident=incident, file=runbook.parent / "warroom.toml")
    assert texts(with_runbooks(settings)) == ["write it down", "sleep"]


def test_the_configs_own_checklist_goes_before_the_runbooks(runbook: Path) -> None:
    settings = Settings(incident=IncidentSettings(checklist=("mine",)))
    assert with_runbooks(settings, [str(runbook)]).incident.checklist == ("mine",)


def test_a_runbook_that_others_may_write_to_is_refused(runbook: Path) -> None:
    runbook.chmod(0o666)
    with pytest.raises(ConfigError, match="chmod go-w"):
        with_runbooks(Settings(), [str(runbook)])


def test_a_checklist_is_due_when_its_heading_says(tmp_path: Path) -> None:
    settings = with_runbooks(Settings(), [str(told(tmp_path, """
## 2. Initial Assessment
- [ ] it is real
## 3. Communication
- [ ] tell them
## 6. Resolution
- [ ] apply the fix
## Validation Checklist
- [ ] it works
## 7. Post-Incident
- [ ] write it up
"""))])  # fmt: skip
    phases = [(item.phase.value, item.text) for item in items(settings.incident.checklist)]
    assert phases[2:] == [
        ("assess", "it is real"), ("communicate", "tell them"), ("mitigate", "apply the fix"),
        ("verify", "it works"), ("after", "write it up"),
    ]  # fmt: skip


LADDER = """
## Internal Escalation

### Level 1: On-Call Engineer
- **Escalation Time**: 20 minutes

### Level 2: Harbour Master
- **Escalation Time**: 15 minutes

### Level 3: Mayor
"""


def told(folder: Path, more: str) -> Path:
    file = folder / "more.md"
    file.write_text(RUNBOOK + more)
    file.chmod(0o600)
    return file


def test_the_ladder_calls_each_once_those_before_had_their_time(tmp_path: Path) -> None:
    settings = with_runbooks(Settings(), [str(told(tmp_path, LADDER))])
    worst, bad, third, _ = settings.scheme.levels
    assert [(rung.name, rung.after_s) for rung in worst.ladder] == [
        ("On-Call Engineer", 0), ("Harbour Master", 1200), ("Mayor", 2100),
    ]  # fmt: skip
    assert [(rung.name, rung.after_s) for rung in bad.ladder] == [
        ("On-Call Engineer", 0), ("Harbour Master", 3600), ("Mayor", 5400),
    ]  # fmt: skip
    assert third.ladder == ()


def test_a_ladder_without_times_gives_names_to_the_times_there_are(tmp_path: Path) -> None:
    bare = "\n### Escalation Path\n\n1. **Level 1:** Ann\n2. **Level 2:** Bob\n"
    settings = with_runbooks(Settings(), [str(told(tmp_path, bare))])
    assert [(rung.name, rung.after_s) for rung in settings.scheme.levels[0].ladder] == [
        ("Ann", 0), ("Bob", 1800),
    ]  # fmt: skip
