"""Findings about keeping a connection alive: heartbeats, and what an app does after a lost connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from prt.events import Evidence, TapFinding
from prt.tap.findings.finding import SECOND, at_moment, finding
from prt.tap.observe.connections import Socket
from prt.tap.observe.messages import Answered, Asked, Client, ClosedSocket, Observed, Tick
from prt.tap.observe.missed import change_of, read_of
from prt.tap.observe.traffic import Traffic

LATE_HEARTBEAT = 45 * SECOND
"""The time without a heartbeat that is too long.

A client sends one every 25 s, and the server closes a socket after 66 s of silence.
"""
GRACE = 10 * SECOND
"""The time that an app may take to join after a reconnect, and to read after a READY."""
KEPT = 100


class HeartbeatLate:
    """A rule that finds sockets which have sent no heartbeat for much longer than its interval."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge all open sockets whenever a Tick arrives."""
        if not isinstance(message, Tick):
            return
        for socket in traffic.open_sockets():
            latest = max(socket.opened_at or 0, socket.heartbeat_at or 0)
            if socket.is_whole and message.at - latest > LATE_HEARTBEAT:
                what = "the last heartbeat" if socket.heartbeat_at else "opened, and no heartbeat since"
                yield finding(
                    "heartbeat-late",
                    message.at,
                    [at_moment(latest, what, socket.number)],
                    connection=socket.number,
                    seconds=f"{(message.at - latest) / SECOND:.0f}",
                )


@dataclass(slots=True, eq=False)
class _Loss:
    """A connection that was lost while it had channels, and what its client has done since."""

    socket: Socket
    topics: list[str]
    tables: dict[str, str]
    """The tables of its bindings as `schema.table`, each with its topic."""
    lost_at: int
    back_at: int | None = None
    back: Socket | None = None
    missed: dict[str, Evidence] = field(default_factory=dict)
    """The proof that changes were missed, by table."""
    read: set[str] = field(default_factory=set)
    ready_at: int | None = None


class AfterReconnect:
    """A rule that finds clients which reconnect but do not join again, or do not read what they missed."""

    def __init__(self) -> None:
        self._losses: list[_Loss] = []

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Follow each loss; judge all of them whenever a Tick arrives."""
        match message:
            case ClosedSocket():
                self._note_loss(message, traffic)
            case Answered():
                self._note_return(message, traffic)
            case Asked() if (table := read_of(message)) is not None:
                for loss in self._losses:
                    if loss.back_at is not None and _same(message.client, loss.socket.client):
                        loss.read.add(table)
            case Tick():
                yield from self._judged(message.at)
        if self._losses and (changed := change_of(message, traffic)) is not None:
            self._note_missed(*changed)

    def _note_loss(self, message: ClosedSocket, traffic: Traffic) -> None:
        socket = traffic.sockets.get(message.number)
        if socket is None or message.is_by_client or socket.skipped:
            return
        live = [channel for channel in socket.channels.values() if channel.is_joined]
        if live:
            tables = {one.full_table: each.name for each in live for one in each.bindings}
            self._losses.append(_Loss(socket, [each.topic for each in live], tables, message.at))
            del self._losses[:-KEPT]

    def _note_return(self, message: Answered, traffic: Traffic) -> None:
        socket = traffic.sockets.get(message.number)
        if message.status != 101 or socket is None:
            return
        for loss in self._losses:
            if loss.back is None and loss.socket.client == socket.client:
                loss.back, loss.back_at = socket, message.at
                return

    def _note_missed(self, table: str, evidence: Evidence) -> None:
        for loss in self._losses:
            if table in loss.tables and not self._is_joined(loss, table):
                loss.missed.setdefault(table, evidence)

    def _is_joined(self, loss: _Loss, table: str) -> bool:
        if loss.back is None:
            return False
        return any(
            channel.is_joined and any(one.full_table == table for one in channel.bindings)
            for channel in loss.back.channels.values()
        )

    def _judged(self, at: int) -> Iterator[TapFinding]:
        for loss in list(self._losses):
            if loss.back is None or loss.back_at is None:
                continue
            rejoined = [
                topic for topic in loss.topics if topic in loss.back.channels or topic in loss.back.left
            ]
            if not loss.back.is_open:
                self._losses.remove(loss)
            elif not rejoined and not loss.back.channels:
                if at - loss.back_at >= GRACE:
                    self._losses.remove(loss)
                    yield self._not_rejoined(loss, at)
            else:
                yield from self._judged_reading(loss, at)

    def _judged_reading(self, loss: _Loss, at: int) -> Iterator[TapFinding]:
        assert loss.back is not None  # noqa: S101 - judged only after the return
        tables = [table for table in loss.missed if self._is_joined(loss, table)]
        loss.ready_at = loss.ready_at or (at if tables else None)
        begun = loss.ready_at or loss.back_at or at
        if at - begun < GRACE:
            return
        self._losses.remove(loss)
        for table in tables:
            if table not in loss.read:
                yield finding(
                    "not-read-again",
                    at,
                    [
                        at_moment(loss.lost_at, "the connection was lost", loss.socket.number),
                        loss.missed[table],
                        at_moment(loss.back_at or at, "it was back", loss.back.number),
                    ],
                    connection=loss.back.number,
                    topic=loss.tables[table],
                    table=table,
                    name=table.partition(".")[2],
                )

    def _not_rejoined(self, loss: _Loss, at: int) -> TapFinding:
        assert loss.back is not None  # noqa: S101 - judged only after the return
        names = ", ".join(topic.removeprefix("realtime:") for topic in loss.topics[:3])
        return finding(
            "not-rejoined",
            at,
            [
                at_moment(loss.lost_at, "the connection was lost", loss.socket.number),
                at_moment(loss.back_at or at, "it was back", loss.back.number),
            ],
            connection=loss.back.number,
            topics=names,
        )


def _same(one: Client, other: Client) -> bool:
    return (one.key, one.origin) == (other.key, other.origin)
