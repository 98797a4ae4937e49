"""A scanner for the text of one parameter, with the elements that all grammars of PostgREST share."""

from __future__ import annotations

from collections.abc import Callable

from prt.local.rest.errors import RestError
from prt.local.rest.query.tree import Field, Step

IDENTIFIER_MARKS = "_ $"


class Scanner:
    """A cursor in a text.

    Attributes:
        text: The text.
        at: The index of the next character.

    The argument `what` names the text in error messages, as in PostgREST: `failed to parse filter (…)`.
    """

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.at = 0
        self._what = what

    @property
    def is_done(self) -> bool:
        """Whether the end of the text is reached."""
        return self.at >= len(self.text)

    def sees(self, literal: str) -> bool:
        """Return whether a literal comes next, without moving."""
        return self.text.startswith(literal, self.at)

    def accepts(self, literal: str) -> bool:
        """Move past a literal if it comes next, and return whether it did."""
        if not self.sees(literal):
            return False
        self.at += len(literal)
        return True

    def expect(self, literal: str) -> None:
        """Move past a literal. Raise RestError if something else comes next."""
        if not self.accepts(literal):
            raise self.error(f'"{literal}"')

    def expect_end(self, expected: str) -> None:
        """Raise RestError unless the end of the text is reached; `expected` describes what may come next."""
        if not self.is_done:
            raise self.error(expected)

    def take_while(self, accepts: Callable[[str], bool]) -> str:
        """Move past the next characters that `accepts` accepts, and return them."""
        start = self.at
        while not self.is_done and accepts(self.text[self.at]):
            self.at += 1
        return self.text[start : self.at]

    def rest(self) -> str:
        """Move to the end of the text, and return the rest of it."""
        taken, self.at = self.text[self.at :], len(self.text)
        return taken

    def quoted(self) -> str:
        """Read a value in double quotes; the character after a backslash is used as it is."""
        self.expect('"')
        taken: list[str] = []
        while not self.accepts('"'):
            self.accepts("\\")
            if self.is_done:
                raise self.error('"\\""')
            taken.append(self.text[self.at])
            self.at += 1
        return "".join(taken)

    def name(self) -> str:
        """Read the name of a column or table.

        A name is quoted, or consists of letters, digits, `_`, `$`, spaces, and dashes that don't begin an
        arrow.
        """
        if self.sees('"'):
            return self.quoted()
        taken = self.take_while(self._is_of_name).strip()
        if not taken:
            raise self.error("field name (* or [a..z0..9_$])")
        return taken

    def field(self) -> Field:
        """Read a field: the name of a column, and the path of a JSON value in it (`a->b->>c`)."""
        name = self.name()
        steps: list[Step] = []
        while self.sees("->"):
            is_text = self.accepts("->>") or not self.accepts("->")
            steps.append(Step(self._json_key(), is_text))
        return Field(name, tuple(steps))

    def error(self, expected: str) -> RestError:
        """Return an error which says that `expected` was expected at the present position."""
        seen = "end of input" if self.is_done else f'"{self.text[self.at]}"'
        return RestError(
            400,
            "PGRST100",
            f'"failed to parse {self._what} ({self.text})" (line 1, column {self.at + 1})',
            f"unexpected {seen} expecting {expected}",
        )

    def _is_of_name(self, character: str) -> bool:
        if character == "-":
            return not self.sees("->")
        return character.isalnum() or character in IDENTIFIER_MARKS

    def _json_key(self) -> str | int:
        if self.sees('"'):
            return self.quoted()
        start = self.at
        self.accepts("-")
        digits = self.take_while(lambda c: c.isascii() and c.isdigit())
        if digits and (self.is_done or self.text[self.at] in "-:.,)"):
            return int(self.text[start : self.at])
        self.at = start
        key = self.take_while(lambda c: c not in ":.,)" and not (c == "-" and self.sees("->")))
        if not key:
            raise self.error("json key")
        return key
