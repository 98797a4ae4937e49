from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prt.events import Change
from prt.state.rows.present import Present, key_of, values_of
from tests.views import story


def change(event: str, row: dict[str, Any], old: dict[str, Any] | None = None, **more: Any) -> Change:
    if event == "DELETE":
        return story.change(event, "t", old=row, **more)
    return story.change(event, "t", new=row, old=old, **more)


def present_of(*changes: Change, **options: Any) -> Present:
    present = Present("public", "t", **options)
    for one in changes:
        present.apply(one)
    return present


def test_a_turn_has_the_row_before_and_after() -> None:
    present = Present("public", "t")
    came = present.apply(change("INSERT", {"id": 1, "a": 1}))
    changed = present.apply(change("UPDATE", {"id": 1, "a": 2}, {"id": 1}))
    went = present.apply(change("DELETE", {"id": 1}))
    assert came is not None
    assert changed is not None
    assert went is not None
    assert (came.key, came.before, came.after) == (b"1", None, b'{"id": 1, "a": 1}')
    assert (changed.before, changed.after) == (came.after, b'{"id": 1, "a": 2}')
    assert (went.before, went.after) == (changed.after, None)
    assert present.rows == {}


def test_another_table_or_schema_passes_by() -> None:
    present = present_of(
        story.change("INSERT", "other", new={"id": 1}),
        story.change("INSERT", "t", schema="archive", new={"id": 1}),
    )
    assert present.rows == {}


def test_a_row_whose_key_changed_is_one_row() -> None:
    present = present_of(change("INSERT", {"id": 1}), change("UPDATE", {"id": 2}, {"id": 1}))
    assert list(present.rows) == [b"2"]


def test_a_key_that_turns_out_to_be_another_renames_the_rows() -> None:
    key = ["id"]
    present = present_of(change("INSERT", {"id": 1, "slug": "a"}), key_columns=lambda *_: tuple(key))
    key[:] = ["slug"]
    present.apply(change("UPDATE", {"id": 1, "slug": "a", "n": 2}, {"slug": "a"}))
    assert present.rows == {b'"a"': b'{"id": 1, "slug": "a", "n": 2}'}


def test_a_large_value_that_did_not_change_is_kept() -> None:
    """The server leaves such values out of an UPDATE."""
    large = "x" * 3000
    present = present_of(
        change("INSERT", {"id": 1, "large": large, "n": 1}), change("UPDATE", {"id": 1, "n": 2}, {"id": 1})
    )
    assert values_of(present.rows[b"1"], ("n", "large")) == (b"2", f'"{large}"'.encode())


def test_a_cut_row_keeps_what_it_had() -> None:
    present = present_of(
        change("INSERT", {"id": 1, "title": "a"}),
        change("UPDATE", {"id": 1}, {"id": 1}, errors=["Error 413: Payload Too Large"]),
    )
    assert values_of(present.rows[b"1"], ("title",)) == (b'"a"',)


def test_beyond_the_limit_the_first_go_and_are_counted() -> None:
    present = present_of(*(change("INSERT", {"id": n}) for n in range(5)), limit=3)
    assert (list(present.rows), present.forgotten) == ([b"2", b"3", b"4"], 2)


def test_a_change_without_its_key_is_left_out() -> None:
    present = present_of(change("INSERT", {"name": "no key"}), change("DELETE", {}))
    assert present.rows == {}


def test_values_as_they_were_written() -> None:
    row = b'{"a":1.50,"b":null,"c":{"d":[1]},"e":"x"}'
    assert values_of(row, ("a", "b", "c", "nothing")) == (b"1.50", b"null", b'{"d":[1]}', None)
    assert values_of(b"no json", ("a",)) is None
    assert key_of(row, ("a", "e")) == b'1.50,"x"'
    assert key_of(row, ("a", "nothing")) is None


@given(st.lists(st.tuples(st.sampled_from(["INSERT", "UPDATE", "DELETE"]), st.integers(0, 3)), max_size=30))
def test_it_is_the_table(steps: list[tuple[str, int]]) -> None:
    present, table = Present("public", "t"), {}
    for number, (event, key) in enumerate(steps):
        row = {"id": key, "n": number}
        present.apply(change(event, row if event != "DELETE" else {"id": key}))
        if event == "DELETE":
            table.pop(key, None)
        else:
            table[key] = row
    assert {int(key): values_of(row, ("n",)) for key, row in present.rows.items()} == {
        key: (str(row["n"]).encode(),) for key, row in table.items()
    }


def test_what_realtime_cuts_to_a_letter_stays_whole() -> None:
    """It casts a `char(3)` without its length; REST has it whole, and always as long."""
    present = present_of(
        change("INSERT", {"id": 1, "currency": "EUR", "n": 1}),
        change("INSERT", {"id": 2, "currency": None, "n": 1}),
        change("INSERT", {"id": 3, "currency": "USD", "n": 1}),
        *(change("UPDATE", {"id": 1, "currency": "E", "n": number}, {"id": 1}) for number in (2, 3)),
    )
    assert values_of(present.rows[b"1"], ("currency", "n")) == (b'"EUR"', b"3")
    present.apply(change("UPDATE", {"id": 1, "currency": "U", "n": 4}, {"id": 1}))
    assert values_of(present.rows[b"1"], ("currency",)) == (b'"U"',)


def test_a_text_that_becomes_one_letter_is_that_letter() -> None:
    present = present_of(
        change("INSERT", {"id": 1, "size": "XL"}),
        change("INSERT", {"id": 2, "size": "XXL"}),
        change("UPDATE", {"id": 1, "size": "X"}, {"id": 1}),
    )
    assert values_of(present.rows[b"1"], ("size",)) == (b'"X"',)
