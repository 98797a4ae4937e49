"""A broadcast, reduced to what a line of a screen shows."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from prt.events import Broadcast
from prt.state.rows.difference import LONGEST, Cell, said

LARGE = 16_384
"""Bytes of a payload that are kept until the line is drawn; of a larger one only the beginning."""

HEAD = 16
"""Bytes of a binary payload that are shown."""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class BroadcastLine(Struct, frozen=True, kw_only=True):
    """`cells` are the payload's members; `text` is any other payload, or the size and head of bytes."""

    at: int
    topic: str
    event: str
    cells: tuple[Cell, ...] = ()
    text: str = ""
    is_replayed: bool = False


class Message:
    """A broadcast until it is drawn: most never are, and decoding them would cost most of the time."""

    __slots__ = ("_broadcast", "_line", "_text")

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._line: BroadcastLine | None = None
        self._text: str | None = None
        size = len(memoryview(broadcast.payload) if broadcast.binary is None else broadcast.binary)
        if size > LARGE:
            self._text = _begun(broadcast)
            self._broadcast = Broadcast(
                at=broadcast.at, topic=broadcast.topic, event=broadcast.event, meta=broadcast.meta
            )

    @property
    def broadcast(self) -> Broadcast:
        """Return the message, without its payload if that is too large to be kept."""
        return self._broadcast

    @property
    def line(self) -> BroadcastLine:
        """Return the message as a line, made when it is asked for first."""
        if self._line is None:
            self._line = message_of(self._broadcast) if self._text is None else self._cut(self._text)
        return self._line

    def _cut(self, text: str) -> BroadcastLine:
        one = self._broadcast
        return BroadcastLine(
            at=one.at, topic=one.topic, event=one.event, text=text, is_replayed=is_replayed(one)
        )


def message_of(broadcast: Broadcast) -> BroadcastLine:
    """The line of a broadcast whose payload is of a sensible size."""
    cells: tuple[Cell, ...] = ()
    text = ""
    if broadcast.binary is not None:
        text = hex_head(broadcast.binary)
    else:
        try:
            if bytes(memoryview(broadcast.payload)[:1]) == b"{":
                cells = tuple(
                    Cell(name, None, said(value)) for name, value in _columns_of(broadcast.payload).items()
                )
            else:
                text = said(broadcast.payload)
        except (msgspec.DecodeError, RecursionError):  # a member named by half a surrogate pair, say
            text = _begun(broadcast)
    return BroadcastLine(
        at=broadcast.at,
        topic=broadcast.topic,
        event=broadcast.event,
        cells=cells,
        text=text,
        is_replayed=is_replayed(broadcast),
    )


def is_replayed(broadcast: Broadcast) -> bool:
    """Whether it was sent before we came, and told again."""
    if broadcast.meta is None:
        return False
    try:
        return bool(_columns_of(broadcast.meta).get("replayed") == Raw(b"true"))
    except (msgspec.DecodeError, RecursionError):
        return False


def hex_head(data: bytes) -> str:
    """`12 bytes 00 ff 10`, with `…` where there are more than are shown."""
    more = " …" if len(data) > HEAD else ""
    head = f" {data[:HEAD].hex(' ')}{more}" if data else ""
    return f"{len(data):,} {'byte' if len(data) == 1 else 'bytes'}{head}"


def _begun(broadcast: Broadcast) -> str:
    """The beginning of a payload that is too large, or too odd, to be taken apart."""
    if broadcast.binary is not None:
        return hex_head(broadcast.binary)
    payload = memoryview(broadcast.payload)
    return f"{bytes(payload[:LONGEST]).decode(errors='replace')}… ({len(payload):,} bytes)"
