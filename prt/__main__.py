"""`python -m prt`."""

# ruff: noqa: E402, PTH109 - before an import could find anything in the working folder

import os
import sys


def _leave_working_folder() -> None:
    """Remove the working folder, which `-m` puts first, from the search path, so that no file there can run.

    Python itself has already searched that folder for the modules that it imported before this line. `python
    -P -m prt` and the command `prt` never search it.
    """
    try:
        folder = os.getcwd()
    except FileNotFoundError:
        return
    if not sys.flags.safe_path and sys.path[:1] == [folder]:
        del sys.path[0]


_leave_working_folder()

from prt.cli.entry import main

if __name__ == "__main__":
    main()
