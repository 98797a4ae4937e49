"""The limits of Supabase's plans: https://supabase.com/docs/guides/realtime/limits

The client compares its own use with these limits, and the embedded server enforces them on request.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from prt.errors import UsageError
from prt.inputs import Input


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of a plan.

    `connections` are counted at one time, and `channels` at one time for each connection. `messages`, `joins`
    and `presence` messages are per second. `largest_broadcast` is in bytes.
    """

    connections: int
    messages: int
    joins: int
    presence: int
    largest_broadcast: int = 3_000_000
    channels: int = 100


PLANS: Final[dict[str, Limits]] = {
    "free": Limits(connections=200, messages=100, joins=100, presence=20, largest_broadcast=256_000),
    "pro": Limits(connections=500, messages=500, joins=500, presence=50),
    "no-cap": Limits(connections=10_000, messages=2_500, joins=2_500, presence=1_000),
}
"""The limits by the name of the plan; `no-cap` is Pro without a spend cap."""


def limits_of(plan: str) -> Limits:
    """Return a plan's limits.

    Raises:
        UsageError: The plan is unknown.
    """
    if plan not in PLANS:
        raise UsageError(f'{Input.PLAN}: unknown plan "{plan}"', f"there are {', '.join(PLANS)}")
    return PLANS[plan]
