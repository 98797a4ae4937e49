"""Arguments and variables that are not what they should be, in every command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.running import PRT, clean_environment

CLIENT = {"SUPABASE_URL": "http://127.0.0.1:1", "SUPABASE_ANON_KEY": "sb_publishable_x"}


def printed(*arguments: bytes, folder: Path, **more: str) -> tuple[int, str]:
    ended = subprocess.run(
        [PRT.encode(), *arguments],
        env=clean_environment(HOME=str(folder), **CLIENT | more),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        (b"watch", b"t\xff"),
        (b"watch", b"notes", b"--filter", b"a=eq.\xff"),
        (b"send", b"r\xff", b"e", b"{}", b"--http"),
        (b"update", b"notes", b"\xff", b"a=1"),
        (b"update", b"notes", b"1", b"a=\xff"),
        (b"presence", b"r", b"--track", b"a=\xff"),
        (b"test", b"\xff"),
    ],
)
def test_an_argument_that_is_not_utf8_is_one_line(arguments: tuple[bytes, ...], tmp_path: Path) -> None:
    code, err = printed(*arguments, folder=tmp_path)

    assert (code, err.count("\n")) == (2, 2)
    assert err.startswith("prt: an argument is not UTF-8: ")


def test_a_path_may_be_any_bytes(tmp_path: Path) -> None:
    code, err = printed(b"replay", b"missing\xff", folder=tmp_path)
    assert code == 2
    assert "can't be read: No such file" in err
    code, err = printed(b"local", b"run", b"--data-dir", b"/proc/\xff", b"--", b"true", folder=tmp_path)
    assert "can't use the data folder" in err


@pytest.mark.parametrize("name", ["SUPABASE_ANON_KEY", "SUPABASE_URL", "PRT_TOKEN"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_value_that_kept_its_quotes_is_called_so(name: str, quote: str, tmp_path: Path) -> None:
    value = f"{quote}{CLIENT.get(name, 'eyJh.eyJi.c')}{quote}"

    code, err = printed(b"watch", b"notes", folder=tmp_path, **{name: value})

    assert (code, err.count("\n")) == (2, 2)
    assert f"{name}" in err or "the URL" in err
    assert "has quotes around it" in err
