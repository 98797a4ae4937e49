"""Every source of secrets registers what it reads, so that no output repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from prt.checks.test.identities import Identities
from prt.cli.options import connection
from prt.config.project import Project, resolve
from prt.config.secret import Secret
from prt.config.sources import Surroundings
from prt.errors import UsageError
from prt.local.postgres.folders import secret
from prt.redaction import redact

VALUE = "Zq7w%xx9-of-a-source"
URL = "https://abc.supabase.co"
OWN = f'[profiles.default]\nurl = "{URL}"\nanon_key = "sb_publishable_0"\n'


def read(folder: Path, files: Mapping[str, str], url: str | None = None, **environ: str) -> None:
    """Read the project's settings from these files, whether or not they suffice."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    surroundings = Surroundings(environ=environ, directory=folder, own=folder / "own")
    with suppress(UsageError):
        resolve(url=url, as_="service", surroundings=surroundings)


@pytest.mark.parametrize(
    "files",
    [
        {".env": f"SUPABASE_SECRET_KEY='{VALUE}'"},
        {"own/prt.toml": f'{OWN}secret_key = {{ command = "echo {VALUE}" }}'},
        {"own/prt.toml": f'{OWN}secret_key = "{VALUE}"'},
        {"own/prt.toml": f'{OWN}db_url = "postgresql://postgres:{VALUE}@127.0.0.1:1/postgres"'},
        {"own/prt.toml": f'{OWN}password = {{ env = "{VALUE}" }}'},
        {"own/prt.toml": f'[profiles.default]\nurl = "{URL}"\nanon_key = "{VALUE}"'},
        {"supabase/config.toml": f'[auth]\nservice_role_key = "{VALUE}"'},
    ],
    ids=[
        ".env",
        "a command",
        "a profile",
        "a database",
        "a variable's name",
        "a client key",
        "a local project",
    ],
)
def test_a_secret_of_a_file_is_registered(tmp_path: Path, files: dict[str, str]) -> None:
    read(tmp_path, files)
    assert redact(f"[{VALUE}]") == "[<hidden>]"


def test_a_secret_of_the_environment_is_registered(tmp_path: Path) -> None:
    read(tmp_path, {}, SUPABASE_SECRET_KEY=VALUE)
    assert redact(f"[{VALUE}]") == "[<hidden>]"


def test_a_secret_in_a_variable_of_a_profile_is_registered(tmp_path: Path) -> None:
    read(tmp_path, {"own/prt.toml": f'{OWN}secret_key = {{ env = "STAGING" }}'}, STAGING=VALUE)
    assert redact(f"[{VALUE}]") == "[<hidden>]"


def test_a_password_in_the_url_of_the_command_line_is_registered(tmp_path: Path) -> None:
    read(tmp_path, {}, url=f"https://me:{VALUE}@abc.supabase.co")
    assert redact(f"[{VALUE}]") == "[<hidden>]"


def test_the_secrets_of_an_embedded_project_are_registered() -> None:
    resolve(local={"SUPABASE_URL": "http://127.0.0.1:1", "SUPABASE_ANON_KEY": VALUE})
    assert redact(f"[{VALUE}]") == "[<hidden>]"


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_password_of_a_data_folder_is_registered(tmp_path: Path, is_kept: bool) -> None:
    path = tmp_path / "password"
    if is_kept:
        path.write_text(VALUE)
    assert redact(f"[{secret(path, VALUE)}]") == "[<hidden>]"


def test_a_password_that_a_user_types_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "is_terminal", lambda _: True)
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: VALUE)
    connection.with_password(Project(url=URL, identity="user", email="maya@example.com"))
    assert redact(f"[{VALUE}]") == "[<hidden>]"


def test_a_token_that_a_check_signs_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jwt.encode", lambda *_: VALUE)
    project = Project(url=URL, identity="anon", client_key=Secret("key"), jwt_secret=Secret("s" * 32))
    Identities(project, None, AsyncExitStack()).signed(seconds=60)
    assert redact(f"[{VALUE}]") == "[<hidden>]"
