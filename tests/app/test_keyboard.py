"""Keys as a table: bytes of a terminal to keys, and keys to what they ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.app.keyboard.decoder import LONGEST_PASTE, SEQUENCES, Decoder, Key
from prt.state.viewport.intents import KEYS, REPLAY_KEYS, Intent

TABLE: list[tuple[bytes, Intent]] = [
    (b"\x1b[A", Intent.UP),
    (b"\x1bOA", Intent.UP),
    (b"k", Intent.UP),
    (b"\x1b[B", Intent.DOWN),
    (b"\x1bOB", Intent.DOWN),
    (b"j", Intent.DOWN),
    (b"\x1b[5~", Intent.PAGE_UP),
    (b"\x1b[6~", Intent.PAGE_DOWN),
    (b"\x1b[H", Intent.HOME),  # xterm, Apple Terminal
    (b"\x1bOH", Intent.HOME),  # in application mode
    (b"\x1b[1~", Intent.HOME),  # linux, tmux
    (b"\x1b[7~", Intent.HOME),  # rxvt
    (b"g", Intent.HOME),
    (b"\x1b[F", Intent.END),
    (b"\x1bOF", Intent.END),
    (b"\x1b[4~", Intent.END),
    (b"\x1b[8~", Intent.END),
    (b"G", Intent.END),
    (b"\r", Intent.OPEN),
    (b"\n", Intent.OPEN),
    (b"/", Intent.SEARCH),
    (b"n", Intent.NEXT),
    (b"N", Intent.PREVIOUS),
    (b"f", Intent.FILTER),
    (b"c", Intent.CHANGES),
    (b"b", Intent.BROADCASTS),
    (b"p", Intent.PRESENCE),
    (b"s", Intent.STATUSES),
    (b"\t", Intent.NEXT_VIEW),
    (b" ", Intent.PAUSE),
    (b"y", Intent.COPY),
    (b"e", Intent.EXPORT),
    (b"x", Intent.CLEAR),
    (b"?", Intent.HELP),
    (b"\x0c", Intent.REDRAW),
    (b"q", Intent.QUIT),
    (b"<", Intent.MOVE_LEFT),
    (b">", Intent.MOVE_RIGHT),
    (b"r", Intent.MARK_READ),
]
OF_A_RECORDING: list[tuple[bytes, Intent]] = [
    (b"\x1b[D", Intent.SEEK_BACK),
    (b"\x1b[C", Intent.SEEK_ON),
    (b"\x1bOC", Intent.SEEK_ON),
    (b"[", Intent.SLOWER),
    (b"]", Intent.FASTER),
    (b".", Intent.STEP),
    (b"0", Intent.START),
]
NOTHING = [
    b"\x1b[<0;12;7M",  # a mouse that somebody else switched on
    b"\x1b[2~",  # Insert
    b"\x1b[15~",  # F5
    b"\x1bOP",  # F1
    b"\x1b[1;5C",  # Ctrl with an arrow
    b"\x1b[I",  # focus
    b"\x1bx",  # Alt with a letter
    b"\x00",
    b"\x01",
]


def intent_of(data: bytes, *, is_replay: bool = False) -> list[Intent | None]:
    decoder = Decoder()
    keys = [*decoder.feed(data), *decoder.end()]
    table = {**KEYS, **REPLAY_KEYS} if is_replay else KEYS
    return [table.get(key.name) for key in keys]


@pytest.mark.parametrize(("data", "intent"), TABLE, ids=repr)
def test_a_key_asks_for_one_thing(data: bytes, intent: Intent) -> None:
    assert intent_of(data) == [intent]


@pytest.mark.parametrize(("data", "intent"), OF_A_RECORDING, ids=repr)
def test_a_recording_has_keys_of_its_own(data: bytes, intent: Intent) -> None:
    assert intent_of(data, is_replay=True) == [intent]


@pytest.mark.parametrize("data", NOTHING, ids=repr)
def test_what_is_not_in_the_table_does_nothing(data: bytes) -> None:
    assert intent_of(data + b"j") == [Intent.DOWN]


def test_escape_alone_is_decided_when_nothing_follows() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.is_waiting
    assert decoder.end() == [Key("escape")]
    assert not decoder.is_waiting


def test_two_escapes_are_two() -> None:
    decoder = Decoder()
    assert [*decoder.feed(b"\x1b\x1b"), *decoder.end()] == [Key("escape"), Key("escape")]


@given(st.lists(st.sampled_from([*SEQUENCES, b"j", "é".encode(), "日".encode(), "🎭".encode()])), st.data())
def test_it_is_the_same_wherever_the_bytes_are_split(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    expected = Decoder().feed(whole)
    assert len(expected) == len(parts)
    decoder, found, rest = Decoder(), [], whole
    while rest:
        count = data.draw(st.integers(1, len(rest)))
        found += decoder.feed(rest[:count])
        rest = rest[count:]
    assert found == expected


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail_or_keep_it_waiting(data: bytes) -> None:
    decoder = Decoder()
    decoder.feed(data)
    decoder.end()
    pasted = decoder.feed(b"\x1b[201~")  # in case a paste had begun
    assert all(isinstance(key, Key) for key in pasted)
    assert decoder.feed(b"j")[-1:] == [Key("j")] or decoder.is_waiting


@pytest.mark.parametrize("cut", range(1, 22))
def test_what_is_pasted_is_text_and_never_a_command(cut: int) -> None:
    data = b"\x1b[200~q\x1b[Ax\r\x1b[201~"
    decoder = Decoder()
    keys = [*decoder.feed(data[:cut]), *decoder.feed(data[cut:])]
    assert keys == [Key("q[Ax", is_text=True)]
    assert decoder.feed(b"q") == [Key("q")]


def test_a_paste_is_bounded() -> None:
    decoder = Decoder()
    decoder.feed(b"\x1b[200~")
    for _ in range(100):
        decoder.feed(b"x" * 4096)
    (key,) = decoder.feed(b"\x1b[201~")
    assert len(key.name) == LONGEST_PASTE
