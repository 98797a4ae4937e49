"""What the options of `prt local up` and `prt local run` ask the embedded project to be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prt.cli.commands import local_up
from prt.config.constants.plans import PLANS
from prt.config.local_stack import Stack
from prt.errors import UsageError
from prt.local.project import lifecycle, registry
from prt.local.project.options import Options, decode, encode
from prt.local.serving import services
from tests.local.commands import PRT
from tests.running import PATIENCE

JOINS = """
import asyncio, json, os
from websockets.asyncio.client import connect

async def main():
    host = os.environ["SUPABASE_URL"].replace("http", "ws")
    url = host + "/realtime/v1/websocket?vsn=2.0.0&apikey=" + os.environ["SUPABASE_ANON_KEY"]
    async with connect(url, proxy=None) as socket:
        for n in range(101):
            await socket.send(json.dumps([str(n), str(n), f"realtime:{n}", "phx_join", {"config": {}}]))
            while "phx_reply" not in (answer := await socket.recv()):
                pass
        print(answer)

asyncio.run(main())
"""


class _Asked(Exception):  # noqa: N818 - it carries what was asked
    def __init__(self, options: Options) -> None:
        self.options = options


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls `prt local up` with parameters, and returns the options that it would start with."""

    def prepared(options: Options, _: object) -> AbstractContextManager[Any]:
        lifecycle.check(options)
        raise _Asked(options)

    monkeypatch.setattr(lifecycle, "prepared", prepared)

    def call(**parameters: Any) -> Options:
        with pytest.raises(_Asked) as found:
            local_up.up(**parameters)
        return found.value.options

    return call


@pytest.mark.parametrize(
    ("parameters", "plan", "poll"),
    [
        ({}, None, None),
        ({"plan": "pro"}, "pro", None),
        ({"poll": "100ms"}, None, 0.1),
        ({"like_hosted": True}, "free", 0.1),
        ({"like_hosted": True, "plan": "pro", "poll": "1s"}, "pro", 1.0),
    ],
)
def test_conditions_of_a_hosted_project(
    asked: Any, parameters: dict[str, Any], plan: str | None, poll: float | None
) -> None:
    options = asked(**parameters)
    assert (options.plan, options.poll_seconds) == (plan, poll)
    settings = services.settings_of(options)
    assert settings.poll_seconds == poll
    assert settings.limits == (None if plan is None else PLANS[plan])
    assert settings.largest_broadcast == (256_000 if plan == "free" else 3_000_000)


def test_like_cli_takes_the_ports_and_keys_of_the_folder(
    asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert asked(like_cli=True).stack == Stack()
    assert (asked().stack, asked().anonymous_sign_ins) == (None, False)
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text(
        "[api]\nport = 55321\n[db]\nport = 55322\n[auth]\nenable_anonymous_sign_ins = true\n"
    )
    options = asked(like_cli=True, signing_key="rs256")
    assert options.stack == Stack(api_port=55321, database_port=55322, has_anonymous_sign_ins=True)
    assert (options.port, options.signing_key, options.anonymous_sign_ins) == (None, "rs256", True)
    assert decode(encode(options)) == options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(signing_key="eddsa"), "unknown --signing-key 'eddsa'"),
        (Options(stack=Stack(variables=("anon_key",))), "takes anon_key from the environment"),
        (Options(stack=Stack(is_encrypted=True)), "asks for TLS"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_starts(options: Options, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        lifecycle.check(options)


def test_an_unknown_plan_is_refused_before_anything_starts() -> None:
    with pytest.raises(UsageError, match="unknown plan") as refused:
        lifecycle.check(Options(plan="gratis"))
    assert refused.value.hint == "there are free, pro, no-cap"


def test_run_takes_the_same_options() -> None:
    ended = _run("--no-seed", "--like-hosted", "--", sys.executable, "-c", JOINS)
    assert ended.returncode == 0, ended.stderr
    assert "ChannelRateLimitReached: Too many channels" in ended.stdout


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = [*PRT, "local", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_up_inside_a_run_recommends_nothing_that_means_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(registry.RUN, "run")
    project: Any = SimpleNamespace(options=Options(port=5), port=5, url="http://127.0.0.1:5")
    local_up._introduce(project)
    shown = capsys.readouterr().err
    assert "unset PRT_LOCAL_RUN to use the new one" in shown
    assert "--local " not in shown
    assert "local env" not in shown


@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("keeps_data", [True, False])
def test_the_banner_fits_60_columns(is_alone: bool, keeps_data: bool) -> None:
    lines = local_up.banner(65535, is_alone=is_alone, keeps_data=keeps_data)
    assert max(map(len, lines)) <= 60
    assert any('eval "$(prt local env --port 65535)"' in line for line in lines)
    assert any("prt watch --local" in line for line in lines) is is_alone
