"""The cache of table and column names for shell completion, a small file in the user's cache folder.

A broken file is treated as missing, because it only saves typing. Names with characters that are special in a
shell are neither saved nor read, because anybody could have written the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from prt.config.files import read_text, write_whole

MOST_TABLES = 500
MOST_COLUMNS = 200
MOST_CHARACTERS = 64
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]*")


def path() -> Path:
    """Return the path of the cache file."""
    import platformdirs  # noqa: PLC0415 - only needed for completion

    return platformdirs.user_cache_path("prt", appauthor=False) / "seen.json"


def read(path: Path) -> dict[str, list[str]]:
    """Return the column names by table; the schema `public` is left out of the table's name."""
    try:
        kept = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {
        table: [column for column in columns if isinstance(column, str) and is_plain(column)]
        for table, columns in kept.items()
        if isinstance(columns, list) and is_plain(table)
    }


def keep(path: Path, seen: Mapping[str, Iterable[str]]) -> None:
    """Add names to the cache, the newest first; names that are special in a shell are left out."""
    kept = read(path)
    found = {
        table: [column for column in columns if is_plain(column)][:MOST_COLUMNS]
        for table, columns in seen.items()
        if is_plain(table)
    }
    merged = {**found, **{table: columns for table, columns in kept.items() if table not in found}}
    if merged == kept:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(dict(list(merged.items())[:MOST_TABLES])).encode())
    except OSError:
        return


def is_plain(name: str) -> bool:
    """Return whether a name is an ordinary word in every shell, and can't be an option."""
    return len(name) <= MOST_CHARACTERS and _PLAIN.fullmatch(name) is not None
