"""`--record` and `prt replay` as a script meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.running import of_project, piped, ran


@pytest.fixture
def add_task(project: dict[str, str]) -> Any:
    def add(title: str) -> None:
        with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
            connection.execute(
                "insert into project_tasks (production_id, title) "
                "select id, %s from productions order by id limit 1",
                (title,),
            )

    return add


def test_a_recording_of_the_demo_replays_to_the_same_bytes(tmp_path: Path, project: dict[str, str]) -> None:
    recording = str(tmp_path / "day.ndjson")
    environment = of_project(project)
    arguments = ("demo", "--rate", "50", "--count", "30", "--record", recording, "--json")
    day = ran(*arguments, environment=environment)
    assert day.returncode == 0
    again = ran("replay", recording, "--json", environment=environment)
    assert again.returncode == 0
    assert again.stdout == day.stdout
    assert day.stdout.count("\n") > 30


def test_a_watch_that_is_killed_leaves_what_it_had_shown(
    tmp_path: Path, project: dict[str, str], add_task: Any
) -> None:
    recording = str(tmp_path / "killed.ndjson")
    environment = of_project(project)
    with piped("watch", "project_tasks", "--record", recording, environment=environment) as watch:
        watch.until_ready()
        add_task("before the kill")
        watch.until(lambda line: line["type"] == "change")
        watch.process.kill()
        watch.process.wait()
        shown = watch.seen
    again = ran("replay", recording, environment=environment)
    lines = [json.loads(line) for line in again.stdout.splitlines()]
    assert again.returncode == 0
    assert lines[: len(shown)] == shown
    assert lines[-1]["reason"] == "replayed"


def test_a_full_disk_is_one_error_and_the_watch_goes_on(project: dict[str, str], add_task: Any) -> None:
    arguments = ("watch", "project_tasks", "--record", "/dev/full", "--count", "2")
    with piped(*arguments, environment=of_project(project)) as watch:
        watch.until_ready()
        for title in ("one", "two"):
            add_task(title)
            watch.until(lambda line, title=title: line.get("new", {}).get("title") == title)  # type: ignore[misc]
        code, lines, err = watch.finish()
    assert (code, lines[-1]["events"]) == (0, 2)
    assert err.count("prt: the recording /dev/full ends here: No space left on device\n") == 1


def test_an_existing_file_is_not_recorded_over(tmp_path: Path, project: dict[str, str]) -> None:
    path = tmp_path / "mine"
    path.write_text("mine", encoding="utf-8")
    done = ran("watch", "project_tasks", "--record", str(path), environment=of_project(project))
    assert (done.returncode, path.read_text(encoding="utf-8")) == (2, "mine")
    assert done.stderr.startswith(f"prt: {path} exists\nhint: ")
