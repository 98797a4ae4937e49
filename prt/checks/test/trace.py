"""The messages of a check for the report, limited in number."""

from __future__ import annotations

from prt.clock import wall_clock
from prt.results import Message

FRAME_SHOWN = 400
"""The number of characters that the report shows of a control frame."""
MOST = 300
"""The number of messages that the report keeps of one check. `load` receives thousands."""


class Trace:
    """The messages of the check that is running."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._left_out = 0

    def note(self, who: str, text: str, at: int | None = None) -> None:
        """Add a message of an identity; `at` is in µs, by default now."""
        if len(self._messages) < MOST:
            at = wall_clock() if at is None else at
            self._messages.append(Message(at=at, who=who, text=text))
        else:
            self._left_out += 1

    def take(self) -> tuple[Message, ...]:
        """Return the messages, and start an empty list for the next check."""
        if self._left_out:
            last = self._messages[-1]
            more = f"and {self._left_out:,} more, left out"
            self._messages.append(Message(at=last.at, who="", text=more))
        taken = tuple(self._messages)
        self._messages, self._left_out = [], 0
        return taken
