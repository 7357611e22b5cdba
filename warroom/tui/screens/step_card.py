"""The card of a step: once it is confirmed the playbook is back, and its output stands below."""

from __future__ import annotations

from warroom.tui.screens.card import CardScreen


class StepCard(CardScreen):
    """Gives True when the step was begun."""

    def _meant(self, typed: str) -> None:
        super()._meant(typed)
        if self.run is not None and self._armed.approvals < 2:
            self.dismiss(True)
