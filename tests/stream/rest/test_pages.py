"""Rows over REST that a hostile or odd server answers with."""

from __future__ import annotations

import asyncio

import pytest

from prt.errors import ProtocolError
from prt.stream.binding import Binding
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Reader, ReadOrder, Shape
from prt.stream.rest.session import Endpoint
from tests.stream.scripted import project_of

ROWS = {
    "not UTF-8": b'[{"id":1,"\xff":2}]',
    "not UTF-8 in a value": b'[{"id":"\xff"}]',
    "no object": b"[1]",
    "null": b"[null]",
    "half a surrogate pair": b'[{"\\ud800":1}]',
    "very deep": b'[{"id":' + b"[" * 5000 + b"]" * 5000 + b"}]",
    "without the key": b'[{"\\u001b[31mred":1}]',
    "no list": b'{"id":1}',
    "no JSON": b"\x1b[31m<html>",
}


@pytest.mark.parametrize("select", [None, ("id", 'we"ird')], ids=["all", "selected"])
@pytest.mark.parametrize("body", ROWS.values(), ids=ROWS)
def test_a_row_that_cannot_be_read_is_an_error_of_the_protocol(
    body: bytes, select: tuple[str, ...] | None
) -> None:
    async def main() -> None:
        async with (
            project_of((200, body)) as project,
            Rest(lambda: Endpoint(url=project.url, key="key"), pauses=()) as rest,
        ):
            shape = Shape(key=("id",), written=None, created=None)
            reader = Reader(rest, Binding(table="notes", select=select), shape)
            async for _ in reader.pages(ReadOrder(cursor=None), since=None):
                pass

    with pytest.raises(ProtocolError):
        asyncio.run(main())
