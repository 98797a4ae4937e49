"""The fault matrix: what can happen to a watch, and what prt does. The README's table is made from it.

`python -m tests.faults.table` runs the tests of the matrix and prints it as Markdown, with the writes
that each of them counted as lost silently.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct


class Fault(Struct, frozen=True):
    """A row: what happens, what prt does, and whether it was seen on a real server."""

    what: str
    answer: str
    is_recorded: bool = False


RECONNECTS = "reconnects, declares the gap, backfills it"
REJOINS = "joins anew, declares the gap, backfills it"
ENDS = "declares the gap as incomplete and ends with exit"
COMPARES = "finds them in the table, declares the gap, backfills it"
GOES_ON = "goes on; no gap"
DECLARES = "declares the gap, backfills it"

FAULTS: dict[str, Fault] = {
    "killed": Fault("server killed with `kill -9`, down, restarted on its data folder", RECONNECTS),
    "close-1000": Fault("close 1000 (normal)", RECONNECTS),
    "close-1001": Fault("close 1001 (going away)", RECONNECTS),
    "close-1006": Fault("close 1006 (the connection broke without a close)", RECONNECTS),
    "close-1009": Fault("close 1009 (message too big)", RECONNECTS),
    "close-1011": Fault("close 1011 (internal error)", RECONNECTS),
    "close-1012": Fault("close 1012 (service restart)", RECONNECTS),
    "rst": Fault("connection reset (RST)", RECONNECTS),
    "fin": Fault("connection ended (FIN)", RECONNECTS),
    "half-open": Fault(
        "half-open socket, both directions silent", "two heartbeats unanswered: " + RECONNECTS
    ),
    "half-open-to-client": Fault(
        "half-open socket, nothing reaches us", "two heartbeats unanswered: " + RECONNECTS
    ),
    "half-open-to-server": Fault(
        "half-open socket, nothing reaches the server", "two heartbeats unanswered: " + RECONNECTS
    ),
    "refused-401": Fault("handshake refused: 401", f"{ENDS} 3"),
    "refused-403": Fault("handshake refused: 403", f"{ENDS} 4"),
    "refused-404": Fault("handshake refused: 404", f"{ENDS} 4"),
    "refused-429": Fault("handshake refused: 429", "waits 30 s and more, then " + RECONNECTS),
    "refused-500": Fault("handshake refused: 500", RECONNECTS),
    "refused-503": Fault("handshake refused by a gateway: 503 with a page of HTML", RECONNECTS),
    "dns": Fault("the host's name can't be resolved", RECONNECTS),
    "join-unanswered": Fault("a join that is never answered", "times out, " + RECONNECTS),
    "phx-error": Fault("`phx_error`: the channel crashed", REJOINS),
    "phx-close": Fault("`phx_close` of the present join", REJOINS),
    "stale-phx-close": Fault("`phx_close` of a former join", GOES_ON),
    "system-error": Fault("a `system` error on a live channel, then its close", REJOINS),
    "system-rate-limit": Fault(
        '"Too many messages per second" on a live channel', "waits 30 s and more, then " + RECONNECTS
    ),
    "token-expired": Fault("token expired, nobody can renew it", f"announced ahead; {ENDS} 3"),
    "token-renewed": Fault("token renewed while changes flow", GOES_ON),
    "token-late": Fault("token expired while the link was down", "renews it, " + RECONNECTS),
    "publication": Fault("publication altered: the server subscribes anew by itself", DECLARES),
    "slot-killed": Fault("the backend of the server's slot killed", DECLARES, is_recorded=True),
    "backends-killed": Fault("all backends of the server killed", DECLARES, is_recorded=True),
    "postgres": Fault("PostgreSQL restarted after a crash of one backend", DECLARES, is_recorded=True),
    "database-closed": Fault("the database closed to connections", DECLARES, is_recorded=True),
    "publication-recreated": Fault(
        "the publication dropped and made again within a minute", DECLARES, is_recorded=True
    ),
    "table-removed": Fault("a table taken out of the publication and put back", DECLARES, is_recorded=True),
    "filter-blocks": Fault(
        "another client's filter on an array column fails in the database", DECLARES, is_recorded=True
    ),
    "rate": Fault("more changes than the plan allows", DECLARES, is_recorded=True),
    "server-stalled": Fault("the server stopped, and going on later", GOES_ON, is_recorded=True),
    "in-flight": Fault("changes still in the server when it dies, behind an answered heartbeat", RECONNECTS),
    "again": Fault("the connection is lost again during the backfill", "one gap over both, backfilled"),
    "rest-refuses": Fault("REST refuses the backfill", "declares the gap as incomplete, and why"),
    "deletes": Fault(
        "rows deleted while the link was down", "declares the gap as incomplete: nobody can ask"
    ),
    "deletes-snapshot": Fault(
        "rows deleted while the link was down, with `--snapshot`", "finds them by their keys, emits DELETE"
    ),
    "transaction": Fault(
        "a transaction that began before the link went down, shorter than the overlap", RECONNECTS
    ),
    "lost-silently": Fault("inserts that the server loses without a word, on a silent stream", COMPARES),
    "lost-in-traffic": Fault("changes of one table lost amid the traffic of another", COMPARES),
    "lost-update": Fault("an update lost without a word", COMPARES),
    "lost-not-backfilled": Fault(
        "changes lost without a word, with `--no-backfill`", "declares the gap as incomplete, once"
    ),
    "lost-burst": Fault("a burst of 2,500 rows lost without a word", COMPARES),
    "lost-transaction": Fault("a transaction of 50 s lost without a word", COMPARES),
    "lost-and-clocks": Fault("changes lost without a word, while the clocks differ", COMPARES),
    "stalled": Fault("a server that stalls and streams everything later", GOES_ON),
    "burst": Fault("a burst of 10,000 rows", GOES_ON),
    "traffic": Fault("ordinary traffic, compared with the tables again and again", GOES_ON),
    "slow-reader": Fault(
        "a reader that stops for longer than a heartbeat interval",
        "memory stays bounded; drops the oldest, declares the gap with their count",
    ),
    "slow-pipe": Fault("a slow reader behind our pipe", "memory stays bounded, the server waits; no gap"),
    "delayed": Fault("every byte delayed", GOES_ON),
    "throttled": Fault("a line of 1 MB/s under a burst of 1 MB", GOES_ON),
    "frame-3mb": Fault("a frame of 3 MB", GOES_ON),
    "frame-20mb": Fault("a frame of 20 MB, above our bound", RECONNECTS),
    "garbage": Fault(
        "frames of garbage, of half a UTF-8 sequence, of no event known", "`malformed`, a gap; goes on"
    ),
    "nesting": Fault("a frame nested 100,000 deep", "`malformed`, a gap; goes on"),
    "garbled": Fault("changes garbled on the way", "`malformed`, declares the gap, backfills it"),
    "clock-forward": Fault("our clock jumps an hour ahead", RECONNECTS),
    "clock-back": Fault("our clock jumps an hour back", RECONNECTS),
    "sleep": Fault("laptop sleep: stopped past two heartbeats, the link dies meanwhile", RECONNECTS),
    "stopped": Fault("stopped past two heartbeats, the link survives", GOES_ON),
    "reconnects": Fault("1,000 reconnects in a row", "memory, tasks and file descriptors don't grow"),
}


class Results:
    """Of the tests, by pytest's own words: every fault with its verdicts."""

    def __init__(self) -> None:
        self.verdicts: dict[str, list[dict[str, Any]]] = {}
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: Any) -> None:
        properties = dict(report.user_properties)
        fault = properties.get("fault")
        if fault is None or report.when != "call":
            return
        self.verdicts.setdefault(fault, []).append(properties["verdict"])
        if report.failed:
            self.failed.add(fault)


def row(name: str, fault: Fault, lost: int) -> str:
    """Return a row of the table; ¹ marks what was seen on a real server."""
    what = f"{fault.what} ¹" if fault.is_recorded else fault.what
    return f"| {what} | {fault.answer} | {lost} |"


def markdown(results: Results) -> str:
    lines = ["| fault | what prt does | lost silently |", "| --- | --- | ---: |"]
    total = 0
    for name, fault in FAULTS.items():
        lost = sum(verdict["lost_silently"] for verdict in results.verdicts[name])
        total += lost
        lines.append(row(name, fault, lost))
    lines.append(f"| **{len(FAULTS)} faults** | | **{total}** |")
    return "\n".join(lines)


def main() -> int:
    import pytest

    results = Results()
    # What pytest says goes to stderr: stdout is the table.
    table = os.dup(1)
    os.dup2(2, 1)
    code = pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__).parent)], plugins=[results])
    missing = sorted(set(FAULTS) - set(results.verdicts) | results.failed)
    if missing:
        print(f"no verdict, or a failed one: {', '.join(missing)}", file=sys.stderr)
        return int(code) or 1
    with os.fdopen(table, "w", encoding="utf-8") as file:
        file.write(markdown(results) + "\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
