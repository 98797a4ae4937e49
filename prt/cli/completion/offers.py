"""The words for completion that come from files: table and column names, and profiles. It has to be quick."""

from __future__ import annotations

from pathlib import Path

from prt.config import name_cache
from prt.config.files import read_text


def offers(kind: str) -> list[str]:
    """Return the words of a kind, sorted; an empty list if the kind has none.

    The words come from files that anybody can have written, such as those of a cloned folder, so only plain
    words are returned.
    """
    if kind == "table":
        return sorted(name_cache.read(name_cache.path()))
    if kind == "column":
        return sorted(
            {column for columns in name_cache.read(name_cache.path()).values() for column in columns}
        )
    if kind == "profile":
        return sorted({name for path in _profile_files() for name in _profiles(path)})
    return []


def _profile_files() -> list[Path]:
    import platformdirs  # noqa: PLC0415 - only for profiles

    own = platformdirs.user_config_path("prt", appauthor=False, roaming=True)
    return [Path("prt.toml"), own / "prt.toml"]


def _profiles(path: Path) -> list[str]:
    import tomllib  # noqa: PLC0415 - only for profiles

    try:
        profiles = tomllib.loads(read_text(path)).get("profiles", {})
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(profiles, dict):
        return []
    return [
        name for name in profiles if name_cache.is_plain(name.replace("-", "_")) and not name.startswith("-")
    ]
