"""Backends as rows: who blocks whom as a tree, then who works, then who idles. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from warroom.domain.sample import Cell, Column, Row
from warroom.domain.text import harmless, shorten

COLUMNS: Final = (
    Column("pid", "pid"),
    Column("user", "user", priority=2),
    Column("database", "database", priority=4),
    Column("app", "app", priority=3),
    Column("client", "client", priority=5),
    Column("state", "state"),
    Column("duration", "for", "seconds"),
    Column("transaction", "tx", "seconds", priority=4),
    Column("wait", "wait", priority=2),
    Column("blocked_by", "blocked by", priority=1),
    Column("query", "query", grow=True),
)
_CELL_WIDTH: Final = 500
_HIDDEN: Final = "<insufficient privilege>"
_STATES: Final = {
    "idle in transaction": "idle in tx",
    "idle in transaction (aborted)": "aborted tx",
    "fastpath function call": "active",
}
PREPARED: Final = 0
"""What pg_blocking_pids says for a prepared transaction, which has no backend."""

Backend = Mapping[str, Any]
"""A record of `activity.sql`."""


def lock_tree(blocked_by: Mapping[int, Sequence[int]]) -> list[tuple[int, int]]:
    """The pids that block or are blocked as (pid, depth), each once, victims under blockers.

    `blocked_by` names every pid's direct blockers, in the order of rank. One with several stands
    under the deepest of them, so that whoever is above must go first; others that block it and
    have no victim below them stand before that tree. Trees with most victims come first. In a
    circle (a deadlock not yet found) one of its pids is taken for the root.

    >>> lock_tree({1: [], 2: [1], 3: [1, 2], 4: [3], 9: []})
    [(1, 0), (2, 1), (3, 2), (4, 3)]
    """
    known = {pid: [b for b in blockers if b in blocked_by] for pid, blockers in blocked_by.items()}
    rank = {pid: place for place, pid in enumerate(blocked_by)}
    depths = _depths(known)
    children: dict[int, list[int]] = {}
    roots: list[int] = []
    for pid, blockers in known.items():
        above = [b for b in blockers if depths[b] == depths[pid] - 1]
        if above:
            children.setdefault(min(above, key=lambda b: rank[b]), []).append(pid)
        else:
            roots.append(pid)
    trees = [_walk(root, children) for root in roots if root in children or blocked_by[root]]
    trees.sort(key=lambda tree: (-len(tree), rank[tree[0][0]]))
    placed: dict[int, int] = {}
    for tree in trees:
        others = (b for pid, _ in tree for b in known[pid] if b in roots and b not in children)
        placed |= {other: 0 for other in others if other not in placed}
        placed |= dict(tree)
    return list(placed.items())


def _depths(known: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """How many stand above each pid on its longest way up; a way that closes a circle ends."""
    depths: dict[int, int] = {}
    for start in known:
        stack, on_way = [start], {start}
        while stack:
            pid = stack[-1]
            open_ = [b for b in known[pid] if b not in depths and b not in on_way]
            if open_:
                stack.append(open_[0])
                on_way.add(open_[0])
                continue
            depths[pid] = max((depths[b] + 1 for b in known[pid] if b in depths), default=0)
            on_way.discard(stack.pop())
    return depths


def _walk(root: int, children: Mapping[int, Sequence[int]]) -> list[tuple[int, int]]:
    tree: list[tuple[int, int]] = []
    stack = [(root, 0)]
    while stack:
        pid, depth = stack.pop()
        tree.append((pid, depth))
        stack += [(child, depth + 1) for child in reversed(children.get(pid, ()))]
    return tree


def rows_of(backends: Iterable[Backend]) -> tuple[Row, ...]:
    """Rows in the order in which a responder wants them: lock trees, then as the server ranked."""
    by_pid = {int(b["pid"]): b for b in backends}
    tree = lock_tree({pid: list(b["blocked_by"] or ()) for pid, b in by_pid.items()})
    depths = dict(tree)
    victims: dict[int, int] = {}
    for backend in by_pid.values():
        for blocker in set(backend["blocked_by"] or ()):
            victims[blocker] = victims.get(blocker, 0) + 1
    order = [*depths, *(pid for pid in by_pid if pid not in depths)]
    return tuple(_row(by_pid[pid], depths.get(pid, 0), victims.get(pid, 0)) for pid in order)


def _row(backend: Backend, depth: int, victims: int) -> Row:
    pid = int(backend["pid"])
    start = backend["backend_start"].isoformat() if backend["backend_start"] else ""
    blockers = list(dict.fromkeys(backend["blocked_by"] or ()))
    state = state_word(backend)
    query = query_text(backend)
    cells: tuple[Cell, ...] = (
        f"{'  ' * (depth - 1)}└ {pid}" if depth else str(pid),
        _text(backend["user"]),
        _text(backend["database"]),
        _text(backend["app"]),
        client_text(backend),
        state,
        duration(backend),
        backend["transaction_s"],
        wait_text(backend),
        blockers_text(blockers),
        shorten(harmless(" ".join(query.split())), _CELL_WIDTH),
    )
    data = {
        "pid": pid,
        "backend_start": start,
        "query": harmless(query, lines=True),
        "state": state,
        "usename": _text(backend["user"]),
        "backend_type": _text(backend["backend_type"]),
        "blocked_by": blockers,
        "blocks": victims,
        "depth": depth,
    }
    note = f"blocks {victims}" if victims else "waits" if blockers else ""
    return Row(f"{pid}:{start}", str(pid), cells, note=note, data=data)


def state_word(backend: Backend) -> str:
    """The state in few letters; for what is no client, what it is."""
    kind = backend["backend_type"]
    if kind is not None and kind != "client backend":
        return harmless(str(kind).removesuffix(" worker"))
    state = backend["state"]
    if state is None:
        return "hidden" if backend["query"] == _HIDDEN else ""
    return _STATES.get(state, harmless(str(state)))


def query_text(backend: Backend) -> str:
    """What it runs, or ran last; not yet harmless."""
    query = backend["query"] or ""
    return "(not visible for this role)" if query == _HIDDEN else str(query)


def duration(backend: Backend) -> float | None:
    """Seconds: of the query while it is active, else of the state it is in."""
    seconds = backend["query_s"] if backend["state"] == "active" else backend["state_s"]
    return None if seconds is None else max(0.0, float(seconds))


def wait_text(backend: Backend) -> str:
    """What it waits for; a client that idles waits for its own client, which says nothing."""
    kind = backend["wait_event_type"]
    if not kind or kind in ("Client", "Activity"):
        return ""
    return harmless(f"{kind}:{backend['wait_event']}")


def client_text(backend: Backend) -> str:
    """Where it comes from: an address, or the socket of the server's own machine."""
    if backend["client"]:
        return harmless(str(backend["client"]))
    return "socket" if backend["client_port"] == -1 else ""


def blockers_text(blockers: Iterable[int]) -> str:
    """Pids with commas, a prepared transaction by name."""
    return ", ".join("prepared tx" if pid == PREPARED else str(pid) for pid in blockers)


def _text(value: object) -> str:
    return harmless(str(value)) if value is not None else ""
