"""(b) Commit → line: from the COMMIT that a writer sends to the line in the pipe, on the embedded project."""

from __future__ import annotations

import json
import statistics
import subprocess
import time

import psycopg

from prt.local.project.attach import ephemeral
from tests.benchmarks.subjects import own_environment, prt_watch

POLLING_P50_MS = 257.0
"""A real Realtime server, which polls; recorded in the transcripts' pg_latency."""


def measure(*, samples: int = 500, pause: float = 0.01) -> list[tuple[str, str]]:
    with ephemeral() as environment:
        client = subprocess.Popen(
            prt_watch("--count", str(samples)),
            stdout=subprocess.PIPE,
            env={**own_environment(), **environment},
        )
        try:
            lags = _lags(client, environment["SUPABASE_DB_URL"], samples, pause)
        finally:
            client.terminate()
            client.communicate()
    cuts = statistics.quantiles(lags, n=100, method="inclusive")
    return [
        (
            "commit → line, ms",
            f"p50 {cuts[49]:.2f}, p95 {cuts[94]:.2f}, p99 {cuts[98]:.2f}, max {max(lags):.2f}",
        ),
        ("a polling server's p50 / ours", f"{POLLING_P50_MS / cuts[49]:.0f}"),
    ]


def _lags(client: subprocess.Popen[bytes], database: str, samples: int, pause: float) -> list[float]:
    assert client.stdout is not None
    while json.loads(client.stdout.readline()).get("status") != "READY":
        pass
    lags = []
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "select production_id from project_tasks where production_id is not null"
        ).fetchone()
        assert row is not None
        for number in range(samples):
            connection.execute(
                "insert into project_tasks (production_id, title) values (%s, %s)",
                (row[0], f"sample {number}"),
            )
            committed = time.perf_counter()
            connection.commit()
            line = json.loads(client.stdout.readline())
            lags.append((time.perf_counter() - committed) * 1000)
            if line.get("type") != "change" or line["new"]["title"] != f"sample {number}":
                raise RuntimeError(f"sample {number} was followed by {line}")
            # Bursts would measure the queue; a person's writes come one by one.
            time.sleep(pause)
    return lags
