"""The table names what is tested, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from tests.diagnosis.table import FAULTS, markdown


def test_every_fault_has_a_test() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    tested = {word for text in texts for word in re.findall(r'"([a-z0-9-]+)"', text)}
    assert set(FAULTS) <= tested


def test_the_table_has_the_causes_and_remedies() -> None:
    printed = {name: {"why": f"why {name}", "remedy": "a | b"} for name in FAULTS}
    printed["missing"] = {"why": "one", "remedy": "select 1;", "also": [{"why": "two", "remedy": None}]}
    lines = markdown(printed).splitlines()
    assert len(lines) == len(FAULTS) + 2
    assert "| table missing | table | one; or two | `select 1;` |" in lines
    assert any(line.endswith(r"a \| b |") for line in lines)
