"""The reports of one run, in which the server sends whatever could break them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec import structs
from rich.cells import cell_len

from prt.checks.test.reports import charts, github, lines
from prt.checks.test.reports.files import report_file
from prt.checks.test.reports.html import html
from prt.checks.test.reports.junit import junit
from prt.checks.test.runner import without_secrets
from prt.checks.test.service_levels import slis_of
from prt.config.secret import Secret
from prt.errors import PrtError, UsageError
from prt.inputs import Input
from prt.results import Failure, Message, Result, Run
from prt.views.panels import test_report

HOSTILE = "</pre><script src=//evil.example></script>\x1b[31m\x7f\x9b\u2066\u202e\x00]]>&amp;|`%0A::error::"
AT = 1_795_385_497_000_000

RESULTS = (
    Result(
        suite="connect",
        name="handshake",
        outcome="pass",
        at=AT,
        ms=3.5,
        note="127.0.0.1:54321",
        figures={"handshake_ms": 3.5},
        messages=(Message(at=AT, who="server", text=HOSTILE),),
    ),
    Result(
        suite="changes",
        name="insert",
        outcome="fail",
        at=AT + 4_000,
        ms=15_000.0,
        failure=Failure(
            expected="INSERT of our row",
            came="nothing",
            server=HOSTILE,
            cause="日本語の理由",
            remedy="grant it",
        ),
    ),
    Result(
        suite="latency",
        name="lag",
        outcome="pass",
        at=AT + 9_000,
        ms=400.0,
        round=2,
        figures={"p50_ms": 2.0, "expected": 3, "delivered": 3},
        lags_ms=(1.0, 2.0, 300.0),
    ),
    Result(suite="token", name="refresh", outcome="skip", at=AT, ms=0.0, reason="needs a sign-in" + HOSTILE),
)
RUN = Run(
    version="1.0",
    host="127.0.0.1:54321",
    identity="maya@example.com",
    table="public.notifications",
    started=AT,
    results=RESULTS,
    slis=slis_of(RESULTS, 15.4),
    exit_code=1,
)


def test_junit_is_xml_that_counts() -> None:
    root = ET.fromstring(junit(RUN))
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("4", "1", "1")
    assert [suite.get("name") for suite in root] == ["prt.connect", "prt.changes", "prt.latency", "prt.token"]
    cases = {f"{case.get('classname')} {case.get('name')}": case for case in root.iter("testcase")}
    failure = cases["prt.changes insert"].find("failure")
    assert failure is not None
    assert failure.get("message") == "expected INSERT of our row, came nothing"
    assert "cause: 日本語の理由" in str(failure.text)
    assert "remedy: grant it" in str(failure.text)
    assert cases["prt.changes insert"].get("time") == "15.000"
    assert cases["prt.token refresh"].find("skipped") is not None
    figures = {one.get("name"): one.get("value") for one in cases["prt.latency lag [2]"].iter("property")}
    assert figures["p50_ms"] == "2"


def test_an_interrupted_run_is_an_error_in_every_report() -> None:
    words = "the run was interrupted after 3 of 8 checks"
    run = structs.replace(RUN, interruption=words, exit_code=143)
    root = ET.fromstring(junit(run))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "1")
    errors = [
        (suite.get("name"), suite.get("errors")) for suite in root if suite.find("testcase/error") is not None
    ]
    assert errors == [("prt.run", "1")]
    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert error.get("message") == words
    assert f"<td>{words}</td>" in html(run)
    assert words in github.summary(run)
    assert github.interruption(run) == f"::error title=prt test::{words}\n"


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_asks_for_nothing() -> None:
    text = html(RUN)
    page = Page()
    page.feed(text)
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("src", "href") or name.startswith("on")]
    assert not re.search(r"url\(|@import|http://|https://", text)
    assert page.tags.count("svg") == 2
    assert page.tags.count("details") == 1
    for words in (
        "INSERT of our row",
        "日本語の理由",
        "grant it",
        "needs a sign-in",
        "p50 2.0 ms",
        "<script src",
    ):
        assert words in page.text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_bars_and_rows_are_drawn() -> None:
    drawn = charts.histogram([1.0] * 9 + [1000.0])
    assert len(re.findall("<rect", drawn)) == 2
    assert "9 between 1.0 ms" in drawn
    assert len(re.findall("<rect", charts.histogram([5.0]))) == 1
    assert len(re.findall("<rect", charts.histogram([-3.0, 0.0]))) == 1
    assert len(re.findall("<rect", charts.timeline(RESULTS))) == 3
    assert charts.timeline(RESULTS[3:]) == "<p>nothing ran</p>"


def test_lines_of_ndjson() -> None:
    line = json.loads(lines.result_line(RESULTS[1]))
    assert line["type"] == "result"
    assert (line["suite"], line["test"], line["outcome"], line["ms"]) == (
        "changes",
        "insert",
        "fail",
        15000.0,
    )
    assert line["failure"]["server"] == HOSTILE
    assert "reason" not in line
    last = json.loads(lines.slis_line(RUN, AT))
    assert (last["type"], last["exit_code"], last["failed"]) == ("slis", 1, 1)
    assert last["at"] == "2026-11-22T22:11:37.000000Z"


def test_github_can_not_be_steered() -> None:
    reported = github.annotation(RESULTS[1])
    assert reported.startswith(
        "::error title=prt test%3A changes insert::expected: INSERT of our row%0Acame:"
    )
    assert "\n" not in reported
    assert "%250A::error::" in reported
    summary = github.summary(RUN)
    assert "2 passed, 1 failed, 1 skipped" in summary
    assert "<script" not in summary
    rows = [line for line in summary.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) == 4
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    reported = [test_report.line(one, width) for one in RESULTS]
    reported += [line for lines_ in test_report.failures(RESULTS, width) for line in lines_]
    reported += test_report.skipped(RESULTS, width)
    assert all(cell_len(line.plain) <= width for line in reported)
    assert not any("\x1b" in line.plain or "\u202e" in line.plain for line in reported)
    if width >= 80:
        assert reported[0].plain.startswith("✓ connect    handshake      127.0.0.1:54321")
        assert reported[0].plain.endswith("handshake 3.5 ms")
        assert reported[1].plain.startswith("✗ changes    insert         nothing, not INSERT of our row")


def test_a_failure_is_printed_in_order() -> None:
    [reported] = test_report.failures(RESULTS, 200)
    labels = [line.plain[4:13].strip() for line in reported][1:]
    assert labels == ["expected", "came", "server", "cause", "remedy"]


def test_a_common_cause_is_printed_once() -> None:
    """However many checks it fails, in however many suites and rounds."""
    others = [
        structs.replace(RESULTS[1], name="update"),
        structs.replace(RESULTS[1], name="update", round=2),
        structs.replace(RESULTS[1], suite="rls", name="deletes", failure=Failure(expected="a", came="b")),
    ]
    reported = test_report.failures([RESULTS[1], *others], 80)
    assert [lines_[0].plain for lines_ in reported] == ["✗ changes insert", "✗ rls deletes"]
    assert reported[0][1].plain == "    and changes update"
    reasons = test_report.skipped([RESULTS[3], structs.replace(RESULTS[3], suite="rls", name="deletes")], 200)
    assert [line.plain[:44] for line in reasons] == ["- token (refresh), rls (deletes): needs a si"]


def test_no_secret_leaves_the_engine() -> None:
    secret = Secret("sb_secret_of-this-test").reveal()
    reported = without_secrets(
        Result(
            suite="connect",
            name="handshake",
            outcome="fail",
            at=AT,
            ms=1.0,
            note=secret,
            reason=secret,
            failure=Failure(expected=secret, came=secret, server=secret, cause=secret, remedy=secret),
            messages=(Message(at=AT, who="server", text=secret),),
        )
    )
    assert secret not in repr(reported)


# --- files


def test_a_report_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.xml"
    path.write_text("former")
    with report_file(path, Input.JUNIT) as file:
        assert path.read_text() == "former"
        file.write("new")
        assert path.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["out.xml"]


def test_nothing_is_left_of_a_report_that_was_not_written(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), report_file(tmp_path / "out.xml", Input.JUNIT):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_report_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "out.html"
    link.symlink_to(tmp_path / "real" / "page.html")
    with report_file(link, Input.REPORT) as file:
        file.write("page")
    assert link.is_symlink()
    assert (tmp_path / "real" / "page.html").read_text() == "page"


def test_reports_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"), report_file(tmp_path, Input.JUNIT):
        pass
    nowhere = tmp_path / "nowhere" / "out.xml"
    with pytest.raises(UsageError, match="can't be written"), report_file(nowhere, Input.JUNIT):
        pass
    with (
        pytest.raises(PrtError, match="can't be written"),
        report_file(Path("/dev/full"), Input.REPORT) as file,
    ):
        file.write("page")


def test_no_report_holds_control_characters() -> None:
    """In a failure's text a newline separates its lines, and is never a server's."""
    for text in (junit(RUN), html(RUN), *(line.decode() for line in map(lines.result_line, RESULTS))):
        assert not set(text) & {"\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\x00"}
