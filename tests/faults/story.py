"""A watch as lines for a person who wants to know why the judge was not content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prt.events import Change, Event, Gap, Status, Vitals
from tests.faults.judge import Write, state_of


def story(events: Sequence[Event], writes: Iterable[Write] = ()) -> str:
    """Times in ms since the first event; a change stands with the time of its commit by the log."""
    start = events[0].at if events else 0
    committed = {write.state: write.committed for write in writes}

    def since(moment: int | None) -> str:
        return "?" if moment is None else f"{(moment - start) / 1000:.3f}"

    def reported(event: Event) -> str:
        match event:
            case Change():
                state = state_of(event)
                return f"{event.source} {event.event_type} {state}, committed {since(committed.get(state))}"
            case Gap():
                bounds = f"{since(event.start)} to {since(event.end)}"
                return f"GAP {bounds}, {event.recovered} recovered, {event.complete}: {event.cause}"
            case Status():
                return f"{event.status}: {event.reason}"
            case Vitals():
                return f"({event.phase}, {event.reconnects} reconnects, {event.failures} failures)"
            case _:
                return str(event)[:200]

    return "\n".join(f"{since(event.at):>12} {reported(event)}" for event in events)
