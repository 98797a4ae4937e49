"""The report of a test run for people: a line for each result, then the failures and their causes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from prt.results import Result, Run
from prt.views.drawing.cells import cut, safe, wrapped
from prt.views.drawing.test_results import ending, figure_text, parts
from prt.views.terminal.console import TerminalConsole

MARKS = {"pass": ("✓", "green"), "fail": ("✗", "bold red"), "skip": ("-", "yellow")}
SUITE_WIDTH, NAME_WIDTH, FIGURE_WIDTH = 10, 14, 18
_INDENT = "    "


class LiveTable:
    """Prints the results of a run as they arrive, above a spinner for the check that is running."""

    def __init__(self, console: Console, live: Live, host: str, total: int) -> None:
        self._console = console
        self._live = live
        self._host = host
        self._total = total
        self._done = 0

    def started(self, check: str) -> None:
        """Show which check is running."""
        self._live.update(running(check, self._done, self._total, self._host, self._console.width))

    def finished(self, result: Result) -> None:
        """Print the line of a result."""
        self._done += 1
        self._console.print(line(result, self._console.width))

    def close(self, run: Run) -> None:
        """Print the failures and the summary."""
        self._live.stop()
        width = self._console.width
        for paragraph in failures(run.results, width):
            self._console.print()
            for row in paragraph:
                self._console.print(row)
        reasons = skipped(run.results, width)
        if reasons:
            self._console.print()
        for row in reasons:
            self._console.print(row)
        self._console.print()
        style = "bold red" if run.exit_code else "bold yellow" if run.untested else "bold green"
        self._console.print(ending(run), style=style)


@contextmanager
def live_table(host: str, total: int, *, has_color: bool | None) -> Iterator[LiveTable]:
    """Open a table on the terminal for `total` results, and restore the terminal afterwards."""
    console = TerminalConsole(highlight=False, markup=False, no_color=has_color is False or None)
    with Live(console=console, transient=True, refresh_per_second=10) as live:
        yield LiveTable(console, live, host, total)


def line(result: Result, width: int, *, is_padded: bool = True) -> Text:
    """Return a result as one line of at most `width` cells: mark, suite, test, note and figure.

    `is_padded` aligns the figure to the right.
    """
    mark, style = MARKS[result.outcome]
    name = result.name if result.round == 1 else f"{result.name} [{result.round}]"
    figure = cut(figure_text(result), FIGURE_WIDTH)
    text = Text(no_wrap=True, overflow="crop")
    text.append(f"{mark} ", style)
    text.append(f"{cut(safe(result.suite), SUITE_WIDTH):{SUITE_WIDTH}} ", "dim")
    text.append(f"{cut(safe(name), NAME_WIDTH):{NAME_WIDTH}} ")
    left = width - text.cell_len
    note = _note(result)
    room = left - FIGURE_WIDTH - 1 if figure else left
    shown = cut(safe(note), max(room, 0))
    text.append(shown, style if result.outcome == "fail" else "dim")
    if figure:
        gap = max(left - _cells(shown) - _cells(figure), 1) if is_padded else 1 if shown else 0
        text.append(" " * gap)
        text.append(figure, "cyan")
    text.truncate(width)
    return text


def running(check: str, done: int, total: int, host: str, width: int) -> Table:
    """Return a spinner with the name of the check that is running.

    Args:
        check: The name of the check.
        done: How many checks have ended.
        total: How many checks there are.
        host: The project's host.
        width: The most cells of the line.
    """
    words = cut(f"{check}  {done} of {total}  {safe(host)}", max(width - 3, 0))
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Spinner("dots", style="cyan"), Text(words, no_wrap=True, overflow="crop"))
    return grid


def failures(results: Sequence[Result], width: int) -> list[list[Text]]:
    """Return a paragraph of lines for each cause, because several checks can fail for the same one."""
    alike: dict[tuple[str | None, ...], list[Result]] = {}
    for result in results:
        if (failure := result.failure) is not None:
            known = (failure.cause, failure.remedy) if failure.cause or failure.remedy else (failure.came,)
            alike.setdefault((failure.sentence, *known), []).append(result)
    return [_paragraph(group, width) for group in alike.values()]


def _paragraph(alike: Sequence[Result], width: int) -> list[Text]:
    """Return the failures of one cause, the first of them in full."""
    first, *others = dict.fromkeys(f"{one.suite} {one.name}" for one in alike)
    lines = [Text(f"✗ {safe(first)}", "bold red")]
    if others:
        lines += [
            Text(f"{_INDENT}{piece}", "red", no_wrap=True)
            for piece in wrapped(safe(f"and {', '.join(others)}"), max(width - len(_INDENT), 20))
        ]
    assert alike[0].failure is not None  # noqa: S101 - of failures only
    for label, words in parts(alike[0].failure):
        head = f"{_INDENT}{label:9}"
        for index, piece in enumerate(wrapped(safe(words), max(width - len(head), 20))):
            row = Text(no_wrap=True)
            row.append(head if index == 0 else " " * len(head), "dim")
            row.append(piece, "bold" if label == "remedy" else "")
            lines.append(row)
    return lines


def skipped(results: Sequence[Result], width: int) -> list[Text]:
    """Return the reasons for skipped tests, each once and in full, because the table may have cut them."""
    tests: dict[str, dict[str, list[str]]] = {}
    for result in results:
        if result.reason is not None and result.round == 1:
            tests.setdefault(result.reason, {}).setdefault(result.suite, []).append(result.name)
    lines = []
    for reason, suites in tests.items():
        named = ", ".join(f"{suite} ({', '.join(names)})" for suite, names in suites.items())
        pieces = wrapped(safe(f"{named}: {reason}"), max(width - 2, 20))
        for index, piece in enumerate(pieces):
            lines.append(Text(f"{'-' if index == 0 else ' '} {piece}", "dim", no_wrap=True))
    return lines


def _note(result: Result) -> str:
    if result.failure is not None:
        return result.failure.sentence or f"{result.failure.came}, not {result.failure.expected}"
    return result.note if result.reason is None else result.reason


def _cells(text: str) -> int:
    return Text(text).cell_len
