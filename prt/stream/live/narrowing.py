"""Which bindings a server takes, where one bad one silences its whole channel.

The server's message names the bad one nearly always: drop it, try the rest. Only where it names none,
or several could be meant, the suspects are tried apart, by halves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from prt.stream.binding import Binding
from prt.stream.socket import refusals
from prt.stream.socket.refusals import Refusal


class Refused(Struct, frozen=True, kw_only=True):
    """A binding that was refused, and why."""

    binding: Binding
    refusal: Refusal


class Attempt(Protocol):
    """Joins these bindings; None once READY, else the server's words of refusal.

    A probe only finds out: what it joins is left again.
    """

    async def __call__(self, bindings: list[Binding], *, is_probe: bool) -> str | None: ...


async def narrow(
    bindings: Sequence[Binding], attempt: Attempt, report: Callable[[Refused], None]
) -> list[Binding]:
    """Attempts until the server takes what is left, which is then joined and returned.

    A table is taken whole or not at all: half of it would look like one on which little happens.
    """
    left = list(bindings)
    while left:
        words = await attempt(left, is_probe=False)
        if words is None:
            break
        bad = await _bad_ones(left, words, attempt)
        for binding, said in bad:
            report(Refused(binding=binding, refusal=refusals.of_binding(binding, said)))
        refused = {binding.name for binding, _ in bad}
        left = [binding for binding in left if binding.name not in refused]
    return left


async def _bad_ones(group: list[Binding], words: str, attempt: Attempt) -> list[tuple[Binding, str]]:
    """Find at least one bad binding of `group`, which was refused as a whole with `words`."""
    suspects = refusals.named(group, words) or group
    if len(suspects) == 1:
        return [(suspects[0], words)]
    bad: list[tuple[Binding, str]] = []
    half = len(suspects) // 2
    for part in (suspects[:half], suspects[half:]):
        answer = await attempt(part, is_probe=True)
        if answer is not None:
            bad.extend(await _bad_ones(part, answer, attempt))
    # Good apart, refused together: nothing more to find out, so the group is given up as a whole.
    return bad or [(binding, words) for binding in suspects]
