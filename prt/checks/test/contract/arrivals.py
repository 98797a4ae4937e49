"""Counts of the rows of the suite `rls` that each identity received, with and without a condition."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from prt.checks.test.context import Context
from prt.checks.test.contract import conditions
from prt.checks.test.contract.conditions import MissingClaimError
from prt.checks.test.contract.observations import Arrival, Trouble
from prt.checks.test.contract.terms import EVENTS, Event, Identity, TableTerms
from prt.checks.test.identities import token_claims
from prt.checks.test.rows import is_readable
from prt.checks.test.samples import Sample
from prt.checks.test.watcher import Watcher


class Held(Struct, frozen=True, kw_only=True):
    """The result of a condition for each row, in the order of the rows.

    `claim` is a claim that the condition names and the token lacks, else None.
    """

    rows: tuple[bool, ...]
    claim: str | None = None

    @property
    def trouble(self) -> Trouble | None:
        """Return why the condition could not be tried with rows that meet it and rows that don't, or None."""
        if self.claim is not None:
            return "claim"
        if not any(self.rows):
            return "matching"
        return "others" if all(self.rows) else None


class Conditions:
    """The results of a contract's conditions. They must be read while the rows still exist."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Held] = {}

    def __getitem__(self, asked: tuple[str, str]) -> Held:
        return self._held[asked]

    async def read(
        self,
        context: Context,
        watching: Collection[Identity],
        samples: Sequence[Sample],
        asked: Collection[tuple[Identity, str]],
    ) -> None:
        """Ask REST which rows meet each identity's conditions.

        Args:
            context: The context of the table.
            watching: The identities that take part.
            samples: The rows.
            asked: Identities, each with a condition that is agreed for it.

        Raises:
            PrtError: REST failed.
        """
        asking: Identity = "service" if "service" in watching else next(iter(samples[0].readers), "anon")
        for who, text in asked:
            if who not in watching:
                continue
            claims = token_claims((await context.identities.session(who)).endpoint)
            try:
                parameters = conditions.parameters(conditions.filled(text, claims))
            except MissingClaimError as exc:
                self._held[who, text] = Held(rows=(False,) * len(samples), claim=exc.name)
                continue
            rest = await context.identities.rest(asking)
            rows = tuple([await is_readable(rest, context.settings, one.row, parameters) for one in samples])
            self._held[who, text] = Held(rows=rows)


def arrivals(
    table: str,
    watchers: Mapping[Identity, Watcher],
    samples: Sequence[Sample],
    held: Conditions,
    agreed: TableTerms | None,
) -> Iterator[Arrival]:
    """Yield how many rows each identity received, for each kind of event.

    An identity whose connection broke is left out, because what it received proves nothing.

    Args:
        table: The table as `schema.table`.
        watchers: The connection of each identity.
        samples: The rows that were written.
        held: The results of the conditions.
        agreed: The contract's terms for the table, None if there are none.
    """
    texts = {(one.identity, one.event): one.condition for one in (() if agreed is None else agreed.receives)}
    for who, watcher in watchers.items():
        if watcher.error is not None:
            continue
        for event in EVENTS:
            tried = [(number, one) for number, one in enumerate(samples) if one.has(event)]
            came = {number for number, one in tried if _has_come(watcher, one, event)}
            if not tried:
                continue
            text = texts.get((who, event))
            met = None if text is None else held[who, text]
            meeting = set() if met is None else {number for number, _ in tried if met.rows[number]}
            yield Arrival(
                table=table,
                identity=who,
                event=event,
                written=len(tried),
                came=len(came),
                condition=text,
                matching=len(meeting),
                matching_came=len(meeting & came),
                trouble=None if met is None else met.trouble,
                claim=None if met is None else met.claim,
            )


def _has_come(watcher: Watcher, sample: Sample, event: Event) -> bool:
    row = sample.states[0] if event == "INSERT" else sample.row
    return any(change.event_type == event for change in watcher.changes(row))
