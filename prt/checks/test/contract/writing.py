"""Writing a contract from observations. The code has no I/O.

Conditions that a person added to the former contract are kept if they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

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
    short,
)


class Draft(Struct, frozen=True):
    """A contract to write, and notices about it for the person who runs the command."""

    contract: Contract
    notices: tuple[str, ...]


def drafted(plan: Contract, observed: Sequence[Observation], *, names_all: bool) -> Draft:
    """Return the contract that describes the observations about the tables and topics of `plan`.

    Args:
        plan: The tables and topics, with the conditions and bounds of the former contract in that file.
        observed: The observations of one round.
        names_all: Whether the contract lists all published tables, so that no other may be added.
    """
    notices: list[str] = []
    tables = [_table(one, observed, notices) for one in plan.tables]
    topics = [_topic(one, observed) for one in plan.topics]
    published = next((one for one in observed if isinstance(one, Published)), None)
    policies = next((one.policies for one in observed if isinstance(one, TopicPolicies)), None)
    publication = None
    if published is not None:
        tables_now = published.tables if names_all else None
        publication = PublicationTerms(events=published.events, tables=tables_now)
    contract = Contract(
        bounds=plan.bounds,
        publication=publication,
        topic_policies=policies if topics else None,
        tables=tuple(tables),
        topics=tuple(topics),
    )
    return Draft(contract, tuple(notices))


def _table(terms: TableTerms, observed: Sequence[Observation], notices: list[str]) -> TableTerms:
    declared = next((one for one in observed if isinstance(one, Declared) and one.table == terms.name), None)
    subscribed = next(
        (one for one in observed if isinstance(one, Subscribed) and one.table == terms.name), None
    )
    arrivals = [one for one in observed if isinstance(one, Arrival) and one.table == terms.name]
    if not arrivals and (subscribed is None or subscribed.is_published):
        notices.append(f"who receives {short(terms.name)} was not observed, and is not in the contract")
    is_published: bool | None = None
    if declared is not None:
        is_published = declared.is_published
    elif subscribed is not None:
        is_published = subscribed.is_published
    return structs.replace(
        terms,
        is_published=is_published,
        replica_identity=None if declared is None else declared.replica_identity,
        policies=None if declared is None else declared.policies,
        receives=tuple(_received(terms, arrivals, notices)),
    )


def _received(terms: TableTerms, arrivals: Sequence[Arrival], notices: list[str]) -> Iterable[Receives]:
    """Yield what each identity receives by event: all, some or none, or an agreed condition that holds."""
    for one in sorted(arrivals, key=lambda one: (one.identity, one.event)):
        if one.condition is None:
            rows = one.rows
        elif one.trouble is None and (one.came, one.matching_came) == (one.matching, one.matching):
            rows = one.condition
        else:
            rows = one.rows
            notices.append(
                f"{one.event} of {short(terms.name)} to {one.identity} does not hold to {one.condition}: "
                f'written as "{rows}"'
            )
        yield Receives(identity=one.identity, event=one.event, rows=rows)


def _topic(terms: TopicTerms, observed: Sequence[Observation]) -> TopicTerms:
    rights = [
        Right(identity=one.identity, listen=one.listen, send=one.send, presence=one.presence)
        for one in observed
        if isinstance(one, Access) and one.topic == terms.name
    ]
    return structs.replace(terms, rights=tuple(sorted(rights, key=lambda one: one.identity)))
