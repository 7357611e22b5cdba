"""The life of one mitigation: approved, requested, run, ended, and its effect looked at."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warroom.domain.clock import span
from warroom.domain.events import Event, Kind, event_id, plain
from warroom.domain.evidence import Evidence
from warroom.domain.ledger import taken_back
from warroom.domain.requests import Request
from warroom.domain.text import harmless, shorten
from warroom.engine.approvals import NotApproved
from warroom.engine.effects import LOOKS, Figures, effect
from warroom.engine.lease import Fence, sweep
from warroom.engine.running import LEFT, Armed, Outcome, Phase, Running, State
from warroom.hosts import tasks
from warroom.hosts.base import HostError
from warroom.journal.base import JournalError, NotSaved
from warroom.mitigations.base import (
    Done,
    MitigationFailed,
    MitigationRefused,
    MitigationUncertain,
    Risk,
    Undo,
)

if TYPE_CHECKING:
    from warroom.engine.executor import Around, Executor


async def lived(executor: Executor, run: Running, around: Around) -> Outcome:
    """From its confirmation to its outcome; never raises for what goes wrong."""
    try:
        approval = await _approved(executor, run)
    except NotApproved as error:
        return Outcome(State.REFUSED, f"not run: {error}")
    except JournalError as error:
        return Outcome(State.REFUSED, f"NOT RUN: nobody could be asked: {error}")
    run.phase = Phase.RECORDING
    before = [dict(look) for look in around.figures()][-LOOKS:]
    fence = run.armed.fence or Fence(executor.clock)
    try:
        request = await _requested(executor, run, around, fence, approval)
    except JournalError as error:
        return Outcome(State.REFUSED, f"NOT RUN: the request could not be recorded: {error}")
    if request.first is not None:
        who, at = request.first.author.login, request.first.at
        came = f": {first.state}" if (first := executor.book.of(request.first)).state else ""
        text = f"{who} asked for the same first, at {at:%H:%M:%S} UTC{came}"
        return await _ended(executor, run, request.event, Outcome(State.REFUSED, text))
    already = taken_back(executor.book.requests.all).get(run.armed.undoes or ("", 0))
    if already is not None and already.state == "done":
        text = f"{already.event.author.login} took it back already, at {already.event.at:%H:%M} UTC"
        return await _ended(executor, run, request.event, Outcome(State.REFUSED, text))
    outcome, done = await _performed(run, fence)
    ended = await _ended(executor, run, request.event, outcome, before, done)
    if outcome.state is State.DONE and run.armed.action.spec.moves:
        _watch_effect(executor, run, request.event, before, around)
    return ended


# Asking ------------------------------------------------------------------------------------------


async def _approved(executor: Executor, run: Running) -> int:
    """The sequence of the question that others said yes to; 0 when nobody had to be asked.

    Raises NotApproved, JournalError.
    """
    needed = run.armed.approvals - 1
    if needed < 1:
        return 0
    run.phase = Phase.ASKING
    asked = await executor.approvals.ask(run.armed.card.title, needed, card_data(run.armed))
    run.asked = asked
    try:
        await executor.approvals.wait(asked, lambda: bool(run.cancelled))
    except NotApproved:
        if run.cancelled:
            await executor.approvals.withdraw(asked)
        raise
    return asked.seq


async def _requested(
    executor: Executor, run: Running, around: Around, fence: Fence, approval: int
) -> Request:
    """The request, durable, and read back with all that stands before it. Raises JournalError;
    then nothing runs, whatever the journal makes of it."""
    session, armed = executor.session, run.armed
    with contextlib.suppress(JournalError):  # others' requests end only where this is known
        await session.sign()
    await sweep(session, executor.book)
    data = card_data(armed)
    data |= {"console": session.console, "limit_s": armed.action.spec.timeout, "seen": armed.seen}
    if approval:
        data["approval"] = approval
    kept = around.evidence() if armed.card.risk is Risk.DESTROY else ()
    if kept:
        data["evidence"] = _as_data(kept)
    name = event_id(session.now())
    text = f"{armed.card.title}: {data['command'][0]}"
    fence.begin(lambda: _overtaken(executor, run))
    executor.lost[name] = "the journal did not say in time that it has the request; nothing was run"
    (event,) = await session.write(session.draft(Kind.REQUESTED, text, data, id=name))
    run.request = event
    executor.lost[name] = "the journal could not be read after the request; nothing was run"
    await session.refresh()
    request = executor.book.requests.get(event.seq)
    if request is None:
        raise NotSaved("it cannot be seen what stands before it in the journal")
    del executor.lost[name]
    return request


def _overtaken(executor: Executor, run: Running) -> bool:
    """Whether somebody else wrote how it ended."""
    known = executor.book.requests.get(run.request.seq) if run.request else None
    return known is not None and known.outcome is not None


def card_data(armed: Armed) -> dict[str, Any]:
    """What the record keeps of a card: enough to show it, and to look later whether it happened."""
    card, action = armed.card, armed.action
    data: dict[str, Any] = {
        "title": card.title,
        "kind": card.kind,
        "action": action.id,
        "source": action.source,
        "host": card.host,
        "target": {"id": card.target.id, "label": card.target.label},
        "identity": dict(card.target.identity),
        "command": list(card.record or card.command),
        "hits": [list(hit) for hit in card.hits],
        "undo": card.undo,
        "risk": card.risk.value,
        "word": armed.word,
        "inputs": dict(armed.inputs),
    }
    if card.holds:
        data["holds"] = list(card.holds)
    kept = {name: card.context.get(name) for name in getattr(armed.mitigation, "remembers", ())}
    if kept:
        data["context"] = plain(kept)
    if action.auto_undo:
        data["auto_undo"] = True
    if armed.undoes is not None:
        data["undoes"] = {"incident": armed.undoes[0], "request": armed.undoes[1]}
    return data


# Acting ------------------------------------------------------------------------------------------


async def _performed(run: Running, fence: Fence) -> tuple[Outcome, Done | None]:
    limit = run.armed.action.spec.timeout
    run.phase = Phase.RUNNING
    keeping = asyncio.create_task(fence.keep())
    try:
        fence.check()
        done = await _acted(run, limit)
    except MitigationRefused as error:
        return Outcome(State.REFUSED, str(error)), None
    except MitigationFailed as error:
        return Outcome(State.FAILED, str(error), undo=_way_back(error.kept)), error.kept
    except MitigationUncertain as error:
        text = _stopped(run, str(error))
        return Outcome(State.UNKNOWN, text, undo=_way_back(error.kept)), error.kept
    except TimeoutError:
        return Outcome(State.UNKNOWN, f"no answer within {limit:g} s; it may have happened"), None
    except HostError as error:
        return Outcome(State.UNKNOWN, f"connection lost: {error}; it may have happened"), None
    except _Stopped:
        return Outcome(State.UNKNOWN, _stopped(run, "it may have happened in part")), None
    except Exception as error:  # noqa: BLE001 - whatever broke, nobody knows whether it happened
        text = shorten(harmless(f"{type(error).__name__}: {error}"), 300)
        return Outcome(State.UNKNOWN, f"{text}; it may have happened"), None
    finally:
        await tasks.end([keeping])
    return Outcome(State.DONE, done.text, undo=done.undo), done


def _way_back(kept: Done | None) -> Undo | None:
    """What takes back the part that was done."""
    return kept.undo if kept else None


class _Stopped(Exception):
    """Somebody stopped the action, and it said nothing better of its end."""


async def _acted(run: Running, limit: float) -> Done:
    """In a task of its own, which `Running.cancel` ends."""
    if run.cancelled:
        raise MitigationRefused(f"nothing was done: stopped before it began by {run.cancelled}")
    acting: asyncio.Task[Done]
    acting = run.acting = asyncio.create_task(run.armed.mitigation.perform(run.armed.card))
    done, _ = await asyncio.wait({acting}, timeout=limit)
    if not done:
        await tasks.end([acting])
        if not acting.done() or acting.cancelled():
            raise TimeoutError
    elif acting.cancelled():
        raise _Stopped
    return acting.result()


def _stopped(run: Running, text: str) -> str:
    if run.cancelled == LEFT:
        return f"the console was left while it ran; {text}"
    return f"stopped by {run.cancelled}: {text}" if run.cancelled else text


# Its end -----------------------------------------------------------------------------------------


async def _ended(
    executor: Executor,
    run: Running,
    request: Event,
    outcome: Outcome,
    before: Sequence[Figures] = (),
    done: Done | None = None,
) -> Outcome:
    session, card = executor.session, run.armed.card
    found = {"before": dict(before[-1])} if before else {}
    data: dict[str, Any] = {
        "request": request.seq,
        "state": outcome.state.value,
        "evidence": {**found, **(done.evidence if done else {})},
    }
    if card.risk is Risk.READ:
        data["risk"] = card.risk.value  # a look is no turn in the course of an incident
    if done is not None and done.undo is not None:
        data["undo"] = undo_data(done.undo, card.host)
    if done is not None and done.expires_s is not None:
        data["expires_at"] = (session.now() + timedelta(seconds=done.expires_s)).isoformat()
    saved = True
    try:
        await session.record(Kind.OUTCOME, f"{card.title}: {outcome.state}: {outcome.text}", data)
    except NotSaved:
        saved = False
    try:
        if done is not None and done.exhibits:
            kept = {"to": request.seq, "evidence": _as_data(done.exhibits)}
            await session.record(Kind.EVIDENCE, done.exhibits[0].title, kept)
    except NotSaved:
        saved = False
    return Outcome(outcome.state, outcome.text, saved, outcome.undo, request.seq)


def undo_data(undo: Undo, host: str) -> dict[str, Any]:
    """As the outcome keeps it: any console can arm it from that alone."""
    return {
        "kind": undo.kind,
        "title": harmless(undo.title),
        "host": host,
        "options": plain(undo.options),
    }


async def put_right(executor: Executor) -> None:
    """Say of requests that turned up although the journal had not confirmed them that nothing was
    run. Raises JournalError."""
    if not executor.lost:
        return
    if any(run.phase is Phase.RECORDING for run in executor.running.values()):
        return  # it is not known yet whether it is lost
    for request in executor.book.requests.under_way:
        why = executor.lost.get(request.event.id)
        if why is not None:
            outcome = {"request": request.seq, "state": State.REFUSED.value, "evidence": {}}
            text = f"{request.title}: {State.REFUSED}: {why}"
            await executor.session.record_or_nothing(Kind.OUTCOME, text, outcome)
            del executor.lost[request.event.id]


def _watch_effect(
    executor: Executor,
    run: Running,
    request: Event,
    before: Sequence[Figures],
    around: Around,
) -> None:
    action = run.armed.action
    run.effect_due = executor.clock.monotonic() + action.settle_s

    async def later() -> None:
        await asyncio.sleep(action.settle_s)
        await around.look()
        run.effect_due = None
        seen = effect(action.spec.moves, before, list(around.figures())[-1:])
        if seen is None:
            return
        run.effect = seen
        text = f"{run.armed.card.title}: {seen.verdict}: {seen.text}"
        waited = f", {span(action.settle_s)} later" if action.settle_s else ""
        with contextlib.suppress(JournalError):  # it is kept and tried again
            data = {"request": request.seq, **seen.data}
            await executor.session.record(Kind.EFFECT, f"{text}{waited}", data)

    task = asyncio.create_task(later())
    executor.effects.add(task)
    task.add_done_callback(executor.effects.discard)


def _as_data(kept: Sequence[Evidence]) -> list[dict[str, Any]]:
    return [one.as_data() for one in kept]
