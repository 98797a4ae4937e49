"""Regular expressions that a user gives, searched in texts that come from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prt.errors import UsageError
from prt.inputs import Input

if TYPE_CHECKING:
    import regex

SEARCH_SECONDS: Final = 1.0
"""The longest time that a search may take. `(a|aa)+$` would search a row with fifty times `a` for hours, and
neither Ctrl-C nor SIGTERM would be noticed meanwhile."""


class Pattern:
    """A regular expression whose searches end in time, whatever text they search.

    The library `regex` accepts the expressions of `re`, and its searches can have a time limit.
    """

    def __init__(self, text: str, what: Input) -> None:
        """Compile the expression.

        Args:
            text: The regular expression.
            what: What the user gave it as, for messages.

        Raises:
            UsageError: The expression is invalid.
        """
        import regex  # noqa: PLC0415 - it takes 70 ms, and most watches have no pattern

        self._text = text
        self._what = what
        try:
            self._compiled: regex.Pattern[str] = regex.compile(text)
        except regex.error as exc:
            raise UsageError(
                f"{what} is not a valid regular expression: {exc}",
                "put a backslash before . * [ ( to match the character itself",
            ) from exc

    def matches(self, text: str) -> bool:
        """Return whether the expression matches anywhere in a text.

        Raises:
            UsageError: The search took too long.
        """
        try:
            return self._compiled.search(text, timeout=SEARCH_SECONDS) is not None
        except TimeoutError as exc:
            raise self._too_slow() from exc

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of each match in a text.

        Raises:
            UsageError: The search took too long.
        """
        try:
            for match in self._compiled.finditer(text, timeout=SEARCH_SECONDS):
                yield match.span()
        except TimeoutError as exc:
            raise self._too_slow() from exc

    def _too_slow(self) -> UsageError:
        return UsageError(
            f"{self._what} {self._text} takes more than {SEARCH_SECONDS:g} s for one event",
            "don't repeat what can match the same text in several ways: a+ instead of (a|aa)+",
        )
