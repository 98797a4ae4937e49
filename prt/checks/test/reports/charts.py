"""The two charts of the HTML report, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from prt.results import Result
from prt.views.drawing.figures import milliseconds

BARS = 40
WIDTH, HEIGHT, FOOT = 960, 180, 20
ROW, LABEL = 16, 170
_COLORS = {"pass": "var(--pass)", "fail": "var(--fail)", "skip": "var(--skip)"}


def histogram(lags_ms: Sequence[float]) -> str:
    """Return a histogram of the lags (ms). The axis is logarithmic, so that the long tail can be seen."""
    low = max(min(lags_ms), 0.1)
    high = max(*lags_ms, low * 2) if len(lags_ms) > 1 else low * 2
    step = math.log(high / low) / BARS
    counts = [0] * BARS
    for lag in lags_ms:
        counts[min(int(math.log(max(lag, low) / low) / step), BARS - 1)] += 1
    top, wide = max(counts), WIDTH / BARS
    bars = []
    for number, count in enumerate(counts):
        if not count:
            continue
        size = max((HEIGHT - 2 * FOOT) * count / top, 1.5)
        start, end = low * math.exp(step * number), low * math.exp(step * (number + 1))
        title = f"{count:,} between {milliseconds(start)} and {milliseconds(end)}"
        bars.append(
            f'<rect x="{number * wide:.1f}" y="{HEIGHT - FOOT - size:.1f}" width="{wide - 1:.1f}" '
            f'height="{size:.1f}" fill="#3b82f6"><title>{escape(title)}</title></rect>'
        )
    ticks = "".join(
        f'<text x="{min(max(WIDTH * part / 4, 0), WIDTH):.0f}" y="{HEIGHT - 4}" text-anchor="{anchor}">'
        f"{milliseconds(low * math.exp(step * BARS * part / 4))}</text>"
        for part, anchor in enumerate(("start", "middle", "middle", "middle", "end"))
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="histogram of commit to receive">'
        f'{"".join(bars)}<text x="0" y="12">at most {top:,} a bar; a logarithmic scale</text>{ticks}</svg>'
    )


def timeline(results: Sequence[Result]) -> str:
    """Return a timeline that shows when each check ran and how long it took."""
    ran = [result for result in results if result.ms > 0]
    if not ran:
        return "<p>nothing ran</p>"
    start = min(result.at for result in ran)
    end = max(result.at + result.ms * 1000 for result in ran)
    scale = (WIDTH - LABEL - 60) / max(end - start, 1)
    rows = []
    for number, result in enumerate(ran):
        x, y = LABEL + (result.at - start) * scale, number * ROW
        wide = max(result.ms * 1000 * scale, 2)
        rows.append(
            f'<text x="0" y="{y + 12}">{escape(f"{result.suite} {result.name}")}</text>'
            f'<rect x="{x:.1f}" y="{y + 3}" width="{wide:.1f}" height="{ROW - 5}" '
            f'fill="{_COLORS[result.outcome]}"/>'
            f'<text x="{x + wide + 4:.1f}" y="{y + 12}">{milliseconds(result.ms)}</text>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {len(ran) * ROW + 4}" role="img" aria-label="timeline of the checks">'
        f"{''.join(rows)}</svg>"
    )
