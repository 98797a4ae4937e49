"""What makes a frame the same as a recorded one, though ids, times and tokens are others every time."""

from __future__ import annotations

import re

_TIMES = re.compile(r'("inserted_at": |"commit_timestamp":)"[^"]+"')
_AGES = re.compile(r"expired \d+ seconds ago")
_NOW = re.compile(r"\[message: \d+, claim: ")
_BINDING_ID = re.compile(r'\{"id":(\d+)')
_IDS = re.compile(r'"ids":\[([\d,]*)\]')
_CUT = re.compile(r"\.\.\.<(\d+) chars cut>\.\.\.")
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAMES = re.compile(
    rf'"phx_ref(?:_prev)?":"([^"]+)"|"(?:meta|response)":{{"id":"({_UUID})"|"({_UUID})":{{"metas"'
)
"""References of presence, ids of stored broadcasts, keys of who gave none."""
_PRESENCE = ("presence_state", "presence_diff")


def lane(frame: str) -> str:
    """Frames whose order is promised among each other: those of a topic, presence apart."""
    found = re.search(r'"(?:topic":)?(realtime:[^"]*|phoenix)"[,}](?:"[a-zA-Z_]+",)?', frame)
    found = re.search(r'"topic":("realtime:[^"]*"|"phoenix"|\d+)\}$', frame) or found
    topic = found[1].strip('"') if found else ""
    return f"presence of {topic}" if any(event in frame for event in _PRESENCE) else topic


def readable(frame: bytes) -> str:
    """Return a binary broadcast as text in which ids and topics stand as in text frames."""
    bounds = [(sum(frame[1:at], 5), sum(frame[1 : at + 1], 5)) for at in (1, 2, 3)]
    topic, event, meta = (frame[start:end].decode() for start, end in bounds)
    body = frame[sum(frame[1:4], 5) :]
    payload = body.decode() if frame[4] else body.hex()
    return f'[{frame[0]},"{topic}","{event}","meta":{meta},{payload}]'


def whole(frame: str) -> str:
    """A frame whose middle was cut out of the recording: it was one letter, over and over."""
    return _CUT.sub(lambda found: frame[found.start() - 1] * int(found[1]), frame)


class Sameness:
    """Equal ids where the recording has equal ids, and different ones where it has different ones."""

    def __init__(self) -> None:
        self._bindings: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def check(self, expected: str, actual: str, length: int | None) -> None:
        """`length` is that of the recorded frame where its middle was cut out."""
        _learn(self._bindings, _BINDING_ID.findall(expected), _BINDING_ID.findall(actual))
        _learn(self._names, _names(expected), _names(actual))
        wanted, found = _comparable(self._with_our_ids(expected)), _comparable(actual)
        cut = _CUT.search(wanted)
        if cut is None:
            assert found == wanted, f"{found}\ninstead of\n{wanted}"
        else:
            head, tail = wanted[: cut.start()], wanted[cut.end() :]
            assert (found[: len(head)], found[-len(tail) :]) == (head, tail)
            assert length is not None
            assert abs(len(actual) - length) <= 32  # as much as ids and times vary

    def _with_our_ids(self, frame: str) -> str:
        for their in _names(frame):
            frame = frame.replace(their, self._names[their])
        frame = _BINDING_ID.sub(lambda found: f'{{"id":{self._bindings[found[1]]}', frame)
        return _IDS.sub(
            lambda found: f'"ids":[{",".join(self._bindings[each] for each in found[1].split(","))}]', frame
        )


def _learn(known: dict[str, str], theirs: list[str], ours: list[str]) -> None:
    for their, our in zip(theirs, ours, strict=True):
        assert known.setdefault(their, our) == our
    assert len(set(known.values())) == len(known)


def _names(frame: str) -> list[str]:
    return ["".join(found) for found in _NAMES.findall(frame)]


def _comparable(frame: str) -> str:
    frame = _NOW.sub("[message: NOW, claim: ", frame)
    return _AGES.sub("expired N seconds ago", _TIMES.sub(r"\1T", frame))
