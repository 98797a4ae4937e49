from __future__ import annotations

from pathlib import Path

import pytest

from prt.config import files
from prt.config.project import Project, parse_url, resolve
from prt.config.sources import Surroundings
from prt.errors import UsageError
from tests.folders import ANON, SERVICE, Folder, key

REF = "abcdefghijklmnopqrst"
HOSTED = f"https://{REF}.supabase.co"


FULL = {
    "SUPABASE_URL": "http://127.0.0.1:54321",
    "SUPABASE_ANON_KEY": ANON,
    "SUPABASE_SERVICE_ROLE_KEY": SERVICE,
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def client_key(project: Project) -> str | None:
    return project.client_key and project.client_key.reveal()


# --- where the project comes from


def test_nothing_configured_names_the_ways_out(folder: Folder) -> None:
    with pytest.raises(UsageError, match="no project configured") as caught:
        folder.resolve()
    assert caught.value.exit_code == 2
    for word in ("prt demo", "--local", "SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"):
        assert word in (caught.value.hint or "")


def test_empty_variables_count_as_unset(folder: Folder) -> None:
    with pytest.raises(UsageError, match="no project configured"):
        folder.resolve({"SUPABASE_URL": "", "SUPABASE_ANON_KEY": ANON})
    project = folder.resolve({**FULL, "SUPABASE_PUBLISHABLE_KEY": "  ", "PRT_TOKEN": ""})
    assert client_key(project) == ANON
    assert project.identity == "anon"


def test_the_environment_is_read_where_none_is_given(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://from-the-environment.example")
    monkeypatch.setenv("SUPABASE_ANON_KEY", ANON)
    assert (
        resolve(surroundings=Surroundings(directory=folder.path, own=folder.home)).url
        == "https://from-the-environment.example"
    )


SOURCES = ["flag", "environment", "dotenv", "folder profile", "own profile", "supabase folder"]


@pytest.mark.parametrize("first", range(len(SOURCES)), ids=SOURCES)
def test_the_first_found_wins(folder: Folder, first: int) -> None:
    """With the places before it empty, each place is the one that counts."""
    keys = f'anon_key = "{ANON}"\n'
    environ: dict[str, str] = {"SUPABASE_ANON_KEY": ANON} if first <= 1 else {}
    folder.write("supabase/config.toml", "[api]\nport = 6\n")
    if first <= 4:
        folder.write_own(f'[profiles.default]\nurl = "http://127.0.0.1:5"\n{keys}')
    if first <= 3:
        folder.write("prt.toml", f'[profiles.default]\nurl = "http://127.0.0.1:4"\n{keys}')
    if first <= 2:
        folder.write(".env", f"SUPABASE_URL=http://127.0.0.1:3\nSUPABASE_ANON_KEY={ANON}\n")
    if first <= 1:
        environ["SUPABASE_URL"] = "http://127.0.0.1:2"
    if first == 5:
        folder.write(".env", f"SUPABASE_ANON_KEY={ANON}\n")
    project = folder.resolve(environ, url="http://127.0.0.1:1" if first == 0 else None)
    assert project.url == f"http://127.0.0.1:{first + 1}"


def test_the_supabase_folder_of_a_parent(folder: Folder) -> None:
    folder.write(".env", f"SUPABASE_ANON_KEY={ANON}\n")
    (folder.home / "supabase").mkdir()
    (folder.home / "supabase" / "config.toml").write_text("[api]\nport = 4321\n[api.tls]\nenabled = true\n")
    project = folder.resolve()
    assert project.url == "https://127.0.0.1:4321"
    assert "api.port" in project.origins["url"]
    folder.write("supabase/config.toml", "")
    assert folder.resolve().url == "http://127.0.0.1:54321"


def test_origins_name_the_places(folder: Folder) -> None:
    folder.write(".env", f"SUPABASE_ANON_KEY={ANON}\n")
    assert folder.resolve({"SUPABASE_DB_URL": "postgresql://x"}, url="http://127.0.0.1:1").origins == {
        "url": "--url",
        "client_key": "SUPABASE_ANON_KEY in .env",
        "database_url": "SUPABASE_DB_URL in the environment",
    }


@pytest.mark.parametrize(
    ("present", "used"),
    [
        (("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY", "SUPABASE_KEY"), "SUPABASE_PUBLISHABLE_KEY"),
        (("SUPABASE_ANON_KEY", "SUPABASE_KEY"), "SUPABASE_ANON_KEY"),
        (("SUPABASE_KEY",), "SUPABASE_KEY"),
    ],
)
def test_the_order_of_the_client_keys(folder: Folder, present: tuple[str, ...], used: str) -> None:
    environ = {name: f"sb_publishable_{name}" for name in present}
    project = folder.resolve({"SUPABASE_URL": "http://127.0.0.1:1", **environ})
    assert client_key(project) == f"sb_publishable_{used}"


# --- profiles


def test_a_profile_by_name(folder: Folder) -> None:
    folder.write_own(
        '[profiles.staging]\nurl = "https://staging.example"\n'
        f'anon_key = "{ANON}"\ntables = ["a", "b:INSERT"]\n'
    )
    project = folder.resolve(profile="staging")
    assert (project.url, project.defaults.tables) == ("https://staging.example", ("a", "b:INSERT"))
    assert "profile staging" in project.origins["url"]
    with pytest.raises(UsageError, match="no project configured"):
        folder.resolve()


def test_an_unknown_profile_lists_the_known(folder: Folder) -> None:
    folder.write("prt.toml", "[profiles.staging]\n[profiles.production]\n")
    with pytest.raises(UsageError, match="no profile stagign") as caught:
        folder.resolve(FULL, profile="stagign")
    assert caught.value.hint == "profiles: production, staging"


def test_a_profile_that_the_environment_overrides_is_reported(folder: Folder) -> None:
    folder.write("prt.toml", '[profiles.staging]\nurl = "https://staging.example"\n')
    project = folder.resolve(FULL, profile="staging")
    assert project.url == FULL["SUPABASE_URL"]
    assert any("not that of profile staging" in notice for notice in project.notices)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[profiles.x]\nulr = 'a'", "no setting ulr", "did you mean url?"),
        ("[profiles.x]\nurl = 5", "`url` of profile x is not a text", "quotes"),
        ("[profiles.x]\ntables = 'a'", "not a list of texts", '["a", "b"]'),
        ("[profiles.x]\ntables = [1]", "not a list of texts", '["a", "b"]'),
        ("profile = 1", "has no section profile", "did you mean profiles?"),
        ("profiles = 1", "not a table of tables", "[profiles.NAME]"),
        ("[profiles]\nx = 1", "not a table of tables", "[profiles.NAME]"),
        ("[profiles", "can't be read", "mend it"),
    ],
)
def test_a_broken_profile_is_reported(folder: Folder, text: str, message: str, hint: str) -> None:
    folder.write("prt.toml", text)
    with pytest.raises(UsageError, match=message) as caught:
        folder.resolve(FULL, profile="x")
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["prt.toml", "supabase/config.toml", ".env"])
def test_a_broken_file_is_an_error_only_for_who_needs_it(folder: Folder, name: str) -> None:
    path = folder.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\xff\xfe = [")
    assert folder.resolve(FULL).url == FULL["SUPABASE_URL"]
    with pytest.raises(UsageError, match="can't be read"):
        folder.resolve()


# --- a key goes only where its place is trusted


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        (".env", "SUPABASE_URL=https://evil.example", "SUPABASE_URL in .env"),
        ("prt.toml", '[profiles.default]\nurl = "https://evil.example"', "url of profile default"),
        ("supabase/config.toml", "[api]\nport = 6666", "api.port"),
    ],
)
@pytest.mark.parametrize(
    ("environ", "options", "variable"),
    [
        ({"SUPABASE_ANON_KEY": ANON}, {}, "SUPABASE_ANON_KEY"),
        ({"SUPABASE_KEY": ANON}, {"as_": "anon"}, "SUPABASE_KEY"),
        ({"SUPABASE_SERVICE_ROLE_KEY": SERVICE}, {"as_": "service"}, "SUPABASE_SERVICE_ROLE_KEY"),
    ],
)
def test_a_cloned_folder_does_not_collect_the_environments_keys(
    folder: Folder,
    *,
    name: str,
    text: str,
    where: str,
    environ: dict[str, str],
    options: dict[str, str],
    variable: str,
) -> None:
    folder.write(name, text)
    with pytest.raises(UsageError, match="is not sent to the URL") as caught:
        folder.resolve(environ, **options)
    assert f"{variable} in the environment" in caught.value.message
    assert where in caught.value.message
    assert ANON not in caught.value.message + (caught.value.hint or "")


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({"PRT_TOKEN": key("authenticated")}, {}),
        ({"PRT_PASSWORD": "hunter2hunter2"}, {"as_": "maya@example.com"}),
    ],
    ids=["session", "password"],
)
def test_a_cloned_folder_does_not_collect_a_session_or_a_password(
    folder: Folder, environ: dict[str, str], options: dict[str, str]
) -> None:
    folder.write(".env", f"SUPABASE_URL=https://evil.example\nSUPABASE_ANON_KEY={ANON}\n")
    with pytest.raises(UsageError, match="is not sent to the URL"):
        folder.resolve(environ, **options)


