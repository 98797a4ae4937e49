"""Finding the bindings that a server refuses: property and exact counts against a model of the server."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from prt.stream.binding import Binding
from prt.stream.live.narrowing import Refused, narrow

FILTERS = '[{"user_id", "eq", "nobody", false}]'
PARSE_ERROR = "Error parsing `filter` params: none of them is named"


class Server:
    """Refuses a join that holds any of `bad`, naming the first one if it is `is_talkative`."""

    def __init__(self, bad: set[str], *, is_talkative: bool = True) -> None:
        self.bad = bad
        self.is_talkative = is_talkative
        self.joined: list[str] = []
        self.attempts = 0

    async def attempt(self, bindings: list[Binding], *, is_probe: bool) -> str | None:
        self.attempts += 1
        for binding in bindings:
            if binding.table in self.bad:
                if not self.is_talkative:
                    return PARSE_ERROR
                return (
                    "Unable to subscribe to changes with given parameters. Please check Realtime is enabled "
                    f"for the given connect parameters: [event: *, schema: public, table: {binding.table}, "
                    "filters: [], select: nil]"
                )
        if not is_probe:
            self.joined = [binding.table for binding in bindings]
        return None


def narrowed(server: Server, tables: list[str]) -> tuple[list[str], set[str]]:
    refused: list[Refused] = []
    left = asyncio.run(narrow([Binding(table=t) for t in tables], server.attempt, refused.append))
    return [binding.table for binding in left], {one.binding.table for one in refused}


@given(
    tables=st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=30),
    picks=st.sets(st.integers(0, 29)),
    is_talkative=st.booleans(),
)
def test_exactly_the_good_ones_end_up_joined(tables: list[str], picks: set[int], is_talkative: bool) -> None:
    bad = {table for n, table in enumerate(tables) if n in picks}
    server = Server(bad, is_talkative=is_talkative)
    left, refused = narrowed(server, tables)
    assert left == server.joined == [table for table in tables if table not in bad]
    assert refused == bad


def test_a_named_one_costs_one_more_join() -> None:
    server = Server({"c"})
    narrowed(server, list("abcde"))
    assert server.attempts == 2


def test_an_unnamed_one_among_32_is_found_by_halves() -> None:
    server = Server({"t17"}, is_talkative=False)
    left, refused = narrowed(server, [f"t{n}" for n in range(32)])
    assert refused == {"t17"}
    assert len(left) == 31
    assert server.attempts <= 12


def test_a_table_is_taken_whole_or_not_at_all() -> None:
    """A notification's DELETE, which takes no filter, is nothing to wait for where its INSERT was refused."""
    wanted = Binding(table="a", event="INSERT", filter="user_id=eq.nobody")
    others = [Binding(table="a", event="DELETE"), Binding(table="b")]
    emitted: list[Binding] = []

    async def attempt(bindings: list[Binding], *, is_probe: bool) -> str | None:
        return (
            f"refused: [event: INSERT, schema: public, table: a, filters: {FILTERS}, select: nil]"
            if (wanted in bindings)
            else None
        )

    left = asyncio.run(narrow([wanted, *others], attempt, lambda one: emitted.append(one.binding)))
    assert left == [Binding(table="b")]
    assert emitted == [wanted]


def test_good_apart_but_refused_together_is_given_up() -> None:
    class Picky(Server):
        async def attempt(self, bindings: list[Binding], *, is_probe: bool) -> str | None:
            return PARSE_ERROR if len(bindings) > 1 else None

    left, refused = narrowed(Picky(set()), ["a", "b"])
    assert left == []
    assert refused == {"a", "b"}
