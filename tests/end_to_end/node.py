"""Scripts of `js/`, run by Node."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.running import PATIENCE


def reported(script: Path, *arguments: str, environment: Mapping[str, str]) -> Any:
    """Run a script to its end, and return the JSON that it reports."""
    done = subprocess.run(
        ["node", script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
