"""Broadcasts, reduced to what a line of a screen shows."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from prt.events import Broadcast
from prt.state.rows.difference import LONGEST, Cell, value_text

LARGE = 16_384
"""The most bytes of a payload that are kept until it's drawn; of larger ones, only the beginning is kept."""

HEAD = 16
"""How many bytes of a binary payload are shown."""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class BroadcastLine(Struct, frozen=True, kw_only=True):
    """A broadcast as a line.

    `cells` are the members of a JSON object; `text` is any other payload, or the size and first bytes of a
    binary one.
    """

    at: int
    topic: str
    event: str
    cells: tuple[Cell, ...] = ()
    text: str = ""
    is_replayed: bool = False


class Message:
    """A broadcast that is decoded only when it's drawn, because most never are."""

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
        """The broadcast, without its payload if that is too large to be kept."""
        return self._broadcast

    @property
    def line(self) -> BroadcastLine:
        """The broadcast as a line, which is computed when it's needed first."""
        if self._line is None:
            self._line = message_of(self._broadcast) if self._text is None else self._cut(self._text)
        return self._line

    def _cut(self, text: str) -> BroadcastLine:
        one = self._broadcast
        return BroadcastLine(
            at=one.at, topic=one.topic, event=one.event, text=text, is_replayed=is_replayed(one)
        )


def message_of(broadcast: Broadcast) -> BroadcastLine:
    """Return the line of a broadcast whose payload isn't large."""
    cells: tuple[Cell, ...] = ()
    text = ""
    if broadcast.binary is not None:
        text = hex_head(broadcast.binary)
    else:
        try:
            if bytes(memoryview(broadcast.payload)[:1]) == b"{":
                cells = tuple(
                    Cell(name, None, value_text(value))
                    for name, value in _columns_of(broadcast.payload).items()
                )
            else:
                text = value_text(broadcast.payload)
        except (msgspec.DecodeError, RecursionError):  # such as a member named by half a surrogate pair
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
    """Return whether a broadcast was sent before we joined, and replayed by the server."""
    if broadcast.meta is None:
        return False
    try:
        return bool(_columns_of(broadcast.meta).get("replayed") == Raw(b"true"))
    except (msgspec.DecodeError, RecursionError):
        return False


def hex_head(data: bytes) -> str:
    """Return the size and the first bytes of binary data, as `12 bytes 00 ff 10`."""
    more = " …" if len(data) > HEAD else ""
    head = f" {data[:HEAD].hex(' ')}{more}" if data else ""
    return f"{len(data):,} {'byte' if len(data) == 1 else 'bytes'}{head}"


def _begun(broadcast: Broadcast) -> str:
    """Return the beginning of a payload that is too large, or that can't be decoded."""
    if broadcast.binary is not None:
        return hex_head(broadcast.binary)
    payload = memoryview(broadcast.payload)
    return f"{bytes(payload[:LONGEST]).decode(errors='replace')}… ({len(payload):,} bytes)"
