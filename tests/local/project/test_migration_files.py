from __future__ import annotations

from pathlib import Path

import pytest

from prt.errors import UsageError
from prt.local.project.migration_files import found_in, with_seeds


@pytest.fixture
def supabase(tmp_path: Path) -> Path:
    folder = tmp_path / "supabase"
    (folder / "migrations").mkdir(parents=True)
    (folder / "migrations" / "1_tables.sql").write_text("select 1;")
    (folder / "seed.sql").write_text("select 1;")
    (folder / "more").mkdir()
    for name in ("b.sql", "a.sql", "notes.txt"):
        (folder / "more" / name).write_text("select 1;")
    return folder


def names(folder: Path, *paths: str) -> list[str]:
    return [str(path.relative_to(folder)) for path in with_seeds([folder / path for path in paths])]


@pytest.mark.parametrize(
    ("settings", "seeds"),
    [
        (None, ["seed.sql"]),
        ("[api]\nport = 1\n", ["seed.sql"]),
        ("[db.seed]\nenabled = false\n", []),
        ("[db.seed]\nsql_paths = ['./more/*.sql', 'seed.sql']\n", ["more/a.sql", "more/b.sql", "seed.sql"]),
        ("[db.seed]\nsql_paths = []\n", []),
        ("[db.seed]\nsql_paths = 'more/a.sql'\n", ["more/a.sql"]),
        ("[db.seed]\nsql_paths = ['FOLDER/more/b.sql']\n", ["more/b.sql"]),
    ],
)
def test_the_seeds_follow_the_migrations(supabase: Path, settings: str | None, seeds: list[str]) -> None:
    if settings is not None:
        (supabase / "config.toml").write_text(settings.replace("FOLDER", str(supabase)))
    assert names(supabase, "migrations") == ["migrations", *seeds]


def test_a_seed_that_is_named_runs_once_and_where_it_is_named(supabase: Path) -> None:
    assert names(supabase, "seed.sql", "migrations") == ["seed.sql", "migrations"]
    assert names(supabase, "migrations", "more/a.sql") == ["migrations", "seed.sql", "more/a.sql"]


def test_no_seed_is_no_fault_and_other_folders_have_none(supabase: Path) -> None:
    (supabase / "seed.sql").unlink()
    assert names(supabase, "migrations") == ["migrations"]
    assert names(supabase, "more") == ["more"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [("[db.seed]\nsql_paths = ['gone.sql']\n", "does not exist: gone.sql"), ("[db", "can't be read")],
)
def test_what_is_wrong_with_the_settings_is_one_line(supabase: Path, settings: str, message: str) -> None:
    (supabase / "config.toml").write_text(settings)
    with pytest.raises(UsageError, match=message) as caught:
        with_seeds([supabase / "migrations"])
    assert "\n" not in caught.value.message


def test_a_folder_without_sql_offers_nothing(supabase: Path, tmp_path: Path) -> None:
    assert found_in(tmp_path) == supabase / "migrations"
    (supabase / "migrations" / "1_tables.sql").unlink()
    assert found_in(tmp_path) is None
    assert found_in(supabase) is None
