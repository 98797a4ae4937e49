"""The base of outputs that draw nothing before the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class Still:
    """The base class of outputs that write lines or one picture, and have no live screen to redraw."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @property
    def pending(self) -> int:
        """0, because nothing waits."""
        return 0

    @property
    def keys(self) -> None:
        """None, because there is no screen."""
        return None

    def drain(self) -> bool:
        """Return True, because nothing waits."""
        return True

    def flush(self) -> None:
        """Return at once, because nothing waits."""

    def suspend(self) -> None:
        """Return at once, because the terminal is unchanged."""

    def resume(self) -> None:
        """Return at once, because the terminal is unchanged."""

    def fileno(self) -> int:
        """Return the file descriptor of the terminal."""
        return self._console.file.fileno()
