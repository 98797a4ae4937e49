"""Starts that share a cache: what is kept, what a start takes from it, and when it does without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from prt.local.postgres import cluster_cache, programs
from prt.local.postgres.server import SUPERUSER
from prt.local.project.embedded import Project
from prt.local.project.lifecycle import prepared
from prt.local.project.options import Options
from tests.local.databases import superuser_of, values
from tests.running import clean_environment, ran


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the clusters, for us and for our children."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "prt" / "clusters"


@contextmanager
def started(**options: Any) -> Iterator[tuple[Project, psycopg.Connection[Any]]]:
    """A project and the connection of its user; nothing is served."""
    with (
        prepared(Options(port=0, **options), os.environ) as project,
        psycopg.connect(project.postgres.url, autocommit=True) as connection,
    ):
        yield project, connection


def test_the_second_start_copies_what_the_first_has_kept(cache: Path) -> None:
    with started() as (first, connection):
        assert first.launch.note is None
        seeded = values(connection, "select count(*) from public.project_tasks")
        connection.execute("create table public.left_behind (id int)")
        (kept,) = cache.iterdir()
        content = kept.read_bytes()
        assert kept.stat().st_mode & 0o777 == 0o600
        assert cache.stat().st_mode & 0o777 == 0o700
    with started() as (second, connection), started() as (third, _):
        assert second.launch.note is not None
        assert values(connection, "select count(*) from public.project_tasks") == seeded
        assert values(connection, "select to_regclass('left_behind')::text") == [None]
        # The seed's rows date themselves from the start, not from when the cluster was kept.
        assert values(
            connection, "select max(updated_at) > now() - interval '1 minute' from public.budgets"
        ) == [True]
        passwords = {project.postgres.password for project in (first, second, third)}
        passwords |= {project.postgres.owner_password for project in (first, second, third)}
        assert len(passwords) == 6
        assert not any(password.encode() in content for password in passwords)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(second.postgres.conninfo(password=second.launch.note["password"]))
        with psycopg.connect(superuser_of(second.postgres.url)) as superuser:
            assert values(superuser, "select current_user::text") == [SUPERUSER]
    assert kept.read_bytes() == content
    assert [path.name for path in cache.iterdir()] == [kept.name]


def test_starts_at_the_same_time(cache: Path) -> None:
    environment = clean_environment(XDG_CACHE_HOME=str(cache.parents[1]))

    def start(_: int) -> Any:
        return ran("local", "run", "--no-seed", "--", "true", environment=environment)

    with ThreadPoolExecutor() as pool:
        for run in pool.map(start, range(3)):
            assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert [path.suffix for path in cache.iterdir()] == [".cluster"]


@pytest.mark.parametrize("flaw", ["damaged", "a link", "a folder of others", "no folder at all"])
def test_a_start_without_a_cache_to_trust_makes_its_own(cache: Path, tmp_path: Path, flaw: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    match flaw:
        case "damaged":
            cache.mkdir(0o700, parents=True)
            with prepared(Options(port=0, seed=False), os.environ):
                pass
            (kept,) = cache.iterdir()
            kept.write_bytes(b"damaged")
        case "a link":
            cache.parent.mkdir(parents=True)
            cache.symlink_to(elsewhere)
        case "a folder of others":
            cache.mkdir(0o700, parents=True)
            cache.chmod(0o777)
        case _:
            cache.parent.parent.mkdir(parents=True)
            cache.parent.write_text("a file where the folder should be")
    with started(seed=False) as (project, connection):
        assert project.launch.note is None
        assert values(connection, "select 1") == [1]
    assert list(elsewhere.iterdir()) == []
    if flaw == "damaged":
        with started(seed=False) as (project, _):
            assert project.launch.note is not None


def test_what_a_cluster_depends_on_is_in_its_name(cache: Path) -> None:
    found = programs.find()
    names = {
        cluster_cache.path_of(found, parts) for parts in ([b"a", b"b"], [b"ab"], [b"a"], [b"a", b"b", b""])
    }
    assert len(names) == 4
    assert {name.parent for name in names if name} == {cache}


def test_only_the_newest_are_kept(cache: Path) -> None:
    cache.mkdir(0o700, parents=True)
    for number in range(cluster_cache.KEPT + 3):
        (cache / f"{number}.cluster").touch()
        os.utime(cache / f"{number}.cluster", (number, number))
    cluster_cache.prune(cache / "0.cluster")
    left = {path.stem for path in cache.iterdir()}
    assert left == {str(number) for number in range(3, cluster_cache.KEPT + 3)}
