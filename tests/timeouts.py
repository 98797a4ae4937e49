"""The timer of a test's setup, call and teardown: each has its own, which expires again and again.

pytest-timeout has one timer for a test, which stops at its first failure and expires only once. The run would
wait for ever for a teardown that hangs after a failure, and for code that goes on when the timer has expired,
such as a task that ignores its cancellation. `tests/conftest.py` imports these hooks.
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_timeout import timeout_sigalrm

SETTINGS = pytest.StashKey[Any]()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """Keep the settings of pytest-timeout, which asks for a timer, and set none of its timers."""
    if settings.method != "signal":
        return None
    item.stash[SETTINGS] = settings
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with _timer(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _timer(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    with _timer(item):
        return (yield)


@contextmanager
def _timer(item: pytest.Item) -> Iterator[None]:
    """Let the timer of an item run. It is stopped before pytest reports, which a signal would break off."""
    settings = item.stash.get(SETTINGS, None)
    if settings is None:
        yield
        return
    signal.signal(signal.SIGALRM, lambda *_: timeout_sigalrm(item, settings))
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, settings.timeout)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
