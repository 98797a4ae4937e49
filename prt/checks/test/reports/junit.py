"""The report in JUnit's XML, as GitLab, Jenkins and GitHub's actions read it.

Each suite is a `testsuite`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from prt.results import Failure, Result, Run
from prt.views.drawing.escaping import escaped_text

# The characters that XML 1.0 can't contain, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(run: Run) -> str:
    """Return the report of a run in JUnit's XML."""
    errors = int(run.interruption is not None)
    root = ET.Element("testsuites", {"name": "prt test", **_counts(run.results, errors)})
    moment = datetime.fromtimestamp(run.started / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for name in dict.fromkeys(result.suite for result in run.results):
        results = [result for result in run.results if result.suite == name]
        about = {"name": f"prt.{name}", "timestamp": moment, "hostname": _plain(run.host)}
        suite = ET.SubElement(root, "testsuite", {**about, **_counts(results)})
        for result in results:
            _add(suite, result)
    if run.interruption is not None:
        about = {"name": "prt.run", "timestamp": moment, "hostname": _plain(run.host)}
        suite = ET.SubElement(root, "testsuite", {**about, **_counts((), errors)})
        case = ET.SubElement(suite, "testcase", classname="prt.run", name="complete", time="0.000")
        ET.SubElement(case, "error", type="interrupted", message=_plain(run.interruption))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add(suite: ET.Element, result: Result) -> None:
    name = result.name if result.round == 1 else f"{result.name} [{result.round}]"
    case = ET.SubElement(
        suite, "testcase", classname=f"prt.{result.suite}", name=name, time=f"{result.ms / 1000:.3f}"
    )
    if result.figures:
        properties = ET.SubElement(case, "properties")
        for figure, value in result.figures.items():
            ET.SubElement(properties, "property", name=figure, value=f"{value:.3f}".rstrip("0").rstrip("."))
    if result.failure is not None:
        message = _plain(result.failure.headline)
        failure = ET.SubElement(case, "failure", type=result.suite, message=message)
        failure.text = "\n".join(map(_plain, failure_lines(result.failure)))
    elif result.outcome == "skip":
        ET.SubElement(case, "skipped", message=_plain(result.reason or ""))
    if result.note:
        ET.SubElement(case, "system-out").text = _plain(result.note)


def failure_lines(failure: Failure) -> list[str]:
    """Return the lines that describe a failure: its sentence if it has one, then its parts by name."""
    lines = [] if failure.sentence is None else [failure.sentence]
    lines += [f"expected: {failure.expected}", f"came: {failure.came}"]
    for name, text in (("server", failure.server), ("cause", failure.cause), ("remedy", failure.remedy)):
        if text is not None:
            lines.append(f"{name}: {text}")
    return lines


def _counts(results: Sequence[Result], errors: int = 0) -> dict[str, str]:
    return {
        "tests": str(len(results) + errors),
        "failures": str(sum(result.outcome == "fail" for result in results)),
        "errors": str(errors),
        "skipped": str(sum(result.outcome == "skip" for result in results)),
        "time": f"{sum(result.ms for result in results) / 1000:.3f}",
    }


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", escaped_text(text))
