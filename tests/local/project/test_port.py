"""The port of an embedded project."""

from __future__ import annotations

import asyncio
import socket

from prt.local.project import port


def test_answers_are_not_held_back_for_acknowledgements() -> None:
    async def work() -> int:
        accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=port.bound(0))
        async with server:
            _, client = await asyncio.open_connection(*server.sockets[0].getsockname())
            served = await accepted
            option: int = served.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for writer in (client, served):
                writer.close()
                await writer.wait_closed()
        return option

    assert asyncio.run(work()) != 0
