"""The encoders for `--view feed` without a screen: changes as sentences, in lines of text or of NDJSON."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from prt.events import Change, Event
from prt.state.feed import Feed
from prt.views.drawing.cells import safe
from prt.views.drawing.escaping import escaped_line
from prt.views.drawing.figures import timestamp_text
from prt.views.sinks import ndjson
from prt.views.sinks.text import TextLines


def text_lines(feed: Feed) -> Callable[[Event], bytes]:
    """Return an encoder that writes streamed changes as sentences, and all other events as usual lines."""
    others = TextLines()

    def encode(event: Event) -> bytes:
        if type(event) is not Change:
            return others.encode(event)
        sentence = feed.sentence(event)
        if event.source == "snapshot":
            return others.encode(event)
        return f"{timestamp_text(event.at)} {safe(sentence.text)}\n".encode()

    return encode


def json_lines(feed: Feed) -> Callable[[Event], bytes]:
    """Return an encoder of NDJSON that adds a `sentence` to each change that is not from a snapshot."""

    def encode(event: Event) -> bytes:
        line = ndjson.encode(event)
        if type(event) is Change:
            sentence = feed.sentence(event)
            if event.source != "snapshot":
                line = b'%b,"sentence":%b}\n' % (line[:-2], escaped_line(msgspec.json.encode(sentence.text)))
        return line

    return encode
