"""The differences between a contract and the observations: each is a sentence about one change.

The functions have no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from prt import quoting
from prt.checks.test.contract.observations import (
    Access,
    Arrival,
    Declared,
    Published,
)
from prt.checks.test.contract.terms import (
    PublicationTerms,
    Receives,
    Right,
    TableTerms,
    TopicTerms,
    listed,
    short,
)

UNOBSERVED: Final = "the test that observes it was skipped, or failed before"
_REMEDIES: Final = {
    "anon": "set SUPABASE_PUBLISHABLE_KEY or SUPABASE_ANON_KEY",
    "member": "set PRT_TOKEN, or PRT_PASSWORD for a user",
    "service": "set SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY",
    "stranger": "set SUPABASE_JWT_SECRET, or PRT_STRANGER_PASSWORD for a second user",
}
MESSAGES: Final = "realtime.messages"


class Difference(Struct, frozen=True, kw_only=True):
    """A difference between what was agreed and what was observed, as a sentence with its details."""

    name: str
    sentence: str
    expected: str
    came: str
    cause: str | None = None
    remedy: str | None = None


def publishing(terms: TableTerms, is_published: bool | None) -> Iterator[Difference]:
    """Yield the difference that a table was added to the publication or removed from it."""
    if terms.is_published is None or is_published is None or terms.is_published == is_published:
        return
    name = f"{quoting.identifier(terms.schema)}.{quoting.identifier(terms.table)}"
    change = "add" if terms.is_published else "drop"
    shown = short(terms.name)
    yield Difference(
        name=f"{shown} published",
        sentence=f"{shown} is now published: its changes are sent"
        if is_published
        else f"{shown} is no longer published: nobody receives its changes",
        expected=f"{shown} {'in' if terms.is_published else 'not in'} the publication supabase_realtime",
        came=f"{shown} {'in' if is_published else 'not in'} it",
        cause="the publication was altered, or made anew",
        remedy=f"alter publication supabase_realtime {change} table {name};",
    )


def gone(terms: TableTerms) -> Difference:
    """Return the difference that a table no longer exists."""
    shown = short(terms.name)
    return Difference(
        name=f"{shown} table",
        sentence=f"there is no table {shown} any more",
        expected=f"a table {terms.name}",
        came="none in the database's catalog",
        cause="it was dropped or renamed",
    )


def catalog(terms: TableTerms, found: Declared) -> Iterator[Difference]:
    """Yield the differences in a table's replica identity and policies."""
    shown = short(terms.name)
    agreed = terms.replica_identity
    if agreed is not None and agreed != found.replica_identity:
        sql = f"alter table {quoting.identifier(terms.schema)}.{quoting.identifier(terms.table)}"
        yield Difference(
            name=f"{shown} replica identity",
            sentence=f"the replica identity of {shown} is now {found.replica_identity}, not {agreed}",
            expected=f"the replica identity {agreed}",
            came=found.replica_identity,
            cause="it decides which columns UPDATE and DELETE carry of the old row",
            remedy=None if agreed == "index" else f"{sql} replica identity {agreed};",
        )
    if terms.policies not in (None, found.policies):
        yield policies_changed(f"{shown} policies", terms.name, terms.policies, found.policies)


def policies_changed(name: str, table: str, agreed: str | None, found: str) -> Difference:
    """Return the difference that policies have changed.

    Args:
        name: The name of the result.
        table: The table as `schema.table`.
        agreed: The digest in the contract.
        found: The digest of today's policies.
    """
    schema, _, of = table.partition(".")
    return Difference(
        name=name,
        sentence=f"the policies of {short(table)} have changed",
        expected=f"the policies with the digest {agreed}",
        came=found,
        cause="a policy, or row level security itself, was altered; who receives what may be the same",
        remedy="select policyname, cmd, roles, qual, with_check from pg_policies where schemaname = "  # noqa: S608
        f"{quoting.literal(schema)} and tablename = {quoting.literal(of)};",
    )


def published_tables(agreed: PublicationTerms, found: Published, named: set[str]) -> Iterator[Difference]:
    """Yield the differences in the publication's tables, except those that have their own terms."""
    if agreed.tables is None:
        return
    for table in sorted(({*agreed.tables} ^ {*found.tables}) - named):
        is_new = table in found.tables
        yield Difference(
            name=f"publication {short(table)}",
            sentence=f"{short(table)} is {'now' if is_new else 'no longer'} published",
            expected=f"{short(table)} {'not in' if is_new else 'in'} the publication supabase_realtime",
            came="it is there" if is_new else "it is not there",
        )