def test_a_cloned_folder_gets_no_key_that_is_not_asked_for(folder: Folder) -> None:
    """The server key of the environment stays out of a project that a folder named."""
    folder.write(".env", f"SUPABASE_URL=https://evil.example\nSUPABASE_ANON_KEY={ANON}\n")
    project = folder.resolve({"SUPABASE_SERVICE_ROLE_KEY": SERVICE, "PRT_PASSWORD": "hunter2hunter2"})
    assert (project.server_key, project.password, project.token) == (None, None, None)
    with pytest.raises(UsageError, match="is not sent to the URL"):
        folder.resolve({"SUPABASE_SERVICE_ROLE_KEY": SERVICE}, needs=("server_key",))


def test_a_cloned_folder_does_not_collect_the_users_own_keys(folder: Folder) -> None:
    folder.write_own(f'[profiles.default]\nanon_key = "{ANON}"\n')
    folder.write("prt.toml", '[profiles.default]\nurl = "https://evil.example"\n')
    with pytest.raises(UsageError, match=r"anon_key of profile default .* is not sent to the URL"):
        folder.resolve()


def test_the_users_own_url_does_not_get_the_environments_keys(folder: Folder) -> None:
    folder.write_own('[profiles.default]\nurl = "https://mine.example"\n')
    with pytest.raises(UsageError, match="is not sent to the URL"):
        folder.resolve({"SUPABASE_ANON_KEY": ANON})


