"""`prt.toml`: where secrets come from, whose commands are run, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from prt.config.project import Project, resolve
from prt.config.sources import Surroundings, own_configuration
from prt.errors import UsageError
from tests.folders import ANON, SERVICE, Folder

URL = 'url = "https://staging.example"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def server_key(project: Project) -> str | None:
    return project.server_key and project.server_key.reveal()


def test_a_profile_names_the_variable_of_each_secret(folder: Folder) -> None:
    folder.write_own(
        f'[profiles.staging]\n{URL}anon_key = {{ env = "STAGING_ANON" }}\n'
        'secret_key = { env = "STAGING_SECRET" }\npassword = { env = "STAGING_PASSWORD" }\n'
    )
    environ = {"STAGING_ANON": ANON, "STAGING_SECRET": SERVICE, "STAGING_PASSWORD": "hunter2hunter2"}
    project = folder.resolve(environ, profile="staging", as_="service")
    assert server_key(project) == SERVICE
    assert project.origins["server_key"].startswith("secret_key ($STAGING_SECRET) of profile staging in ")
    project = folder.resolve(environ, profile="staging", as_="maya@example.com")
    assert project.password is not None
    assert project.password.reveal() == "hunter2hunter2"


def test_a_variable_that_is_not_set_is_reported_only_if_it_is_needed(folder: Folder) -> None:
    folder.write_own(
        f'[profiles.staging]\n{URL}anon_key = "{ANON}"\nsecret_key = {{ env = "STAGING_SECRET" }}\n'
    )
    assert folder.resolve(profile="staging").url == "https://staging.example"
    with pytest.raises(UsageError, match=r"secret_key \(\$STAGING_SECRET\) of profile staging") as caught:
        folder.resolve(profile="staging", as_="service")
    assert caught.value.hint == "set STAGING_SECRET"


def test_a_cloned_folder_can_not_name_the_environments_secrets(folder: Folder) -> None:
    folder.write(
        "prt.toml", '[profiles.default]\nurl = "https://evil.example"\nanon_key = { env = "MINE" }\n'
    )
    with pytest.raises(UsageError, match="is not sent to the URL"):
        folder.resolve({"MINE": ANON})
    # To a URL that the user names it goes.
    assert folder.resolve({"MINE": ANON}, url="https://mine.example").client_key is not None


def printing(text: str, code: int = 0) -> str:
    """A command that prints a text, as TOML."""
    program = f"import sys; sys.stdout.write({text!r}); sys.exit({code})"
    return f"""'''{sys.executable} -c "{program}"'''"""


def test_a_command_is_run_for_who_needs_the_secret(folder: Folder) -> None:
    ran = folder.home / "ran"
    program = f"open('{ran}', 'w').close(); print('{SERVICE}')"
    folder.write_own(
        f'[profiles.default]\n{URL}anon_key = "{ANON}"\n'
        f"""secret_key = {{ command = '''{sys.executable} -c "{program}"''' }}\n"""
        f"""db_url = {{ command = '''{sys.executable} -c "{program}"''' }}\n"""
    )
    folder.resolve()
    assert not ran.exists()
    assert server_key(folder.resolve(as_="service")) == SERVICE
    assert ran.exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (printing(SERVICE, 3), "ended with 3"),
        (printing(""), "printed nothing"),
        ("'/nowhere/at-all'", "can't be run"),
        ("'''an \"open quote'''", "can't be run"),
    ],
)
def test_a_command_that_fails_is_one_line_without_the_secret(
    folder: Folder, command: str, message: str
) -> None:
    folder.write_own(f"[profiles.default]\n{URL}secret_key = {{ command = {command} }}\n")
    with pytest.raises(UsageError, match=message) as caught:
        folder.resolve(as_="service")
    assert SERVICE not in f"{caught.value} {caught.value.hint}"


def test_a_cloned_folders_command_is_never_run(folder: Folder) -> None:
    ran = folder.home / "ran"
    folder.write("prt.toml", f"[profiles.x]\n{URL}anon_key = {{ command = 'touch {ran}' }}\n")
    with pytest.raises(UsageError, match="only from your own configuration"):
        folder.resolve(profile="x")
    assert not ran.exists()


@pytest.mark.parametrize(
    "line",
    [
        f'secret_key = "{SERVICE}"',
        'secret_key = "sb_secret_abcdefghijklmnop"',
        'password = "hunter2hunter2"',
        'db_url = "postgresql://postgres:pw@host/db"',
        f'anon_key = "{SERVICE}"',
        'publishable_key = "sb_secret_abcdefghijklmnop"',
    ],
)
@pytest.mark.parametrize("is_own", [True, False])
def test_a_file_that_holds_a_secret_is_refused(folder: Folder, line: str, is_own: bool) -> None:
    write = folder.write_own if is_own else lambda text: folder.write("prt.toml", text)
    write(f"[profiles.x]\n{URL}{line}\n")
    with pytest.raises(UsageError, match="holds a secret itself") as caught:
        folder.resolve(profile="x")
    reported = f"{caught.value} {caught.value.hint}"
    assert "{ env = " in reported
    assert line.split('"')[1] not in reported


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ("anon_key = 5", "does not say where it comes from", "env ="),
        ("anon_key = { evn = 'X' }", "has an unknown source evn", "did you mean env?"),
        ("anon_key = { env = 'X', command = 'y' }", "does not say where", "env ="),
        ("veiws = ['board']", "no setting veiws", "did you mean views?"),
        ("min_delivery = 120", "not a percentage", "99.9"),
        ("min_delivery = true", "not a percentage", "99.9"),
        ("feed = { tasks = 1 }", "not a table of texts", "TABLE"),
    ],
)
def test_what_can_not_be_meant(folder: Folder, lines: str, message: str, hint: str) -> None:
    folder.write("prt.toml", f"[profiles.x]\n{lines}\n")
    with pytest.raises(UsageError, match=message) as caught:
        folder.resolve({"SUPABASE_URL": "https://a.example"}, profile="x")
    assert hint in (caught.value.hint or "")


def test_defaults_of_a_profile(folder: Folder) -> None:
    folder.write(
        "prt.toml",
        f'[profiles.x]\n{URL}anon_key = "{ANON}"\ntables = ["a"]\nfilters = ["a:b=eq.1"]\nviews = ["board"]\n'
        'alerts = ["spent/amount>=0.8:warn"]\nmax_lag = ["p95=500ms"]\nmin_delivery = 99\n'
        '[profiles.x.feed]\na = "{new[id]}"\n',
    )
    defaults = folder.resolve(profile="x").defaults
    assert (defaults.tables, defaults.filters, defaults.views) == (("a",), ("a:b=eq.1",), ("board",))
    assert (defaults.alerts, defaults.max_lag, defaults.min_delivery) == (
        ("spent/amount>=0.8:warn",),
        ("p95=500ms",),
        99.0,
    )
    assert defaults.feed == {"a": "{new[id]}"}


def test_the_users_own_configuration_is_where_the_system_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert own_configuration() == tmp_path / "prt"
    assert own_configuration().name == "prt"
    (tmp_path / "prt").mkdir()
    (own_configuration() / "prt.toml").parent.mkdir(parents=True, exist_ok=True)
    (own_configuration() / "prt.toml").write_text(f'[profiles.x]\n{URL}anon_key = "{ANON}"\n')
    assert (
        resolve(surroundings=Surroundings(environ={}, directory=tmp_path), profile="x").url
        == "https://staging.example"
    )