def received(
    terms: TableTerms, agreed: Sequence[Receives], arrivals: Sequence[Arrival], *, has_changed: bool
) -> Iterator[Difference]:
    """Yield the differences in what one identity receives from a table.

    Args:
        terms: The terms about the table.
        agreed: The agreed events and rows of one identity; not empty.
        arrivals: What all identities received from the table.
        has_changed: Whether the table's policies differ from the contract, as a hint at the cause.
    """
    identity, shown = agreed[0].identity, short(terms.name)
    missing = []
    for one in agreed:
        found = next(
            (
                arrival
                for arrival in arrivals
                if (arrival.identity, arrival.event, arrival.condition)
                == (identity, one.event, one.condition)
            ),
            None,
        )
        if found is None:
            missing.append(one.event)
        elif (sentence := _arrival_sentence(shown, one, found)) is not None:
            yield Difference(
                name=f"{shown} {identity} {one.event}",
                sentence=sentence,
                expected=f"{one.event} of {shown} to {identity}: {_amount(one.rows)}",
                came=f"{found.came} of the {found.written} rows that were written"
                if found.condition is None
                else f"{found.matching_came} of the {found.matching} rows that match, "
                f"{found.came - found.matching_came} of the {found.written - found.matching} others",
                cause=_arrival_cause(shown, found, has_changed=has_changed),
            )
    if missing:
        yield unobserved(f"{shown} {identity}", shown, identity, f"{listed(missing)} of")


def _amount(rows: str) -> str:
    return f"{rows} of the rows" if rows in ("all", "some", "none") else f"the rows that match {rows}"


def _arrival_sentence(table: str, agreed: Receives, found: Arrival) -> str | None:
    """Return how the received rows differ from the agreed ones, or None if they do not."""
    what = f"{agreed.event} of {table}"
    gains, loses = f"{agreed.identity} now receives {what}", f"{agreed.identity} no longer receives {what}"
    unheld = f"{what} to {agreed.identity} could not be held against"
    if agreed.condition is not None:
        if found.trouble == "claim":
            return f"{unheld} {agreed.condition}: the token of {agreed.identity} has no {found.claim}"
        if found.came > found.matching_came:
            return f"{gains} (rows that do not match {agreed.condition})"
        if found.matching_came < found.matching:
            return f"{loses} (rows that match {agreed.condition})"
        if found.trouble is not None:
            which = "row that matches it" if found.trouble == "matching" else "other row"
            return f"{unheld} {agreed.condition}: no {which} could be written"
        return None
    if (agreed.rows, found.rows, found.written) == ("some", "all", 1):
        return f"{unheld} some: only one row was written"
    return {
        ("none", "some"): f"{gains} (some rows)",
        ("none", "all"): gains,
        ("some", "all"): f"{gains} (all rows, not only some)",
        ("some", "none"): loses,
        ("all", "none"): loses,
        ("all", "some"): f"{loses} (some rows, not all)",
    }.get((agreed.rows, found.rows))


def _arrival_cause(table: str, found: Arrival, *, has_changed: bool) -> str:
    if found.trouble == "claim":
        return "another user was signed in, or the claim is no longer issued"
    if found.written == 1 or found.trouble is not None:
        return "rows of others are written with the server key, for a member and a stranger"
    if has_changed:
        return f"the policies of {table} have changed too"
    return (
        f"a policy of {table}, its grants or the publication was altered, or the rows that are written differ"
    )


def rights(terms: TopicTerms, agreed: Right, found: Access) -> Iterator[Difference]:
    """Yield the differences in what one identity may do on a topic."""
    for right, verb, was, is_ in (
        ("listen", "listen to", agreed.listen, found.listen),
        ("send", "send to", agreed.send, found.send),
        ("presence", "be present on", agreed.presence, found.presence),
    ):
        if was != is_:
            may = "may now" if is_ else "may no longer"
            yield Difference(
                name=f"{terms.name} {agreed.identity} {right}",
                sentence=f"{agreed.identity} {may} {verb} {terms.name}",
                expected=f"{agreed.identity} {'allowed' if was else 'not allowed'} to {verb} {terms.name}",
                came="it is allowed" if is_ else "it is refused",
                cause=f"a policy of {MESSAGES} was altered"
                if terms.is_private
                else "the project no longer treats public channels as before",
            )


def unobserved(name: str, of: str, identity: str, what: str) -> Difference:
    """Return the difference that something could not be observed for an identity.

    Args:
        name: The name of the result.
        of: The table or topic.
        identity: The identity.
        what: What should have been observed, with a preposition: "INSERT of", "the rights on".
    """
    return Difference(
        name=name,
        sentence=f"{what} {of} could not be observed as {identity}",
        expected=f"{what} {of} as {identity}, as agreed",
        came="nothing was observed",
        cause=f"this run has no {identity}, or {UNOBSERVED}",
        remedy=_REMEDIES[identity],
    )


def unasked(name: str, what: str) -> Difference:
    """Return the difference that `what` could not be observed because the database was not asked."""
    return Difference(
        name=name,
        sentence=f"{what} could not be observed",
        expected=f"{what} as agreed",
        came="nothing was observed",
        cause="the database's catalog was not asked, or did not answer",
        remedy="set SUPABASE_DB_URL, or take these lines out of the contract",
    )
