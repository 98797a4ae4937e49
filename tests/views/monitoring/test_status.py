from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from prt.errors import UsageError
from prt.results import Cause, Finding, State, of_error
from prt.views.monitoring.page import page_text
from prt.views.monitoring.status import PluginReporter, families

OK = Finding(layer="dns", state="ok", milliseconds=12.0)
UNASKED = Finding(layer="database", state="unknown", figure="not asked")


def table(state: State, *causes: Cause) -> Finding:
    return Finding(layer="table", state=state, table="public.t", check="READY", causes=causes)


@pytest.mark.parametrize(
    ("found", "code", "word"),
    [
        ([OK, UNASKED], 0, "OK"),
        ([OK, table("warning")], 1, "WARNING"),
        ([OK, table("warning"), table("failed")], 2, "CRITICAL"),
        ([of_error("configuration", UsageError("no project", "set one"))], 3, "UNKNOWN"),
        ([], 3, "UNKNOWN"),
    ],
)
def test_a_plugin_exits_as_monitoring_plugins_do(
    capsys: pytest.CaptureFixture[str], found: list[Finding], code: int, word: str
) -> None:
    reporter = PluginReporter()
    for one in found:
        reporter.report(one)
    assert reporter.end(4) == code
    assert capsys.readouterr().out.startswith(f"REALTIME {word} - ")


def test_a_plugin_prints_one_line_then_figures_then_what_else_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = PluginReporter()
    for one in (OK, table("failed", Cause("a | b\n\x1b[2J", "mend it")), table("warning", Cause("slow"))):
        reporter.report(one)
    reporter.end(4)
    first, second = capsys.readouterr().out.splitlines()
    assert first == r"REALTIME CRITICAL - table public.t READY: a ¦ b\n\x1b[2J (mend it) | 'dns'=12.000ms"
    assert second == "table public.t READY: slow"


def test_a_page_has_one_series_for_each_check() -> None:
    found = [OK, table("ok"), table("failed"), table("skipped"), UNASKED]
    page = page_text(lambda: families(found, 4, 1_796_024_778_500_000))
    read = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert read["prt_status_up",] == 0
    assert read["prt_status_exit_code",] == 4
    assert read["prt_status_timestamp_seconds",] == 1_796_024_778.5
    assert read["prt_status_checks", "failed"] == 1
    assert read["prt_status_layer_duration_seconds", "dns"] == 0.012
    assert read["prt_status_check_state", "READY", "table", "public.t"] == 2
    assert read["prt_status_check_state", "", "database", ""] == 3
    assert len(re.findall(r"^prt_status_check_state\{", page, re.M)) == 3
