"""`prt init` and `prt config`: a profile from what lies there, and what is in force."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from prt.cli.main import run
from prt.config.project import resolve
from prt.config.sources import Surroundings
from tests.folders import ANON, SERVICE, Folder
from tests.running import clean_environment, terminal


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The working directory of this test, in a home of its own."""
    made = Folder(tmp_path)
    monkeypatch.chdir(made.path)
    for name in ("SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_KEY", "PRT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(made.home / ".config"))
    return made


def supabase_project(folder: Folder) -> None:
    folder.write("supabase/config.toml", "[api]\nport = 54399\n")
    folder.write(".env", f"SUPABASE_ANON_KEY={ANON}\nSUPABASE_SERVICE_ROLE_KEY={SERVICE}\n")


def test_a_supabase_projects_folder_becomes_a_profile(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    supabase_project(folder)
    assert run(["init", "--yes"]) == 0
    text = (folder.path / "prt.toml").read_text()
    assert 'url = "http://127.0.0.1:54399"' in text
    assert ANON not in text
    assert SERVICE not in text
    project = resolve(surroundings=Surroundings(environ={}, directory=folder.path, own=folder.home))
    assert project.url == "http://127.0.0.1:54399"
    assert "profile default" in project.origins["url"]
    assert str(folder.path / "prt.toml") in capsys.readouterr().err


def test_a_profile_that_is_there_is_kept(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write("prt.toml", '[profiles.other]\nurl = "https://other.example"')
    assert run(["init", "--yes", "--url", "https://mine.example"]) == 0
    assert run(["init", "--yes", "--url", "https://again.example"]) == 2
    assert "has a profile default already" in capsys.readouterr().err
    for name, url in (("other", "https://other.example"), (None, "https://mine.example")):
        project = resolve(
            surroundings=Surroundings(
                environ={"SUPABASE_ANON_KEY": ANON, "SUPABASE_URL": url},
                directory=folder.path,
                own=folder.home,
            ),
            profile=name,
        )
        assert project.url == url


def test_into_the_users_own_configuration(folder: Folder) -> None:
    assert run(["init", "--yes", "--own", "--name", "staging", "--url", "https://staging.example"]) == 0
    own = folder.home / ".config" / "prt"
    project = resolve(
        surroundings=Surroundings(environ={"SUPABASE_ANON_KEY": ANON}, directory=folder.path, own=own),
        profile="staging",
    )
    assert (project.url, project.client_key is not None) == ("https://staging.example", True)
    assert not (folder.path / "prt.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--yes"], "no URL found"),
        ([], "nobody can be asked"),
        (["--yes", "--url", "https://a.example", "--name", "a.b"], "not a valid name for a profile"),
        (["--yes", "--url", "postgres://a"], "is the database's"),
    ],
)
def test_what_can_not_be_written(
    folder: Folder, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(["init", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(folder.path.iterdir()) == []


def test_a_folder_that_can_not_be_written_leaves_nothing(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.home / ".config").write_text("a file, where a folder should be")
    assert run(["init", "--yes", "--own", "--url", "https://a.example"]) == 2
    assert "can't be" in capsys.readouterr().err


@pytest.mark.parametrize("link", ["prt.toml", "prt.toml.draft", ".prt.toml.new"])
def test_a_link_of_a_cloned_folder_leads_to_no_other_file(folder: Folder, link: str) -> None:
    """Otherwise the folder could have its own text put into the start file of a shell."""
    start_file = folder.home / ".bashrc"
    start_file.write_text("")
    (folder.path / link).symlink_to(start_file)
    assert run(["init", "--yes", "--url", "https://mine.example"]) == 0
    assert start_file.read_text() == ""
    made = folder.path / "prt.toml"
    assert "https://mine.example" in made.read_text()
    assert not made.is_symlink()


def test_others_may_read_what_is_made_to_be_shared(folder: Folder) -> None:
    mask = os.umask(0o022)
    try:
        assert run(["init", "--yes", "--url", "https://mine.example"]) == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE((folder.path / "prt.toml").stat().st_mode) == 0o644


def test_it_asks_on_a_terminal(folder: Folder) -> None:
    supabase_project(folder)
    environment = clean_environment(HOME=str(folder.home))
    with terminal("init", environment=environment, columns=100, folder=folder.path) as asked:
        asked.until(lambda text: "URL of the project [http://127.0.0.1:54399]" in text)
        asked.send(b"\r")
        asked.until(lambda text: "Tables to watch" in text)
        asked.send(b"productions, project_tasks\r")
        assert asked.finish() == 0
    assert 'tables = ["productions", "project_tasks"]' in (folder.path / "prt.toml").read_text()


def test_config_names_places_and_hides_secrets(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    supabase_project(folder)
    folder.write(
        "prt.toml",
        '[profiles.default]\nurl = "http://127.0.0.1:54399"\ntables = ["a"]\nmin_delivery = 99.9\n',
    )
    assert run(["config"]) == 0
    shown = capsys.readouterr().out
    lines = {line.split("  ")[0].strip(): line for line in shown.splitlines()}
    assert "url of profile default in" in lines["url"]
    assert "role anon" in lines["client key"]
    assert "SUPABASE_ANON_KEY in .env" in lines["client key"]
    assert "role service_role" in lines["server key"]
    assert ("a" in lines["tables"], "99.9 %" in lines["min delivery"]) == (True, True)
    for secret in (ANON, SERVICE, ANON.split(".")[2]):
        assert secret not in shown
    assert run(["config", "--json"]) == 0
    settings = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert settings["url"]["value"] == "http://127.0.0.1:54399"


def test_config_without_a_project_shows_what_there_is(
    folder: Folder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPABASE_ANON_KEY", ANON)
    folder.write(".env", "SUPABASE_URL=https://evil.example\n")
    assert run(["config"]) == 2
    out, err = capsys.readouterr()
    assert "not sent to the URL SUPABASE_URL in .env" in out
    assert "is not sent to the URL" in err


def test_config_runs_no_command(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    ran = folder.home / "ran"
    folder.write_own(
        f'[profiles.default]\nurl = "https://a.example"\nanon_key = "{ANON}"\n'
        f"secret_key = {{ command = 'touch {ran}' }}\n"
    )
    assert run(["config"]) == 0
    assert "from a command, when it is needed" in capsys.readouterr().out
    assert not ran.exists()
