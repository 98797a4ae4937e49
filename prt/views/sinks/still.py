"""An Output without a screen of its own: nothing is drawn before the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class Still:
    """Who extends it gives it `write` and `close`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @property
    def pending(self) -> int:
        """Return 0: nothing waits."""
        return 0

    @property
    def keys(self) -> None:
        """There is no screen."""
        return None

    def drain(self) -> bool:
        """Return True: nothing waits."""
        return True

    def flush(self) -> None:
        """Nothing waits."""

    def suspend(self) -> None:
        """Nothing was taken."""

    def resume(self) -> None:
        """Nothing is to be taken again."""

    def fileno(self) -> int:
        """Return the terminal's descriptor."""
        return self._console.file.fileno()
