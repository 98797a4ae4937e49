"""The findings of `prt status` as lines: glyph, state, figure, and the causes with their remedies.

Lines follow the order of the findings. The findings of one table share a line if none of them is bad.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from msgspec.structs import replace
from rich.cells import cell_len
from rich.text import Text

from prt.clock import wall_clock
from prt.redaction import redact
from prt.results import STATES, Cause, Finding, State, counts_of, worst
from prt.views.drawing.cells import cut_middle, safe, wrapped
from prt.views.drawing.escaping import escaped_line
from prt.views.drawing.figures import milliseconds
from prt.views.sinks.ndjson import timestamp
from prt.views.terminal.console import terminal_console

MARKS: Final[dict[State, tuple[str, str]]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "bold yellow"),
    "failed": ("✗", "bold red"),
    "unknown": ("?", "bold"),
    "skipped": ("–", "dim"),
}
REMEDY: Final = "→ "
_STATE = max(len(state) for state in MARKS) + 1
_INDENT = 2 + _STATE
_LAYER, _NARROW_NAME, _WIDE_NAME = 10, 22, 40
_WIDE = 120


class Layers:
    """Turns findings into lines as they arrive.

    `names` are the tables that will be reported, which determine the width of their column.
    """

    def __init__(self, width: int, names: Iterable[str] = ()) -> None:
        self._width = width
        widest = _WIDE_NAME if width >= _WIDE else _NARROW_NAME
        # `*` is any table, whose names are known when they come.
        longest = max((widest if name == "*" else cell_len(safe(name)) for name in names), default=0)
        self._table_name = min(longest, widest, max((width - _INDENT) // 2, 1))
        self._table: list[Finding] = []
        self._unreached: list[str] = []
        self._shown: Counter[State] = Counter()

    def add(self, finding: Finding) -> list[Text]:
        """Add a finding, and return the lines that can be printed now."""
        lines = self._held_back(finding)
        if finding.layer == "table" and finding.table is not None:
            self._table.append(finding)
        elif not finding.is_reached:
            self._unreached.append("tables" if finding.layer == "table" else finding.layer)
        else:
            lines += self._single(finding)
        return lines

    def end(self) -> list[Text]:
        """Return the lines that were held back, then the number of lines of each state."""
        lines = self.rest()
        counts = [f"{self._shown[state]} {state}" for state in STATES if self._shown[state]]
        summary = wrapped(" · ".join(counts), self._width)
        return [*lines, Text(), *(_fixed(line, "bold") for line in summary)]

    def rest(self) -> list[Text]:
        """Return the lines that were held back."""
        lines = self._flush_table()
        if self._unreached:
            lines += self._line("skipped", "", f"not reached: {', '.join(self._unreached)}", 0)
        return lines

    def _held_back(self, finding: Finding) -> list[Text]:
        is_same = bool(self._table) and finding.table == self._table[0].table
        return [] if is_same else self._flush_table()

    def _flush_table(self) -> list[Text]:
        findings, self._table = self._table, []
        if not findings:
            return []
        bad = sorted(_bad_findings(findings), key=lambda finding: finding.state != "failed")
        name = (findings[0].table or "").removeprefix("public.")
        lines = self._line(worst(findings), name, " · ".join(_table_figures(findings)), self._table_name)
        return lines + [line for finding in bad for line in self._causes(finding.causes)]

    def _single(self, finding: Finding) -> list[Text]:
        name = finding.check if finding.layer == "configuration" and finding.check else finding.layer
        name = "config" if name == "configuration" else name
        took = milliseconds(finding.milliseconds) if finding.milliseconds is not None else ""
        figure = " · ".join(part for part in (took, finding.figure) if part)
        return self._line(
            finding.state, name, figure, min(_LAYER, max((self._width - _INDENT) // 2, 1))
        ) + self._causes(finding.causes)

    def _line(self, state: State, name: str, figure: str, name_width: int) -> list[Text]:
        self._shown[state] += 1
        glyph, style = MARKS[state]
        shown = cut_middle(safe(name), name_width)
        pad = " " * (name_width - cell_len(shown) + 1) if name else ""
        start = _INDENT + cell_len(shown + pad)
        first, *more = wrapped(safe(figure), max(self._width - start, 1)) or [""]
        text = _fixed(f"{glyph} {state:{_STATE}}", style)
        text.append(shown + pad, "bold").append(first)
        return [text, *(_fixed(" " * start + line) for line in more)]

    def _causes(self, causes: Sequence[Cause]) -> list[Text]:
        lines: list[Text] = []
        for index, cause in enumerate(causes):
            lines += self._indented(("or " if index else "") + cause.why, "")
            if cause.remedy:
                lines += self._indented(cause.remedy, REMEDY)
        return lines

    def _indented(self, words: str, mark: str) -> list[Text]:
        room = max(self._width - _INDENT - len(mark), 1)
        texts = wrapped(safe(words), room)
        style = "cyan" if mark else ""
        return [
            _fixed(" " * _INDENT + (mark if index == 0 else " " * len(mark)) + text, style)
            for index, text in enumerate(texts)
        ]


def _table_figures(findings: Sequence[Finding]) -> list[str]:
    """Return the figures of a table.

    They are READY, then the figures of bad findings, or of a few good ones if there are no bad ones.
    """
    ready = [finding.figure for finding in findings if finding.check == "READY"]
    bad = [f"{one.check}: {one.figure}" for one in findings if one.state != "ok" and one.check != "READY"]
    if bad:
        return [*ready, *bad]
    good = {finding.check: finding.figure for finding in findings}
    figures = [f"key {good['primary key']}"] if "primary key" in good else []
    figures += ["replica identity full"] if good.get("replica identity") == "full" else []
    figures += [good[check] for check in ("policies", "cut values") if check in good]
    return [*ready, *figures]


def _bad_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return the bad findings, without a READY that only follows from another failure."""
    has_failed = any(one.state == "failed" and one.check != "READY" for one in findings)
    return [one for one in findings if one.state != "ok" and not (has_failed and one.check == "READY")]


