"""Suggestions for an unknown word: the known word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`, or None if none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 - only mistakes need it

    return next(iter(get_close_matches(word, list(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return the hint for an unknown word: "did you mean …?" with the nearest known one, or `otherwise`."""
    near = nearest(word, known)
    return otherwise if near is None else f"did you mean {near}?"
