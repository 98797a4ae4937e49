"""Findings about tables: refused bindings, overlapping bindings, and filters that no DELETE can match."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prt.events import TapFinding
from prt.tap.findings.finding import at_moment, finding, of_frame
from prt.tap.observe.connections import CHANGES, Channel, ObservedBinding
from prt.tap.observe.messages import Framed, Observed
from prt.tap.observe.traffic import Traffic


class BindingRefused:
    """A rule that finds bindings that the server refused while their channel stays joined.

    Such a channel receives no changes at all.
    """

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge the server's `system` messages about table changes."""
        if not isinstance(message, Framed) or message.is_sent or message.event != "system":
            return
        channel, payload = traffic.channel_of(message), message.read()
        if channel is None or not channel.is_joined or not isinstance(payload, dict):
            return
        if payload.get("extension") != CHANGES or payload.get("status") != "error" or not channel.bindings:
            return
        tables = sorted({binding.full_table for binding in channel.bindings})
        yield finding(
            "binding-refused",
            message.at,
            [at_moment(channel.joined_at, f"joined {channel.name}", channel.number), of_frame(message)],
            connection=message.number,
            topic=message.name,
            tables=", ".join(tables),
            table=tables[0],
            reason=str(payload.get("message"))[:300],
        )


class ChangeTwice:
    """A rule that finds two bindings of a socket where one covers the other, so that changes come twice."""

    def __init__(self) -> None:
        self._latest: dict[int, tuple[Any, list[Framed]]] = {}

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge a change by the bindings for which it arrived."""
        if not isinstance(message, Framed) or message.is_sent or message.event != CHANGES:
            return
        channel, payload = traffic.channel_of(message), message.read()
        if channel is None or not isinstance(payload, dict) or not isinstance(payload.get("ids"), list):
            return
        inside = _overlap(_named(channel, payload["ids"]))
        if inside is not None:
            yield self._found(message, [message], inside)
            return
        yield from self._of_two_channels(message, payload, traffic)

    def _of_two_channels(
        self, message: Framed, payload: dict[str, Any], traffic: Traffic
    ) -> Iterator[TapFinding]:
        data = payload.get("data")
        before, came = self._latest.get(message.number, (None, []))
        came = [*came, message] if data == before else [message]
        self._latest[message.number] = (data, came[-10:])
        for other in came[:-1]:
            first, second = traffic.channel_of(other), traffic.channel_of(message)
            if first is None or second is None or first is second:
                continue
            named = [*_named(first, _ids(other)), *_named(second, _ids(message))]
            overlap = _overlap(named)
            if overlap is not None:
                yield self._found(message, [other, message], overlap)
                return

    def _found(
        self, message: Framed, frames: list[Framed], pair: tuple[ObservedBinding, ObservedBinding]
    ) -> TapFinding:
        return finding(
            "change-twice",
            message.at,
            [of_frame(one) for one in frames],
            connection=message.number,
            topic=message.name,
            table=pair[0].full_table,
            first=str(pair[0]),
            second=str(pair[1]),
            other=frames[0].name,
        )


class DeleteFilter:
    """A rule that finds filters on columns that a table's old rows lack, so that they match no DELETE."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge the filters of all channels by the old row of a change, whichever channel received it."""
        if not isinstance(message, Framed) or message.is_sent or message.event != CHANGES:
            return
        payload = message.read()
        data = payload.get("data") if isinstance(payload, dict) else None
        old = data.get("old_record") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(old, dict) or not old:
            return
        table = f"{data.get('schema')}.{data.get('table')}"
        for socket in traffic.open_sockets():
            for channel in socket.channels.values():
                for binding in channel.bindings if channel.is_joined else ():
                    missing = [name for name in binding.filter_columns if name not in old]
                    if binding.full_table == table and binding.event in ("*", "DELETE") and missing:
                        yield finding(
                            "delete-filter",
                            message.at,
                            [
                                at_moment(
                                    channel.joined_at, f"joined {channel.name}: {binding}", socket.number
                                ),
                                of_frame(message),
                            ],
                            connection=socket.number,
                            topic=channel.name,
                            table=table,
                            column=", ".join(missing),
                            held=", ".join(sorted(old)[:5]),
                        )


def _named(channel: Channel, ids: list[Any]) -> list[ObservedBinding]:
    """Return the bindings of a channel that a change arrived for.

    A binding requested twice is returned twice.
    """
    return [binding for binding in channel.bindings if binding.id is not None and binding.id in ids]


def _ids(message: Framed) -> list[Any]:
    payload = message.read()
    return list(payload.get("ids") or []) if isinstance(payload, dict) else []


def _overlap(bindings: list[ObservedBinding]) -> tuple[ObservedBinding, ObservedBinding] | None:
    for index, one in enumerate(bindings):
        for other in bindings[index + 1 :]:
            if one.covers(other) or other.covers(one):
                return one, other
    return None
