"""The `Prefer` header. https://docs.postgrest.org/en/stable/references/api/preferences.html"""

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
"""A project commits every request, so `tx` is taken and not applied."""


class Preferences(Struct, frozen=True, kw_only=True):
    """The preferences of a request, from its header `Prefer`."""

    returning: Literal["representation", "minimal", "headers-only"] = "minimal"
    resolution: Literal["merge-duplicates", "ignore-duplicates"] | None = None
    count: Literal["exact", "planned", "estimated"] | None = None
    fills_defaults: bool = False
    max_affected: int | None = None
    applied: tuple[str, ...] = ()
    """As given, in PostgREST's order: the `Preference-Applied` of the answer."""


def parse_preferences(headers: Iterable[str]) -> Preferences:
    """The first of each kind counts. RestError PGRST122 on an unknown one under `handling=strict`."""
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
