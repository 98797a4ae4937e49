"""Who runs: entries of the living, and nothing of the dead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prt.errors import UnreachableError, UsageError
from prt.local.project import registry
from prt.local.project.attach import attached
from prt.local.project.registry import Entry

KILLED = """
import os, sys
from pathlib import Path
from prt.local.project.registry import Entry, slot
with slot(Path(sys.argv[1])) as place:
    entry = Entry(pid=os.getpid(), port=1, url="http://127.0.0.1:1", started_at=0.0, environment={})
    place.announce(entry, is_private=bool(sys.argv[2]))
    os.kill(os.getpid(), 9)
"""


def entry(port: int, data_dir: str | None = None) -> Entry:
    return Entry(
        pid=1,
        port=port,
        url=f"http://127.0.0.1:{port}",
        started_at=0.0,
        environment={"SUPABASE_SECRET_KEY": "sb_secret_shown"},
        data_dir=data_dir,
    )


def test_entries_live_as_long_as_their_block(tmp_path: Path) -> None:
    folder = tmp_path / "runtime"
    assert registry.running(folder) == []
    with registry.slot(folder) as first, registry.slot(folder) as second:
        second.announce(entry(2))
        first.announce(entry(1))
        assert [one.port for one in registry.running(folder)] == [1, 2]
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert not folder.exists()


def test_an_entry_that_was_never_announced(tmp_path: Path) -> None:
    with registry.slot(tmp_path / "runtime"):
        pass
    assert not (tmp_path / "runtime").exists()


def test_the_killed_are_gone(tmp_path: Path) -> None:
    folder = tmp_path / "runtime"
    for is_private in ("", "private"):
        subprocess.run([sys.executable, "-c", KILLED, str(folder), is_private], check=False)
    assert len(list(folder.iterdir())) == 2
    assert registry.running(folder) == []
    assert list(folder.iterdir()) == []


def test_choosing_one(tmp_path: Path) -> None:
    folder = tmp_path / "runtime"
    environ = {"PRT_RUNTIME_DIR": str(folder)}
    with registry.slot(folder) as first, registry.slot(folder) as second:
        first.announce(entry(1))
        assert registry.the_one(environ) is not None
        second.announce(entry(2, str(tmp_path / "kept")))
        with pytest.raises(UsageError) as caught:
            registry.the_one(environ)
        assert "http://127.0.0.1:1 " in caught.value.message
        assert "http://127.0.0.1:2 " in caught.value.message
        assert "sb_secret" not in caught.value.message
        one = registry.the_one(environ, port=1)
        other = registry.the_one(environ, data_dir=tmp_path / "kept")
        assert one is not None
        assert other is not None
        assert (one.port, other.port) == (1, 2)
        assert registry.the_one(environ, port=3) is None


def test_a_run_s_entry_is_found_by_its_path_alone(tmp_path: Path) -> None:
    folder = tmp_path / "runtime"
    outside = {"PRT_RUNTIME_DIR": str(folder)}
    with registry.slot(folder) as beside, registry.slot(folder) as run:
        beside.announce(entry(1))
        inside = {**outside, registry.RUN: str(run.announce(entry(2), is_private=True))}
        assert [one.port for one in registry.visible(outside)] == [1]
        assert [one.port for one in registry.visible(inside)] == [2]
        assert registry.the_one(inside, port=1) is None
        run.leave()
        assert registry.visible(inside) == [], "who outlives the run reaches no other project"
        with pytest.raises(UnreachableError, match="`prt local run` has ended"), attached(environ=inside):
            pytest.fail("nor does it start one")
        assert [one.port for one in registry.visible({**outside, registry.RUN: ""})] == [1]


def test_a_path_to_any_other_file_is_no_entry_and_stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    other = tmp_path / "other"
    other.write_text("kept")
    for path in (other, tmp_path, other / "below", tmp_path / "none"):
        assert registry.visible({registry.RUN: str(path)}) == []
    assert other.read_text() == "kept"


def test_a_folder_that_others_can_enter_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o755)
    with pytest.raises(UsageError, match="only you can enter"):
        registry.running(folder)
    with registry.slot(folder) as place, pytest.raises(UsageError, match="only you can enter"):
        place.announce(entry(1))


def test_a_link_in_place_of_the_folder_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "runtime").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="only you can enter"):
        registry.running(tmp_path / "runtime")


def test_secrets_are_not_shown() -> None:
    assert "sb_secret" not in repr(entry(1))
