"""LIKE patterns, matched in a time that is linear in the text and the pattern. Pure.

There is no backtracking: the parts between two `%` are found from left to right, and the leftmost match of a
part is always good enough. PostgreSQL decides the patterns for which that is not possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Matches = Callable[[str], bool]
Folding = Mapping[int, str]
"""The lower case of every character for which it is different, by code point, for `str.translate`."""

_ANY_ONE, _ANY_MANY = 1, 2
_Token = str | int


def matcher(pattern: str) -> Matches | None:
    """Return the test of `LIKE pattern`, None if PostgreSQL has to decide.

    PostgreSQL decides patterns that end with a single backslash, because they raise an error for some texts,
    and patterns with a `_` within the text between two `%`, because these can't be found in linear time.
    """
    tokens = _tokens(pattern)
    if tokens is None:
        return None
    first, *others = _split(tokens)
    head = _Fixed.of(first)
    if not others:
        return lambda text: len(text) == head.length and head.fits(text, 0)
    *middle, last = others
    floating = [_Floating.of(part) for part in middle if part]
    tail = _Fixed.of(last)
    parts = [part for part in floating if part is not None]
    if len(parts) != len(floating):
        return None
    return lambda text: _is_match(text, head, parts, tail)


def folded_matcher(pattern: str, folding: Folding) -> Matches | None:
    """Return the test of `ILIKE pattern`, None if PostgreSQL has to decide (see `matcher`)."""
    matches = matcher(_folded(pattern, folding))
    return matches and (lambda text: matches(_folded(text, folding)))


def _folded(text: str, folding: Folding) -> str:
    return text.lower() if text.isascii() else text.translate(folding)


@dataclass(frozen=True)
class _Fixed:
    """A part with a fixed position: its length, and its literals with their distances from its start."""

    length: int
    literals: list[tuple[int, str]]

    @classmethod
    def of(cls, tokens: list[_Token]) -> _Fixed:
        literals: list[tuple[int, list[str]]] = []
        is_continued = False
        for offset, token in enumerate(tokens):
            if isinstance(token, str):
                if is_continued:
                    literals[-1][1].append(token)
                else:
                    literals.append((offset, [token]))
            is_continued = isinstance(token, str)
        return cls(len(tokens), [(offset, "".join(characters)) for offset, characters in literals])

    def fits(self, text: str, at: int) -> bool:
        return all(text.startswith(literal, at + offset) for offset, literal in self.literals)


@dataclass(frozen=True)
class _Floating:
    """A part between two `%`: a literal, and the numbers of `_` before and after it."""

    before: int
    literal: str
    after: int

    @classmethod
    def of(cls, tokens: list[_Token]) -> _Floating | None:
        fixed = _Fixed.of(tokens)
        match fixed.literals:
            case []:
                return cls(fixed.length, "", 0)
            case [(before, literal)]:
                return cls(before, literal, fixed.length - before - len(literal))
            case _:
                return None


def _is_match(text: str, head: _Fixed, floating: list[_Floating], tail: _Fixed) -> bool:
    end = len(text) - tail.length
    if end < head.length or not (head.fits(text, 0) and tail.fits(text, end)):
        return False
    at = head.length
    for part in floating:
        found = text.find(part.literal, at + part.before, max(0, end - part.after))
        if found < 0:
            return False
        at = found + len(part.literal) + part.after
    return True


def _tokens(pattern: str) -> list[_Token] | None:
    """Return literal characters and wildcards, None if the pattern ends within an escape."""
    tokens: list[_Token] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            escaped = next(characters, None)
            if escaped is None:
                return None
            tokens.append(escaped)
        else:
            tokens.append({"%": _ANY_MANY, "_": _ANY_ONE}.get(character, character))
    return tokens


def _split(tokens: list[_Token]) -> list[list[_Token]]:
    """Split the tokens at each `%`."""
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token == _ANY_MANY:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
