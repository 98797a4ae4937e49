"""Faults between the configuration and the websocket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import jwt
import pytest

from prt.checks.status.layers import source_listener
from prt.local.realtime import Settings
from prt.stream.timing import Timing
from tests.diagnosis.conftest import Named, resolving
from tests.diagnosis.stage import CERTIFICATE, Stage, answering, bare, before, silent
from tests.diagnosis.stage import served as serving_project

SECRET = "a secret that no project of these tests has, long enough"
Served = Callable[[Any], Any]


def key(role: str = "anon", *, seconds: float = 3600, **claims: Any) -> str:
    """A JWT of some other project."""
    return jwt.encode({"role": role, "exp": int(time.time() + seconds), **claims}, SECRET, "HS256")


def client(url: str, **more: str) -> dict[str, str]:
    return {"SUPABASE_URL": url, "SUPABASE_ANON_KEY": key(), **more}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is tried again until time is up."""
    monkeypatch.setattr(source_listener, "TIMING", Timing(up=2.0))


# --- configuration: nothing is sent


def test_nothing_configured(named: Named) -> None:
    named("no-project", env={})


def test_key_of_another_project(named: Named) -> None:
    env = client(
        "https://aaaaaaaaaaaaaaaaaaaa.supabase.co", SUPABASE_ANON_KEY=key(ref="bbbbbbbbbbbbbbbbbbbb")
    )
    findings = named("foreign-key", env=env)
    assert [one["layer"] for one in findings] == ["configuration"]


def test_service_key_where_anon_was_meant(named: Named) -> None:
    named("service-key", env=client("http://127.0.0.1:1", SUPABASE_ANON_KEY=key("service_role")))


@pytest.mark.parametrize(
    ("fault", "variables"),
    [
        ("expired-key", {"SUPABASE_ANON_KEY": key(seconds=-7200)}),
        ("expired-token", {"PRT_TOKEN": key("authenticated", seconds=-3 * 3600)}),
        ("no-role", {"PRT_TOKEN": jwt.encode({"exp": int(time.time()) + 600}, SECRET, "HS256")}),
        ("cut-token", {"PRT_TOKEN": key("authenticated")[:30].replace(".", "")}),
    ],
)
def test_the_claims_of_a_key(named: Named, fault: str, variables: dict[str, str]) -> None:
    findings = named(fault, env=client("http://127.0.0.1:1", **variables))
    assert {one["state"] for one in findings if one["layer"] != "configuration"} == {"skipped"}
    assert "tls" not in {one["layer"] for one in findings}


# --- the network


def test_wrong_host(named: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    with resolving(monkeypatch):
        named("wrong-host", env=client("https://no-such-host.example"))
        named("no-such-ref", env=client("https://aaaaaaaaaaaaaaaaaaaa.supabase.co"))


def test_wrong_port(named: Named) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        findings = named("wrong-port", env=client(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert [one["state"] for one in findings if one["layer"] == "dns"] == ["ok"]


def test_self_signed_certificate(named: Named, served: Served) -> None:
    named("self-signed", env=client(served(answering(is_encrypted=True))))


def test_a_certificate_that_is_trusted(command: Callable[..., tuple[int, str, str]], served: Served) -> None:
    url = served(answering({"/realtime": (404, "")}, is_encrypted=True))
    _, out, _ = command("status", "--json", env=client(url, SSL_CERT_FILE=str(CERTIFICATE)))
    assert (
        '"layer":"tls","check":null,"table":null,"state":"ok","figure":"TLSv1.3, certificate until 21' in out
    )
    assert '"layer":"http","check":null,"table":null,"state":"ok"' in out


def test_https_for_http(named: Named, served: Served) -> None:
    named("https-for-http", env=client(served(answering()).replace("http:", "https:")))


def test_http_for_https(named: Named, served: Served) -> None:
    named("http-for-https", env=client(served(answering(is_encrypted=True)).replace("https:", "http:")))


def test_port_of_another_service(named: Named, served: Served) -> None:
    named("not-http", env=client(served(silent())))


def test_redirect(named: Named, served: Served) -> None:
    location = {"Location": "https://elsewhere.example/auth/v1/health"}
    named("redirected", env=client(served(answering({"/auth": (301, {})}, headers=location))))


def test_wrong_key(named: Named, stage: Stage) -> None:
    named("wrong-key", env=client(stage.url))


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("paused", (540, {"message": "Project paused"})),
        ("bad-gateway", (503, {"message": "name resolution failed"})),
    ],
)
def test_a_gateway_alone(named: Named, served: Served, fault: str, answer: tuple[int, Any]) -> None:
    named(fault, env=client(served(answering({"/auth": answer}))))


def test_clock_off_by_an_hour(named: Named, stage: Stage, served: Served) -> None:
    url = served(before(stage.url, date=formatdate(time.time() + 3600, usegmt=True)))
    with stage.table("d_clock"):
        findings = named("clock", "d_clock", env=stage.environment(SUPABASE_URL=url))
    assert findings[-1] == findings[-1] | {"layer": "system", "figure": "connected"}


# --- the handshake


def test_a_host_without_realtime(named: Named, served: Served) -> None:
    named("no-realtime", env=client(served(answering({"/": (404, "<h1>Not found</h1>")}))))


def test_a_bare_server_knows_no_publishable_keys(named: Named, stage: Stage, served: Served) -> None:
    url = served(bare(stage.project))
    named("bare-publishable", env=client(url, SUPABASE_ANON_KEY="sb_publishable_of_some_project"))
    named("bare-foreign", env=client(url))


def test_realtime_disabled(named: Named, stage: Stage, served: Served) -> None:
    url = served(serving_project(stage.project, Settings(is_suspended=True)))
    named("disabled", env=stage.environment(SUPABASE_URL=url))


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("no-tenant", 404, "Tenant not found"),
        ("no-connections", 429, "Too many connected users"),
        ("no-database", 500, "Error connecting to Realtime"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_refused_handshakes(named: Named, served: Served, fault: str, status: int, words: str) -> None:
    named(fault, env=client(served(answering({"/realtime": (status, {"error": words})}))))


def figure_of(findings: list[dict[str, Any]]) -> str:
    return str(next(one for one in findings if one["layer"] == "handshake")["figure"])


@pytest.mark.usefixtures("impatient")
def test_realtime_down_behind_its_gateway(named: Named, stage: Stage, served: Served) -> None:
    url = served(answering({"/realtime": (502, "<h1>Bad Gateway</h1>")}))
    found = named("realtime-down", env=stage.environment(SUPABASE_URL=url))
    assert figure_of(found) == "HTTP 502 · REST: 200 · database: ok"
    found = named("realtime-down", env=client(url, SUPABASE_DB_URL="postgresql://127.0.0.1:9/postgres"))
    assert "· database: connection failed" in figure_of(found)


def test_a_proxy_that_drops_upgrades(named: Named, stage: Stage, served: Served) -> None:
    url = served(before(stage.url, drops_upgrade=True))
    named("swallowed", env=stage.environment(SUPABASE_URL=url))


def test_a_proxy_that_holds_upgrades(
    named: Named, stage: Stage, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_listener, "TIMING", Timing(up=0.3))  # there is no answer
    url = served(before(stage.url, holds_upgrade=True))
    named("held", env=stage.environment(SUPABASE_URL=url))
