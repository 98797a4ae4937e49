"""Whether a person uses the terminal, which decides about colours, drawing and questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from prt.config.environment import environment

AGENTS: Final = (
    "PRT_AGENT",
    "AI_AGENT",
    "AMP_CURRENT_THREAD_ID",
    "ANTIGRAVITY_AGENT",
    "AUGMENT_AGENT",
    "CLAUDECODE",
    "CLINE_ACTIVE",
    "CODEX_CI",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "COPILOT_AGENT",
    "COPILOT_CLI",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "OPENCODE",
    "OPENCODE_CLIENT",
)
"""The variables that coding agents set for the commands that they run; ours and a general one come first.

Variables that editors with an agent also set for a person's terminal, such as CURSOR_TRACE_ID, are not used.
"""
_FIXED: Final = frozenset({"dumb", "unknown"})
"""The types of terminals, by TERM, on which nothing can be drawn."""
_UNSET: Final = frozenset({"", "0", "false", "no", "off"})

_served: Final[list[bool]] = []


class Stream(Protocol):
    """A file that may be a terminal."""

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        ...


@contextmanager
def serving_agent(is_asked_for: bool) -> Iterator[None]:
    """Act as for an agent during the block, if asked for."""
    _served.append(is_asked_for)
    try:
        yield
    finally:
        _served.pop()


def is_agent() -> bool:
    """Return whether an agent runs this process: it reads output as text, and answers no questions."""
    variables = environment()
    return any(_served) or any(variables.get(name, "").strip().lower() not in _UNSET for name in AGENTS)


def is_terminal(stream: Stream | None) -> bool:
    """Return whether a stream is a terminal that a person uses; a closed stream is None."""
    return stream is not None and stream.isatty() and not is_agent()


def may_draw(stream: Stream | None) -> bool:
    """Return whether a stream is a terminal that can move its cursor, which a dumb one can't."""
    return is_terminal(stream) and environment().get("TERM", "").lower() not in _FIXED


def may_color() -> bool:
    """Return whether colours can be used; for an agent only if FORCE_COLOR is set."""
    return not is_agent() or bool(environment().get("FORCE_COLOR"))
