"""Whether a watch accounted for every write, by the database's own log. Pure.

The rules: every write that was not delivered exactly once commits inside a declared gap that names its
table; that row's final state is recovered, or the gap's `complete` is false; no gap begins before the
last delivered commit less the overlap, nor ends after READY. Besides, nothing comes twice, no row goes
backwards, and nothing comes that was never written.

A row's version distinguishes its writes, which no user's table has. So each verdict is also a test of the
account of `prt audit`, which must find as many writes delivered without knowing the versions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from prt.events import Change, Event, EventType, Gap, Status
from prt.state.audit.accounting import Audit
from prt.stream.database.values import AuditedTable, Column, LoggedChange
from prt.stream.socket.wire import microseconds

DATE_GRAIN = 2_000_000
"""µs by which the time of a read may be off, as an HTTP date gives it."""
GRAIN = 1_000
"""µs: commit timestamps come in milliseconds, so a bound can't be judged more finely."""


class Write(Struct, frozen=True, kw_only=True):
    """A row's change as the log has it. `version` is unique to it; a DELETE has none, and is a row's last.

    `committed` is in µs since the epoch.
    """

    table: str
    key: int
    event: EventType
    committed: int
    version: int | None = None

    @property
    def state(self) -> State:
        return self.table, self.key, self.version


State = tuple[str, int, int | None]


class Verdict(Struct, frozen=True, kw_only=True):
    """`lost_silently` are the writes that nothing accounts for; `violations` describes all in words."""

    writes: int
    delivered: int
    recovered: int
    declared: int
    lost_silently: int
    gaps: int
    violations: tuple[str, ...]


def judge(
    writes: Sequence[Write],
    events: Sequence[Event],
    *,
    overlap_seconds: float = 5.0,
    until: int | None = None,
    is_verified: bool = False,
) -> Verdict:
    """`writes` in the order of the log, since before the first READY; `until` (µs) is when prt gave up.

    Writes before the first READY and after `until` are not promised. What a verification finds lies between
    two reads, however far they are apart, and their times are known in whole seconds.
    """
    ready = _first_ready(events)
    promised = [w for w in writes if ready <= w.committed and (until is None or w.committed <= until)]
    gaps = [event for event in events if isinstance(event, Gap)]
    seen = [(state_of(event), event) for event in events if isinstance(event, Change)]
    last = {(write.table, write.key): write.state for write in writes}
    came = Counter(state for state, _ in seen)
    streamed = Counter(state for state, event in seen if event.source == "stream")
    violations: list[str] = []
    delivered = recovered = declared = lost = 0
    for write in promised:
        if streamed[write.state] == 1 and came[write.state] == 1:
            delivered += 1
            continue
        around = [gap for gap in gaps if _covers(gap, write)]
        if not around:
            lost += 1
            violations.append(f"{_words(write)}: came {came[write.state]} times, and no gap covers it")
        elif came[last[write.table, write.key]]:
            recovered += 1
        elif any(not gap.complete for gap in around):
            declared += 1
        else:
            lost += 1
            violations.append(f"{_words(write)}: the gap is complete, yet the row's last state never came")
    violations += _account(promised, [event for _, event in seen], streamed)
    violations += _repetitions(came)
    violations += _order(writes, [state for state, _ in seen])
    violations += _bounds(events, round(overlap_seconds * 1_000_000), is_verified=is_verified)
    return Verdict(
        writes=len(promised),
        delivered=delivered,
        recovered=recovered,
        declared=declared,
        lost_silently=lost,
        gaps=len(gaps),
        violations=tuple(violations),
    )


def events_of(lines: Iterable[dict[str, Any]]) -> list[Event]:
    """The changes, statuses and gaps among NDJSON lines."""
    events: list[Event] = []
    for line in lines:
        if line["type"] == "change":
            events.append(
                Change(
                    at=_moment(line["at"]),
                    topic=line["topic"],
                    event_type=line["eventType"],
                    schema=line["schema"],
                    table=line["table"],
                    commit_timestamp=line["commit_timestamp"],
                    new=Raw(msgspec.json.encode(line["new"])),
                    old=Raw(msgspec.json.encode(line["old"])),
                    source=line["source"],
                )
            )
        elif line["type"] == "status":
            events.append(Status(at=_moment(line["at"]), status=line["status"], tables=line["tables"]))
        elif line["type"] == "gap":
            events.append(
                Gap(
                    at=_moment(line["at"]),
                    start=_moment(line["from"]),
                    end=_moment(line["to"]),
                    tables=line["tables"],
                    cause=line["cause"],
                    recovered=line["recovered"],
                    complete=line["complete"],
                )
            )
    return events


def _first_ready(events: Sequence[Event]) -> int:
    for event in events:
        if isinstance(event, Status) and event.status == "READY":
            return event.at
    raise ValueError("the watch was never READY")


