"""Files that are not files, in every place where `prt` looks for one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prt.config.files import MAX_BYTES, read_bytes, read_named, read_text
from prt.local.postgres.folders import _remove_abandoned
from prt.local.project import registry
from tests.running import PRT, clean_environment, ran


def fifo(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)


def deep(path: Path) -> None:
    path.write_text("a = " + "[" * 100_000)


NAMES = (".env", "prt.toml", "supabase/config.toml")
ODD: dict[str, tuple[Callable[[Path], None], str]] = {
    "fifo": (fifo, "it is not a regular file"),
    "endless": (endless, "it is not a regular file"),
    "huge": (huge, "it holds more than 1,024 KB"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_settings_that_is_none_is_one_line(name: str, odd: str, tmp_path: Path) -> None:
    make, why = ODD[odd]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    make(path)

    run = ran("watch", "notes", environment=clean_environment(HOME=str(tmp_path)), folder=tmp_path)

    assert run.returncode == 2
    assert run.stderr.startswith(f"prt: {path} can't be read: {why}")
    assert run.stderr.count("\n") == 2


@pytest.mark.parametrize("name", NAMES[1:])
def test_settings_that_are_nested_too_deep_are_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    deep(path)

    run = ran("watch", "notes", environment=clean_environment(HOME=str(tmp_path)), folder=tmp_path)

    assert (run.returncode, run.stderr.count("\n")) == (2, 2)
    assert "it is nested too deep" in run.stderr


@pytest.mark.parametrize("odd", [fifo, endless, huge, deep])
def test_a_tab_waits_for_no_file(odd: Callable[[Path], None], tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "prt"
    cache.mkdir(parents=True)
    odd(cache / "seen.json")
    odd(tmp_path / "prt.toml")
    environment = clean_environment(HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))

    for kind in ("table", "profile"):
        run = ran("__complete", kind, environment=environment, folder=tmp_path)
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_null_device_is_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(os.devnull)

    assert read_text(tmp_path / ".env") == ""


def test_a_file_of_windows_reads_as_one_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\nb\r\n")

    assert read_text(tmp_path / "file") == "a\nb\n"


def test_a_file_that_the_user_names_may_be_a_pipe_but_ends(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"{}")
    os.close(writer)

    assert read_named(f"/dev/fd/{reader}", max_bytes=10) == b"{}"
    os.close(reader)
    with pytest.raises(OSError, match="it holds more than"):
        read_named("/dev/zero", max_bytes=10_000)


def test_a_folder_is_still_called_one(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)


def test_a_payload_from_a_device_that_never_ends_is_one_line(tmp_path: Path) -> None:
    environment = clean_environment(SUPABASE_URL="http://127.0.0.1:1", SUPABASE_ANON_KEY="sb_publishable_x")

    run = ran("send", "room", "event", "@/dev/zero", environment=environment, folder=tmp_path)

    assert (run.returncode, run.stderr.count("\n")) == (2, 2)
    assert "can't read the file /dev/zero: it holds more than" in run.stderr


def test_what_strangers_leave_in_the_temporary_folder_is_not_waited_for(tmp_path: Path) -> None:
    """In a process of its own, because a thread that waits for a FIFO can't be ended."""
    folder = tmp_path / "prt-local-strange"
    folder.mkdir()
    fifo(folder / "lock")
    os.utime(folder, (0, 0))
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    fifo(runtime / "1-a.json")
    fifo(runtime / "2-a.run")
    script = (
        "import sys; from pathlib import Path\n"
        f"from {_remove_abandoned.__module__} import _remove_abandoned\n"
        f"from {registry.__name__} import running, visible\n"
        "_remove_abandoned(Path(sys.argv[1]))\n"
        "print(running(Path(sys.argv[2])), visible({'PRT_LOCAL_RUN': sys.argv[2] + '/2-a.run'}))"
    )

    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(runtime)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.stdout, run.stderr) == ("[] []\n", "")


def test_migrations_are_regular_files(tmp_path: Path) -> None:
    fifo(tmp_path / "1.sql")

    run = subprocess.run(
        [PRT, "local", "run", "--migrations", str(tmp_path), "--", "true"],
        env=clean_environment(HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 2
    assert "it is not a regular file" in run.stderr
