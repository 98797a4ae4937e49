"""`prt local up --like-cli` in a folder of Supabase's CLI: apps and `prt` find it with nothing to copy."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import psycopg
import pytest

from prt.local.seed.people import MEMBER
from tests.end_to_end.node import reported
from tests.local.commands import Up, local, up
from tests.running import PATIENCE, clean_environment, piped, ran

ANON_SIGNATURE = "CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0"


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now; all are looked for at once, so that no two are the same."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@dataclass
class Stack:
    """A folder with `supabase/config.toml`, and its project, which runs."""

    folder: Path
    runtime: Path
    project: Up
    database_url: str

    def environment(self, **more: str) -> dict[str, str]:
        """What a person has who has set nothing."""
        return clean_environment(HOME=str(self.folder), PRT_RUNTIME_DIR=str(self.runtime), **more)


def configured(folder: Path) -> tuple[int, int]:
    """Write a `supabase/config.toml` with free ports, and return those of the API and of the database."""
    api, database = free_ports(2)
    (folder / "supabase").mkdir(parents=True)
    text = f"[api]\nport = {api}\n[db]\nport = {database}\n[auth]\nenable_anonymous_sign_ins = true\n"
    (folder / "supabase" / "config.toml").write_text(text)
    return api, database


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("app")
    api, database = configured(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRT_RUNTIME_DIR", str(folder / "runtime"))
        with up("--like-cli", "--signing-key", "es256", folder=folder) as project:
            assert project.url == f"http://127.0.0.1:{api}"
            url = f"postgresql://postgres:postgres@127.0.0.1:{database}/postgres"
            yield Stack(folder, folder / "runtime", project, url)


def answer(url: str, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def test_prt_finds_it_in_its_folder(stack: Stack) -> None:
    environment = stack.environment()
    assert ran("init", "--yes", environment=environment, folder=stack.folder).returncode == 0
    shown = ran("config", environment=environment, folder=stack.folder)
    assert shown.returncode == 0, shown.stderr
    assert f"{stack.project.url}  (url of profile default" in shown.stdout
    assert "(the anon key in " in shown.stdout
    assert "tables        *" in shown.stdout
    with (
        psycopg.connect(stack.database_url, autocommit=True) as database,
        piped("watch", "--json", "--count", "1", environment=environment, folder=stack.folder) as watch,
    ):
        watch.until_ready()
        database.execute(
            "create table if not exists public.app_notes (id int primary key);"
            "grant select on public.app_notes to anon; delete from public.app_notes;"
        )
        database.execute("drop policy if exists seen on public.productions")
        database.execute("create policy seen on public.productions for select to anon using (true)")
        database.execute("update public.productions set name = name || '!'")
        change = watch.until(lambda line: line["type"] == "change")
        code, _, _ = watch.finish()
    assert (change["table"], code) == ("productions", 0)


def test_the_constants_of_the_cli_work(stack: Stack) -> None:
    variables = json.loads(
        ran(
            *("local", "env", "--format", "json"), environment=stack.environment(), folder=stack.folder
        ).stdout
    )
    assert variables["SUPABASE_ANON_KEY"].rpartition(".")[2] == ANON_SIGNATURE
    assert variables["SUPABASE_DB_URL"] == stack.database_url
    header = jwt.get_unverified_header(variables["PRT_TOKEN"])
    (published,) = answer(f"{stack.project.url}/auth/v1/.well-known/jwks.json")[1]["keys"]
    assert (header["alg"], header["kid"]) == ("ES256", published["kid"])
    rest = f"{stack.project.url}/rest/v1/tasks?select=id&limit=1"
    assert answer(rest)[1]["code"] == "PGRST205"
    assert answer(rest, apikey="of somebody else", Authorization="Bearer x")[0] == 401


def test_the_ports_are_taken(stack: Stack) -> None:
    refused = ran("local", "up", "--like-cli", environment=stack.environment(), folder=stack.folder)
    assert refused.returncode == 2
    assert " is taken\nhint: `supabase stop` or `prt local stop` frees it" in refused.stderr


def test_supabase_js_signs_in_with_a_key_pair_and_anonymously(stack: Stack, scripts: Path) -> None:
    environment = stack.environment(
        SUPABASE_URL=stack.project.url,
        SUPABASE_ANON_KEY="sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH",
        MEMBER_EMAIL=MEMBER.email,
        MEMBER_PASSWORD=MEMBER.password,
    )
    seen = reported(scripts / "keys.mjs", environment=environment)
    assert (seen["header"]["alg"], seen["role"]) == ("ES256", "authenticated")
    assert (seen["inserted"], seen["changes"]) == (None, ["signed"])
    assert seen["anonymous"]["error"] is None
    assert seen["anonymous"]["user"]["is_anonymous"] is True
    assert seen["anonymous"]["user"]["user_metadata"] == {"theme": "dark"}
    assert (seen["guest"]["header"]["alg"], seen["guest"]["isAnonymous"]) == ("ES256", True)
    assert seen["linked"] == {"error": None, "isAnonymous": False}
    assert seen["again"] == {"error": None, "id": seen["anonymous"]["user"]["id"]}
    for what, message in (
        ("Storage", seen["bucket"]["message"]),
        ("Edge Functions", seen["invoked"]["body"]["message"]),
        ("multi-factor authentication (MFA)", seen["mfa"]["message"]),
        ("single sign-on (SSO)", seen["sso"]["message"]),
    ):
        assert (
            message == f"The embedded project has no {what}: use `supabase start` or a hosted project for it."
        )
    assert seen["invoked"]["status"] == seen["mfa"]["status"] == seen["sso"]["status"] == 501


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder that PostgreSQL's user can reach, and a registry of the test's own."""
    monkeypatch.setenv("PRT_RUNTIME_DIR", str(tmp_path / "runtime"))
    folder = Path(tempfile.mkdtemp(prefix="prt-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder)


def test_a_rotation_keeps_what_the_former_key_signed(data_dir: Path) -> None:
    signed: list[str] = []
    for kind in ("es256", "rs256"):
        with up("--port", "0", "--no-seed", "--data-dir", str(data_dir), "--signing-key", kind) as project:
            signed.append(local("token", "--expires", "1h").stdout.strip())
            key = project.environment()["SUPABASE_ANON_KEY"]
            published = answer(f"{project.url}/auth/v1/.well-known/jwks.json")[1]["keys"]
            for token in (*signed, key):
                headers = {"apikey": key, "Authorization": f"Bearer {token}"}
                assert answer(f"{project.url}/rest/v1/nothing", **headers)[1]["code"] == "PGRST205"
    assert [jwt.get_unverified_header(token)["alg"] for token in signed] == ["ES256", "RS256"]
    assert [one["kid"] for one in published] == [
        jwt.get_unverified_header(token)["kid"] for token in reversed(signed)
    ]


def test_a_data_folder_with_a_password_of_its_own_is_refused(tmp_path: Path, data_dir: Path) -> None:
    configured(tmp_path)
    data_dir.mkdir()
    for name in ("password", "owner_password"):
        (data_dir / name).write_text("another-password")
    refused = ran(
        *("local", "up", "--like-cli", "--data-dir", str(data_dir)),
        environment=clean_environment(HOME=str(tmp_path), PRT_RUNTIME_DIR=str(tmp_path / "runtime")),
        folder=tmp_path,
    )
    assert refused.returncode == 2
    assert f"prt: {data_dir} was made with a password of its own\n" in refused.stderr
