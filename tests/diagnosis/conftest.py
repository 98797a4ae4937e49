from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from prt.cli.main import run
from prt.local.project.lifecycle import prepared
from prt.local.project.options import Options
from prt.local.serving.services import serving
from tests.diagnosis.stage import Stage, in_thread
from tests.diagnosis.table import FAULTS


class Named(Protocol):
    def __call__(self, fault: str, *arguments: str, env: Mapping[str, str]) -> list[dict[str, Any]]: ...


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A project of our own: these tests take its publication, its slots and its policies away."""
    with (
        prepared(Options(port=0, seed=False), os.environ) as project,
        in_thread(serving(project)),
        psycopg.connect(project.postgres.conninfo(), autocommit=True) as sql,
    ):
        yield Stage(project, project.url, sql)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`prt` in this process, in an empty folder, with these variables and no others of ours."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str, env: Mapping[str, str]) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("SUPABASE_", "PRT_"))]:
                patch.delenv(name)
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
                patch.delenv(name, raising=False)
            patch.setenv("HOME", str(tmp_path))
            for name, value in env.items():
                patch.setenv(name, value)
            capfd.readouterr()
            code = run([*arguments])
        out, err = capfd.readouterr()
        return code, out, err

    yield ran  # type: ignore[misc]
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def named(
    command: Callable[..., tuple[int, str, str]], record_property: Callable[[str, object], None]
) -> Named:
    """Runs `prt status` against a fault, and compares its report with the table."""

    def check(fault: str, *arguments: str, env: Mapping[str, str]) -> list[dict[str, Any]]:
        expected = FAULTS[fault]
        code, out, err = command("status", *arguments, "--json", env=env)
        if expected.layer == "usage":
            why, _, remedy = err.partition("\nhint: ")
            printed: dict[str, Any] = {"why": why.removeprefix("prt: "), "remedy": remedy.strip()}
            findings: list[dict[str, Any]] = []
        else:
            *findings, end = [json.loads(line) for line in out.splitlines()]
            assert end["type"] == "layers", out
            assert end["exit_code"] == code
            assert err == ""
            of_layer = [one for one in findings if one["layer"] == expected.layer]
            assert of_layer, f"nothing of {expected.layer}: {findings}"
            troubles = [one for one in of_layer if one["state"] == expected.state and one["why"]]
            assert troubles, f"no {expected.state} in {of_layer}"
            printed = troubles[0]
        assert expected.why in printed["why"], printed
        assert expected.remedy in (printed["remedy"] or ""), printed
        others = printed.get("also", [])
        assert bool(others) == (expected.also is not None), printed
        assert expected.also is None or expected.also in " ".join(one["why"] for one in others), printed
        assert code == expected.exit_code, (code, findings)
        record_property(fault, printed)
        return findings

    return check


@pytest.fixture
def served() -> Iterator[Callable[..., Any]]:
    """Opens an asynchronous context in a thread until the end of the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda context: stack.enter_context(in_thread(context))


@contextmanager
def resolving(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No name has an address."""
    import socket

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        yield
