"""What the room's keys decide about the incident: severity, status, roles."""

from __future__ import annotations

from typing import Final

from textual import work

from warroom.domain.clock import span
from warroom.domain.incident import Role, Status
from warroom.domain.sample import Health
from warroom.domain.text import harmless
from warroom.tui.screens.acts import Acts
from warroom.tui.screens.dialogs import Option, ask_line, choose
from warroom.tui.screens.drafted import ask_drafted, forget

_RELEASE: Final = "release:"
_BESIDE: Final = "beside"


class Decides(Acts):
    """A part of the room's screen: the incident's state."""

    _title = ""

    @work(exclusive=True, group="dialog")
    async def action_open_incident(self) -> None:
        if self.room is None:
            return
        if self.room.session.incident is not None and self.room.session.incident.is_open:
            self.say(
                f"{self.room.session.incident.id} is open already; close it with u", "degraded"
            )
            return
        hint = "what is wrong, in a few words"
        title = await ask_drafted(
            self, self.room, "incident", "incident", self._title, placeholder=hint, more=True
        )
        self._title = title or ""  # whoever leaves at the severity has typed it already
        severity = await self._pick_severity("severity", "") if title else None
        if title and severity:
            self._title = ""
            forget(self.room, "incident")
            await self.saved(self.room.session.begin(title, severity), "incident opened")

    @work(exclusive=True, group="dialog")
    async def action_severity(self) -> None:
        if not self.incident_or_say() or self.room is None or self.room.session.incident is None:
            return
        chosen = await self._pick_severity("severity", self.room.session.incident.severity)
        if chosen and chosen != self.room.session.incident.severity:
            await self.saved(self.room.session.set_severity(chosen), f"severity {chosen}")

    async def _pick_severity(self, title: str, now: str) -> str | None:
        """The level that the live numbers speak for is marked, with the reason; never chosen."""
        assert self.room is not None
        scheme, suggestion = self.room.session.scheme, self.room.duty.suggestion
        meant = suggestion.level if suggestion and suggestion.level in scheme.names else ""
        options = []
        for level in scheme.levels:
            note = f"tells {level.told}" if level.told else ""
            mark = "•" if level.name == now else ">" if level.name == meant else " "
            text = f"{level.name}  {level.label}"
            if suggestion and level.name == meant:
                text, note = f"{text}  suggested: {suggestion.reason}", ""
            options.append(Option(level.name, text, note, key=level.name[-1], mark=mark))
        return await choose(self, f"{title} ({scheme.name})", options, at=now or meant)

    # Status ---------------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_status(self, named: str = "") -> None:
        """Asks which, unless it is named."""
        from warroom.engine import people

        if not self.incident_or_say() or self.room is None or self.room.session.incident is None:
            return
        now = self.room.session.incident.status
        options = [
            Option(s.value, s.value, key=str(n), mark="•" if s is now else " ")
            for n, s in enumerate(Status, 1)
        ]
        chosen = named or await choose(self, "status", options, at=now.value)
        if not chosen or chosen == now.value:
            return
        status = Status(chosen)
        doubts = self._doubts(status)
        if doubts and not await self._confirmed(status, doubts):
            return
        doing = people.conclude(self.room.session, status, doubts)
        await self.saved(doing, f"status {status}{self._watched(status)}")

    def _doubts(self, status: Status) -> str:
        """What speaks against resolving or closing the incident now, in one line."""
        from warroom.engine import people

        assert self.room is not None and self.room.session.incident is not None
        if status is Status.RESOLVED:
            down = [name for name in self.room.states if self.room.health(name) is Health.DOWN]
            return f"{harmless(', '.join(down))} {'are' if down[1:] else 'is'} down" if down else ""
        if status is not Status.CLOSED:
            return ""
        login = self.room.session.author.login
        refusal = people.may_close(self.room.session.incident, self.room.scheme, login)
        left = self.room.duty.watch_left()
        watch = f"the watch still runs for {span(left)}" if left is not None else ""
        live = self.room.ledger.doubts()
        return "; ".join(doubt for doubt in (live, refusal, watch) if doubt)

    async def _confirmed(self, status: Status, doubts: str) -> bool:
        verb = "close" if status is Status.CLOSED else "resolve"
        options = [
            Option("no", "leave it as it is", key="n"),
            Option("yes", f"{verb} it all the same; the timeline will say so", key="y"),
        ]
        return await choose(self, f"{verb}? {doubts}", options, at="no") == "yes"

    def _watched(self, status: Status) -> str:
        assert self.room is not None
        watch_s = self.room.settings.incident.watch
        return f", watched for {span(watch_s)}" if status is Status.RESOLVED and watch_s else ""

    # Roles ----------------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_role(self) -> None:
        from warroom.engine import people

        if not self.incident_or_say() or self.room is None or self.room.session.incident is None:
            return
        roles = self.room.session.incident.roles
        options = [
            Option(r.value, r.value, ", ".join(roles.get(r, ())) or "nobody", key=str(n))
            for n, r in enumerate(Role, 1)
        ]
        options += [
            Option(f"{_RELEASE}{role.value}:{person}", f"{person} gives {role} back")
            for role, holders in roles.items()
            for person in holders
        ]
        chosen = await choose(self, "role", options)
        if chosen is None:
            return
        if chosen.startswith(_RELEASE):
            _, role, person = chosen.split(":", 2)
            doing = people.release(self.room.session, Role(role), person)
            await self.saved(doing, f"{person} is no longer {role}")
        else:
            await self._give(Role(chosen), roles.get(Role(chosen), ()))

    async def _give(self, role: Role, holders: tuple[str, ...]) -> None:
        from warroom.engine import people

        assert self.room is not None
        me = self.room.session.author.login
        person = await ask_line(self, role.value, me, placeholder=me, guess=True)
        if not person or not person.strip():
            return
        was = _BESIDE
        if holders and role is not Role.COMMANDER and person.strip() not in holders:
            options = [Option(_BESIDE, f"beside {', '.join(holders)}")]
            options += [Option(one, f"in place of {one}") for one in holders]
            was = await choose(self, f"{role}: {harmless(person.strip())}", options) or ""
        if was == _BESIDE:
            await self.saved(self.room.session.assign(role, person), f"{role}: {person}")
        elif was:
            doing = people.take_over(self.room.session, role, person, was)
            await self.saved(doing, f"{role}: {was} → {person}")

    def role_said(self, text: str) -> None:
        """`:role scribe anna`, `:role scribe -anna`."""
        from warroom.engine import people

        if not self.incident_or_say() or self.room is None:
            return
        try:
            role, person, back = people.read(text)
        except ValueError as error:
            self.say(harmless(str(error)), "degraded")
            return
        session = self.room.session
        doing = people.release(session, role, person) if back else session.assign(role, person)
        self.run_worker(self.saved(doing, f"{role}: {'-' if back else ''}{person}"))