def state_of(change: Change) -> State:
    """Return which state of which row a change carries; a table of a single case has no versions."""
    name = f"{change.schema}.{change.table}"
    if change.event_type == "DELETE":
        return name, change.old_row()["id"], None
    row = change.new_row()
    return name, row["id"], row.get("version")


def audited_table(name: str) -> AuditedTable:
    """Return a table of the ledger as an audit knows it; `name` is `schema.table`."""
    schema, _, table = name.partition(".")
    return AuditedTable(
        oid=0,
        schema=schema,
        table=table,
        kind="r",
        has_row_security=False,
        is_published=True,
        key=("id",),
        columns=(Column("id", "integer"), Column("version", "bigint")),
    )


def _account(promised: Sequence[Write], changes: Sequence[Change], streamed: Counter[State]) -> list[str]:
    """Compare the account of `prt audit` with what the versions show."""
    tables = {name: audited_table(name) for name in {write.table for write in promised}}
    account = Audit(list(tables.values()), late_after=0)
    for number, write in enumerate(promised):
        row = {"id": str(write.key), "version": None if write.version is None else str(write.version)}
        account.apply(
            LoggedChange(
                number=number,
                table=tables[write.table],
                event=write.event,
                committed=write.committed,
                transaction=number,
                key=(str(write.key),),
                row=row,
            )
        )
    for change in changes:
        account.apply(change)
    arrived = sum(one.arrived + one.cut for one in account.accounts(0))
    lost = sum(1 for _ in account.losses(0))
    delivered = sum(bool(streamed[write.state]) for write in promised)
    if (arrived, lost) == (delivered, len(promised) - delivered):
        return []
    return [f"the audit finds {arrived} arrived and {lost} lost, the versions {delivered} of {len(promised)}"]


def _covers(gap: Gap, write: Write) -> bool:
    return write.table in gap.tables and gap.start <= write.committed <= gap.end


def _repetitions(came: Counter[State]) -> list[str]:
    return [f"{state} came {count} times" for state, count in came.items() if count > 1]


def _order(writes: Sequence[Write], seen: Sequence[State]) -> list[str]:
    indexes = {write.state: index for index, write in enumerate(writes)}
    furthest: dict[tuple[str, int], int] = {}
    violations = []
    for state in seen:
        if state not in indexes:
            violations.append(f"{state} was never written")
            continue
        row = state[:2]
        if indexes[state] < furthest.get(row, -1):
            violations.append(f"{state} came after what was written later")
        furthest[row] = max(indexes[state], furthest.get(row, -1))
    return violations


def _bounds(events: Sequence[Event], overlap: int, *, is_verified: bool) -> list[str]:
    violations = []
    grain = DATE_GRAIN if is_verified else 0
    for index, gap in enumerate(events):
        if not isinstance(gap, Gap):
            continue
        ready = _ready_that_ended_a_loss(events[:index])
        before = events[: index if ready is None else ready]
        # A channel that stayed joined is READY anew before its tables are read; each has a gap of its own.
        is_reported = ready is None or is_verified
        limit, name = (gap.at + grain, "it was told") if is_reported else (events[ready].at, "READY")
        if gap.end > limit + GRAIN:
            violations.append(f"the gap ({gap.cause}) ends {gap.end - limit} µs after {name}")
        if gap.end < gap.start:
            violations.append(f"the gap ({gap.cause}) ends before it begins")
        commits = [_commit(event, gap) for event in before if ready is not None or event.at <= gap.end]
        is_between_reads = is_verified and ready is None
        if any(commits) and not is_between_reads and gap.start < max(commits) - overlap - GRAIN:
            early = max(commits) - overlap - gap.start
            violations.append(
                f"the gap ({gap.cause}) begins {early} µs before the last commit less the overlap"
            )
    return violations


def _ready_that_ended_a_loss(events: Sequence[Event]) -> int | None:
    """The place of the last READY, where one was lost before it. A gap without a loss has none."""
    was_ready = is_lost = False
    found = None
    for index, event in enumerate(events):
        if not isinstance(event, Status):
            continue
        if event.status == "READY":
            found = index if is_lost else found
            was_ready, is_lost = True, False
        elif event.connection != "connected":
            is_lost = was_ready
    return found


def _commit(event: Event, gap: Gap) -> int:
    """When a change of the gap's tables was committed; 0 for anything else."""
    if (
        not isinstance(event, Change)
        or event.source != "stream"
        or event.commit_timestamp is None
        or f"{event.schema}.{event.table}" not in gap.tables
    ):
        return 0
    return microseconds(event.commit_timestamp) or 0


def _moment(text: str) -> int:
    moment = microseconds(text)
    assert moment is not None, text
    return moment


def _words(write: Write) -> str:
    return f"{write.event} of {write.table} {write.key} (version {write.version}, at {write.committed})"
