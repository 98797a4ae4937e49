"""The roster against a server that is played: states, differences, several connections of one key."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prt.events import Presence
from prt.stream.live.roster import Difference, Entry, Roster
from tests.stream.mirror import Mirror

Metas = dict[str, list[dict[str, Any]]]


def meta(ref: str, **payload: Any) -> dict[str, Any]:
    return {"phx_ref": ref, **payload}


def entries(metas: Metas) -> dict[str, Entry]:
    return {key: Entry(metas=list(some)) for key, some in metas.items()}


def difference(joins: Metas | None = None, leaves: Metas | None = None) -> Difference:
    return Difference(joins=entries(joins or {}), leaves=entries(leaves or {}))


def known(**metas: list[dict[str, Any]]) -> Roster:
    roster = Roster("room")
    roster.state(entries(metas), 1)
    return roster


def emitted(events: list[Presence]) -> list[tuple[str, str | None, Any]]:
    return [(event.event, event.key, event.presences) for event in events]


def test_a_state_is_emitted_whole_and_as_supabase_js_shows_it() -> None:
    roster = Roster("room")
    sync = roster.state(entries({"a": [{"phx_ref": "2", "phx_ref_prev": "1", "at": "desk"}]}), 7)
    shown = {"a": [{"at": "desk", "presence_ref": "2"}]}
    assert sync == Presence(at=7, topic="room", event="sync", state=shown)
    assert sync.state is not None
    sync.state["a"][0]["at"] = "elsewhere"
    assert roster.shown() == shown


def test_joins_and_leaves_are_emitted() -> None:
    roster = known(a=[meta("1")])
    assert emitted(roster.difference(difference(joins={"b": [meta("2", n=1)]}), 2)) == [
        ("join", "b", [{"n": 1, "presence_ref": "2"}])
    ]
    assert emitted(roster.difference(difference(leaves={"a": [meta("1")]}), 3)) == [
        ("leave", "a", [{"presence_ref": "1"}])
    ]
    assert roster.shown() == {"b": [{"n": 1, "presence_ref": "2"}]}


def test_a_leave_and_a_join_of_one_key_are_an_update_with_all_that_the_key_has() -> None:
    roster = known(a=[meta("1", n=1), meta("2", n=5)])
    moved = {"phx_ref": "3", "phx_ref_prev": "1", "n": 2}
    found = roster.difference(difference({"a": [moved]}, {"a": [meta("1", n=1)]}), 2)
    both = [{"n": 5, "presence_ref": "2"}, {"n": 2, "presence_ref": "3"}]
    assert emitted(found) == [("update", "a", both)]
    assert roster.shown() == {"a": both}


def test_one_connection_of_a_key_leaves_the_others() -> None:
    roster = known(a=[meta("1"), meta("2")])
    assert emitted(roster.difference(difference(leaves={"a": [meta("2")]}), 2)) == [
        ("leave", "a", [{"presence_ref": "2"}])
    ]
    assert roster.shown() == {"a": [{"presence_ref": "1"}]}


def test_known_joins_and_unknown_leaves_are_not_emitted() -> None:
    roster = known(a=[meta("1")])
    assert roster.difference(difference({"a": [meta("1")]}), 2) == []
    assert roster.difference(difference(leaves={"a": [meta("9")], "b": [meta("8")]}), 3) == []
    both = difference({"c": [meta("7")]}, {"c": [meta("7")]})
    assert roster.difference(both, 4) == []
    assert roster.shown() == {"a": [{"presence_ref": "1"}]}


def test_differences_before_the_state_are_held_until_it_comes() -> None:
    roster = Roster("room")
    assert roster.difference(difference({"a": [meta("1")], "b": [meta("2")]}), 1) == []
    assert roster.difference(difference(leaves={"b": [meta("2")]}), 2) == []
    assert not roster.is_known
    sync = roster.state(entries({"b": [meta("2")], "c": [meta("3")]}), 3)
    assert sync.state == {"a": [{"presence_ref": "1"}], "c": [{"presence_ref": "3"}]}
    assert roster.is_known


Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["track", "track", "untrack", "merge", "cut"]), st.integers(0, 7), st.integers(0, 3)
    ),
    max_size=60,
)


class Server:
    """Eight connections of four keys. What happened since the last difference may be sent in one."""

    def __init__(self) -> None:
        self.metas: dict[int, dict[str, Any]] = {}
        self._refs = 0
        self._emitted: dict[int, dict[str, Any]] = {}

    @staticmethod
    def key_of(connection: int) -> str:
        return "abcd"[connection % 4]

    def track(self, connection: int, value: int) -> None:
        self._refs += 1
        former = self.metas.get(connection)
        previous = {} if former is None else {"phx_ref_prev": former["phx_ref"]}
        self.metas[connection] = {"phx_ref": str(self._refs), **previous, "n": value}

    def difference(self) -> Difference:
        joins, leaves = (
            [(n, one) for n, one in some.items() if other.get(n) != one]
            for some, other in ((self.metas, self._emitted), (self._emitted, self.metas))
        )
        self._emitted = dict(self.metas)
        return difference(self._grouped(joins), self._grouped(leaves))

    def state(self) -> dict[str, Entry]:
        return entries(self._grouped(reversed(self.metas.items())))

    def _grouped(self, metas: Any) -> Metas:
        found: Metas = {}
        for connection, one in metas:
            found.setdefault(self.key_of(connection), []).append(one)
        return found


def refs(shown: dict[str, list[dict[str, Any]]]) -> dict[str, set[Any]]:
    return {key: {one["presence_ref"] for one in some} for key, some in shown.items()}


@given(steps)
def test_any_story_of_the_server_ends_in_its_own_roster(story: list[Step]) -> None:
    """Events, applied as they are documented, keep another's copy equal too."""
    server, roster = Server(), Roster("room")
    mirror = Mirror()

    def follow(events: list[Presence]) -> None:
        for event in events:
            mirror.apply(event)

    follow([roster.state(server.state(), 0)])
    for at, (what, connection, value) in enumerate(story):
        if what == "cut":
            # The join comes into being while differences are under way: they may be told before the state.
            roster = Roster("room")
            if value % 2:
                follow(roster.difference(server.difference(), at))
            follow([roster.state(server.state(), at)])
            server.difference()
            continue
        if what == "untrack":
            server.metas.pop(connection, None)
        else:
            server.track(connection, value)
        if what != "merge":
            follow(roster.difference(server.difference(), at))
            wanted = {key: {one["phx_ref"] for one in entry.metas} for key, entry in server.state().items()}
            assert refs(roster.shown()) == wanted
            assert {key: set(some) for key, some in mirror.keys.items()} == wanted
