"""The account of an audit: what became of each committed change, whatever comes first or is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from prt.events import Account, Change, EventType, Gap, Loss
from prt.state.audit.accounting import Audit
from prt.stream.database.values import (
    AuditedTable,
    Column,
    Judgement,
    LoggedChange,
    ServerState,
)
from prt.stream.values import timestamp

SECOND = 1_000_000
START = 1_780_000_000 * SECOND
LATE = 5 * SECOND


def table(name: str = "tasks", *, guarded: bool = False) -> AuditedTable:
    return AuditedTable(
        oid=1,
        schema="public",
        table=name,
        kind="r",
        has_row_security=guarded,
        is_published=True,
        key=("id",),
        columns=(Column("id", "integer"),),
    )


OPEN, GUARDED = table("tasks"), table("notes", guarded=True)


def audit() -> Audit:
    begun = Audit([OPEN, GUARDED], late_after=LATE)
    begun.begin(START)
    return begun


class Writer:
    """Commits changes to an audit and delivers them as Realtime would."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        self.number = 0

    def commit(
        self,
        key: int,
        event: EventType = "INSERT",
        *,
        to: AuditedTable = OPEN,
        at: int = START + SECOND,
        asked: bool = True,
    ) -> LoggedChange:
        self.number += 1
        change = LoggedChange(
            number=self.number,
            table=to,
            event=event,
            committed=at,
            transaction=self.number,
            key=(str(key),),
            row={"id": str(key)},
            is_asked=asked,
        )
        self.audit.apply(change)
        return change

    def deliver(
        self, change: LoggedChange, *, after: int = SECOND // 10, errors: list[str] | None = None
    ) -> None:
        self.audit.apply(arrival(change, after=after, errors=errors))

    def judge(
        self,
        change: LoggedChange,
        *,
        visible: bool | None = True,
        matching: bool | None = True,
        after: int = 1_000,
    ) -> None:
        self.audit.apply(
            Judgement(
                number=change.number,
                at=change.committed + after,
                is_matching=matching,
                is_visible=visible,
            )
        )

    def account(self, name: str = "public.tasks") -> Account:
        return next(one for one in self.audit.accounts(START) if one.table == name)


