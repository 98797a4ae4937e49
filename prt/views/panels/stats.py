"""The view `stats`: rate, lag and bytes of the last minutes as sparklines, by kind of event and by table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len
from rich.text import Text

from prt.events import Change, Event
from prt.state.stats import Slice, Stats
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import counted, lag_text, milliseconds, per_second, table_name
from prt.views.drawing.lines import fitted, plain
from prt.views.drawing.verification import verification_lines
from prt.views.panels.inspection import Inspected
from prt.views.panels.listed import Listed

_STEPS = "▁▂▃▄▅▆▇█"
_LABEL = 10
_FIGURE = 24
_CHART = 5
"""The lines of the rate's chart on a screen of at least `_TALL` lines; otherwise one."""
_TALL = 16


class StatsView(Listed[tuple[str, str]]):
    """A view of rates, lags and sizes.

    `plan` is the name of the plan, and `limit` its limit in messages a second.
    """

    title = "stats"
    least_width = 60

    def __init__(self, *, plan: str | None = None, limit: int | None = None) -> None:
        super().__init__()
        self.stats = Stats()
        self._plan = plan
        self._limit = limit

    def apply(self, event: Event) -> None:
        """Apply an event to the figures. Changes are ignored here, because the method `note` counts them."""
        if type(event) is not Change:
            self.stats.apply(event)

    def note(self, change: Change) -> None:
        """Count a change."""
        self.stats.apply(change)

    def summary(self) -> list[str]:
        """Return the highest rate, and how many bytes arrived."""
        stats = self.stats
        if not stats.count:
            return []
        limit = f", the limit of {self._plan} is {self._limit:,}/s" if self._limit else ""
        return [f"at most {stats.busiest:,}/s{limit}; {size_text(stats.bytes)} of rows and payloads"]

    def row_keys(self) -> list[tuple[str, str]]:
        """Return schema and name of each table, the busiest first."""
        return [name for name, _ in self.stats.tables.most_common()]

    def content(self, key: tuple[str, str]) -> bytes:
        """Return the text of a row that a search looks at: `schema.table`."""
        return ".".join(key).encode()

    def inspect(self, key: tuple[str, str]) -> Inspected | None:
        """Return the counts of a table."""
        count = self.stats.tables[key]
        kinds = {kind: of for (*name, kind), of in self.stats.events.items() if tuple(name) == key}
        payload = {"schema": key[0], "table": key[1], "changes": count, **kinds}
        facts = (counted(count, "change"), f"{_share(count, self.stats.count)} of everything that came")
        return Inspected(
            title=table_name(*key), facts=facts, payload=msgspec.json.encode(payload), label="counted"
        )

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the figures in at most `height` lines of at most `width` cells; `now` in µs."""
        room = max(width - _LABEL - _FIGURE, 8)
        slices = list(self.stats.slices(room, now))
        lines = self._rate(slices, width, _CHART if height >= _TALL else 1)
        lines.append(self._lag(slices, width))
        sizes = [one.bytes for one in slices]
        figure = f"{size_text(sizes[-1])}/s, {size_text(self.stats.bytes)}"
        lines.append(_row("bytes", _sparkline(sizes), figure, width))
        for kind, count in sorted(self.stats.types.items()):
            counts = [one.types[kind] for one in slices]
            lines.append(
                _row(kind, _sparkline(counts), f"{count:,} · {_share(count, self.stats.count)}", width)
            )
        lag = self.stats.lag.summary()
        if lag:
            lines.append(plain(cut(lag_text(lag), width)))
        lines += [plain(cut(text, width)) for text in self._account(now)]
        lines.append(plain())
        return fitted([*lines, *self._tables(width, max(height - len(lines), 0))], width, height)

    def _account(self, now: int) -> list[str]:
        """Return what the watch has cost, and how completely the tables are verified."""
        cost, verification = self.stats.cost, self.stats.verification
        lines = []
        if cost.connections:
            connections = counted(cost.connections, "connection")
            channels = counted(cost.channels, "channel")
            # Vitals come with heartbeats: what was counted since may be more.
            messages = max(cost.messages, self.stats.count)
            lines.append(f"cost {counted(messages, 'message')}, {connections}, {channels}")
        return lines + verification_lines(verification, now)

    def _rate(self, slices: Sequence[Slice], width: int, rows: int) -> list[Text]:
        counts = [one.count for one in slices]
        most = max([*counts, 1])
        figure = f"{per_second(counts[-1])}, at most {self.stats.busiest:,}"
        if self._limit is not None:
            most = max(most, self._limit)
            over = self.stats.busiest > self._limit
            figure = f"{'! ' if over else ''}{counts[-1]:,} of {self._limit:,}/s"
        lines = []
        for row in range(rows - 1, -1, -1):
            text = "".join(_cell(count, most, row, rows) for count in counts)
            lines.append(_row("rate" if row == 0 else "", text, figure if row == 0 else "", width))
        if self._limit is not None:
            line = f"{'':{_LABEL}}" + "╌" * len(counts)
            lines.insert(0, plain(cut(f"{line} {self._plan}: {self._limit:,} messages/s", width), "dim"))
        return lines

    def _lag(self, slices: Sequence[Slice], width: int) -> Text:
        lags = [max(one.lag.percentile(0.5) or 0, 0) for one in slices]
        latest = next((lag for lag in reversed(lags) if lag), None)
        lag = self.stats.lag.summary()
        figure = f"p50 {milliseconds(latest)}"
        if lag:
            figure += f", p95 {milliseconds(lag['p95'])}"
        return _row("lag", _sparkline(lags), figure, width)

    def _tables(self, width: int, height: int) -> list[Text]:
        every = self.stats.tables.most_common()
        keys = [name for name, _ in every]
        self.choice.sync(keys)
        tables = [every[index] for index in self.choice.window(keys, height)]
        whole, width = width, width - self.gutter
        names = [cut(safe(table_name(*name)), 30) for name, _ in tables]
        widest = max(map(cell_len, names), default=0)
        lines = []
        for name, (key, count) in zip(names, tables, strict=True):
            share = f"{count:>10,}  {_share(count, self.stats.count):>5} "
            bar = max(width - widest - len(share), 0)
            length = round(bar * count / max(self.stats.count, 1))
            line = plain(name + " " * (widest - cell_len(name)) + share).append("█" * length)
            line.truncate(width)
            lines.append(self.marked(key, line, whole))
        return lines


def size_text(count: int) -> str:
    """Return a size in bytes as `640 B`, `12.3 kB` or `4.5 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:,.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def _sparkline(values: Sequence[float]) -> str:
    most = max([*values, 0])
    return "".join(_cell(value, most or 1, 0, 1) for value in values)


def _cell(value: float, most: float, row: int, rows: int) -> str:
    """Return one cell of a bar that is `rows` lines high; even the smallest value is visible."""
    filled = value / most * rows * len(_STEPS) - row * len(_STEPS)
    if filled <= 0:
        return " "
    return _STEPS[min(max(round(filled), 1), len(_STEPS)) - 1]


def _share(count: int, total: int) -> str:
    return f"{count / max(total, 1) * 100:.0f} %"


def _row(label: str, text: str, figure: str, width: int) -> Text:
    line = plain().append(f"{cut(label, _LABEL - 1):{_LABEL}}", "bold").append(text)
    line.append(" " + figure)
    line.truncate(width)
    return line
