from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from prt import redaction
from prt.cli.options.names import OPTIONS
from prt.config.terminal import AGENTS
from prt.inputs import named
from prt.local.project.attach import ephemeral
from tests.timeouts import (
    pytest_runtest_call,
    pytest_runtest_setup,
    pytest_runtest_teardown,
    pytest_timeout_set_timer,
)

__all__ = [  # hooks, which pytest looks for here
    "pytest_runtest_call",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_timeout_set_timer",
]

UNCHECKED = {"publication_seconds": 1e6}
"""For a project that many tests share: it does not look by itself which tables are published."""


# A busy machine is slow; what is slow without one shows in the benchmarks. Every run tries the same examples;
# `HYPOTHESIS_PROFILE=explore pytest …` tries others each time.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("prt", settings.get_profile("explore"), derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "prt"))


def pytest_configure() -> None:
    """A runner in the background may ignore these, and so would every program that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    # Nor does it matter whether an agent runs the tests.
    for name in AGENTS:
        os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def _options() -> Iterator[None]:
    """Sentences name options, as they do while a command runs."""
    with named(OPTIONS):
        yield


@pytest.fixture(autouse=True)
def _secrets_of_one_test() -> Iterator[None]:
    """What a test has registered is hidden in no other test of the same process."""
    known = set(redaction._known)
    yield
    redaction._known.clear()
    redaction._known.update(known)


@pytest.fixture(scope="session")
def project() -> Iterator[dict[str, str]]:
    """The variables of one seeded project for the whole session; who needs a fresh one starts it.

    Tests make and drop tables of their own: clients that are subscribed at the time would be notified.
    """
    with ephemeral(realtime=UNCHECKED) as environment:
        yield environment


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own is closed to the one that PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="prt-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)
