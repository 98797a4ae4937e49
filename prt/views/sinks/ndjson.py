"""Events as NDJSON: one compact JSON object on each line. The schema is in `prt.views.sinks.schema`.

A change is assembled from bytes, and its rows are inserted as they came from the wire. So numbers that a
double can't represent keep all their digits, and 100,000 changes a second take a tenth of a second.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from prt.errors import PrtError
from prt.events import (
    Account,
    Alert,
    Broadcast,
    Change,
    Conflict,
    End,
    ErrorReport,
    Event,
    Gap,
    Known,
    Loaded,
    Loss,
    Malformed,
    Presence,
    Rewound,
    Status,
    TapChannel,
    TapConnection,
    TapFinding,
    TapFrame,
    Verified,
    Vitals,
)
from prt.views.drawing import findings
from prt.views.drawing.escaping import escaped_line
from prt.views.drawing.losses import cause_text

TYPE_OF: dict[type, str] = {
    Change: "change",
    Broadcast: "broadcast",
    Presence: "presence",
    Status: "status",
    Gap: "gap",
    Malformed: "malformed",
    Alert: "alert",
    Conflict: "conflict",
    Account: "audit",
    Loss: "loss",
    TapConnection: "connection",
    TapChannel: "channel",
    TapFrame: "frame",
    TapFinding: "finding",
    End: "end",
}
"""The `type` of a line by the class of its event. Events that only views need are left out."""
_UNWRITTEN = {Vitals, Loaded, Known, Rewound, Verified}

_MICROSECONDS = 1_000_000

_encode_json = msgspec.json.encode


def encode(event: Event) -> bytes:
    """Return an event as one line with its newline, in valid UTF-8 whatever the payload's bytes are.

    Characters that could control a terminal or reorder a text are escaped, which doesn't change the meaning
    of the JSON. Events that only views need, such as vitals, are encoded as no bytes.
    """
    if type(event) is not Change:
        if type(event) is Broadcast and event.binary is None:
            return _one_line(_spliced(event))
        return b"" if type(event) in _UNWRITTEN else _one_line(_object_of(event))
    second, micro = divmod(event.at, _MICROSECONDS)
    errors, lag = event.errors, event.lag_ms
    line = b"".join(
        (
            _until_micro("change", second),
            b"%06d" % micro,
            _change_until_commit(event.topic, event.event_type, event.schema, event.table),
            b"null" if event.commit_timestamp is None else _text(event.commit_timestamp),
            b',"new":',
            event.new,
            b',"old":',
            event.old,
            b',"errors":null,"lag_ms":' if errors is None else b',"errors":%b,"lag_ms":' % _texts(errors),
            b"null" if lag is None else _encode_json(lag),
            _change_from_source(event.source, event.merged),
        )
    )
    return _one_line(line)


def timestamp(at: int) -> str:
    """Return a time (µs since the epoch) as RFC 3339 in UTC."""
    second, micro = divmod(at, _MICROSECONDS)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{micro:06d}Z"


def _spliced(event: Broadcast) -> bytes:
    """Encode a JSON broadcast around the bytes of its payload; cursors move thousands of times a second."""
    second, micro = divmod(event.at, _MICROSECONDS)
    return b"".join(
        (
            _until_micro("broadcast", second),
            b"%06d" % micro,
            _broadcast_until_payload(event.topic, event.event),
            event.payload,
            b',"meta":null}\n' if event.meta is None else b',"meta":%b}\n' % bytes(event.meta),
        )
    )


@lru_cache(16)
def _until_micro(kind: str, second: int) -> bytes:
    words = f'{{"type":"{kind}","at":"%Y-%m-%dT%H:%M:%S.'
    return time.strftime(words, time.gmtime(second)).encode()


@lru_cache(256)
def _broadcast_until_payload(topic: str, event: str) -> bytes:
    return b'Z","topic":%b,"event":%b,"payload":' % (_text(topic), _text(event))


@lru_cache(4096)
def _change_until_commit(topic: str, event_type: str, schema: str, table: str) -> bytes:
    return b'Z","topic":%b,"eventType":%b,"schema":%b,"table":%b,"commit_timestamp":' % (
        _text(topic),
        _text(event_type),
        _text(schema),
        _text(table),
    )


@lru_cache(64)
def _change_from_source(source: str, merged: int) -> bytes:
    return b',"source":%b%b}\n' % (_text(source), b',"merged":%d' % merged if merged > 1 else b"")


def _text(text: str) -> bytes:
    try:
        return _encode_json(text)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can only escape
        return json.dumps(text).encode()


def _texts(texts: list[str]) -> bytes:
    return b"[%b]" % b",".join(map(_text, texts))


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _text(value)
    try:
        return _encode_json(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _object_of(event: Event) -> bytes:
    members: dict[str, Any] = {"type": TYPE_OF[type(event)], "at": timestamp(event.at)}
    match event:
        case Broadcast():
            members |= {
                "topic": event.topic,
                "event": event.event,
                "payload": b64encode(event.binary or b"").decode(),
                "meta": event.meta,
                "encoding": "base64",
            }
        case Presence():
            members |= {
                "topic": event.topic,
                "event": event.event,
                "key": event.key,
                "presences": event.presences,
            }
            if event.event == "sync":
                members["state"] = event.state or {}
        case Status():
            if event.topic is not None:
                members["topic"] = event.topic
            members |= {"status": event.status, "connection": event.connection, "tables": event.tables}
            members |= {"reason": event.reason, "hint": event.hint}
        case Gap():
            members |= {"from": timestamp(event.start), "to": timestamp(event.end), "tables": event.tables}
            members |= {
                "topics": event.topics,
                "cause": event.cause,
                "recovered": event.recovered,
                "complete": event.complete,
            }
        case Malformed():
            members |= {"frame": event.frame, "reason": event.reason}
        case Alert():
            members |= {"rule": event.rule, "severity": event.severity, "table": event.table}
            members |= {
                "value": Raw(event.value.encode()),
                "limit": Raw(event.limit.encode()),
                "row": event.row,
            }
        case Conflict():
            members |= {"table": event.table, "key": event.key, "kept": event.kept}
            members |= {"local": event.local, "remote": event.remote}
        case Account():
            members |= {name: getattr(event, name) for name in Account.__struct_fields__[1:]}
        case Loss():
            members |= {"table": event.table, "commit_timestamp": timestamp(event.committed)}
            members |= {"eventType": event.event_type, "key": event.key, "cause": cause_text(event.cause)}
        case TapConnection() | TapChannel() | TapFrame():
            members |= _own_members(event)
        case TapFinding():
            members |= _finding_members(event)
        case End():
            members |= _end_members(event)
    return b"{%b}\n" % b",".join(
        b'"%b":%b' % (name.encode(), bytes(value) if isinstance(value, Raw) else _value(value))
        for name, value in members.items()
    )


def _end_members(event: End) -> dict[str, Any]:
    members: dict[str, Any] = {"reason": event.reason, "exit_code": event.exit_code, "events": event.events}
    members |= {"gaps": event.gaps, "lag_ms": event.lag_ms}
    members |= {"verified": event.verified, "cost": event.cost}
    return members if event.error is None else members | {"error": msgspec.to_builtins(event.error)}


def report_of(error: PrtError) -> ErrorReport:
    """Return an error in the form that the line `end` has."""
    return ErrorReport(id=error.id, message=error.message, hint=error.hint, attempt=error.attempt)


def _own_members(event: TapConnection | TapChannel | TapFrame) -> dict[str, Any]:
    members = {name: getattr(event, name) for name in event.__struct_fields__ if name != "at"}
    if isinstance(event, TapConnection):
        expires = event.token_expires_at
        members["token_expires_at"] = None if expires is None else timestamp(expires)
    return members


def _finding_members(event: TapFinding) -> dict[str, Any]:
    return {
        "id": event.id,
        "severity": event.severity,
        "cause": findings.cause_of(event),
        "remedy": findings.remedy_of(event),
        "evidence": [
            {"at": timestamp(one.at), "connection": one.connection, "what": one.what}
            for one in event.evidence
        ],
        "connection": event.connection,
        "topic": event.topic,
        "data": event.data,
    }


def _one_line(line: bytes) -> bytes:
    if line.isascii() and line.find(b"\n") == len(line) - 1 and b"\x7f" not in line:
        return line
    return _mended(line)


def _mended(line: bytes) -> bytes:
    """Return a line with a space for each newline inside it, which can only be whitespace between tokens."""
    if line.find(b"\n") != len(line) - 1:
        line = line[:-1].replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
    try:
        return escaped_line(line)
    except UnicodeDecodeError:
        return escaped_line(line.decode(errors="replace").encode())
