"""A REST endpoint with scripted answers: a real socket, because httpx is part of what is tested."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

Reply = tuple[int, bytes] | None
"""A status and a body; None hangs, GONE closes the connection instead of an answer."""
GONE: Final = (0, b"")


class Project:
    """`requests` are the heads of what was asked; `replies` come one after the other, the last for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.url = ""
        self._replies = list(replies)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                self.requests.append(head)
                self.bodies.append(await reader.readexactly(int(length[1]) if length else 0))
                reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
                if reply is None:
                    await reader.read()
                    return
                if reply == GONE:
                    return
                status, body = reply
                date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                writer.write(
                    f"HTTP/1.1 {status} X\r\n{date}Content-Length: {len(body)}\r\n\r\n".encode() + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def project_of(*replies: Reply) -> AsyncIterator[Project]:
    project = Project(*replies)
    async with await asyncio.start_server(project.serve, "127.0.0.1", 0) as server:
        project.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield project
