"""The SQL that opens a private topic by a policy on realtime.messages, whose row level security closes it."""

from __future__ import annotations

from prt import quoting
from prt.config.secret import claims_of

NAME_BYTES = 63
"""The length to which a policy's name is cut. PostgreSQL keeps 63 bytes."""


def receives_sql(role: str, topic: str) -> str:
    """Return the policy that lets a role receive a private topic's broadcasts and presence."""
    return (
        f"create policy {_name(f'{role} hears {topic}')} on realtime.messages for select "
        f"to {quoting.identifier(role)} using (realtime.topic() = {quoting.literal(topic)});"
    )


def sends_sql(role: str, topic: str) -> str:
    """Return the policy that lets a role send to a private topic, and be on its presence roster."""
    return (
        f"create policy {_name(f'{role} sends to {topic}')} on realtime.messages for insert "
        f"to {quoting.identifier(role)} with check (realtime.topic() = {quoting.literal(topic)});"
    )


def stores_sql(role: str, topic: str) -> str:
    """Return the policy that lets a role store the messages that it sends to a private topic."""
    return (
        f"create policy {_name(f'{role} stores in {topic}')} on realtime.messages for insert "
        f"to {quoting.identifier(role)} with check (realtime.topic() = {quoting.literal(topic)} "
        "and extension = 'persistence');"
    )


def role_of(token: str | None) -> str:
    """Return the database role of a token or a key. The role of a publishable key is anon."""
    role = (claims_of(token or "") or {}).get("role")
    return role if isinstance(role, str) and role else "anon"


def _name(text: str) -> str:
    """Return a policy's name, quoted and cut as PostgreSQL would cut it."""
    return quoting.identifier(text.encode()[:NAME_BYTES].decode(errors="ignore"))
