"""The header `Prefer`: https://docs.postgrest.org/en/stable/references/api/preferences.html"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from prt.local.rest.errors import RestError

CHOICES = {
    "return": ("representation", "minimal", "headers-only"),
    "resolution": ("merge-duplicates", "ignore-duplicates"),
    "count": ("exact", "planned", "estimated"),
    "missing": ("default", "null"),
    "handling": ("strict", "lenient"),
    "tx": ("commit", "rollback"),
}
IGNORED = {"tx", "params"}
"""Preferences that are accepted without effect; `tx` does nothing because every request is committed."""


class Preferences(Struct, frozen=True, kw_only=True):
    """The preferences of a request, from its header `Prefer`."""

    returning: Literal["representation", "minimal", "headers-only"] = "minimal"
    resolution: Literal["merge-duplicates", "ignore-duplicates"] | None = None
    count: Literal["exact", "planned", "estimated"] | None = None
    fills_defaults: bool = False
    max_affected: int | None = None
    applied: tuple[str, ...] = ()
    """The preferences as the client wrote them, in PostgREST's order, for the header `Preference-Applied`."""


def parse_preferences(headers: Iterable[str]) -> Preferences:
    """Parse the values of the headers `Prefer`. If a preference is given twice, the first one counts.

    Raises:
        RestError: `PGRST122`: a preference is unknown, and `handling=strict` is given.
    """
    given: dict[str, str] = {}
    unknown: list[str] = []
    for part in (part.strip() for header in headers for part in header.split(",")):
        name, _, value = part.partition("=")
        if value in CHOICES.get(name, ()) or (name == "max-affected" and value.isdigit()):
            given.setdefault(name, value)
        elif part and name not in IGNORED and name != "timezone":
            unknown.append(part)
    is_strict = given.get("handling") == "strict"
    if unknown and is_strict:
        raise RestError(
            400,
            "PGRST122",
            "Invalid preferences given with handling=strict",
            f"Invalid preferences: {', '.join(unknown)}",
        )
    if not is_strict:
        given.pop("max-affected", None)
    order = ("resolution", "missing", "return", "count", "handling", "max-affected")
    return Preferences(
        returning=given.get("return", "minimal"),  # type: ignore[arg-type]
        resolution=given.get("resolution"),  # type: ignore[arg-type]
        count=given.get("count"),  # type: ignore[arg-type]
        fills_defaults=given.get("missing") == "default",
        max_affected=int(given["max-affected"]) if "max-affected" in given else None,
        applied=tuple(f"{name}={given[name]}" for name in order if name in given),
    )
