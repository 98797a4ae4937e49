"""A contract against what was observed: a result for what holds, and for each difference.

Every difference is one sentence that names who now receives what. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from msgspec import Struct

from prt import quoting
from prt.checks.test.contract.observations import (
    Access,
    Arrival,
    Declared,
    Observation,
    Published,
    Subscribed,
    TopicPolicies,
)
from prt.checks.test.contract.terms import (
    Contract,
    PublicationTerms,
    Receives,
    Right,
    TableTerms,
    TopicTerms,
    listed,
    short,
)
from prt.inputs import Input
from prt.results import Failure, Result

SUITE: Final = "contract"
UNOBSERVED: Final = "the test that observes it was skipped, or failed before"
_REMEDIES: Final = {
    "anon": "set SUPABASE_PUBLISHABLE_KEY or SUPABASE_ANON_KEY",
    "member": "set PRT_TOKEN, or PRT_PASSWORD for a user",
    "service": "set SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY",
    "stranger": "set SUPABASE_JWT_SECRET, or PRT_STRANGER_PASSWORD for a second user",
}
_MESSAGES: Final = "realtime.messages"

Kind = TypeVar("Kind", bound=Observation)


class _Difference(Struct, frozen=True, kw_only=True):
    name: str
    sentence: str
    expected: str
    came: str
    cause: str | None = None
    remedy: str | None = None


class Judge:
    """One round of observations, and when it was made (µs).

    `reasons` say why a check observed nothing, by its suite and name.
    """

    def __init__(
        self,
        observed: Sequence[Observation],
        *,
        at: int,
        round_: int = 1,
        reasons: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self._observed = observed
        self._at = at
        self._round = round_
        self._reasons = reasons or {}

    def results(self, contract: Contract) -> Iterator[Result]:
        """Yield what holds and what differs, in the order of the contract."""
        if contract.publication is not None:
            yield from self._told("publication", 1, list(self._publication(contract)))
        for table in contract.tables:
            agreed = len(table.receives) + sum(
                term is not None for term in (table.is_published, table.replica_identity, table.policies)
            )
            yield from self._told(short(table.name), agreed, list(self._table(table)))
        if contract.topic_policies is not None:
            yield from self._told("topic policies", 1, list(self._topic_policies(contract.topic_policies)))
        for topic in contract.topics:
            yield from self._told(topic.name, 3 * len(topic.rights), list(self._topic(topic)))

    def _told(self, name: str, agreed: int, differences: Sequence[_Difference]) -> Iterator[Result]:
        if not differences:
            note = f"as agreed in {agreed} {'point' if agreed == 1 else 'points'}"
            yield Result(
                suite=SUITE, name=name, outcome="pass", at=self._at, ms=0.0, round=self._round, note=note
            )
        for one in differences:
            yield Result(
                suite=SUITE,
                name=one.name,
                outcome="fail",
                at=self._at,
                ms=0.0,
                round=self._round,
                failure=Failure(
                    sentence=one.sentence,
                    expected=one.expected,
                    came=one.came,
                    cause=one.cause,
                    remedy=one.remedy or f"if that is meant, write it down with {Input.WRITE_CONTRACT}",
                ),
            )

    def _nothing(self, suite: str, name: str, what: str) -> _Difference:
        return _Difference(
            name=name,
            sentence=f"{what} could not be observed",
            expected=f"{what}, as agreed",
            came="nothing was observed",
            cause=self._reasons.get((suite, name), UNOBSERVED),
        )

    def _all(self, kind: type[Kind]) -> list[Kind]:
        return [one for one in self._observed if isinstance(one, kind)]

    # --- tables

    def _table(self, terms: TableTerms) -> Iterator[_Difference]:
        declared = next((one for one in self._all(Declared) if one.table == terms.name), None)
        subscribed = next((one for one in self._all(Subscribed) if one.table == terms.name), None)
        if declared is None and self._all(Published):
            yield _gone(terms)
            return
        is_published: bool | None = None
        if (published := declared or subscribed) is not None:
            is_published = published.is_published
        yield from _publishing(terms, is_published)
        if declared is not None:
            yield from _catalog(terms, declared)
        elif terms.replica_identity is not None or terms.policies is not None:
            what = f"the replica identity and policies of {short(terms.name)}"
            yield _unasked(short(terms.name), what)
        if is_published is False and terms.is_published:
            return  # said once for everybody
        arrivals = [one for one in self._all(Arrival) if one.table == terms.name]
        if terms.receives and not arrivals:
            yield self._nothing("rls", short(terms.name), f"who receives {short(terms.name)}")
            return
        has_changed = declared is not None and terms.policies not in (None, declared.policies)
        for identity in dict.fromkeys(one.identity for one in terms.receives):
            agreed = [one for one in terms.receives if one.identity == identity]
            yield from _received(terms, agreed, arrivals, has_changed=has_changed)

    # --- the database

    def _publication(self, contract: Contract) -> Iterator[_Difference]:
        agreed = contract.publication
        assert agreed is not None  # noqa: S101 - asked for where there is one
        found = next(iter(self._all(Published)), None)
        if found is None:
            yield _unasked("publication", "the publication")
            return
        for event in sorted({*agreed.events} ^ {*found.events}):
            is_new = event in found.events
            yield _Difference(
                name=f"publication {event}",
                sentence=f"the publication {'now' if is_new else 'no longer'} sends {event}",
                expected=f"a publication that sends {listed(agreed.events) or 'nothing'}",
                came=listed(found.events) or "nothing",
            )
        yield from _published_tables(agreed, found, {one.name for one in contract.tables})

    def _topic_policies(self, agreed: str) -> Iterator[_Difference]:
        found = next(iter(self._all(TopicPolicies)), None)
        if found is None:
            yield _unasked("topic policies", f"the policies of {_MESSAGES}")
        elif found.policies != agreed:
            yield _policies_changed("topic policies", _MESSAGES, agreed, found.policies)

    # --- topics

    def _topic(self, terms: TopicTerms) -> Iterator[_Difference]:
        observed = {one.identity: one for one in self._all(Access) if one.topic == terms.name}
        if terms.rights and not observed:
            yield self._nothing("broadcast", terms.name, f"who may do what on {terms.name}")
            return
        for right in terms.rights:
            found = observed.get(right.identity)
            if found is None:
                yield _unobserved(
                    f"{terms.name} {right.identity}", terms.name, right.identity, "the rights on"
                )
            else:
                yield from _rights(terms, right, found)


def _publishing(terms: TableTerms, is_published: bool | None) -> Iterator[_Difference]:
    if terms.is_published is None or is_published is None or terms.is_published == is_published:
        return
    name = f"{quoting.identifier(terms.schema)}.{quoting.identifier(terms.table)}"
    change = "add" if terms.is_published else "drop"
    shown = short(terms.name)
    yield _Difference(
        name=f"{shown} published",
        sentence=f"{shown} is now published: its changes are sent"
        if is_published
        else f"{shown} is no longer published: nobody receives its changes",
        expected=f"{shown} {'in' if terms.is_published else 'not in'} the publication supabase_realtime",
        came=f"{shown} {'in' if is_published else 'not in'} it",
        cause="the publication was altered, or made anew",
        remedy=f"alter publication supabase_realtime {change} table {name};",
    )


def _gone(terms: TableTerms) -> _Difference:
    shown = short(terms.name)
    return _Difference(
        name=f"{shown} table",
        sentence=f"there is no table {shown} any more",
        expected=f"a table {terms.name}",
        came="none in the database's catalog",
        cause="it was dropped or renamed",
    )


def _catalog(terms: TableTerms, found: Declared) -> Iterator[_Difference]:
    shown = short(terms.name)
    agreed = terms.replica_identity
    if agreed is not None and agreed != found.replica_identity:
        sql = f"alter table {quoting.identifier(terms.schema)}.{quoting.identifier(terms.table)}"
        yield _Difference(
            name=f"{shown} replica identity",
            sentence=f"the replica identity of {shown} is now {found.replica_identity}, not {agreed}",
            expected=f"the replica identity {agreed}",
            came=found.replica_identity,
            cause="it decides which columns UPDATE and DELETE carry of the old row",
            remedy=None if agreed == "index" else f"{sql} replica identity {agreed};",
        )
    if terms.policies not in (None, found.policies):
        yield _policies_changed(f"{shown} policies", terms.name, terms.policies, found.policies)


def _policies_changed(name: str, table: str, agreed: str | None, found: str) -> _Difference:
    schema, _, of = table.partition(".")
    return _Difference(
        name=name,
        sentence=f"the policies of {short(table)} have changed",
        expected=f"the policies with the digest {agreed}",
        came=found,
        cause="a policy, or row level security itself, was altered; who receives what may be the same",
        remedy="select policyname, cmd, roles, qual, with_check from pg_policies where schemaname = "  # noqa: S608
        f"{quoting.literal(schema)} and tablename = {quoting.literal(of)};",
    )


def _published_tables(agreed: PublicationTerms, found: Published, named: set[str]) -> Iterator[_Difference]:
    """Yield the tables that came or went, but for those that have terms of their own."""
    if agreed.tables is None:
        return
    for table in sorted(({*agreed.tables} ^ {*found.tables}) - named):
        is_new = table in found.tables
        yield _Difference(
            name=f"publication {short(table)}",
            sentence=f"{short(table)} is {'now' if is_new else 'no longer'} published",
            expected=f"{short(table)} {'not in' if is_new else 'in'} the publication supabase_realtime",
            came="it is there" if is_new else "it is not there",
        )


def _received(
    terms: TableTerms, agreed: Sequence[Receives], arrivals: Sequence[Arrival], *, has_changed: bool
) -> Iterator[_Difference]:
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
            yield _Difference(
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
        yield _unobserved(f"{shown} {identity}", shown, identity, f"{listed(missing)} of")


def _amount(rows: str) -> str:
    return f"{rows} of the rows" if rows in ("all", "some", "none") else f"the rows that match {rows}"


def _arrival_sentence(table: str, agreed: Receives, found: Arrival) -> str | None:
    """Return how what arrives differs from what was agreed, or None if it does not."""
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


def _rights(terms: TopicTerms, agreed: Right, found: Access) -> Iterator[_Difference]:
    for right, doing, was, is_ in (
        ("listen", "listen to", agreed.listen, found.listen),
        ("send", "send to", agreed.send, found.send),
        ("presence", "be present on", agreed.presence, found.presence),
    ):
        if was != is_:
            may = "may now" if is_ else "may no longer"
            yield _Difference(
                name=f"{terms.name} {agreed.identity} {right}",
                sentence=f"{agreed.identity} {may} {doing} {terms.name}",
                expected=f"{agreed.identity} {'allowed' if was else 'not allowed'} to {doing} {terms.name}",
                came="it is allowed" if is_ else "it is refused",
                cause=f"a policy of {_MESSAGES} was altered"
                if terms.is_private
                else "the project no longer treats public channels as before",
            )


def _unobserved(name: str, of: str, identity: str, what: str) -> _Difference:
    return _Difference(
        name=name,
        sentence=f"{what} {of} could not be observed as {identity}",
        expected=f"{what} {of} as {identity}, as agreed",
        came="nothing was observed",
        cause=f"this run has no {identity}, or {UNOBSERVED}",
        remedy=_REMEDIES[identity],
    )


def _unasked(name: str, what: str) -> _Difference:
    return _Difference(
        name=name,
        sentence=f"{what} could not be observed",
        expected=f"{what} as agreed",
        came="nothing was observed",
        cause="the database's catalog was not asked, or did not answer",
        remedy="set SUPABASE_DB_URL, or take these lines out of the contract",
    )