@pytest.mark.parametrize("where", ["environment", "own", "folder"])
def test_keys_go_to_a_url_of_the_command_line(folder: Folder, where: str) -> None:
    environ = {"SUPABASE_ANON_KEY": ANON} if where == "environment" else {}
    if where == "own":
        folder.write_own(f'[profiles.default]\nanon_key = "{ANON}"\n')
    if where == "folder":
        folder.write(".env", f"SUPABASE_ANON_KEY={ANON}\n")
    assert client_key(folder.resolve(environ, url="http://127.0.0.1:1")) == ANON


def test_a_folders_key_goes_to_the_users_own_url(folder: Folder) -> None:
    folder.write_own('[profiles.default]\nurl = "https://mine.example"\n')
    folder.write(".env", f"SUPABASE_ANON_KEY={ANON}\n")
    assert client_key(folder.resolve()) == ANON


# --- as whom


@pytest.mark.parametrize(
    ("as_", "environ", "identity", "api_key"),
    [
        (None, {}, "anon", ANON),
        (None, {"PRT_TOKEN": key("authenticated")}, "token", ANON),
        ("anon", {"PRT_TOKEN": key("authenticated")}, "anon", ANON),
        ("service", {"PRT_TOKEN": key("authenticated")}, "service", SERVICE),
        ("maya@example.com", {"PRT_TOKEN": key("authenticated"), "PRT_PASSWORD": "pa ss"}, "user", ANON),
    ],
)
def test_identities(
    folder: Folder, as_: str | None, environ: dict[str, str], identity: str, api_key: str
) -> None:
    project = folder.resolve({**FULL, **environ}, as_=as_)
    assert (project.identity, project.api_key.reveal()) == (identity, api_key)
    assert (project.token is not None) == (identity == "token")
    assert (project.email, project.password and project.password.reveal()) == (
        ("maya@example.com", "pa ss") if identity == "user" else (None, None)
    )


@pytest.mark.parametrize(
    ("as_", "hint"), [("servce", "did you mean service?"), ("maya@", "use anon"), ("a@b@c", "use")]
)
def test_an_unknown_identity(folder: Folder, as_: str, hint: str) -> None:
    with pytest.raises(UsageError, match="--as takes") as caught:
        folder.resolve(FULL, as_=as_)
    assert hint in (caught.value.hint or "")


def test_the_service_role_is_announced(folder: Folder) -> None:
    assert any("service_role" in notice for notice in folder.resolve(FULL, as_="service").notices)
    assert folder.resolve(FULL).notices == ()


# --- keys of the wrong kind


