"""A recording of version 1 as version 2 would have it: what was recorded only once is played in both.

Version 1 contains less: which join a frame belongs to is worked out from the frames before it. Frames to many
carry none, what is pushed to one channel carries its join. Source: the recordings that exist in both.

A broadcast whose payload is not an object crashes a channel of version 2: broadcast_odd_payload shows that in
both versions, and here such a broadcast is left out, with all that came of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Step = dict[str, Any]

_RECEIVED = re.compile(
    r'^\{"ref":(?P<ref>.*?),"event":"(?P<event>\w+)","payload":(?P<payload>.*),"topic":(?P<topic>"[^"]*")\}$',
    re.DOTALL,
)
_FROM_THE_DATABASE = re.compile(
    r'^\{"event":(?P<event>"[^"]*"),"meta":(?P<meta>\{"id":"[0-9a-f-]{36}"\}),'
    r'"payload":(?P<payload>.*),"type":"broadcast"\}$',
    re.DOTALL,
)
"""A broadcast as it is sent: version 2 has it as a binary frame, and only its replay as text."""
_OF_ONE_CHANNEL = ("system", "presence_state", "phx_reply")


def translated(steps: list[Step]) -> Iterator[Step]:
    joined: dict[tuple[str, str], Any] = {}
    left_out: set[tuple[str, str]] = set()
    for step in steps:
        match step["dir"]:
            case "in" | "out" if _is_left_out(step, left_out):
                continue
            case "open":
                yield {**step, "url": step["url"].replace("vsn=1.0.0", "vsn=2.0.0")}
            case "out":
                frame = json.loads(step["frame"])
                if frame["event"] == "phx_join":
                    joined[step["c"], frame["topic"]] = frame["ref"]
                parts = (
                    frame.get("join_ref"),
                    frame["ref"],
                    frame["topic"],
                    frame["event"],
                    frame["payload"],
                )
                yield {**step, "frame": json.dumps(parts, ensure_ascii=False, separators=(",", ":"))}
            case "in":
                received = {name: value for name, value in step.items() if name != "frame"}
                yield {**received, **_received(step["frame"], step["c"], joined)}
            case _:
                yield step


def _is_left_out(step: Step, left_out: set[tuple[str, str]]) -> bool:
    """Remember the connection and the ref of an odd broadcast, whose answer is left out as well."""
    frame = json.loads(step["frame"])
    key = (step["c"], frame["ref"])
    is_odd = frame["event"] == "broadcast" and not isinstance(frame["payload"], dict)
    if is_odd and step["dir"] == "out":
        left_out.add(key)
    return is_odd or (frame["event"] == "phx_reply" and key in left_out)


def _received(frame: str, connection: str, joined: dict[tuple[str, str], Any]) -> Step:
    found = _RECEIVED.match(frame)
    assert found is not None, frame
    event, payload, topic = found["event"], found["payload"], found["topic"]
    ref, join_ref = found["ref"], "null"
    if (database := _FROM_THE_DATABASE.match(payload)) is not None:
        parts = [json.loads(topic), json.loads(database["event"]), database["meta"]]
        names = [part.encode() for part in parts]
        binary = bytes((4, *map(len, names), 1)) + b"".join(names) + database["payload"].encode()
        return {"bin": binary.hex()}
    is_of_one = event in _OF_ONE_CHANNEL or '"replayed":true' in payload
    if event in ("phx_close", "phx_error"):
        join_ref = ref
    elif is_of_one and "unmatched topic" not in payload:
        join_ref = json.dumps(joined.get((connection, json.loads(topic))))
    return {"frame": f'[{join_ref},{ref},{topic},"{event}",{payload}]'}
