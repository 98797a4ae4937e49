"""Every message of a check, for the report, bounded."""

from __future__ import annotations

from prt.clock import wall_clock
from prt.results import Message

FRAME_SHOWN = 400
"""Characters of a control frame that a message of the report shows."""
MOST = 300
"""Messages that a report keeps of one check: enough to see what happened, `load` sends thousands."""


class Trace:
    """The messages of the check that runs; `take` ends it."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._left_out = 0

    def note(self, who: str, text: str, at: int | None = None) -> None:
        """`at` in µs, now where it is left out."""
        if len(self._messages) < MOST:
            at = wall_clock() if at is None else at
            self._messages.append(Message(at=at, who=who, text=text))
        else:
            self._left_out += 1

    def take(self) -> tuple[Message, ...]:
        """Return the messages, and begin anew for the next check."""
        if self._left_out:
            last = self._messages[-1]
            more = f"and {self._left_out:,} more, left out"
            self._messages.append(Message(at=last.at, who="", text=more))
        taken = tuple(self._messages)
        self._messages, self._left_out = [], 0
        return taken
