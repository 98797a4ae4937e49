"""The README and every page of the manual, as they stand in this repository."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "prt" / "manual"
COMMANDS: Final = FOLDER / "commands"
README: Final = ROOT / "README.md"


def pages() -> dict[Path, str]:
    """Return every page's text by its path, the README first."""
    paths = [README, *sorted(FOLDER.rglob("*.md"))]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def written() -> dict[Path, str]:
    """Return the pages that people write: all but the generated ones of commands."""
    return {path: text for path, text in pages().items() if path.parent != COMMANDS}


def text_of(topic: str) -> str:
    """Return the text of one page of the manual."""
    return (FOLDER / f"{topic}.md").read_text(encoding="utf-8")
