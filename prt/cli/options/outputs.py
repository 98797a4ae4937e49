"""Parsers of the options for the output, which make a checked form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from prt.errors import UsageError
from prt.inputs import Input
from prt.state.conditions.pattern import Pattern
from prt.suggestions import did_you_mean
from prt.views.sinks.form import Form, OutputForm, is_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from prt.app.watch_request import MetricsRequest, MetricsTarget

TYPES: Final = (
    "change",
    "broadcast",
    "presence",
    "status",
    "gap",
    "malformed",
    "alert",
    "conflict",
    "audit",
    "loss",
    "connection",
    "channel",
    "frame",
    "finding",
    "end",
)
"""The types of NDJSON lines that `--only` accepts."""


def form_of(
    *,
    json: bool = False,
    output: OutputForm | None = None,
    template: str | None = None,
    only: Sequence[str] | None = None,
    highlight: Sequence[str] | None = None,
    no_color: bool = False,
    batch: int | None = None,
    export: Path | None = None,
) -> Form:
    """Return the checked form of the output.

    Args:
        json: Whether to write NDJSON.
        output: The form; None is a screen on a terminal, otherwise NDJSON.
        template: The template of a line.
        only: Types of lines, separated by commas.
        highlight: Regular expressions to highlight.
        no_color: Whether colours are forbidden.
        batch: The window in ms in which changes of a row are merged.
        export: The SVG file to save the last screen to.

    Raises:
        UsageError: Options contradict each other, or one can't be parsed.
    """
    if json and output not in (None, OutputForm.JSON):
        raise UsageError(f"--json and --output {output} are two forms", "leave one of them out")
    if template is not None and (json or output is not None):
        raise UsageError("--template is a form of its own", "leave --json and --output out")
    kind = OutputForm.JSON if json else output
    encode = None
    if template is not None:
        from prt.views.sinks.template import compile_template  # noqa: PLC0415 - only for a template

        kind, encode = OutputForm.TEXT, compile_template(template, is_terminal=is_terminal())
    if kind is None:
        kind = OutputForm.TABLE if is_terminal() else OutputForm.JSON
    if export is not None and export.suffix.lower() != ".svg":
        raise UsageError(f"--export draws SVG, not {export.suffix or export.name}", "name a FILE.svg")
    return Form(
        kind=kind,
        encode=encode,
        only=_types(only or ()),
        highlight=tuple(Pattern(text, Input.HIGHLIGHT) for text in highlight or ()),
        has_color=False if no_color else None,
        batch=None if batch is None else batch / 1000,
        export=export,
    )


def parse_metrics(target: str | None, canary: str | None, plan: str | None) -> MetricsRequest | None:
    """Return the request for metrics; None without a target.

    Args:
        target: A FILE.prom, or an address of this machine.
        canary: The table for the canary's rows.
        plan: The plan whose limits count.

    Raises:
        UsageError: The target is neither of both, or there is a canary without a target.
    """
    from prt.app.watch_request import MetricsRequest  # noqa: PLC0415 - only for a watch
    from prt.cli.options.targets import parse_table  # noqa: PLC0415

    if target is None:
        if canary is not None:
            raise UsageError("--canary measures for --metrics", "add --metrics FILE.prom")
        return None
    return MetricsRequest(
        target=_metrics_target(target),
        plan=plan or "free",
        canary=None if canary is None else parse_table(canary),
    )


def _metrics_target(target: str) -> MetricsTarget:
    from pathlib import Path  # noqa: PLC0415

    from prt.app.watch_request import MetricsTarget  # noqa: PLC0415
    from prt.config.hosts import is_listened_to_here_alone  # noqa: PLC0415

    if target.endswith(".prom"):
        return MetricsTarget(path=Path(target))
    host, separator, port = target.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise UsageError(
            f"--metrics is neither a FILE.prom nor an address: {target}",
            "write --metrics prt.prom or --metrics 127.0.0.1:9464",
        )
    if not is_listened_to_here_alone(host):
        raise UsageError(
            f"--metrics serves this machine alone, not {host}", "take 127.0.0.1; a proxy may publish the page"
        )
    return MetricsTarget(host=host, port=int(port))


def _types(texts: Sequence[str]) -> frozenset[str] | None:
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    for name in names:
        if name not in TYPES:
            hint = did_you_mean(name, TYPES, f"types: {', '.join(TYPES)}")
            raise UsageError(f"--only: unknown type {name}", hint)
    return frozenset(names) if names else None
