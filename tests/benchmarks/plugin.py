"""(n) A test with the pytest plugin beside the same test written by hand with supabase-py.

Both sign in, subscribe, wait until changes flow, insert a row, and wait for its INSERT, on the same project.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from msgspec import Struct

from prt.local.project.attach import ephemeral
from prt.local.seed.people import PASSWORD
from tests.running import clean_environment

PLUGIN = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_a_notification_arrives(number, prt_project, prt_realtime):
    maya = prt_project.sign_in("maya@example.com")
    with prt_realtime.watch("notifications", as_=maya) as w:
        prt_project.insert("notifications", user_id=maya.id, title=f"Test {number}", message="m")
        w.expect("INSERT", title=f"Test {number}", within=60)
"""

BY_HAND = """
import asyncio
import os

import pytest
from supabase import acreate_client

async def arrives(title):
    client = await acreate_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_ANON_KEY"])
    signed_in = await client.auth.sign_in_with_password(
        {"email": "maya@example.com", "password": os.environ["PRT_PASSWORD"]}
    )
    ready, changes = asyncio.Event(), asyncio.Queue()
    channel = client.channel("test")
    channel.on_postgres_changes(
        "INSERT", schema="public", table="notifications", callback=changes.put_nowait
    )
    channel.on_system(lambda _: ready.set())  # SUBSCRIBED is too early: the first changes would be missing
    await channel.subscribe()
    await asyncio.wait_for(ready.wait(), 60)
    server = await acreate_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_SERVICE_ROLE_KEY"])
    row = {"user_id": signed_in.user.id, "title": title, "message": "m"}
    inserted = await server.table("notifications").insert(row).execute()
    try:
        while True:
            change = await asyncio.wait_for(changes.get(), 60)
            if change["data"]["record"]["title"] == title:
                return
    finally:
        await client.remove_all_channels()
        await server.table("notifications").delete().eq("id", inserted.data[0]["id"]).execute()

@pytest.mark.parametrize("number", range({count}))
def test_a_notification_arrives(number):
    asyncio.run(arrives(f"Test {number}"))
"""
MODULES = {"plugin": PLUGIN, "supabase-py": BY_HAND}


class Took(Struct, frozen=True):
    """Seconds of one pytest: `whole` on the clock, `cpu` with all its children, `each` test."""

    whole: float
    cpu: float
    each: tuple[float, ...]


def run(name: str, project: Mapping[str, str], folder: Path, count: int) -> Took:
    """Run one of the modules with `count` tests. Raises CalledProcessError if one fails."""
    module, report = folder / f"test_{name.replace('-', '_')}.py", folder / "report.xml"
    module.write_text(MODULES[name].replace("{count}", str(count)), encoding="utf-8")
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"),
            *("--prt-remote", "--allow-writes", module.name),
        ],
        cwd=folder,
        env=clean_environment(**project, PRT_PASSWORD=PASSWORD),
        check=True,
        capture_output=True,
    )
    whole, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cases = ET.parse(report).getroot().iter("testcase")
    return Took(whole, cpu, tuple(float(case.attrib["time"]) for case in cases))


def measure(folder: Path, *, count: int = 5, rounds: int = 5) -> list[tuple[str, str]]:
    """Return the medians, in turns; the first test of a run pays for the imports of the client."""
    found: dict[str, list[Took]] = {name: [] for name in MODULES}
    with ephemeral() as project:
        for turn in range(rounds):
            for name in sorted(MODULES, reverse=turn % 2 == 1):
                found[name].append(run(name, project, folder, count))
    figures = []
    for name, took in found.items():
        each = [seconds for one in took for seconds in one.each[1:]]
        figures += [
            (f"{name}: a test, s", f"{statistics.median(each):.2f} ({min(each):.2f})"),
            (f"{name}: pytest with {count} tests, s", f"{statistics.median(one.whole for one in took):.1f}"),
            (f"{name}: its CPU, s", f"{statistics.median(one.cpu for one in took):.1f}"),
        ]
    ours, theirs = (statistics.median(one.whole for one in took) for took in found.values())
    return [*figures, ("plugin / supabase-py", f"{ours / theirs:.2f}")]
