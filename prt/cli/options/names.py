"""The option of each input: what the sentences of the packages below call it while a command runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prt.inputs import Input

OPTIONS: Final[Mapping[Input, str]] = {
    Input.ALLOW_SLOT: "--allow-slot",
    Input.ALERT: "--alert",
    Input.BATCH: "--batch",
    Input.COMMAND: "--exec",
    Input.COUNT: "--count",
    Input.DATA_DIR: "--data-dir",
    Input.DURATION: "--duration",
    Input.EXCLUDE: "--exclude",
    Input.EXPECT: "--expect",
    Input.FILTER: "--filter",
    Input.GROUP_BY: "--group-by",
    Input.HTTP: "--http",
    Input.IDENTITY: "--as",
    Input.IDLE: "--idle",
    Input.INCLUDE: "--include",
    Input.JUNIT: "--junit",
    Input.KEY: "--key",
    Input.LATE_AFTER: "--late-after",
    Input.LOCAL: "--local",
    Input.MAX_WAL: "--max-wal",
    Input.MIGRATIONS: "--migrations",
    Input.NO_SEED: "--no-seed",
    Input.NO_WAIT: "--no-wait",
    Input.PLAN: "--plan",
    Input.PORT: "--port",
    Input.PRIVATE: "--private",
    Input.RATE: "--rate",
    Input.REPORT: "--report",
    Input.SORT: "--sort",
    Input.TIMEOUT: "--timeout",
    Input.TRAFFIC: "--traffic",
    Input.URL: "--url",
    Input.USER: "--user",
    Input.VIEW: "--view",
}