@pytest.mark.parametrize("variable", ["SUPABASE_ANON_KEY", "SUPABASE_KEY", "SUPABASE_PUBLISHABLE_KEY"])
@pytest.mark.parametrize("server_key", [SERVICE, "sb_secret_abcdef"], ids=["jwt", "sb_secret"])
def test_a_server_key_as_client_key_is_refused(folder: Folder, variable: str, server_key: str) -> None:
    with pytest.raises(UsageError, match=f"{variable} in the environment holds a server key") as caught:
        folder.resolve({"SUPABASE_URL": "http://127.0.0.1:1", variable: server_key})
    assert server_key not in caught.value.message + (caught.value.hint or "")


@pytest.mark.parametrize("client_key", [ANON, "sb_publishable_abcdef"], ids=["jwt", "sb_publishable"])
def test_a_client_key_as_server_key_is_refused(folder: Folder, client_key: str) -> None:
    with pytest.raises(UsageError, match="holds a client key"):
        folder.resolve(
            {"SUPABASE_URL": "http://127.0.0.1:1", "SUPABASE_SECRET_KEY": client_key}, as_="service"
        )


@pytest.mark.parametrize(
    ("environ", "options", "kind"),
    [({}, {}, "client"), ({}, {"as_": "service"}, "server"), ({"PRT_TOKEN": ANON}, {}, "client")],
)
def test_a_missing_key_is_reported(
    folder: Folder, environ: dict[str, str], options: dict[str, str], kind: str
) -> None:
    with pytest.raises(UsageError, match=f"no {kind} key for 127.0.0.1:1"):
        folder.resolve({"SUPABASE_URL": "http://127.0.0.1:1", **environ}, **options)


def test_with_only_a_server_key_the_hint_names_the_option_for_it(folder: Folder) -> None:
    with pytest.raises(UsageError, match="no client key") as caught:
        folder.resolve({"SUPABASE_URL": "http://127.0.0.1:1", "SUPABASE_SECRET_KEY": "sb_secret_abc"})
    assert "--as service" in (caught.value.hint or "")


def test_what_a_check_needs(folder: Folder) -> None:
    environ = {"SUPABASE_URL": "http://127.0.0.1:1", "SUPABASE_ANON_KEY": ANON}
    with pytest.raises(UsageError, match="no server key"):
        folder.resolve(environ, needs=("server_key",))
    with pytest.raises(UsageError, match="direct connection"):
        folder.resolve(environ, needs=("database_url",))
    project = folder.resolve(
        {**FULL, "SUPABASE_DB_URL": "postgresql://a:b@c/d"}, needs=("server_key", "database_url")
    )
    assert project.server_key is not None
    assert project.database_url is not None
    assert project.api_key.reveal() == ANON


@pytest.mark.parametrize("domain", ["supabase.co", "supabase.in", "supabase.red"])
def test_a_key_of_another_project_is_refused(folder: Folder, domain: str) -> None:
    environ = {
        "SUPABASE_URL": f"https://{REF}.{domain}",
        "SUPABASE_ANON_KEY": key(ref="zzzzzzzzzzzzzzzzzzzz"),
    }
    with pytest.raises(UsageError, match="belongs to project zzzzzzzzzzzzzzzzzzzz, the URL to " + REF):
        folder.resolve(environ)


def test_a_key_of_this_project_or_a_custom_domain_passes(folder: Folder) -> None:
    assert folder.resolve({"SUPABASE_URL": HOSTED, "SUPABASE_ANON_KEY": key(ref=REF)}).notices == ()
    assert (
        folder.resolve({"SUPABASE_URL": "https://api.example", "SUPABASE_ANON_KEY": key(ref=REF)}).notices
        == ()
    )


def test_an_expired_key_is_announced(folder: Folder) -> None:
    environ = {"SUPABASE_URL": HOSTED, "SUPABASE_ANON_KEY": key(exp=999)}
    assert folder.resolve(environ).notices == ("SUPABASE_ANON_KEY in the environment has expired",)
    assert folder.resolve({**environ, "SUPABASE_ANON_KEY": key(exp=1_001)}).notices == ()


def test_an_expired_session_is_announced(folder: Folder) -> None:
    project = folder.resolve({**FULL, "PRT_TOKEN": key("authenticated", exp=999)})
    assert project.notices == ("PRT_TOKEN in the environment has expired",)


@pytest.mark.parametrize("bad", [f"{ANON[:20]} {ANON[20:]}", f"{ANON[:20]}\n{ANON[20:]}", "k\x1b[31mey"])
def test_a_key_that_was_copied_badly_is_refused(folder: Folder, bad: str) -> None:
    with pytest.raises(UsageError, match="spaces or control characters"):
        folder.resolve({"SUPABASE_URL": HOSTED, "SUPABASE_ANON_KEY": bad})


