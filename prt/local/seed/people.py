"""The two users of the seed: one is a member of the production, the other one is not."""

from __future__ import annotations

from msgspec import Struct


class Person(Struct, frozen=True, kw_only=True):
    """A user of the seed, with the password for signing in."""

    id: str
    email: str
    name: str
    password: str


PASSWORD = "prt-local-password"  # noqa: S105 - these users exist on 127.0.0.1 only
MEMBER = Person(
    id="5eed0000-0000-4000-8000-0000000000a1",
    email="maya@example.com",
    name="Maya Lindqvist",
    password=PASSWORD,
)
STRANGER = Person(
    id="5eed0000-0000-4000-8000-0000000000b2", email="otto@example.com", name="Otto Reyes", password=PASSWORD
)
