"""Who received how many of the rows that the suite `rls` wrote, and which of them meet the conditions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from prt.checks.test.context import Context
from prt.checks.test.contract import conditions
from prt.checks.test.contract.conditions import MissingClaimError
from prt.checks.test.contract.observations import Arrival, Trouble
from prt.checks.test.contract.terms import EVENTS, Event, Identity, TableTerms
from prt.checks.test.identities import told
from prt.checks.test.rows import is_readable
from prt.checks.test.samples import Sample
from prt.checks.test.watcher import Watcher


class Held(Struct, frozen=True, kw_only=True):
    """Whether each row meets a condition, in their order; `claim` is one that the token lacks."""

    rows: tuple[bool, ...]
    claim: str | None = None

    @property
    def trouble(self) -> Trouble | None:
        """Return why the condition was not tried both ways."""
        if self.claim is not None:
            return "claim"
        if not any(self.rows):
            return "matching"
        return "others" if all(self.rows) else None


class Conditions:
    """The conditions of a contract, asked of the rows while they are there."""

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
        """Ask REST which rows meet which identity's condition. Raises what REST raises."""
        asking: Identity = "service" if "service" in watching else next(iter(samples[0].readers), "anon")
        for who, text in asked:
            if who not in watching:
                continue
            claims = told((await context.identities.session(who)).endpoint)
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
    """Yield what each identity received; one whose connection broke has received nothing that counts."""
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
