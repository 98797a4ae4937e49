"""The search for the bindings that a server accepts. One bad binding silences its whole channel.

The server's message names the bad binding nearly always: it is dropped, and the others are tried again. If
the message names none, or several could be meant, the suspects are tried in halves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from prt.stream.binding import Binding
from prt.stream.socket import refusals
from prt.stream.socket.refusals import Refusal


class Refused(Struct, frozen=True, kw_only=True):
    """A binding that the server refused, with the reason."""

    binding: Binding
    refusal: Refusal


class Attempt(Protocol):
    """A function that joins with bindings, and returns None once changes flow, else the text of the refusal.

    A probe only finds out whether the server accepts them: its channel is left again.
    """

    async def __call__(self, bindings: list[Binding], *, is_probe: bool) -> str | None: ...


async def narrow(
    bindings: Sequence[Binding], attempt: Attempt, report: Callable[[Refused], None]
) -> list[Binding]:
    """Join with as many bindings as the server accepts, and return them.

    A table is accepted with all of its bindings or not at all: with half of them it would look like a table
    on which little happens.

    Args:
        bindings: The bindings that are wanted.
        attempt: Joins with bindings.
        report: Receives the bindings that were refused.
    """
    left = list(bindings)
    while left:
        words = await attempt(left, is_probe=False)
        if words is None:
            break
        bad = await _bad_ones(left, words, attempt)
        for binding, reason in bad:
            report(Refused(binding=binding, refusal=refusals.of_binding(binding, reason)))
        refused = {binding.name for binding, _ in bad}
        left = [binding for binding in left if binding.name not in refused]
    return left


async def _bad_ones(group: list[Binding], words: str, attempt: Attempt) -> list[tuple[Binding, str]]:
    """Find at least one bad binding of `group`, which the server refused as a whole with the text `words`."""
    suspects = refusals.named(group, words) or group
    if len(suspects) == 1:
        return [(suspects[0], words)]
    bad: list[tuple[Binding, str]] = []
    half = len(suspects) // 2
    for part in (suspects[:half], suspects[half:]):
        answer = await attempt(part, is_probe=True)
        if answer is not None:
            bad.extend(await _bad_ones(part, answer, attempt))
    # Accepted apart and refused together: nothing more can be found out, so the whole group is given up.
    return bad or [(binding, words) for binding in suspects]
