from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from prt.signals import SIGNALLED
from tests.running import PATIENCE

BUSY = """
import asyncio, sys
from types import SimpleNamespace
from prt import signals

moments = iter(map(float, sys.argv[1:]))
noted = []

def monotonic():
    noted.append(None)
    return next(moments)

async def main():
    with signals.stopping():
        print("busy", flush=True)
        while True:
            if noted:
                noted.pop()
                print("noted", flush=True)

signals.time = SimpleNamespace(monotonic=monotonic)
signals.exit_on_signals()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    sys.exit(130)
"""
"""A program whose event loop never comes to a signal. The arguments are the seconds at which signals come."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_program_that_computes_since_the_one_before(number: signal.Signals) -> None:
    """The second one comes too soon: a program that started us may pass on what the terminal has sent us."""
    command = [sys.executable, "-c", BUSY, "0", "0.1", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in ("busy", "noted", "noted"):
                assert process.stdout.readline() == f"{line}\n"
                process.send_signal(number)
            assert process.wait(PATIENCE) == SIGNALLED + number
        finally:
            process.kill()
