"""The replication stream's reports; that the stream itself works is shown by Realtime's tests."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from prt.postgres.replication import _Report

STOPPED_SECONDS = 0.2


class Connection:
    """A connection that takes every report."""

    def __init__(self) -> None:
        self.has_reported = asyncio.Event()

    def put_copy_data(self, _: bytes) -> None:
        self.has_reported.set()

    def flush(self) -> None:
        pass


def test_a_report_that_is_sent_after_a_stop_does_not_hide_it() -> None:
    async def main() -> None:
        connection: Any = Connection()
        report = _Report(connection)
        time.sleep(STOPPED_SECONDS)  # noqa: ASYNC251 - the whole process is stopped
        await connection.has_reported.wait()
        assert report.silent_seconds >= STOPPED_SECONDS
        report.end()

    asyncio.run(main())