# --- the embedded project


def test_the_embedded_project_stands_alone(folder: Folder) -> None:
    local = {**FULL, "PRT_TOKEN": key("authenticated"), "SUPABASE_DB_URL": "postgresql://local"}
    environ = {"SUPABASE_URL": HOSTED, "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_hosted"}
    folder.write("prt.toml", "broken [")
    project = folder.resolve(environ, local=local)
    assert (project.url, project.identity, client_key(project)) == (FULL["SUPABASE_URL"], "token", ANON)
    assert set(project.origins.values()) == {f"{name} of the embedded project" for name in local}
    assert folder.resolve(environ, local=local, as_="anon").identity == "anon"


# --- URLs


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (HOSTED, HOSTED),
        (f"{HOSTED}/", HOSTED),
        (f" {HOSTED} ", HOSTED),
        (f"{HOSTED}/rest/v1/", HOSTED),
        (f"{HOSTED}/auth/v1/token", HOSTED),
        (f"wss://{REF}.supabase.co/realtime/v1/websocket", HOSTED),
        (f"{REF}.supabase.co", HOSTED),
        ("ws://localhost:54321", "http://localhost:54321"),
        ("localhost:54321", "http://localhost:54321"),
        ("127.0.0.1:54321", "http://127.0.0.1:54321"),
        ("http://[::1]:54321/", "http://[::1]:54321"),
        ("HTTPS://Example.COM", "https://example.com"),
        ("https://proxy.example/supabase/", "https://proxy.example/supabase"),
        ("https://proxy.example/supabase/rest/v1", "https://proxy.example/supabase"),
        ("https://proxy.example/rest/v10", "https://proxy.example/rest/v10"),
    ],
)
def test_urls_that_are_understood(text: str, url: str) -> None:
    assert parse_url(text, "the prompt") == url


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("https://", "is not a project's", "https://PROJECT_REF.supabase.co"),
        ("ftp://example.com", "is not a project's", "https://PROJECT_REF"),
        ("https://exa mple.com", "is not a project's", "https://PROJECT_REF"),
        ("https://example.com/\x1b[31m", "is not a project's", "https://PROJECT_REF"),
        ("https://example.com:99999", "is none", "https://PROJECT_REF"),
        ("https://[::1", "is none", "https://PROJECT_REF"),
        ("postgresql://postgres:pw@db.example/postgres", "the database's", "SUPABASE_DB_URL"),
        ("https://user:pw@example.com", "a user or a password", "leave out"),
        ("https://example.com?apikey=x", "a query or a fragment", "leave out"),
        ("https://example.com#x", "a query or a fragment", "leave out"),
        (
            f"https://supabase.com/dashboard/project/{REF}/settings",
            "the dashboard's",
            f"https://{REF}.supabase.co",
        ),
    ],
)
def test_urls_that_are_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_url(text, "SUPABASE_URL in .env")
    assert "SUPABASE_URL in .env" in caught.value.message
    assert hint in (caught.value.hint or "")
    assert "pw" not in caught.value.message + (caught.value.hint or "")


@pytest.mark.parametrize(
    ("url", "is_reported"),
    [
        ("http://example.com", True),
        ("http://127.0.0.1:1", False),
        ("http://localhost:1", False),
        (HOSTED, False),
    ],
)
def test_keys_in_plain_text_are_reported(folder: Folder, url: str, is_reported: bool) -> None:
    project = folder.resolve({"SUPABASE_URL": url, "SUPABASE_ANON_KEY": ANON})
    assert any("without TLS" in notice for notice in project.notices) == is_reported


# --- secrets stay secret


def test_a_project_shows_no_secret(folder: Folder) -> None:
    project = folder.resolve(
        {**FULL, "PRT_PASSWORD": "hunter2hunter2", "SUPABASE_DB_URL": "postgresql://a:b@c/d"}, as_="a@b.c"
    )
    shown = f"{project!r} {project}"
    for secret in (ANON, SERVICE, "hunter2", "postgresql:"):
        assert secret not in shown


def test_an_unreadable_dotenv_is_reported(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(".env", "SUPABASE_URL=http://127.0.0.1:1")

    def refuse(path: Path, *_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files, "read_text", refuse)
    with pytest.raises(UsageError, match=r"\.env can't be read: Permission denied"):
        folder.resolve()
