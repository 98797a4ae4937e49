from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prt.errors import PrtError, UsageError
from prt.views.sinks import recorder as recorder_module
from prt.views.sinks.ndjson import encode
from prt.views.sinks.recorder import Recorder, header_of
from tests.views import story

HEADER = header_of("abc.supabase.co", story.BEGIN)


def test_what_is_flushed_is_in_the_file_before_its_end(tmp_path: Path) -> None:
    """So that a kill leaves it."""
    path = tmp_path / "r"
    with Recorder(path, HEADER, pytest.fail) as recorder:
        assert path.read_bytes().count(b"\n") == 1
        recorder.consume(story.changes()[0])
        recorder.consume(story.healthy())
        recorder.flush()
        assert path.read_bytes().partition(b"\n")[2] == encode(story.changes()[0])


def test_much_is_not_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_LARGE", 100)
    path = tmp_path / "r"
    with Recorder(path, HEADER, pytest.fail) as recorder:
        recorder.consume(story.changes()[0])
        assert path.read_bytes().count(b"\n") == 2


def test_a_full_disk_is_reported_once_and_nothing_else_fails() -> None:
    failures: list[PrtError] = []
    with Recorder(Path("/dev/full"), HEADER, failures.append) as recorder:
        for event in story.changes():
            recorder.consume(event)
            recorder.flush()
    assert [error.message for error in failures] == [
        f"the recording /dev/full ends here: {os.strerror(errno.ENOSPC)}"
    ]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_a_file_that_may_not_grow_keeps_what_is_there(tmp_path: Path) -> None:
    path, failures = tmp_path / "r", list[PrtError]()
    with largest_file(1000), Recorder(path, HEADER, failures.append) as recorder:
        for event in story.changes():
            recorder.consume(event)
            recorder.flush()
    assert len(failures) == 1
    assert os.strerror(errno.EFBIG) in failures[0].message
    assert path.stat().st_size == 1000


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        Recorder(path, HEADER, pytest.fail)
    assert path.read_bytes() == b"mine"
    path.write_bytes(b"")  # as mktemp leaves it
    with Recorder(path, HEADER, pytest.fail):
        pass
    assert path.stat().st_size


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"can't be recorded to: No such file"):
        Recorder(tmp_path / "no" / "r", HEADER, pytest.fail)
    with pytest.raises(UsageError, match=r"can't be recorded to: Is a directory"):
        Recorder(tmp_path, HEADER, pytest.fail)
