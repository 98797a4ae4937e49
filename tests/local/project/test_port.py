"""The port of an embedded project."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest

from prt.config.local_stack import Stack
from prt.errors import UsageError
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


@pytest.mark.parametrize("taken", ["api_port", "database_port"])
def test_both_ports_of_a_local_stack_have_to_be_free(taken: str) -> None:
    with closing(port.bound(0)) as ours, closing(port.bound(0)) as free:
        numbers = {"api_port": free.getsockname()[1], "database_port": free.getsockname()[1]}
        free.close()
        ours.listen()
        numbers[taken] = ours.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {numbers[taken]} is taken") as refused:
            port.of_stack(Stack(**numbers), None)
        assert "supabase stop" in (refused.value.hint or "")


def test_of_two_that_want_one_port_the_second_is_told_so() -> None:
    """Both could bind it until one listened, and the second failed with a traceback when it did."""
    with port.bound(0) as first:
        number = first.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {number} is taken") as refused:
            port.bound(number)
        assert refused.value.hint == "choose another with --port, or 0 for a free one"


def test_a_socket_that_is_bound_but_does_not_listen_takes_the_port_as_well() -> None:
    """What a race looks like to the one that comes second."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((port.HOST, 0))
        with port.bound(other.getsockname()[1]), pytest.raises(OSError, match="in use"):
            other.listen()


def test_without_a_wish_a_project_takes_another_port_than_one_that_was_bound_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with port.bound(0) as first:
        monkeypatch.setattr(port, "DEFAULT_PORT", first.getsockname()[1])
        with port.bound(None) as second:
            assert second.getsockname() != first.getsockname()
