"""A watch of a table or a topic, and the expectations that a test has of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from enum import Enum
from types import TracebackType
from typing import Any, Final, Self

import pytest

from prt.pytest_plugin.link import Link
from prt.pytest_plugin.program import Child, Line

READY_SECONDS: Final = 60.0
EVENTS: Final = ("change", "broadcast", "presence")
SHOWN: Final = 10
WIDEST: Final = 300


class Watch:
    """A watch of a table or a topic, with the events that it has received.

    Expectations may be met in any order, and each event meets at most one of them.
    """

    def __init__(
        self, subject: str, start: Callable[[], Child], diagnose: Callable[[], str], link: Link | None
    ) -> None:
        """Describe a watch, which starts when its `with` block is entered.

        Args:
            subject: The table or topic, for messages.
            start: Starts `prt watch`.
            diagnose: Returns the faults that `prt status` finds.
            link: The connection that `cut` cuts; None if the connection can't be cut.
        """
        self._subject = subject
        self._start = start
        self._diagnose = diagnose
        self._link = link
        self._child: Child | None = None
        self._met: set[int] = set()

    def __enter__(self) -> Self:
        """Start the watch and wait until events flow."""
        __tracebackhide__ = True
        self._child = self._start()
        if not self._child.wait_for(lambda: self._readies() > 0, READY_SECONDS):
            self._fail(f"the watch of {self._subject} did not become READY")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the watch."""
        self.close()

    def close(self) -> None:
        """End the watch if it is running."""
        if self._child is not None:
            self._child.stop()
        if self._link is not None:
            self._link.close()
            self._link = None

    @property
    def events(self) -> list[Line]:
        """Return the changes, broadcasts and presence events received so far, as `prt` writes them."""
        return [line for line in list(self._running.lines) if line.get("type") in EVENTS]

    def expect(
        self, event: str, row: Mapping[str, Any] | None = None, /, *, within: float = 5.0, **values: Any
    ) -> Line:
        """Wait for an event, and return its line.

        Args:
            event: INSERT, UPDATE or DELETE; the event of a broadcast; join, leave, update or sync.
            row: Values that the row, payload or presence must have. Use it for columns whose names can't be
                keywords.
            within: How many seconds to wait.
            values: Further values, by column.

        Raises:
            Failed: The event did not come. The message shows what came instead, and the diagnosis of `prt
                status`.
        """
        __tracebackhide__ = True
        wanted = {**(row or {}), **values}
        found: list[int] = []

        def is_met() -> bool:
            found[:] = self._matches(event, wanted)
            return bool(found)

        if not self._running.wait_for(is_met, within):
            self._fail(f"no {_described(event, wanted)} came to {self._subject} within {within:g} s")
        self._met.add(found[0])
        return self._running.lines[found[0]]

    def expect_none(
        self,
        event: str | None = None,
        row: Mapping[str, Any] | None = None,
        /,
        *,
        within: float = 1.0,
        **values: Any,
    ) -> None:
        """Fail if an event that no expectation has met comes within `within` seconds.

        Args:
            event: The kind of event, as in `expect`; None means any event.
            row: Values that the row, payload or presence would have, as in `expect`.
            within: How many seconds to wait.
            values: Further values, by column.
        """
        __tracebackhide__ = True
        wanted = {**(row or {}), **values}
        if self._running.wait_for(lambda: bool(self._matches(event, wanted)), within):
            self._fail(f"{_described(event, wanted)} was not to come to {self._subject}", is_diagnosed=False)
        if self._running.has_ended:
            self._fail(f"the watch of {self._subject} ended early")

    def cut(self) -> Cut:
        """Cut the connection. `prt` reconnects at once, or after the block of `with w.cut():`."""
        if self._link is None:
            raise pytest.UsageError("prt: only a watch of a project on http can be cut")
        self._link.cut()
        return Cut(self._link, self._is_ready_again())

    def _is_ready_again(self) -> Callable[[], None]:
        before = self._readies()

        def wait() -> None:
            __tracebackhide__ = True
            if not self._running.wait_for(lambda: self._readies() > before, READY_SECONDS):
                self._fail(f"the watch of {self._subject} did not become READY again")

        return wait

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise pytest.UsageError("prt: a watch begins with its block: `with prt_realtime.watch(…) as w:`")
        return self._child

    def _readies(self) -> int:
        return sum(line.get("status") == "READY" for line in self._running.lines)

    def _matches(self, event: str | None, wanted: Mapping[str, Any]) -> list[int]:
        return [
            index
            for index, line in enumerate(self._running.lines)
            if line.get("type") in EVENTS
            and index not in self._met
            and event in (None, line.get("eventType", line.get("event")))
            # The first `sync` of a presence is its initial state, not something that happened.
            and (event is not None or line.get("event") != "sync" or line["type"] != "presence")
            and any(_holds(one, wanted) for one in _rows(line))
        ]

    def _fail(self, what: str, *, is_diagnosed: bool = True) -> None:
        __tracebackhide__ = True
        child = self._running
        further = [line for index, line in enumerate(child.lines) if index not in self._met]
        came = [line for line in further if line.get("type") in EVENTS]
        text = [f"prt: {what}"]
        text += ["what came instead:", *(f"  {_shown(line)}" for line in came[-SHOWN:])] if came else []
        text += [] if came else ["nothing else came"]
        text += [f"  {_shown(line)}" for line in further if line.get("type") in ("gap", "malformed")]
        if child.has_ended:
            text += ["prt ended:", *(f"  {line}" for line in child.complaints().splitlines())]
        if is_diagnosed:
            text += ["prt's diagnosis:", self._diagnose()]
        pytest.fail("\n".join(text))


