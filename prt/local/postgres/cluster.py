"""The preparation of an order's cluster: a copy of the archive, or a new cluster by initdb.

The watchdog imports this module, so it needs nothing but the standard library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from prt.local.postgres import archive
from prt.local.postgres.order import Order, StartError, private, program, surroundings


def prepared(order: Order) -> archive.Note | None:
    """Make the cluster of an order unless it exists.

    Returns:
        The note of the archive that was copied; None if there was a cluster, or if it is a new one.

    Raises:
        StartError: initdb failed.
        OSError: The folder can't be written.
    """
    for source, target in order.copies:
        shutil.copytree(source, order.root / target, symlinks=True, dirs_exist_ok=True)
    if (order.data / "PG_VERSION").exists():
        return None
    if order.archive is not None:
        try:
            return archive.unpack(Path(order.archive), order.data, _owner(order))
        except (OSError, ValueError, LookupError, TypeError):
            # There is no archive yet, or it is damaged: a part of it may have been written.
            shutil.rmtree(order.data, ignore_errors=True)
    initialise(order)
    return None


def _owner(order: Order) -> archive.Owner | None:
    return None if order.uid is None else (order.uid, -1 if order.gid is None else order.gid)


def initialise(order: Order) -> None:
    """Make a new cluster with initdb.

    It has another name until it is whole, so that no later start uses the rest of an interrupted one.

    Raises:
        StartError: initdb failed.
    """
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
    """Give a file or folder of ours to PostgreSQL's user, if that is another one."""
    if order.uid is not None:
        os.chown(path, order.uid, order.gid or -1, follow_symlinks=False)