def arrival(change: LoggedChange, *, after: int, errors: list[str] | None = None) -> Change:
    row = Raw(msgspec.json.encode({"id": int(change.row["id"] or 0)}))
    is_delete = change.event == "DELETE"
    return Change(
        at=change.committed + after,
        topic="prt-watch",
        event_type=change.event,
        schema=change.table.schema,
        table=change.table.table,
        commit_timestamp=timestamp(change.committed // 1000 * 1000),
        new=Raw(b"{}") if is_delete else row,
        old=row if is_delete else Raw(b"{}"),
        errors=errors,
    )


def counted(account: Account) -> dict[str, int]:
    names = ("arrived", "hidden", "filtered", "cut", "late", "lost", "unknown")
    return {name: count for name in names if (count := getattr(account, name))}


@pytest.fixture
def writer() -> Writer:
    return Writer(audit())


def test_a_change_that_came_has_arrived(writer: Writer) -> None:
    writer.deliver(writer.commit(1))
    assert counted(writer.account()) == {"arrived": 1}
    assert list(writer.audit.losses(START)) == []


def test_a_change_that_came_before_the_log_was_read_has_arrived(writer: Writer) -> None:
    ahead = Writer(audit())
    change = ahead.commit(1)
    writer.deliver(change)
    writer.audit.apply(change)
    assert counted(writer.account()) == {"arrived": 1}


def test_a_change_that_never_came_is_lost(writer: Writer) -> None:
    change = writer.commit(7, "UPDATE")
    assert counted(writer.account()) == {"lost": 1}
    (loss,) = writer.audit.losses(START)
    assert (loss.table, loss.key, loss.event_type, loss.committed) == (
        "public.tasks",
        "7",
        "UPDATE",
        change.committed,
    )


def test_a_change_of_another_moment_does_not_count_for_it(writer: Writer) -> None:
    first = writer.commit(1, "UPDATE")
    writer.commit(1, "UPDATE", at=first.committed + 2_000)
    writer.deliver(first)
    writer.deliver(first)
    assert counted(writer.account()) == {"arrived": 1, "lost": 1}


def test_two_changes_of_a_row_in_one_transaction_are_two(writer: Writer) -> None:
    changes = [writer.commit(1, "UPDATE"), writer.commit(1, "UPDATE")]
    writer.deliver(changes[0])
    assert counted(writer.account()) == {"arrived": 1, "lost": 1}
    writer.deliver(changes[1])
    assert counted(writer.account()) == {"arrived": 2}


def test_late_is_a_part_of_arrived_and_ignores_a_clock_that_is_ahead(writer: Writer) -> None:
    writer.audit.apply(state(START, clock_ahead=60 * SECOND))
    writer.deliver(writer.commit(1), after=60 * SECOND + LATE - 1)
    writer.deliver(writer.commit(2), after=60 * SECOND + LATE + 1)
    assert counted(writer.account()) == {"arrived": 2, "late": 1}


@pytest.mark.parametrize("commit_timestamp", [None, "known"])
def test_a_change_with_an_error_is_cut(writer: Writer, commit_timestamp: str | None) -> None:
    """413 keeps the key; 400 and 401 have no row, and 401 no time either."""
    change = writer.commit(1)
    came = arrival(change, after=1_000, errors=["Error 413: Payload Too Large"])
    if commit_timestamp is None:
        came = msgspec.structs.replace(came, commit_timestamp=None, new=Raw(b"{}"))
    writer.audit.apply(came)
    assert counted(writer.account()) == {"cut": 1}


def test_a_change_that_came_without_its_row_is_not_taken_for_a_second_time(writer: Writer) -> None:
    first, second = writer.commit(1, "UPDATE"), writer.commit(1, "UPDATE")
    came = arrival(first, after=1_000, errors=["Error 401: Unauthorized"])
    writer.audit.apply(msgspec.structs.replace(came, commit_timestamp=None, new=Raw(b"{}")))
    writer.deliver(second)
    assert counted(writer.account()) == {"arrived": 1, "cut": 1}


def test_an_error_without_a_row_that_came_first_counts_for_the_next_change(writer: Writer) -> None:
    change = Writer(audit()).commit(1)
    came = arrival(change, after=1_000, errors=["Error 401: Unauthorized"])
    writer.audit.apply(msgspec.structs.replace(came, commit_timestamp=None, new=Raw(b"{}")))
    writer.audit.apply(change)
    assert counted(writer.account()) == {"cut": 1}


def test_what_no_binding_asks_for_and_what_the_filter_leaves_out_is_filtered(writer: Writer) -> None:
    writer.commit(1, asked=False)
    writer.judge(writer.commit(2), matching=False)
    assert counted(writer.account()) == {"filtered": 2}


def test_what_the_database_could_not_answer_is_unknown(writer: Writer) -> None:
    writer.judge(writer.commit(1), matching=None)
    writer.judge(writer.commit(2, to=GUARDED), visible=None)
    assert counted(writer.account()) == {"unknown": 1}
    assert counted(writer.account("public.notes")) == {"unknown": 1}


GUARDED_CASES: dict[str, tuple[Callable[[Writer, LoggedChange], object], str]] = {
    "visible": (lambda w, c: w.judge(c), "lost"),
    "hidden": (lambda w, c: w.judge(c, visible=False), "hidden"),
    "not judged": (lambda w, c: None, "unknown"),
    "judged too late": (lambda w, c: w.judge(c, visible=False, after=SECOND + 1), "unknown"),
    "changed before it was judged": (
        lambda w, c: (w.judge(c, after=2_000), w.judge(later(w, c, 1_000))),
        "unknown",
    ),
    "changed later, and still visible": (
        lambda w, c: (w.judge(c), w.judge(later(w, c, SECOND // 2))),
        "lost",
    ),
    "changed later, and hidden then": (
        lambda w, c: (w.judge(c), w.judge(later(w, c, SECOND // 2), visible=False)),
        "unknown",
    ),
    "deleted before the server looked": (
        lambda w, c: (w.judge(c), w.judge(later(w, c, SECOND // 2, "DELETE"))),
        "unknown",
    ),
    "deleted long after": (
        lambda w, c: (w.judge(c), w.judge(later(w, c, 2 * SECOND, "DELETE"))),
        "lost",
    ),
    "policies changed": (
        lambda w, c: (w.judge(c), new_policies(w, c)),
        "unknown",
    ),
}


def later(writer: Writer, change: LoggedChange, after: int, event: EventType = "UPDATE") -> LoggedChange:
    """Commit a further change of the row, which arrives."""
    next_one = writer.commit(1, event, to=GUARDED, at=change.committed + after)
    writer.deliver(next_one)
    return next_one


def new_policies(writer: Writer, change: LoggedChange) -> None:
    writer.audit.apply(state(change.committed - 1, policies={"public.notes": "a"}))
    writer.audit.apply(state(change.committed + SECOND // 2, policies={"public.notes": "b"}))


@pytest.mark.parametrize("case", GUARDED_CASES)
def test_a_missing_change_under_row_level_security(writer: Writer, case: str) -> None:
    """It is hidden only by policies, and never lost if Realtime may have seen another row."""
    happens, outcome = GUARDED_CASES[case]
    change = writer.commit(1, to=GUARDED)
    happens(writer, change)
    account = counted(writer.account("public.notes"))
    assert {name: count for name, count in account.items() if name != "arrived"} == {outcome: 1}


def test_a_delete_under_row_level_security_is_expected_by_everybody(writer: Writer) -> None:
    writer.judge(writer.commit(1, "DELETE", to=GUARDED))
    assert counted(writer.account("public.notes")) == {"lost": 1}


def test_what_was_committed_before_or_after_is_not_accounted_for(writer: Writer) -> None:
    writer.commit(1, at=START - 1)
    writer.commit(2, at=START)
    writer.commit(3, at=START + 2 * SECOND)
    writer.audit.end(START + SECOND)
    writer.commit(4, at=START + 3 * SECOND)
    assert writer.account().committed == 1


def test_an_audit_that_is_stopped_does_not_call_lost_what_is_on_its_way(writer: Writer) -> None:
    writer.commit(1, at=START + SECOND)
    writer.commit(2, at=START + 30 * SECOND)
    writer.audit.end(START + 31 * SECOND, interrupted_after=10 * SECOND)
    assert counted(writer.account()) == {"lost": 1, "unknown": 1}


def test_it_is_settled_when_nothing_is_missing_that_must_come(writer: Writer) -> None:
    change = writer.commit(1)
    writer.judge(writer.commit(2), matching=False)
    now = change.committed + SECOND
    assert not writer.audit.is_settled(now)
    writer.deliver(change)
    assert writer.audit.is_settled(now)
    writer.commit(4, "UPDATE")
    assert not writer.audit.is_settled(now)
    writer.deliver(writer.commit(4, "UPDATE", at=change.committed + 2 * SECOND))
    assert not writer.audit.is_settled(now)
    writer.deliver(writer.commit(4, "UPDATE", at=change.committed + 2 * SECOND + 1_000))
    assert writer.audit.is_settled(now)
    hidden = writer.commit(3, to=GUARDED, at=change.committed + 3 * SECOND)
    writer.judge(hidden, visible=False)
    assert not writer.audit.is_settled(hidden.committed + SECOND)
    assert writer.audit.is_settled(hidden.committed + 2 * SECOND)


def state(
    at: int,
    *,
    clock_ahead: int = 0,
    policies: dict[str, str] | None = None,
    slots: Sequence[tuple[str, int | None]] = (("supabase_realtime_replication_slot", 1),),
) -> ServerState:
    return ServerState(
        at=at,
        clock_ahead=clock_ahead,
        started=1,
        slots=frozenset(slots),
        publication=frozenset({"public.tasks"}),
        publication_oid=1,
        policies=policies or {},
    )


def test_a_gap_of_our_own_connection_explains_a_loss(writer: Writer) -> None:
    writer.audit.apply(state(START, clock_ahead=60 * SECOND))
    ours = START + 61 * SECOND
    writer.audit.apply(
        Gap(at=ours, start=ours - SECOND, end=ours + SECOND, tables=["public.tasks"], cause="cut off")
    )
    writer.commit(1)
    causes: list[Loss] = list(writer.audit.losses(START))
    assert [(one.cause.code, one.cause.subject) for one in causes] == [("connection", "cut off")]


@given(st.data())
def test_the_sum_is_what_was_committed_in_every_order(data: st.DataObject) -> None:
    """Whatever arrives, in whatever order, with whatever answers: each committed change counts once."""
    account = audit()
    source = Writer(audit())
    events: list[LoggedChange | Change | Judgement] = []
    kinds: tuple[EventType, ...] = ("INSERT", "UPDATE", "DELETE")
    count = data.draw(st.integers(0, 12))
    for _ in range(count):
        change = source.commit(
            data.draw(st.integers(1, 3)),
            data.draw(st.sampled_from(kinds)),
            to=data.draw(st.sampled_from([OPEN, GUARDED])),
            at=START + data.draw(st.integers(0, 3)) * SECOND // 2,
            asked=data.draw(st.booleans()),
        )
        events.append(change)
        for _ in range(data.draw(st.integers(0, 2))):
            events.append(arrival(change, after=data.draw(st.integers(0, 2 * LATE))))
        if data.draw(st.booleans()):
            answer = st.sampled_from([None, True, False])
            events.append(
                Judgement(
                    number=change.number,
                    at=change.committed + data.draw(st.integers(0, 2 * SECOND)),
                    is_matching=data.draw(answer),
                    is_visible=data.draw(answer),
                )
            )
    for event in data.draw(st.permutations(events)):
        account.apply(event)
    accounts = account.accounts(START)
    assert sum(one.committed for one in accounts) == count
    for one in accounts:
        assert one.committed == one.arrived + one.hidden + one.filtered + one.cut + one.lost + one.unknown
        assert one.late <= one.arrived
    assert len(list(account.losses(START))) == sum(one.lost for one in accounts)
