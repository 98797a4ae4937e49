from __future__ import annotations

import pytest
from msgspec import Raw

from prt.errors import UsageError
from prt.events import Broadcast
from prt.views.sinks.template import compile_template
from tests.views import story

ROW = {
    "id": 1,
    "a b": {"c": [10, {"d": "deep"}]},
    "nothing": None,
    "text": 'x"y',
    "n": 1.50,
    "__class__": "data",
}
CHANGE = story.change("UPDATE", "tasks", new=ROW, old={"id": 1})


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{table} {new[id]}", "tasks 1\n"),
        ("{eventType}:{schema}.{table}", "UPDATE:public.tasks\n"),
        ("{at}", "2026-11-22T16:45:14.976427Z\n"),
        ("{new[text]}|{new[nothing]}|{new[n]}", 'x"y|null|1.5\n'),
        ("{new[a b][c][0]} {new[a b][c][-1][d]} {new[a b][c][7]}", "10 deep -\n"),
        ("{new[a b]}", '{"c": [10, {"d": "deep"}]}\n'),
        ("{new[missing]} {new[id][x]} {new[text][0]}", "- - -\n"),
        ("{new[__class__]}", "data\n"),
        ("{lag_ms} {errors}", "43.25 null\n"),
        ("{{{table}}} {{x}}", "{tasks} {x}\n"),
        (r"{table}\t{new[id]}\n\\n\x", "tasks\t1\n\\n\\x\n"),
    ],
)
def test_a_line(template: str, line: str) -> None:
    assert compile_template(template)(CHANGE).decode() == line


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{table.__class__}", "{table.__class__} is not a field"),
        ("{table!r}", "{table!r} is not a field"),
        ("{new[id]:>10}", "{new[id]:>10} is not a field"),
        ("{__class__}", "no event has a field '__class__'"),
        ("{tabel}", "no event has a field 'tabel'"),
        ("{}", "{} is not a field"),
        ("{0}", "no event has a field '0'"),
        ("{table", "a single { at 1"),
        ("table}", "a single } at 6"),
        ("{new[id}", "{new[id} is not a field"),
        ("plain", "names no field"),
        ("", "names no field"),
    ],
)
def test_a_template_that_cannot_work_is_refused_before_anything_happens(
    template: str, complaint: str
) -> None:
    with pytest.raises(UsageError) as raised:
        compile_template(template)
    assert raised.value.message == f"template: {complaint}"
    assert raised.value.hint


def test_the_hint_names_what_was_meant() -> None:
    with pytest.raises(UsageError) as raised:
        compile_template("{tabel}")
    assert raised.value.hint == "did you mean {table}?"


def test_events_that_have_none_of_the_fields_give_no_line() -> None:
    line_of = compile_template("{type} {table} {new[id]}")
    assert [line_of(event) for event in (*story.connecting(), story.ending())] == [b""] * 5
    assert compile_template("{type}")(story.ending()) == b"end\n"
    assert compile_template("{status}")(story.connecting()[-1]) == b"READY\n"


def test_digits_are_kept() -> None:
    event = Broadcast(at=1, topic="t", event="e", payload=Raw(b'{"n":0.10000000000000000000001}'))
    assert compile_template("{payload[n]}")(event) == b"0.10000000000000000000001\n"


def test_half_a_surrogate_pair_harms_nothing() -> None:
    event = Broadcast(at=1, topic="t", event="e", payload=Raw(b'{"\\ud800":1,"a":"x\\udfff"}'))
    assert compile_template("{payload[a]}")(event).decode() == "x\ufffd\n"


def test_a_terminal_gets_values_made_safe_and_a_pipe_gets_them_escaped() -> None:
    event = story.change("INSERT", "t", new={"a": "\x1b[31m\n"})
    assert compile_template("{new[a]}", is_terminal=True)(event).decode() == "␛[31m␊\n"
    assert compile_template("{new[a]}")(event) == b"\\x1b[31m\\n\n"


def test_a_line_is_one_line_and_a_newline_of_the_template_its_own() -> None:
    event = story.change("INSERT", "t", new={"a": "1\r\n2\u2028\x85\x9b\x7f\u202e", "b": "👨\u200d👩"})
    line = compile_template(r"{new[a]}\n{new[b]} {new}")(event).decode()
    assert line.splitlines()[0] == r"1\r\n2\u2028\x85\x9b\x7f\u202e"
    assert line.splitlines()[1].startswith("👨\u200d👩 {")
    assert line.count("\n") == 2
