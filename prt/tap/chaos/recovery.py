"""The judgement whether an app has recovered from a fault, for `--expect-recovery`.

The code has no clock and no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from prt.events import Evidence, TapFinding
from prt.tap.findings.finding import SECOND, at_moment, finding
from prt.tap.observe.messages import Client, Fault, Observed, Tick
from prt.tap.observe.missed import change_of, read_of
from prt.tap.observe.traffic import Traffic


@dataclass(slots=True, eq=False)
class _Trial:
    """A fault, with what the app had subscribed to before it and the changes that it has missed since."""

    kind: str
    begun_at: int
    wanted: list[tuple[Client, str]]
    """The clients, each with a topic that it had joined."""
    tables: set[str]
    deadline: int | None = None
    missed: dict[str, Evidence] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)


class Recovery:
    """The judge of an app's recovery after each fault. The exit code depends on `are_met`."""

    def __init__(self, seconds: float) -> None:
        """Give the app `seconds` to recover after the end of each fault."""
        self._seconds = seconds
        self._trials: list[_Trial] = []
        self.judged = 0
        self.failed = 0

    @property
    def are_met(self) -> bool:
        """Return whether at least one fault was judged, and the app has recovered from all of them."""
        return self.judged > 0 and not self.failed

    @property
    def is_pending(self) -> bool:
        """Return whether a fault has not been judged yet."""
        return bool(self._trials)

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Process a message; yield a finding for each fault that the app has not recovered from in time."""
        if isinstance(message, Fault):
            self._note_fault(message, traffic)
        elif self._trials:
            for trial in self._trials:
                self._note(trial, message, traffic)
            yield from self._judged(message, traffic)

    def _note_fault(self, message: Fault, traffic: Traffic) -> None:
        if not message.is_over:
            joined = [
                (socket, channel)
                for socket in traffic.open_sockets()
                for channel in socket.channels.values()
                if channel.is_joined
            ]
            wanted = [(socket.client, channel.topic) for socket, channel in joined]
            tables = {one.full_table for _, channel in joined for one in channel.bindings}
            self._trials.append(_Trial(message.kind, message.at, wanted, tables))
            return
        for trial in self._trials:
            if trial.kind == message.kind and trial.deadline is None:
                trial.deadline = message.at + int(self._seconds * SECOND)

    def _note(self, trial: _Trial, message: Observed, traffic: Traffic) -> None:
        table = read_of(message)
        if table is not None:
            trial.read.add(table)
        changed = change_of(message, traffic)
        if changed is not None and changed[0] in trial.tables and self._not_ready(trial, traffic):
            trial.missed.setdefault(*changed)
            trial.read.discard(changed[0])

    def _judged(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge each fault when the app has recovered, or when its time to recover is over."""
        at = message.at
        for trial in [one for one in self._trials if one.deadline is not None]:
            missing = self._missing(trial, traffic)
            is_due = isinstance(message, Tick) and at >= (trial.deadline or 0)
            if missing and not is_due:
                continue
            self._trials.remove(trial)
            self.judged += 1
            if missing:
                self.failed += 1
                evidence = [at_moment(trial.begun_at, f"{trial.kind} began"), *trial.missed.values()]
                yield finding(
                    "not-recovered",
                    at,
                    evidence,
                    seconds=f"{self._seconds:g}",
                    fault=f"{trial.kind} ({self.judged})",
                    missing="; ".join(missing),
                )

    def _missing(self, trial: _Trial, traffic: Traffic) -> list[str]:
        gone = self._not_ready(trial, traffic)
        if not any(socket.is_open for socket in traffic.sockets.values()) and trial.wanted:
            return ["no connection"]
        unread = sorted(table for table in trial.missed if table not in trial.read)
        return [
            *(f"{topic.removeprefix('realtime:')} is not joined and READY" for topic in gone),
            *(f"{table} was not read again" for table in unread),
        ]

    def _not_ready(self, trial: _Trial, traffic: Traffic) -> list[str]:
        """Return the topics that have not become joined and READY again since the fault began."""
        gone = []
        for client, topic in trial.wanted:
            channels = [
                socket.channels[topic]
                for socket in traffic.open_sockets()
                if socket.client == client and topic in socket.channels
            ]
            if not any(each.is_ready and each.joined_at >= trial.begun_at for each in channels):
                gone.append(topic)
        return gone
