"""The report as one HTML page, which loads nothing from the network and escapes all text of the server."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from prt.checks.test.reports import charts
from prt.results import Result, Run
from prt.views.drawing.cells import safe
from prt.views.drawing.figures import clock, lag_text, milliseconds, timestamp_text
from prt.views.drawing.test_results import counts, figures_text, parts

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --pass: #1a7f37; --fail: #cf222e; --skip: #9a6700; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .6rem;
  border-bottom: 1px solid var(--line); vertical-align: top } td.figure { white-space: nowrap }
.pass { color: var(--pass) } .fail { color: var(--fail) } .skip { color: var(--skip) }
dl { display: grid; grid-template-columns: 6rem 1fr; margin: .3rem 0 } dd { margin: 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; margin: .3rem 0 }
svg { width: 100%; height: auto }
svg text { font: 11px system-ui, sans-serif; fill: currentColor }
.levels { display: flex; flex-wrap: wrap; gap: .5rem 2rem; padding: 0; list-style: none }
.levels b { display: block; font-size: 1.2rem }
"""
_MARKS = {"pass": "✓", "fail": "✗", "skip": "–"}


def html(run: Run) -> str:
    """Return the report of a run as one page that loads nothing."""
    verdict = "fail" if run.exit_code else "pass"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>prt test: {_text(counts(run.slis))}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1><span class="{verdict}">{_MARKS[verdict]}</span> prt test: {_text(counts(run.slis))}</h1>
<p>{_text(run.host)} as {_text(run.identity)}, table {_text(run.table)}, {timestamp_text(run.started)},
{run.slis.seconds:.1f} s, prt {_text(run.version)}</p>
<ul class="levels">{"".join(_levels(run))}</ul>
{_histogram(run)}
<h2>Timeline</h2>
{charts.timeline(run.results)}
<h2>Results</h2>
<table>
<tr><th></th><th>suite</th><th>test</th><th>what was found</th><th>figures</th><th>took</th></tr>
{_interruption(run)}{"".join(_row(result) for result in run.results)}
</table>
<h2>Every message</h2>
{"".join(_messages(result) for result in run.results)}
</body>
</html>
"""


def _levels(run: Run) -> Iterable[str]:
    slis = run.slis
    figures = [
        ("handshake", None if slis.handshake_ms is None else milliseconds(slis.handshake_ms)),
        ("heartbeat", None if slis.rtt_ms is None else milliseconds(slis.rtt_ms)),
        ("join", None if slis.join_ms is None else milliseconds(slis.join_ms)),
        ("READY", None if slis.ready_ms is None else milliseconds(slis.ready_ms)),
        ("commit → receive", None if slis.lag_ms is None else lag_text(slis.lag_ms).removeprefix("lag ")),
        ("delivery", None if slis.delivery_percent is None else f"{slis.delivery_percent:g} %"),
    ]
    for name, value in figures:
        if value is not None:
            yield f"<li>{_text(name)}<b>{_text(value)}</b></li>"


def _histogram(run: Run) -> str:
    lags = [lag for result in run.results for lag in result.lags_ms]
    if not lags:
        return ""
    return f"<h2>Commit → receive, {len(lags):,} changes</h2>\n{charts.histogram(lags)}"


def _interruption(run: Run) -> str:
    if run.interruption is None:
        return ""
    return (
        f'<tr><td class="fail">{_MARKS["fail"]}</td><td>run</td><td>complete</td>'
        f"<td>{_text(run.interruption)}</td><td></td><td></td></tr>\n"
    )


def _row(result: Result) -> str:
    name = result.name if result.round == 1 else f"{result.name} [{result.round}]"
    return (
        f'<tr><td class="{result.outcome}">{_MARKS[result.outcome]}</td><td>{_text(result.suite)}</td>'
        f"<td>{_text(name)}</td><td>{_found(result)}</td>"
        f'<td class="figure">{_text(figures_text(result)).replace(", ", "<br>")}</td>'
        f'<td class="figure">{milliseconds(result.ms)}</td></tr>\n'
    )


def _found(result: Result) -> str:
    if result.failure is None:
        return _text(result.reason if result.reason is not None else result.note)
    rows = "".join(f"<dt>{label}</dt><dd>{_text(words)}</dd>" for label, words in parts(result.failure))
    return f"<dl>{rows}</dl>"


def _messages(result: Result) -> str:
    if not result.messages:
        return ""
    lines = "\n".join(
        _text(f"{clock(message.at, is_fine=True)}  {message.who:8}  {message.text}")
        for message in result.messages
    )
    is_open = " open" if result.outcome == "fail" else ""
    title = _text(f"{result.suite} {result.name}")
    return f"<details{is_open}><summary>{title}</summary><pre>{lines}</pre></details>\n"


def _text(text: str) -> str:
    return escape(safe(text))