class Reporter(Protocol):
    """An output of `prt status` for standard output. `found` are the findings so far."""

    found: list[Finding]
    is_json: bool

    def expect(self, tables: Sequence[str]) -> None:
        """Note the tables whose findings will follow."""
        ...

    def report(self, finding: Finding) -> None:
        """Report a finding."""
        ...

    def end(self, exit_code: int) -> int:
        """Print the rest.

        Args:
            exit_code: The exit code of `prt status`.

        Returns:
            The exit code to end with; a monitoring plugin has its own codes.
        """
        ...


class LineReporter:
    """An output of lines for people."""

    is_json = False

    def __init__(self, *, has_color: bool | None) -> None:
        self.found: list[Finding] = []
        self._console = terminal_console(has_color, is_stderr=False)
        self._layers = Layers(self._console.width)

    def expect(self, tables: Sequence[str]) -> None:
        """Set the width of the tables' column."""
        self._layers = Layers(self._console.width, tables)

    def report(self, finding: Finding) -> None:
        """Report a finding."""
        self.found.append(finding)
        self._print(self._layers.add(cleared(finding)))

    def end(self, exit_code: int) -> int:
        """Print the lines that were held back and the summary, and return the exit code unchanged."""
        self._print(self._layers.end())
        return exit_code

    def _print(self, lines: Sequence[Text]) -> None:
        for line in lines:
            self._console.print(line, soft_wrap=True)


class JsonReporter:
    """An output of NDJSON, flushed line by line."""

    is_json = True

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def expect(self, tables: Sequence[str]) -> None:
        """Ignore which tables will follow."""

    def report(self, finding: Finding) -> None:
        """Report a finding."""
        self.found.append(finding)
        self._write(object_of(cleared(finding)))

    def end(self, exit_code: int) -> int:
        """Write the line `layers`, and return the exit code unchanged."""
        self._write({"type": "layers", "exit_code": exit_code, **counts_of(self.found)})
        return exit_code

    def _write(self, line: dict[str, Any]) -> None:
        kind, at = line.pop("type"), timestamp(wall_clock())
        text = json.dumps({"type": kind, "at": at, **line}, ensure_ascii=False, separators=(",", ":"))
        sys.stdout.write(escaped_line(text.encode(errors="backslashreplace")).decode() + "\n")
        sys.stdout.flush()


def cleared(finding: Finding) -> Finding:
    """Return a finding without the secrets that a server may have repeated in its answer."""
    causes = tuple(Cause(redact(one.why), one.remedy and redact(one.remedy)) for one in finding.causes)
    return replace(finding, figure=redact(finding.figure), causes=causes)


def object_of(finding: Finding) -> dict[str, Any]:
    """Return a finding as an object for a line of NDJSON.

    `also` has the further causes, which are less likely than the first.
    """
    first, *others = finding.causes or (Cause("", None),)
    line: dict[str, Any] = {
        "type": "layer",
        "layer": finding.layer,
        "check": finding.check,
        "table": finding.table,
        "state": finding.state,
        "figure": finding.figure,
        "ms": finding.milliseconds,
        "why": first.why or None,
        "remedy": first.remedy,
    }
    if others:
        line["also"] = [{"why": cause.why, "remedy": cause.remedy} for cause in others]
    return line


def _fixed(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="crop")
