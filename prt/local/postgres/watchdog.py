"""The parent process of PostgreSQL, which stops it when the process that ordered it has ended in any way.

`prt.local.postgres.server` runs this file as a script. It needs the standard library alone, so that it is up
in 10 ms. It has a session of its own, so that signals to the process group of the terminal or of prt don't
reach it.

It reads from stdin:

- one line, the `Order` as JSON
- if the cluster is new and the order names an archive: a line with the note for the archive as JSON, or an
  empty one to keep nothing
- lines `guard PID`, in which a negative number is that of a process group
- the end, also if the writer was killed: PostgreSQL has to stop

It writes to stdout:

- one line, `{"pid", "port", "note"}` or `{"error", "is_in_use"}`. `note` is that of the archive from which
  the cluster was copied, and null for a new cluster
- after the cluster was kept: another line, because PostgreSQL has started again and its port may be another
- the end, when PostgreSQL has ended and an ephemeral folder has been removed
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

if __name__ == "__main__":
    # An isolated interpreter finds nothing but the standard library.
    sys.path.append(str(Path(__file__).parents[3]))

from prt.local.postgres import archive
from prt.local.postgres.cluster import prepared
from prt.local.postgres.order import Order, StartError, private, program, surroundings

LOCK = "lock"
LOG = "postgres.log"
START_SECONDS = 30.0
FAST_SHUTDOWN_SECONDS = TERMINATION_SECONDS = 3.0
BIND_ATTEMPTS = 20
NOTE_BYTES = 4096
PR_SET_PDEATHSIG = 1


class InUseError(Exception):
    """Another process uses the folder."""


def main() -> int:
    """Run PostgreSQL until the process that ordered it has gone."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    life = os.fdopen(0, "rb", buffering=0)
    order = Order(**json.loads(life.readline()))
    try:
        with held(order):
            try:
                note = prepared(order)
                postgres, port = started(order)
                answer(pid=postgres.pid, port=port, note=note)
                if note is None and order.archive is not None:
                    postgres = kept(order, postgres, life.readline())
            except StartError as error:
                answer(error=str(error))
                return 1
            guarded = wait_for_the_end(life, postgres)
            terminate(guarded)
            stop(postgres, order)
    except InUseError:
        return 1
    except OSError as error:  # a full disk, say
        answer(error=f"{order.folder} can't be used: {error.strerror or error}")
        return 1
    return 0


def answer(**words: object) -> None:
    """Write a line of JSON for the process that ordered the run."""
    with suppress(OSError):
        os.write(1, json.dumps(words).encode() + b"\n")


@contextmanager
def held(order: Order) -> Iterator[None]:
    """Hold the lock of the order's folder during the block, and remove an ephemeral folder at its end.

    The kernel drops the lock when the process ends, so no lock can be stale.

    Raises:
        InUseError: Another process has the lock.
    """
    lock = open(order.root / LOCK, "w", opener=private)  # noqa: SIM115 - Path.open takes no opener
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        answer(error=f"{order.folder} is in use by another embedded project", is_in_use=True)
        raise InUseError from error
    try:
        yield
    finally:
        if order.ephemeral:
            shutil.rmtree(order.folder, ignore_errors=True)
        lock.close()


def kept(order: Order, postgres: subprocess.Popen[bytes], line: bytes) -> subprocess.Popen[bytes]:
    """Keep the cluster in the order's archive, for which PostgreSQL stops and starts again.

    Args:
        order: The order.
        postgres: The running server.
        line: The note as JSON; an empty line keeps nothing.

    Returns:
        The process of the server that runs afterwards.

    Raises:
        StartError: PostgreSQL did not start again.
    """
    if not line.strip() or order.archive is None:
        return postgres
    postgres.send_signal(signal.SIGINT)
    # If it fails, the next start makes its cluster anew.
    with suppress(OSError, ValueError, subprocess.TimeoutExpired):
        postgres.wait(START_SECONDS)
        archive.pack(order.data, Path(order.archive), json.loads(line))
    if postgres.poll() is None:
        postgres.kill()
        postgres.wait()
    postgres, port = started(order)
    answer(pid=postgres.pid, port=port)
    return postgres


def started(order: Order) -> tuple[subprocess.Popen[bytes], int]:
    """Start PostgreSQL, wait until it accepts connections, and return its process and its port.

    Raises:
        StartError: It did not start.
    """
    end_orphan(order.data)
    deadline = time.monotonic() + START_SECONDS
    refused_ports = 0
    while True:
        port = order.port or free_port()
        postgres = launch(order, port)
        if is_ready(order, postgres, deadline):
            return postgres, port
        said = last_words(order)
        # Another process took the port between our look and PostgreSQL's bind.
        if "could not create any TCP/IP sockets" in said and refused_ports < BIND_ATTEMPTS:
            if order.port is not None:
                raise StartError(f"port {order.port} is taken")
            refused_ports += 1
            continue
        # Backends of a killed postmaster go within moments.
        if "pre-existing shared memory block" in said and time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        raise StartError(f"PostgreSQL did not start: {said or 'it said nothing'}")


