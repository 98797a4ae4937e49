"""Makes the cluster of an order: a copy of the archive, or a new one.

The watchdog uses it, so it needs nothing but the standard library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from prt.local.postgres import archive
from prt.local.postgres.order import Order, StartError, private, program, surroundings


def prepared(order: Order) -> archive.Note | None:
    """Make the cluster unless it is there, and return the note of the archive that it is a copy of."""
    for source, target in order.copies:
        shutil.copytree(source, order.root / target, symlinks=True, dirs_exist_ok=True)
    if (order.data / "PG_VERSION").exists():
        return None
    if order.archive is not None:
        try:
            return archive.unpack(Path(order.archive), order.data, _owner(order))
        except (OSError, ValueError, LookupError, TypeError):
            # There is none yet, or what is there is not one: what it has written goes.
            shutil.rmtree(order.data, ignore_errors=True)
    initialise(order)
    return None


def _owner(order: Order) -> archive.Owner | None:
    return None if order.uid is None else (order.uid, -1 if order.gid is None else order.gid)


def initialise(order: Order) -> None:
    """A cluster under another name first: one that was interrupted is never taken for a whole one."""
    fresh = order.root / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(0o700)  # the folder around it may be one into which PostgreSQL's user can't write
    hand_over(fresh, order)
    password = order.root / "password.new"
    password.unlink(missing_ok=True)
    try:
        with open(password, "x", opener=private) as file:
            file.write(order.password)
        hand_over(password, order)
        done = subprocess.run(  # noqa: S603
            [program(order, "initdb"), "-D", str(fresh), f"--pwfile={password}", *order.initdb],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            **surroundings(order),
        )
    finally:
        password.unlink(missing_ok=True)
    if done.returncode != 0:
        lines = done.stderr.splitlines()
        words = [line for line in lines if "error:" in line] or lines[-1:]
        raise StartError(f"initdb failed: {' '.join(words) or done.returncode}")
    fresh.rename(order.data)


def hand_over(path: Path, order: Order) -> None:
    """Give a file that we made to PostgreSQL's user."""
    if order.uid is not None:
        os.chown(path, order.uid, order.gid or -1, follow_symlinks=False)
