"""Parsers of the options for reads over REST: backfill, snapshot, and the time before the start."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prt.app.watch_request import KeyColumns, RecoveryRequest
from prt.cli.options.identifiers import QUOTED, names_of, unquoted
from prt.errors import UsageError
from prt.state.conditions.bounds import parse_duration

_TABLE_AND_COLUMNS = re.compile(rf"(?:({QUOTED}|[^\":][^:]*|):)?(.*)", re.DOTALL)
"""An optional table, then columns; a colon in quotes belongs to a name."""


def parse_recovery(
    *,
    backfill: bool,
    snapshot: bool,
    since: str | None,
    cursor: str | None,
    keys: Iterable[str],
    verify: bool = False,
) -> RecoveryRequest:
    """Return the checked options.

    Args:
        backfill: Whether gaps are filled.
        snapshot: Whether the present rows are read.
        since: A timestamp or a duration, from which changes are read.
        cursor: The column that dates a row's last change.
        keys: Key columns, each as `[TABLE:]COLUMN,COLUMN`.
        verify: Whether the tables are compared with what arrived.

    Raises:
        UsageError: An option can't be parsed.
    """
    return RecoveryRequest(
        backfill=backfill,
        verify=verify,
        snapshot=snapshot,
        since=None if since is None else moment_of(since, "--since").isoformat(),
        cursor=cursor,
        keys=tuple(map(_key, keys)),
    )


def _key(text: str) -> KeyColumns:
    """Parse `[TABLE:]COLUMN,COLUMN`."""
    table, columns = _TABLE_AND_COLUMNS.fullmatch(text).groups()  # type: ignore[union-attr]
    names = names_of(columns)
    if not all(names):
        raise UsageError(
            f"--key can't read {text}", 'write COLUMN,COLUMN or TABLE:COLUMN,COLUMN; odd names in ""'
        )
    return KeyColumns(None if table is None else unquoted(table), names)


def moment_of(text: str, option: str) -> datetime:
    """Return a timestamp in UTC; a duration such as 5m is subtracted from now.

    Raises:
        UsageError: The text is neither, or has no time zone; the message names `option`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.now(UTC) - timedelta(seconds=parse_duration(text, option))
    if moment.tzinfo is None:
        raise UsageError(f"{option} has no time zone: {text}", "write 5m, or as 2026-11-22T16:48:47Z")
    return moment.astimezone(UTC)
