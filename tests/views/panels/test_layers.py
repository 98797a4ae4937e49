from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from jsonschema import Draft202012Validator

from prt.results import Cause, Finding
from prt.views.panels.layers import JsonReporter, Layers, object_of
from prt.views.sinks.schema.document import json_schema

SCHEMA = Draft202012Validator(json_schema())
SQL = "alter publication supabase_realtime add table public.financial_transactions_of_the_year;"


def table(name: str, check: str, state: str = "ok", figure: str = "", *causes: Cause) -> Finding:
    return Finding(
        layer="table",
        table=name,
        check=check,
        state=state,
        figure=figure or check,
        causes=causes,  # type: ignore[arg-type]
    )


def story() -> Iterator[Finding]:
    """All states, wide letters, long words, two causes, and a layer that failed."""
    url = "https://abcdefghijklmnopqrst.supabase.co · SUPABASE_URL in the environment"
    yield Finding(layer="configuration", check="url", state="ok", figure=url)
    soon = Cause("SUPABASE_ANON_KEY in .env ends in 3 d", "copy the key again, whole")
    yield Finding(layer="configuration", check="key", state="warning", figure="anon JWT", causes=(soon,))
    yield Finding(layer="dns", state="ok", figure="127.0.0.1", milliseconds=0.34)
    yield Finding(layer="heartbeat", state="ok", milliseconds=12.1)
    yield Finding(
        layer="database",
        state="skipped",
        figure="not asked",
        causes=(Cause("SUPABASE_DB_URL is not set", "export SUPABASE_DB_URL=postgresql://…"),),
    )
    for name in ("public.budgets", "crm.顧客の一覧表"):
        yield table(name, "exists")
        yield table(name, "published")
        yield table(name, "replica identity", "ok", "full")
        yield table(name, "primary key", "ok", "id")
        yield table(name, "policies", "ok", "1 policy, sees 14 of 14 rows")
        yield table(name, "READY")
    name = "public.financial_transactions_of_the_year"
    yield table(name, "exists")
    unpublished = Cause(f"{name} is not in the publication supabase_realtime", SQL)
    yield table(name, "published", "failed", "not published", unpublished)
    yield table(name, "READY", "failed", "refused", Cause("follows from: published"))
    name = "public.files"
    yield table(name, "exists")
    hides = Cause("the policies show anon none of the 1,000+ rows there, nor their changes", "select 1;")
    other = Cause("you are another user than you mean\x1b[31m", "prt status --as EMAIL")
    yield table(name, "policies", "warning", "2 policies, sees 0 of 1,000+ rows", hides, other)
    yield table(name, "READY")
    name = "public.teams"
    yield table(name, "exists")
    yield table(name, "policies", "warning", "1 policy, sees 0 of 5 rows", hides)
    column = Cause(f"{name} has no column nmae, which --filter names", "did you mean name?")
    yield table(name, "READY", "failed", "invalid column for filter nmae", column)
    yield Finding(layer="broadcast", state="failed", figure="Too many messages per second")
    for layer in ("presence", "private", "system"):
        yield Finding(layer=layer, state="skipped", figure="not reached", is_reached=False)  # type: ignore[arg-type]


def drawn(width: int) -> str:
    layers = Layers(width, ["budgets", "crm.顧客の一覧表", "financial_transactions_of_the_year", "files"])
    lines = [line for finding in story() for line in layers.add(finding)]
    lines += layers.end()
    assert all(line.cell_len <= width for line in lines)
    return "".join(f"{line.plain}\n" for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_the_whole_story(width: int, golden: Callable[[str, str], None]) -> None:
    golden(f"layers_{width}.txt", drawn(width))


def test_the_summary_counts_the_lines_that_are_shown() -> None:
    *lines, summary = drawn(80).splitlines()
    counts = {mark: sum(line.startswith(mark) for line in lines) for mark in "✓!✗–"}
    words = dict(zip("✓!✗–", ("ok", "warning", "failed", "skipped"), strict=True))
    assert summary == " · ".join(f"{count} {words[mark]}" for mark, count in counts.items())


@pytest.mark.parametrize("width", [20, 33, 60, 200])
def test_no_word_is_lost_at_any_width(width: int) -> None:
    """What is to be typed is whole: a line may end in it, nothing is cut from it."""
    printed = "".join(drawn(width).split())
    assert SQL.replace(" ", "") in printed
    assert "sees0of1,000+rows" in printed


def test_remote_text_steers_no_terminal() -> None:
    assert "\x1b" not in drawn(80)


def test_findings_as_objects() -> None:
    hidden = next(one for one in story() if one.state == "warning" and one.layer == "table")
    assert object_of(hidden) == {
        "type": "layer",
        "layer": "table",
        "check": "policies",
        "table": "public.files",
        "state": "warning",
        "figure": "2 policies, sees 0 of 1,000+ rows",
        "ms": None,
        "why": "the policies show anon none of the 1,000+ rows there, nor their changes",
        "remedy": "select 1;",
        "also": [{"why": "you are another user than you mean\x1b[31m", "remedy": "prt status --as EMAIL"}],
    }
    dns = next(one for one in story() if one.layer == "dns")
    assert object_of(dns)["why"] is None
    assert "also" not in object_of(dns)


def test_lines_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = JsonReporter()
    reporter.expect(["budgets"])
    for finding in story():
        reporter.report(finding)
    reporter.end(4)
    text = capsys.readouterr().out
    assert not set(text) & set("\x1b\x7f\x9b\u202e")
    *lines, end = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == len(list(story()))
    for line in (*lines, end):
        SCHEMA.validate(line)
    assert {line["type"] for line in lines} == {"layer"}
    del end["at"]
    assert end == {
        "type": "layers",
        "exit_code": 4,
        "ok": 19,
        "warning": 3,
        "failed": 4,
        "unknown": 0,
        "skipped": 4,
    }
