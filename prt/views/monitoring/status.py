"""The diagnosis of `prt status` for monitoring systems: a plugin's output, and a page for Prometheus."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from prt.clock import wall_clock
from prt.results import STATES, Finding, State, counts_of
from prt.views.monitoring.page import gauge, label, page_text
from prt.views.monitoring.plugin import CRITICAL, OK, UNKNOWN, WARNING, Reading, report
from prt.views.panels.layers import cleared

_CODES: Final[dict[State, int]] = {
    "ok": OK,
    "warning": WARNING,
    "failed": CRITICAL,
    "unknown": UNKNOWN,
    "skipped": UNKNOWN,
}
"""The exit code of a monitoring plugin for each state of a check."""


class _Collected:
    """Base of the outputs that collect findings and print them together at the end."""

    is_json = False

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def expect(self, tables: Sequence[str]) -> None:
        """Ignore which tables will follow."""

    def report(self, finding: Finding) -> None:
        """Keep a finding for the end."""
        self.found.append(cleared(finding))


class PluginReporter(_Collected):
    """An output that prints the findings as a monitoring plugin does."""

    def end(self, exit_code: int) -> int:
        """Print the output and return the plugin's exit code."""
        code = plugin_code(self.found)
        counts = [f"{count} {state}" for state, count in counts_of(self.found).items() if count]
        bad = [_sentence(one) for one in self.found if one.state in ("failed", "warning")]
        readings = [Reading(name, milliseconds, "ms") for name, milliseconds in durations(self.found).items()]
        report(code, bad[0] if bad else ", ".join(counts), readings, details=bad[1:])
        return code


class PageReporter(_Collected):
    """An output that prints the findings as a page for Prometheus."""

    def end(self, exit_code: int) -> int:
        """Print the page and return the exit code."""
        sys.stdout.write(page_text(lambda: families(self.found, exit_code, wall_clock())))
        sys.stdout.flush()
        return exit_code


def plugin_code(findings: Sequence[Finding]) -> int:
    """Return the exit code of a monitoring plugin.

    The code is UNKNOWN if the configuration is missing, because then nothing could be checked. Findings whose
    state is `unknown`, such as those of a database that may not be queried, don't count as a problem.
    """
    states = {finding.state for finding in findings}
    if any(one.layer == "configuration" and one.state == "failed" for one in findings) or not findings:
        return UNKNOWN
    return CRITICAL if "failed" in states else WARNING if "warning" in states else OK


def durations(findings: Sequence[Finding]) -> dict[str, float]:
    """Return how long each layer took, in milliseconds. Single tables are left out."""
    found: dict[str, float] = {}
    for one in findings:
        if one.milliseconds is not None and one.layer != "table":
            found.setdefault(one.layer, one.milliseconds)
    return found


def families(findings: Sequence[Finding], exit_code: int, at: int) -> Iterator[Metric]:
    """Yield the metrics of a diagnosis that ended at `at` (µs)."""
    yield gauge(
        "prt_status_up", "1 if no layer failed.", float(all(one.state != "failed" for one in findings))
    )
    yield gauge("prt_status_exit_code", "Exit code of prt status.", exit_code)
    yield gauge("prt_status_timestamp_seconds", "When the check ended, in seconds since the epoch.", at / 1e6)
    counted = GaugeMetricFamily("prt_status_checks", "Number of checks by their state.", labels=["state"])
    counts = counts_of(findings)
    for state in STATES:
        counted.add_metric([state], counts[state])
    yield counted
    codes = GaugeMetricFamily(
        "prt_status_check_state",
        "State of a check: 0 ok, 1 warning, 2 failed, 3 unknown or not reached.",
        labels=["layer", "check", "table"],
    )
    for labels, code in _worst_codes(findings).items():
        codes.add_metric(labels, code)
    yield codes
    took = GaugeMetricFamily(
        "prt_status_layer_duration_seconds", "How long a layer took to answer.", labels=["layer"]
    )
    for layer, milliseconds in durations(findings).items():
        took.add_metric([layer], milliseconds / 1000)
    yield took


def _worst_codes(findings: Sequence[Finding]) -> dict[tuple[str, str, str], int]:
    """Return one code for each combination of labels: the gravest, if a check has several findings."""
    found: dict[tuple[str, str, str], int] = {}
    gravity = (OK, UNKNOWN, WARNING, CRITICAL)
    for one in findings:
        labels = (one.layer, label(one.check or ""), label(one.table or ""))
        found[labels] = max(found.get(labels, OK), _CODES[one.state], key=gravity.index)
    return found


def _sentence(finding: Finding) -> str:
    """Return a finding as a sentence: what is wrong, why, and how to solve it."""
    name = " ".join(part for part in (finding.layer, finding.table, finding.check) if part)
    cause = finding.causes[0] if finding.causes else None
    why = cause.why if cause and cause.why else finding.figure
    remedy = f" ({cause.remedy})" if cause and cause.remedy else ""
    return f"{name}: {why}{remedy}"
