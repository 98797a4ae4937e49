"""An embedded project as a child process, which `attach.py` starts.

It reads one line from stdin, the options. The end of stdin, also if the parent was killed, ends the project.
It writes one line to stdout, `{"environment"}` or `{"message", "hint", "exit_code"}`. Secrets go through
these pipes, because everybody can read the arguments of a process.
"""

from __future__ import annotations

import os
import sys

import msgspec

from prt.config.environment import environment
from prt.errors import PrtError
from prt.local.project import hosting
from prt.local.project.lifecycle import prepared
from prt.local.project.options import decode


def main() -> int:
    """Run an embedded project for the process that started this one, until that closes the pipe."""
    options = decode(_line())
    try:
        with prepared(options, environment()) as project:
            hosting.hold(project, lambda: _tell(environment=project.environment()), life=0)
    except PrtError as error:
        _tell(message=error.message, hint=error.hint, exit_code=error.exit_code)
        return error.exit_code
    return 0


def _line() -> bytes:
    """Read a line without a buffer, so that `hold` can watch the pipe itself."""
    with os.fdopen(os.dup(0), "rb", buffering=0) as unbuffered:
        return unbuffered.readline()


def _tell(**words: object) -> None:
    os.write(1, msgspec.json.encode(words) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
