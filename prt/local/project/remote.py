"""Requests to an embedded project that another process of prt runs."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from prt.errors import UnreachableError, UsageError
from prt.local.project import registry

ANSWER_SECONDS = 3.0
RESET_SECONDS = 600.0
STOP_SECONDS = 30.0
RESET = "/local/v1/reset"
EMPTY = "/local/v1/empty"
"""The path that `prt.pytest_plugin` requests after each test."""

# Proxies of the environment are for other hosts than this one.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def answers(url: str, key: str) -> bool:
    """Return whether Auth of the project reports that it is healthy."""
    request = urllib.request.Request(  # noqa: S310 - ours, by the registry
        f"{url}/auth/v1/health", headers={"apikey": key}
    )
    try:
        with _open(request, timeout=ANSWER_SECONDS):
            return True
    except OSError:
        return False


def reset(url: str, secret_key: str) -> None:
    """Reset the project, and wait until that is done.

    Args:
        url: The URL of the project.
        secret_key: Its secret key.

    Raises:
        UsageError: The user's SQL failed.
        UnreachableError: The reset failed for another reason, or there was no answer.
    """
    request = urllib.request.Request(  # noqa: S310 - ours, by the registry
        f"{url}{RESET}", method="POST", headers={"apikey": secret_key}
    )
    try:
        with _open(request, timeout=RESET_SECONDS):
            return
    except urllib.error.HTTPError as error:
        body = error.read()
        error.close()
        try:
            words = json.loads(body)
        except ValueError:
            words = {"message": f"reset failed: HTTP {error.code}"}
        kind = UsageError if error.code == 422 else UnreachableError
        raise kind(words["message"], words.get("hint")) from error
    except OSError as error:
        raise UnreachableError(f"{url} does not answer: {error}", "see `prt local status`") from error


def stop(entry: registry.Entry) -> None:
    """Stop a project, and wait until its processes and files are gone. Raise UnreachableError if it stays."""
    path = Path(entry.path)
    with suppress(ProcessLookupError):
        os.kill(entry.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while registry.is_running(path):
        if time.monotonic() > until:
            raise UnreachableError(
                f"{entry.what} does not stop", f"kill -9 {entry.pid} leaves nothing either"
            )
        time.sleep(0.02)
