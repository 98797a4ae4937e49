"""The metrics of a watch, in a file and over HTTP, with a canary that leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from prt.app.monitoring.canary import Canary
from prt.errors import PrtError
from prt.events import Vitals
from prt.state.metrics import Beat
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Endpoint
from tests.running import of_project, piped, ran


@pytest.fixture
def shell(project: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variables of the project, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".prom").mkdir()
    for name, value in of_project(project).items():
        monkeypatch.setenv(name, value)


def figures(page: str) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if not sample.labels
    }


def left(project: Mapping[str, str]) -> int:
    """How many rows of canaries are in the table."""
    with psycopg.connect(project["SUPABASE_DB_URL"]) as connection:
        found = connection.execute("select count(*) from notifications where title like 'prt-test:%canary'")
        return cast("tuple[int]", found.fetchone())[0]


def test_a_page_on_loopback_with_a_canary(project: Mapping[str, str]) -> None:
    arguments = ("watch", "budgets", "--metrics", "127.0.0.1:0", "--canary", "notifications", "--json")
    with piped(*arguments, environment=of_project(project)) as watch:
        came = watch.until(lambda line: line.get("eventType") == "INSERT")
        assert came["new"]["title"].endswith("canary")
        # The canary is counted when it has come: what follows it on the stream is seen after that.
        with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
            connection.execute(
                "insert into notifications (user_id, type, title) select id, 'info', 'after' "
                "from auth.users where email = 'maya@example.com'"
            )
        watch.until(lambda line: line.get("new", {}).get("title") == "after")
        assert watch.process.stderr is not None
        printed = watch.process.stderr.readline().decode()
        found = re.search(r"metrics at (http://127\.0\.0\.1:\d+/metrics)", printed)
        assert found, printed
        with urllib.request.urlopen(found[1]) as answer:
            read = figures(answer.read().decode())
        watch.process.terminate()
        code, _, _ = watch.finish()
    assert code == 143
    assert (read["prt_ready"], read["prt_canary_up"], read["prt_canary_delay_seconds_count"]) == (1, 1, 1)
    assert left(project) == 0


def test_a_file_that_is_replaced(project: Mapping[str, str], tmp_path: Path) -> None:
    file = tmp_path / "prt.prom"
    with piped(
        "watch", "notifications", "--metrics", str(file), "--json", environment=of_project(project)
    ) as watch:
        watch.until_ready()
        with file.open() as whole:
            watch.process.terminate()
            assert watch.finish()[0] == 143
            # It was not written over: whoever reads it meanwhile has a whole page.
            assert not os.path.samestat(os.fstat(whole.fileno()), file.stat())
    read = figures(file.read_text())
    assert (read["prt_ready"], read["prt_connected"]) == (0, 0)
    assert [one.name for one in tmp_path.iterdir()] == ["prt.prom"]


def test_a_canary_that_does_not_come_is_reported_and_removed(project: Mapping[str, str]) -> None:
    beats: list[Beat] = []
    complaints: list[PrtError] = []
    endpoint = Endpoint(
        url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"], token=project["PRT_TOKEN"]
    )

    async def main() -> None:
        noted = asyncio.Event()

        def note(beat: Beat) -> None:
            beats.append(beat)
            noted.set()

        async with Rest(lambda: endpoint) as rest:
            canary = Canary(rest, "public", "notifications", note, patience=0.5)
            await canary.prepare()
            async with canary.running(complaints.append):
                canary.consume(Vitals(at=1, phase="ready", since=1))
                await noted.wait()

    asyncio.run(main())
    assert [beat.delay for beat in beats] == [None]
    assert left(project) == 0


def test_a_canary_that_can_not_be_removed_is_the_last(project: Mapping[str, str]) -> None:
    """A policy for DELETE can't be asked for: without an end, a table would get a row each minute."""
    endpoint = Endpoint(
        url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"], token=project["PRT_TOKEN"]
    )
    complaints: list[PrtError] = []

    async def main() -> int:
        is_over = asyncio.Event()

        def complain(error: PrtError) -> None:
            complaints.append(error)
            is_over.set()

        async with Rest(lambda: endpoint) as rest:
            canary = Canary(rest, "public", "cages", lambda _: None, every=0, patience=0.5)
            await canary.prepare()
            async with canary.running(complain):
                canary.consume(Vitals(at=1, phase="ready", since=1))
                await is_over.wait()
                for _ in range(5):  # a further row would be under way before these answers
                    page = await rest.read("public", "cages", [])
            return len(page.rows)

    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(
            "create table cages (id int generated always as identity primary key, title text);"
            "alter table cages enable row level security;"
            "grant all on cages to authenticated;"
            "create policy reads on cages for select to authenticated using (true);"
            "create policy adds on cages for insert to authenticated with check (true)"
        )
        try:
            assert asyncio.run(main()) == 1
            assert connection.execute("select count(*) from cages").fetchone() == (1,)
        finally:
            connection.execute("drop table cages")
    assert complaints[0].message.startswith("no further canary: a row of public.cages was not removed")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "0.0.0.0:9464"], "--metrics serves this machine alone, not 0.0.0.0"),
        (["--metrics", "metrics.txt"], "--metrics is neither a FILE.prom nor an address: metrics.txt"),
        (
            ["--metrics", "127.0.0.1:99999"],
            "--metrics is neither a FILE.prom nor an address: 127.0.0.1:99999",
        ),
        (["--canary", "notifications"], "--canary measures for --metrics"),
        (
            ["--canary", "tasks", "--metrics", "a.prom", "--url", "http://192.0.2.1", "--as", "anon"],
            "--canary writes rows to 192.0.2.1, which is not this machine",
        ),
        (
            ["budgets", "--filter", "amount=gt.1", "--canary", "budgets", "--metrics", "a.prom"],
            "--canary public.budgets needs all of its rows and columns",
        ),
        (
            ["--metrics", "nowhere/a.prom"],
            "nowhere/a.prom can't be written: No such file or directory",
        ),
        (["--metrics", ".prom"], ".prom is not a regular file"),
    ],
)
def test_metrics_that_make_no_sense(
    shell: None, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    from prt.cli.main import run

    assert run(["watch", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"prt: {message}\n")


def test_a_table_without_a_text_has_no_canary(project: Mapping[str, str]) -> None:
    run: Any = ran(
        "watch", "--metrics", "127.0.0.1:0", "--canary", "user_roles", environment=of_project(project)
    )
    assert run.returncode == 2
    assert "prt: no canary: public.user_roles has none of the columns" in run.stderr
