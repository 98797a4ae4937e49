"""supabase-js in a real browser through `prt tap`: it works as without it, and its mistake is found first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

import pytest

from prt.app.tap.request import TapRequest
from prt.app.tap.source import TapSource
from prt.config.project import Project
from prt.events import TapChannel, TapConnection, TapFinding
from prt.local.seed.people import MEMBER
from tests.running import PATIENCE

JS = Path(__file__).with_name("js")
SETTLED = 6
"""Judgements after the page's last word: longer than every grace that applies to a page that works."""


@asynccontextmanager
async def page(node_modules: Path, settings: dict[str, str]) -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """Serve the page and supabase-js's file for browsers; what the page reports comes in the queue."""
    files = {
        "/": (JS / "page.html").read_bytes(),
        "/supabase.js": (node_modules / "@supabase/supabase-js/dist/umd/supabase.js").read_bytes(),
        "/settings": json.dumps(settings).encode(),
    }
    kinds = {"/": "text/html", "/supabase.js": "text/javascript", "/settings": "application/json"}
    words: asyncio.Queue[str] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        if path.startswith("/report/"):
            words.put_nowait(unquote(path.removeprefix("/report/")))
        body = files.get(path, b"")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kinds.get(path, 'text/plain')}\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", words
    finally:
        server.close()


@asynccontextmanager
async def browser(url: str, profile: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        "chromium",
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        f"--user-data-dir={profile}",
        "--remote-debugging-port=0",
        url,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("is_bad", [True, False])
def test_a_page_and_its_server_key(
    is_bad: bool, node_modules: Path, project: dict[str, str], tmp_path: Path
) -> None:
    key = project["SUPABASE_SERVICE_ROLE_KEY" if is_bad else "SUPABASE_ANON_KEY"]
    user = {} if is_bad else {"email": MEMBER.email, "password": MEMBER.password}

    async def main() -> list[object]:
        target = Project(url=project["SUPABASE_URL"], identity="anon")
        source = TapSource(TapRequest(project=target, port=0, form=None), lambda _: None)
        events: list[object] = []

        async def read() -> None:
            async for batch in source:
                events.extend(batch)

        async with asyncio.timeout(PATIENCE), source:
            assert source.proxy is not None
            settings = {"url": source.proxy.url, "key": key, **user}
            async with page(node_modules, settings) as (url, words), browser(url, tmp_path):
                reading = asyncio.create_task(read())
                assert await words.get() == "read 1"
                assert await words.get() == "changed"
                for _ in range(SETTLED):
                    await source.ticked()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        return events

    events = asyncio.run(main())
    found = [event.id for event in events if isinstance(event, TapFinding)]
    assert found == (["server-key-in-browser"] if is_bad else [])
    (client,) = {event.client for event in events if isinstance(event, TapConnection)}
    assert "Mozilla/5.0" in client
    states = [event.state for event in events if isinstance(event, TapChannel)]
    assert states[:3] == ["joining", "SUBSCRIBED", "READY"]
    if is_bad:
        assert events.index(next(event for event in events if isinstance(event, TapFinding))) == 0