def launch(order: Order, port: int) -> subprocess.Popen[bytes]:
    """Start PostgreSQL on a port."""
    arguments = [program(order, "postgres"), "-D", str(order.data), "-p", str(port)]
    for name, value in order.settings.items():
        arguments += ["-c", f"{name}={value}"]
    with open(order.root / LOG, "wb", opener=private) as log:
        return subprocess.Popen(  # noqa: S603
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=dies_with_parent(order),  # noqa: PLW1509 - no threads here
            **surroundings(order),
        )


def dies_with_parent(order: Order) -> Callable[[], None] | None:
    """Return a function for the new process that makes the kernel stop it when this process is killed.

    Only Linux can do this; on other systems it returns None. In all other cases we stop PostgreSQL ourselves.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    shutdown = signal.SIGQUIT if order.ephemeral else signal.SIGINT

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, shutdown)

    return ask_the_kernel


def is_ready(order: Order, postgres: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait until PostgreSQL accepts connections. Return False if it has ended instead.

    A `postmaster.pid` of an earlier run may say "ready" too, so its process id is compared.

    Raises:
        StartError: It was not ready before the deadline.
    """
    while postgres.poll() is None:
        with suppress(OSError):
            lines = note_of(order.data).splitlines()
            if len(lines) >= 8 and lines[0] == str(postgres.pid) and lines[7].strip() == "ready":
                return True
        if time.monotonic() > deadline:
            postgres.kill()
            postgres.wait()
            raise StartError(f"PostgreSQL was not ready within {START_SECONDS:.0f} s: {last_words(order)}")
        time.sleep(0.003)
    return False


def last_words(order: Order) -> str:
    """Return the last line of the log that reports a failure, else its last line."""
    with suppress(OSError):
        lines = (order.root / LOG).read_text(errors="replace").splitlines()
        fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return (fatal or lines or [""])[-1].strip()
    return ""


def free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def end_orphan(data: Path) -> None:
    """End a PostgreSQL that has outlived its watchdog, and remove its `postmaster.pid`. We have the lock."""
    note = data / "postmaster.pid"
    try:
        pid = int(note_of(data).split("\n", 1)[0])
    except (OSError, ValueError):
        pid = 0  # which no process has
    for shutdown in (signal.SIGINT, signal.SIGKILL):
        if not serves(pid, data):
            break
        with suppress(ProcessLookupError):
            os.kill(pid, shutdown)
        until = time.monotonic() + FAST_SHUTDOWN_SECONDS
        while serves(pid, data) and time.monotonic() < until:
            time.sleep(0.01)
    if not serves(pid, data):
        # Otherwise PostgreSQL refuses to start if another process has the number by now.
        note.unlink(missing_ok=True)


def note_of(data: Path) -> str:
    """Return the text of `postmaster.pid`.

    Raises:
        OSError: There is none, or PostgreSQL's user has put a link or a FIFO in its place.
    """
    descriptor = os.open(data / "postmaster.pid", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(NOTE_BYTES).decode(errors="replace")


def serves(pid: int, data: Path) -> bool:
    """Return whether a process is the PostgreSQL of that folder, and not a later one with its number."""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
        except OSError:
            return False
    shown = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(data) in shown.stdout


def wait_for_the_end(life: IO[bytes], postgres: subprocess.Popen[bytes]) -> list[int]:
    """Wait until the pipe or PostgreSQL has ended, and return the processes to end with it."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    guarded: list[int] = []
    while postgres.poll() is None:
        readable, _, _ = select.select([life.fileno(), woken], [], [])
        if woken in readable:
            os.read(woken, 1024)
        if life.fileno() in readable:
            line = life.readline()
            if not line:
                break
            guarded = [int(pid) for pid in line.split()[1:] if int(pid)]
    return guarded


def terminate(pids: list[int]) -> None:
    """Terminate processes, and kill them after a time. We poll, as they are not our children."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + TERMINATION_SECONDS
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, word)
        while any(is_alive(pid) for pid in pids) and time.monotonic() < until:
            time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Return whether a process runs. One that has ended counts as ended even if its parent does not wait."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def stop(postgres: subprocess.Popen[bytes], order: Order) -> None:
    """Stop PostgreSQL, at once if its folder is removed anyway.

    A fast shutdown hangs as long as a client of replication does not read.
    """
    shutdowns = [signal.SIGQUIT, signal.SIGKILL]
    if not order.ephemeral:
        shutdowns.insert(0, signal.SIGINT)
    for shutdown in shutdowns:
        postgres.send_signal(shutdown)
        with suppress(subprocess.TimeoutExpired):
            postgres.wait(FAST_SHUTDOWN_SECONDS)
            return


if __name__ == "__main__":
    sys.exit(main())
