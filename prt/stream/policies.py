"""The SQL that opens a private topic: row level security on realtime.messages is what closes it."""

from __future__ import annotations

from prt import quoting
from prt.config.secret import claims_of

NAME_LENGTH = 63


def hears_sql(role: str, topic: str) -> str:
    """Lets a role into one private topic, to hear its broadcasts and see its presence."""
    return (
        f"create policy {_name(f'{role} hears {topic}')} on realtime.messages for select "
        f"to {quoting.identifier(role)} using (realtime.topic() = {quoting.literal(topic)});"
    )


def sends_sql(role: str, topic: str) -> str:
    """Lets a role send to one private topic, and be on its roster."""
    return (
        f"create policy {_name(f'{role} sends to {topic}')} on realtime.messages for insert "
        f"to {quoting.identifier(role)} with check (realtime.topic() = {quoting.literal(topic)});"
    )


def stores_sql(role: str, topic: str) -> str:
    """Return the policy that lets a role store what it sends to one private topic."""
    return (
        f"create policy {_name(f'{role} stores in {topic}')} on realtime.messages for insert "
        f"to {quoting.identifier(role)} with check (realtime.topic() = {quoting.literal(topic)} "
        "and extension = 'persistence');"
    )


def role_of(token: str | None) -> str:
    """The database role that a token or a key acts as; a publishable key is anon's."""
    role = (claims_of(token or "") or {}).get("role")
    return role if isinstance(role, str) and role else "anon"


def _name(text: str) -> str:
    """A policy's name; PostgreSQL cuts longer ones."""
    return quoting.identifier(text[:NAME_LENGTH])
