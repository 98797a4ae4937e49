"""What is done before anything else is loaded."""

from __future__ import annotations

import subprocess
import sys

CLOSED = """
import errno, os
from prt.cli import entry
os.close(0), os.close(1)
entry._keep_standard_files()
assert os.open(os.devnull, os.O_RDWR) > 2, "a file of ours stands where our output goes"
try:
    os.write(1, b"a line")
except OSError as exc:
    assert exc.errno == errno.EBADF
else:
    raise AssertionError("nobody was told that nothing was written")
"""


def test_what_is_closed_is_no_socket_of_ours() -> None:
    command = [sys.executable, "-c", CLOSED]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
