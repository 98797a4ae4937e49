"""Where the embedded server means to differ from the recorded one: `scenario` and what, each with why.

A recorded frame that is listed here must not come; one that `is_ours` comes though it was not recorded.
Every other frame must come, in the order of its topic, and no frame besides.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """`at` is the recording's second in which the frame stands, None is anywhere."""

    scenario: str
    what: str
    contains: str
    reason: str
    at: float | None = None
    version: str | None = None
    is_ours: bool = False


DIFFERENCES = (
    Difference(
        "pg_events_default",
        "a second `Subscribed to PostgreSQL` without a join",
        "Subscribed to PostgreSQL",
        "the recorded server had noticed that an earlier scenario had changed the publication",
        at=3.724,
        version="v2",
    ),
    Difference(
        "private_channels",
        "a `presence_diff` about oneself, behind one's own `phx_close`",
        "presence_diff",
        "a race of two processes: who closes a channel by leaving it was recorded without",
        at=23.9655,
    ),
)

EVERYWHERE = {
    "refused joins are answered after 5 s, refused handshakes after 2 s": (
        "the waits protect a server that many share; they are parameters of Settings, 0 by default"
    ),
    "changes are polled every 100 to 500 ms": "here they are streamed, unless polls are asked for",
    "the publication is looked at once a minute": "the replay does so where the recorded server did",
    "the order of frames of different topics": (
        "it is the order of processes on the real server; only a topic's own order is promised"
    ),
    "`presence_state` before or after the first `system` message": (
        "the subscription is made beside the join; either order was recorded"
    ),
    "ids of bindings": "hashes of another function: equal where the recorded ones are equal, and only there",
    "rate limits of a project": (
        "there are none by default: nobody but its user shares this server; the one of a client is kept,"
        " five calls of presence in 30 s"
    ),
    "one's own `presence_diff` before or after the reply to the call": "either order was recorded",
    "the right to write is asked with the first message": (
        "here at the join and with every new token, together with the right to read"
    ),
    "headers of HTTP answers": "rate limits, request ids and the proxy's own are left out",
    "OPTIONS is answered with 404": "behind a gateway, as at every hosted project, with CORS",
    "version 2 of what was recorded in version 1 only": "the translated recording: see translation.py",
    "a path that does not exist answers a websocket with 404": (
        "which paths exist is the gateway's business: tests of prt.local.serving.server"
    ),
    "the delay of `Subscribed to PostgreSQL` after an access_token push": "at once instead of 1 to 3 s",
}

CHECKED = {
    ("pg_ddl_while_subscribed", "v1", 9.7063),
    ("publication_row_filter", "v1", 5.0669),
    ("types_more", "v2", 7.8965),
}
"""The steps, by scenario, version and second, before which the recorded server looked at its publication."""

SUBSCRIBED_BEFORE = {
    ("wait_ok", "v2", 0.393): ("realtime:u", 1),
    ("publication_row_filter", "v1", 5.0669): ("realtime:t", 2),
}
"""The topic that has to be subscribed, and how often, before SQL, by scenario, version and second.

The recorded server polled: the row was committed before that subscription, and read after it.
"""


def is_left_out(scenario: str, version: str, frame: str, at: float) -> bool:
    """Whether this recorded frame is one that we don't send."""
    return any(
        each.contains in frame and each.at == at and not each.is_ours for each in _of(scenario, version)
    )


def additions(scenario: str, version: str) -> list[str]:
    """What stands in the frames that only we send, in their order."""
    return [each.contains for each in _of(scenario, version) if each.is_ours]


def _of(scenario: str, version: str) -> list[Difference]:
    return [each for each in DIFFERENCES if each.scenario == scenario and each.version in (None, version)]
