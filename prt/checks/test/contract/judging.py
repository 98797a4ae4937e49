"""The comparison of a contract with the observations: a result for what holds and for each difference.

The code has no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from prt.checks.test.contract import differences
from prt.checks.test.contract.differences import Difference
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
    TableTerms,
    TopicTerms,
    listed,
    short,
)
from prt.inputs import Input
from prt.results import Failure, Result

SUITE: Final = "contract"

Kind = TypeVar("Kind", bound=Observation)


class Judge:
    """A judge of the observations that were made in one round of a run."""

    def __init__(
        self,
        observed: Sequence[Observation],
        *,
        at: int,
        round_: int = 1,
        reasons: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """Prepare to judge the observations of one round.

        Args:
            observed: The observations.
            at: When they were made, in µs.
            round_: The number of the round, from 1.
            reasons: Why a check observed nothing, by its suite and name.
        """
        self._observed = observed
        self._at = at
        self._round = round_
        self._reasons = reasons or {}

    def results(self, contract: Contract) -> Iterator[Result]:
        """Yield a result for each part of the contract that holds, and for each difference, in its order."""
        if contract.publication is not None:
            yield from self._results_of("publication", 1, list(self._publication(contract)))
        for table in contract.tables:
            agreed = len(table.receives) + sum(
                term is not None for term in (table.is_published, table.replica_identity, table.policies)
            )
            yield from self._results_of(short(table.name), agreed, list(self._table(table)))
        if contract.topic_policies is not None:
            yield from self._results_of(
                "topic policies", 1, list(self._topic_policies(contract.topic_policies))
            )
        for topic in contract.topics:
            yield from self._results_of(topic.name, 3 * len(topic.rights), list(self._topic(topic)))

    def _results_of(self, name: str, agreed: int, differences: Sequence[Difference]) -> Iterator[Result]:
        if not differences and not agreed:
            yield Result(
                suite=SUITE,
                name=name,
                outcome="skip",
                at=self._at,
                ms=0.0,
                round=self._round,
                reason=f"the contract agrees on nothing about it: {Input.WRITE_CONTRACT} observes it again",
            )
        elif not differences:
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

    def _nothing(self, suite: str, name: str, what: str) -> Difference:
        return Difference(
            name=name,
            sentence=f"{what} could not be observed",
            expected=f"{what}, as agreed",
            came="nothing was observed",
            cause=self._reasons.get((suite, name), differences.UNOBSERVED),
        )

    def _all(self, kind: type[Kind]) -> list[Kind]:
        return [one for one in self._observed if isinstance(one, kind)]

    # --- tables

    def _table(self, terms: TableTerms) -> Iterator[Difference]:
        declared = next((one for one in self._all(Declared) if one.table == terms.name), None)
        subscribed = next((one for one in self._all(Subscribed) if one.table == terms.name), None)
        if declared is None and self._all(Published):
            yield differences.gone(terms)
            return
        is_published: bool | None = None
        if (published := declared or subscribed) is not None:
            is_published = published.is_published
        yield from differences.publishing(terms, is_published)
        if declared is not None:
            yield from differences.catalog(terms, declared)
        elif terms.replica_identity is not None or terms.policies is not None:
            what = f"the replica identity and policies of {short(terms.name)}"
            yield differences.unasked(short(terms.name), what)
        if is_published is False and terms.is_published:
            return  # one difference is enough for all identities
        arrivals = [one for one in self._all(Arrival) if one.table == terms.name]
        if terms.receives and not arrivals:
            yield self._nothing("rls", short(terms.name), f"who receives {short(terms.name)}")
            return
        has_changed = declared is not None and terms.policies not in (None, declared.policies)
        for identity in dict.fromkeys(one.identity for one in terms.receives):
            agreed = [one for one in terms.receives if one.identity == identity]
            yield from differences.received(terms, agreed, arrivals, has_changed=has_changed)

    # --- the database

    def _publication(self, contract: Contract) -> Iterator[Difference]:
        agreed = contract.publication
        assert agreed is not None  # noqa: S101 - called only if there is one
        found = next(iter(self._all(Published)), None)
        if found is None:
            yield differences.unasked("publication", "the publication")
            return
        for event in sorted({*agreed.events} ^ {*found.events}):
            is_new = event in found.events
            yield Difference(
                name=f"publication {event}",
                sentence=f"the publication {'now' if is_new else 'no longer'} sends {event}",
                expected=f"a publication that sends {listed(agreed.events) or 'nothing'}",
                came=listed(found.events) or "nothing",
            )
        yield from differences.published_tables(agreed, found, {one.name for one in contract.tables})

    def _topic_policies(self, agreed: str) -> Iterator[Difference]:
        found = next(iter(self._all(TopicPolicies)), None)
        if found is None:
            yield differences.unasked("topic policies", f"the policies of {differences.MESSAGES}")
        elif found.policies != agreed:
            yield differences.policies_changed("topic policies", differences.MESSAGES, agreed, found.policies)

    # --- topics

    def _topic(self, terms: TopicTerms) -> Iterator[Difference]:
        observed = {one.identity: one for one in self._all(Access) if one.topic == terms.name}
        if terms.rights and not observed:
            yield self._nothing("broadcast", terms.name, f"who may do what on {terms.name}")
            return
        for right in terms.rights:
            found = observed.get(right.identity)
            if found is None:
                yield differences.unobserved(
                    f"{terms.name} {right.identity}", terms.name, right.identity, "the rights on"
                )
            else:
                yield from differences.rights(terms, right, found)
