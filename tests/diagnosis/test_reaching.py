"""What every command reports about a proxy or TLS that doesn't work: the same cause, in one line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from prt.local.seed.people import MEMBER
from prt.local.seed.people import PASSWORD as PEOPLE_PASSWORD
from tests.diagnosis.stage import answering
from tests.diagnosis.test_network import Served, client

Command = Callable[..., tuple[int, str, str]]

COMMANDS = {
    "watch": ("watch", "notes", "--timeout", "60s"),
    "sign-in": ("watch", "notes", "--as", "maya@example.com"),
    "send": ("send", "room", "event", "{}"),
    "send --http": ("send", "room", "event", "{}", "--http"),
    "update": ("update", "notes", "1", "title=x"),
    "presence": ("presence", "room"),
    "status": ("status", "notes"),
}
PASSWORD = {"PRT_PASSWORD": "a password"}


@asynccontextmanager
async def plain(answer: bytes) -> AsyncIterator[str]:
    """A server without TLS, or a proxy, that answers whatever comes with the same bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def printed(code: int, err: str) -> str:
    """The first line of an error; no command ends with a bug or as if the server spoke nonsense."""
    assert code == 4, err
    assert "bug in prt" not in err
    assert "hint: " in err
    return err.partition("\nhint")[0]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "status"])
def test_an_error_that_a_proxy_caused_names_it(name: str, command: Command, served: Served) -> None:
    url = served(plain(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))

    code, _, err = command(*COMMANDS[name], env=client("https://abc.example", HTTPS_PROXY=url, **PASSWORD))

    line = printed(code, err)
    assert f"through the proxy {url.partition('://')[2]} of HTTPS_PROXY" in line
    assert "403" in line


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "status"])
def test_a_proxy_that_is_not_there_is_named(name: str, command: Command) -> None:
    env = client("http://abc.example", ALL_PROXY="http://127.0.0.1:1", **PASSWORD)

    code, _, err = command(*COMMANDS[name], env=env)

    assert "the proxy 127.0.0.1:1 of ALL_PROXY: connection refused" in printed(code, err)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_proxy_that_can_not_be_used_is_one_line(name: str, command: Command) -> None:
    env = client("https://abc.example", HTTPS_PROXY="socks5://127.0.0.1:1", **PASSWORD)

    code, _, err = command(*COMMANDS[name], env=env)

    assert code == 2
    assert err.splitlines()[-2].startswith("prt: HTTPS_PROXY names a SOCKS proxy")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "status"])
def test_a_certificate_that_is_not_valid_is_called_so(name: str, command: Command, served: Served) -> None:
    url = served(answering(is_encrypted=True))

    code, _, err = command(*COMMANDS[name], env=client(url, **PASSWORD))

    assert "has no valid certificate: self-signed certificate" in printed(code, err)
    assert "SSL_CERT_FILE" in err


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "status"])
def test_a_port_without_tls_is_called_so(name: str, command: Command, served: Served) -> None:
    url = served(plain(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")).replace("http:", "https:")

    code, _, err = command(*COMMANDS[name], env=client(url, **PASSWORD))

    assert " does not speak TLS" in printed(code, err)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "status"])
def test_a_file_of_certificates_that_can_not_be_read_is_one_line(
    name: str, command: Command, tmp_path: Path
) -> None:
    env = client("https://127.0.0.1:1", SSL_CERT_FILE=str(tmp_path / "missing.pem"), **PASSWORD)

    code, _, err = command(*COMMANDS[name], env=env)

    assert code == 2
    assert "SSL_CERT_FILE" in err.splitlines()[-2]


def test_loopback_needs_no_proxy(project: dict[str, str], command: Command) -> None:
    """Each library that makes requests: `websockets`, httpx, and the standard library for `prt local`."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), "http://127.0.0.1:1")
    env = {**project, **nowhere, "PRT_PASSWORD": PEOPLE_PASSWORD}

    for arguments in (*list(COMMANDS.values())[2:4], ("test", "connect", "--as", MEMBER.email)):
        code, _, err = command(*arguments, env=env)
        assert code == 0, err
