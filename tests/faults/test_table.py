"""The matrix names what is tested, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.table import FAULTS, Results, markdown


def test_every_fault_has_a_test() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    tested = {word for text in texts for word in re.findall(r'"([a-z0-9-]+)"', text)}
    made = {f"close-{code}" for code in (1000, 1001, 1006, 1009, 1011, 1012)}
    made |= {f"refused-{status}" for status in (401, 403, 404, 500, 503)}
    assert set(FAULTS) <= tested | made


def test_the_table_adds_up_what_the_tests_counted() -> None:
    results = Results()
    for fault in FAULTS:
        results.verdicts[fault] = [{"lost_silently": 0}]
    results.verdicts["rst"] = [{"lost_silently": 2}, {"lost_silently": 1}]
    lines = markdown(results).splitlines()
    assert len(lines) == len(FAULTS) + 3
    assert lines[-1].endswith("| **3** |")
    (row,) = [line for line in lines if "(RST)" in line]
    assert row.endswith("| 3 |")