class Cut:
    """A connection that was cut. Use it in a `with` block to prevent reconnects until the block ends."""

    def __init__(self, link: Link, wait: Callable[[], None]) -> None:
        self._link = link
        self._wait = wait

    def __enter__(self) -> None:
        """Refuse new connections."""
        self._link.cut(is_held=True)

    def __exit__(self, *_: object) -> None:
        """Accept connections again, and wait until events flow."""
        __tracebackhide__ = True
        self._link.mend()
        self._wait()


def _rows(line: Line) -> Iterator[Mapping[str, Any]]:
    if line["type"] == "change":
        yield (line.get("old") if line["eventType"] == "DELETE" else line.get("new")) or {}
    elif line["type"] == "broadcast":
        payload = line.get("payload")
        yield payload if isinstance(payload, dict) else {}
    else:
        key = {"key": line.get("key")}
        yield from ({**key, **one} for one in line.get("presences") or [{}])


def _holds(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in row and _is_equal(row[name], value) for name, value in wanted.items())


def _is_equal(found: Any, wanted: Any) -> bool:
    """Compare a JSON value with a Python value; UUIDs, dates and decimals are text or numbers in JSON."""
    if isinstance(wanted, bool) or wanted is None:
        return found is wanted
    if isinstance(wanted, Enum):
        return _is_equal(found, wanted.value)
    if isinstance(wanted, int | float | str | list | dict):
        return bool(found == wanted) and not isinstance(found, bool)
    try:
        if isinstance(wanted, Decimal):
            return Decimal(str(found)) == wanted
        if isinstance(wanted, date):
            return bool(type(wanted).fromisoformat(found) == wanted)
    except (ArithmeticError, TypeError, ValueError):
        return False
    return bool(found == str(wanted))


def _described(event: str | None, wanted: Mapping[str, Any]) -> str:
    values = "".join(f" {name}={value!r}" for name, value in wanted.items())
    return f"{event or 'event'}{' with' if values else ''}{values}"


def _shown(line: Line) -> str:
    name = line.get("eventType") or line.get("event") or line["type"]
    if line["type"] in ("gap", "malformed"):
        rest = {key: line.get(key) for key in ("cause", "recovered", "complete", "reason") if key in line}
        return _cut(f"{name} {json.dumps(rest, ensure_ascii=True)}")
    return _cut(f"{name} {' '.join(json.dumps(row, ensure_ascii=True) for row in _rows(line))}")


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """Run the block with a command, and stop the command at its end."""
    try:
        yield child
    finally:
        child.stop()
