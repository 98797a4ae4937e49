"""Makes the README's made sections and its pictures anew."""

from __future__ import annotations

from pathlib import Path

from tests.readme.pictures import draw_all
from tests.readme.sections import rewritten

README = Path(__file__).parents[2] / "README.md"

if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
    draw_all()
