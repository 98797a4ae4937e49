"""An HTTP server for a page of metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import start_http_server
from prometheus_client.metrics_core import Metric

from prt.errors import UsageError
from prt.views.monitoring.page import Families, registry_of

ANSWER_SECONDS: Final = 5.0
"""How long a request waits if the event loop is busy."""


@asynccontextmanager
async def served(host: str, port: int, families: Families) -> AsyncIterator[int]:
    """Serve the page during the block, and yield its port.

    The server has its own threads, but the metrics are built in the event loop, where nothing changes them
    meanwhile.

    Raises:
        UsageError: The server can't listen at this address.
    """
    loop = asyncio.get_running_loop()

    def ours() -> Iterable[Metric]:
        made: Future[list[Metric]] = Future()
        loop.call_soon_threadsafe(_make, made, families)
        return made.result(ANSWER_SECONDS)

    try:
        server, thread = start_http_server(port, addr=host, registry=registry_of(ours))
    except OSError as exc:
        raise UsageError(
            f"metrics can't be served at {host}:{port}: {exc.strerror}", "take another port"
        ) from exc
    try:
        yield server.server_port
    finally:
        await asyncio.to_thread(server.shutdown)
        thread.join()
        server.server_close()


def _make(made: Future[list[Metric]], families: Families) -> None:
    try:
        made.set_result(list(families()))
    except Exception as exc:
        made.set_exception(exc)
