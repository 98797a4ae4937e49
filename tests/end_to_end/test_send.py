"""The installed `prt send` in a shell's hands: results as they come, signals, a reader that goes away."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.running import PATIENCE, PRT, of_project


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
