"""The SQL files in a folder of Supabase's CLI: `supabase/migrations`, and the seeds that follow them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from glob import glob
from pathlib import Path
from typing import Any

from prt.config.files import read_text
from prt.errors import UsageError

MIGRATIONS = Path("supabase") / "migrations"
SEEDS = ("./seed.sql",)
"""The files that the CLI runs after the migrations unless `supabase/config.toml` names others."""


def found_in(folder: Path) -> Path | None:
    """Return the folder's `supabase/migrations`, or None if no SQL is in it."""
    migrations = folder / MIGRATIONS
    return migrations if next(migrations.glob("*.sql"), None) else None


def with_seeds(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the paths, with the seeds after each `supabase/migrations`.

    Raises:
        UsageError: `supabase/config.toml` can't be read, or names a seed that does not exist.
    """
    return tuple(
        one for path in paths for one in (path, *_seeds_after(path)) if path == one or one not in paths
    )


def _seeds_after(path: Path) -> Iterator[Path]:
    if path.parts[-2:] != MIGRATIONS.parts or not path.is_dir():
        return
    settings = _settings(path.parent / "config.toml")
    if settings.get("enabled") is False:
        return
    named = settings.get("sql_paths")
    patterns = SEEDS if named is None else named if isinstance(named, list) else [named]
    for pattern in map(str, patterns):
        # Path.glob takes no absolute pattern.
        seeds = sorted(map(Path, glob(pattern, root_dir=path.parent, recursive=True)))  # noqa: PTH207
        if not seeds and patterns is not SEEDS and pattern not in SEEDS:
            raise UsageError(
                f"{path.parent / 'config.toml'} names a seed that does not exist: {pattern}",
                "correct db.seed.sql_paths, or set db.seed.enabled = false",
            )
        yield from (path.parent / seed for seed in seeds)


def _settings(path: Path) -> dict[str, Any]:
    """Return the section `db.seed` of the file, empty if there is none."""
    try:
        content: Any = tomllib.loads(read_text(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path} can't be read: {why}", "mend it or move it away") from error
    for name in ("db", "seed"):
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}
