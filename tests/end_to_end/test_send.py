"""The installed `prt send` in a shell's hands: results as they come, signals, a reader that goes away."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.running import PATIENCE, PRT, of_project


@pytest.fixture
def only_broadcasts(project: dict[str, str]) -> Iterator[None]:
    """A topic to which members may send, and where they may store nothing."""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as database:
        allowed = "realtime.topic() = 'unstored:1' and extension = 'broadcast'"
        for name, action in (
            ("unstored_read", "select to authenticated using"),
            ("unstored_write", "insert to authenticated with check"),
        ):
            database.execute(f"create policy {name} on realtime.messages for {action} ({allowed})".encode())
        yield
        for name in ("unstored_read", "unstored_write"):
            database.execute(f"drop policy {name} on realtime.messages".encode())


@contextmanager
def sending(project: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [PRT, "send", "send:1", "e", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=of_project(project),
        bufsize=0,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_line_is_sent_as_it_comes_and_a_signal_ends_it_in_good_order(
    project: dict[str, str], number: signal.Signals
) -> None:
    with sending(project, "-", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"n":1}\n')
        line = json.loads(process.stdout.readline())
        assert (line["topic"], line["event"], line["bytes"], line["acknowledged"]) == ("send:1", "e", 7, True)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 128 + number
    assert out == b""
    assert err.startswith(b"prt: 1 message to send:1, acknowledged in ")
    assert err.count(b"\n") == 1


def test_a_reader_that_goes_away_is_no_error(project: dict[str, str]) -> None:
    with sending(project, "--repeat", "100000", "--json") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("way", [(), ("--http",), ("--ttl", "1h")])
def test_a_stored_message_is_replayed_to_who_comes_later(
    project: dict[str, str], way: tuple[str, ...]
) -> None:
    topic, environment = f"prt-test:stored {way}", of_project(project)
    words = [PRT, "send", topic, "e", '{"n":1}', "--private", "--persist", *way]
    sent = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert sent.returncode == 0, sent.stderr
    replay = ("--private", "--replay", "since=1h,limit=5", "--count", "1", "--json")
    received = subprocess.run(
        [PRT, "watch", "--broadcast", topic, *replay],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    [line] = [each for each in map(json.loads, received.stdout.splitlines()) if each["type"] == "broadcast"]
    assert (line["payload"], line["meta"]["replayed"]) == ({"n": 1}, True)


@pytest.mark.usefixtures("only_broadcasts")
def test_a_message_that_may_not_be_stored_is_an_error_with_the_policy(project: dict[str, str]) -> None:
    words = [PRT, "send", "unstored:1", "e", "--private", "--persist"]
    sent = subprocess.run(words, env=of_project(project), capture_output=True, text=True, check=False)
    assert sent.returncode == 1
    first, hint, *_ = sent.stderr.splitlines()
    assert first.startswith("prt: the broadcast e was sent and not stored: UnableToPersistMessage: ")
    assert hint.startswith('hint: create policy "authenticated stores in unstored:1" on realtime.messages')
    assert hint.endswith("and extension = 'persistence');")
