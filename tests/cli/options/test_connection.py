from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from prt.cli.options.connection import connected_project, with_password
from prt.config.project import Project
from prt.config.secret import Secret
from prt.errors import UsageError
from prt.local.project import attach
from prt.local.seed.people import PASSWORD

LOCAL = {
    "SUPABASE_URL": "http://127.0.0.1:54999",
    "SUPABASE_ANON_KEY": "sb_publishable_local",
    "SUPABASE_SERVICE_ROLE_KEY": "sb_secret_local",
    "PRT_TOKEN": "session-of-the-member",
}
USER = Project(url="https://example.com", identity="user", email="maya@example.com")


@pytest.fixture
def attachments(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened to the embedded project."""
    happened: list[str] = []

    @contextmanager
    def attached() -> Iterator[dict[str, str]]:
        happened.append("attached")
        try:
            yield LOCAL
        finally:
            happened.append("left")

    monkeypatch.setattr(attach, "attached", attached)
    for name in ("PRT_PASSWORD", "PRT_TOKEN", "SUPABASE_URL", "SUPABASE_ANON_KEY"):
        monkeypatch.delenv(name, raising=False)
    return happened


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A terminal at which somebody types a password."""
    asked: list[str] = []

    def ask(prompt: str, stream: object = None) -> str:
        assert stream is sys.stderr
        asked.append(prompt)
        return "typed password"

    monkeypatch.setattr(getpass, "getpass", ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    return asked


def test_local_acts_as_the_seeded_member(attachments: list[str]) -> None:
    with connected_project(local=True) as project:
        assert attachments == ["attached"]
        assert (project.url, project.identity) == ("http://127.0.0.1:54999", "token")
        assert project.token == Secret("session-of-the-member")
    assert attachments == ["attached", "left"]


@pytest.mark.parametrize(("as_", "identity"), [("anon", "anon"), ("service", "service")])
def test_local_as_somebody_else(attachments: list[str], as_: str, identity: str) -> None:
    with connected_project(local=True, as_=as_) as project:
        assert (project.identity, project.token) == (identity, None)


@pytest.mark.parametrize("own", [None, "another one"])
def test_local_knows_the_passwords_of_its_users(
    attachments: list[str], monkeypatch: pytest.MonkeyPatch, own: str | None
) -> None:
    if own:
        monkeypatch.setenv("PRT_PASSWORD", own)
    with connected_project(local=True, as_="otto@example.com") as project:
        assert project.email == "otto@example.com"
        assert project.password == Secret(own or PASSWORD)


@pytest.mark.parametrize("option", ["url", "profile"])
def test_local_and_another_project_are_refused(attachments: list[str], option: str) -> None:
    with (
        pytest.raises(UsageError, match=f"--local and --{option} name two projects"),
        connected_project(local=True, **{option: "x"}),  # type: ignore[arg-type]
    ):
        raise AssertionError("opened")
    assert attachments == []


def test_without_local_nothing_is_attached(attachments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_ANON_KEY", "sb_publishable_mine")
    with connected_project(url="https://example.com") as project:
        assert project.url == "https://example.com"
    assert attachments == []


def test_a_password_is_asked_for_with_the_host(prompts: list[str]) -> None:
    project = with_password(USER)
    assert project.password == Secret("typed password")
    assert prompts == ["Password of maya@example.com at example.com: "]
    assert project.origins["password"] == "the prompt"


def test_nobody_is_asked_who_needs_no_password(prompts: list[str]) -> None:
    known = Project(url="https://example.com", identity="user", email="a@b.c", password=Secret("known"))
    assert with_password(known) is known
    anon = Project(url="https://example.com", identity="anon")
    assert with_password(anon) is anon
    assert prompts == []


@pytest.mark.parametrize("stream", ["stdin", "stderr"])
def test_without_a_terminal_a_variable_is_needed(
    prompts: list[str], monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(f"sys.{stream}.isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match=r"no password for maya@example\.com") as caught:
        with_password(USER)
    assert caught.value.hint == "set PRT_PASSWORD"
    assert prompts == []


def test_a_prompt_that_is_closed_is_a_usage_error(
    prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def close(*_: object, **__: object) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", close)
    with pytest.raises(UsageError, match="no password"):
        with_password(USER)
