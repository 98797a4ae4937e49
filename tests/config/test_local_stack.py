"""A folder with `supabase/config.toml`: the ports and the public keys of Supabase's CLI."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from prt.config.local_stack import _TEXTS, Stack, of_folder
from prt.errors import ConfigError, UsageError
from prt.local.serving.keys import of_stack
from tests.folders import ANON, Folder

OWN_SECRET = "a secret of this project alone, long enough"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_nothing_needs_to_be_copied(folder: Folder) -> None:
    folder.write("supabase/config.toml", "[api]\nport = 55321\n[db]\nport = 55322\n")
    project = folder.resolve(as_="service")
    keys = of_stack(Stack())
    assert project.url == "http://127.0.0.1:55321"
    assert project.server_key is not None
    assert project.client_key is not None
    assert project.database_url is not None
    assert project.jwt_secret is not None
    assert project.client_key.reveal() == keys.anon
    assert project.server_key.reveal() == keys.service_role
    assert project.jwt_secret.reveal() == keys.jwt_secret
    assert project.database_url.reveal() == "postgresql://postgres:postgres@127.0.0.1:55322/postgres"
    assert project.origins["client_key"] == f"the anon key in {folder.path / 'supabase' / 'config.toml'}"


@pytest.mark.filterwarnings("ignore:The HMAC key is")
@pytest.mark.parametrize("secret", [OWN_SECRET, "sixteen-and-some"])
def test_the_files_own_secret_signs_the_keys(folder: Folder, secret: str) -> None:
    folder.write("supabase/config.toml", f'[auth]\njwt_secret = "{secret}"\n')
    key = folder.resolve().client_key
    assert key is not None
    claims = jwt.decode(key.reveal(), secret, ["HS256"])
    assert claims == {"iss": "supabase-demo", "role": "anon", "exp": 1983812996}


def test_keys_of_the_file_itself(folder: Folder) -> None:
    folder.write("supabase/config.toml", f'[auth]\nanon_key = "{ANON}"\njwt_secret = "env(SECRET)"\n')
    project = folder.resolve({"SECRET": OWN_SECRET})
    assert project.client_key is not None
    assert project.client_key.reveal() == ANON
    assert project.server_key is None
    assert project.jwt_secret is None


@pytest.mark.parametrize("setting", ["jwt_secret", "anon_key"])
def test_a_variable_that_the_file_names_is_not_read(folder: Folder, setting: str) -> None:
    """The file may be a stranger's, and its address that of a stranger's program."""
    folder.write("supabase/config.toml", f'[auth]\n{setting} = "env(MY_SECRET)"\n')
    with pytest.raises(ConfigError, match=f"takes auth.{setting} from the environment") as refused:
        folder.resolve({"MY_SECRET": OWN_SECRET})
    assert "SUPABASE_ANON_KEY" in (refused.value.hint or "")
    folder.write(".env", f"SUPABASE_ANON_KEY={ANON}\n")
    assert folder.resolve({"MY_SECRET": OWN_SECRET}).client_key is not None


@pytest.mark.parametrize("url", ["http://localhost:55321", "http://[::1]:55321", "127.0.0.1:55321"])
def test_who_names_the_same_project_gets_its_keys(folder: Folder, url: str) -> None:
    folder.write("supabase/config.toml", "[api]\nport = 55321\n")
    assert folder.resolve({"SUPABASE_URL": url}).client_key is not None
    folder.write("prt.toml", f'[profiles.default]\nurl = "{url}"\n')
    assert folder.resolve().client_key is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://abcdefghijklmnopqrst.supabase.co",
        "http://127.0.0.1:54321",
        "http://192.168.1.7:55321",
        "http://127.0.0.1.example.com:55321",
        "http://127.0.0.1:99999",
    ],
)
def test_another_address_gets_none_of_them(folder: Folder, url: str) -> None:
    folder.write("supabase/config.toml", "[api]\nport = 55321\n")
    with pytest.raises(UsageError) as refused:
        folder.resolve({"SUPABASE_URL": url})
    assert (
        "no client key" in refused.value.message
        or "not a project" in refused.value.message
        or ("is none" in refused.value.message)
    )


def test_settings_of_sign_in_and_of_tls(folder: Folder) -> None:
    folder.write(
        "supabase/config.toml", "[auth]\nenable_anonymous_sign_ins = true\n[api.tls]\nenabled = true\n"
    )
    found = of_folder(folder.path)
    assert found is not None
    assert (found[1].has_anonymous_sign_ins, found[1].url) == (True, "https://127.0.0.1:54321")


@pytest.mark.parametrize("section", ["api", "db"])
def test_a_port_that_is_none(folder: Folder, section: str) -> None:
    folder.write("supabase/config.toml", f'[{section}]\nport = "54321"\n')
    with pytest.raises(ConfigError, match=f"`{section}.port` is not a port"):
        folder.resolve()


@pytest.mark.parametrize("setting", [*_TEXTS])
@pytest.mark.parametrize(
    "odd", ["x\\nNODE_OPTIONS=--require=/evil.js", "x\\u0000", "x\\u001b[31m", "x\\u2028y"]
)
def test_a_value_that_would_begin_another_line_is_refused(folder: Folder, setting: str, odd: str) -> None:
    folder.write("supabase/config.toml", f'[auth]\n{setting} = "{odd}"\n')
    with pytest.raises(ConfigError, match=f"`auth.{setting}` holds") as refused:
        folder.resolve()
    assert "NODE_OPTIONS" not in refused.value.message
