"""`prt schema`: the JSON Schema of the NDJSON lines."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

from typing import Annotated

import typer

from prt.cli.options import shared as options


def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a Markdown table instead of JSON.")
    ] = False,
    debug: options.Debug = False,
) -> int:
    """Print the JSON Schema of the NDJSON lines that commands write with --json or into a pipe.

    prt schema > prt-line.schema.json

    prt schema --markdown

    prt schema | jq '.oneOf[].title'
    """
    import msgspec

    from prt.views.sinks.schema import document as lines

    if markdown:
        typer.echo(lines.markdown(), nl=False)
    else:
        typer.echo(msgspec.json.format(msgspec.json.encode(lines.json_schema()), indent=2).decode())
    return 0
