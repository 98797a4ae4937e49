"""The port of an embedded project, which is bound before anything is started or announced."""

from __future__ import annotations

import errno
import socket

from prt.config.local_stack import Stack
from prt.errors import UsageError
from prt.inputs import Input
from prt.local.project.options import DEFAULT_PORT

HOST = "127.0.0.1"
BACKLOG = 1024


def bound(port: int | None) -> socket.socket:
    """Return a socket that listens; its connections wait to be served.

    Args:
        port: The port; None takes 54321, or a free one if that is taken, and 0 takes a free one.

    Raises:
        UsageError: The port is taken, or we may not bind it.
    """
    if port is not None:
        return _bind(port)
    try:
        return _bind(DEFAULT_PORT)
    except UsageError:
        return _bind(0)


def of_stack(stack: Stack, port: int | None) -> socket.socket:
    """Return a socket that listens for the API of a local project of Supabase's CLI.

    Args:
        stack: The project.
        port: Another port than that of the project, if it is not None.

    Raises:
        UsageError: Its port, or that of its database, is taken.
    """
    hint = (
        "`supabase stop` or `prt local stop` frees it, or change it in supabase/config.toml; without "
        f"{Input.LIKE_CLI} any port will do"
    )
    _bind(stack.database_port, hint).close()
    return _bind(stack.api_port if port is None else port, hint)


def _bind(port: int, hint: str | None = None) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off for TCP by its name alone: without it
    # a response's body waits some 40 ms for the acknowledgement of its head.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # Until one of them listens, several processes can bind the same port with that option.
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise UsageError(
            f"port {port} is taken" if is_taken else f"can't listen on port {port}: {error}",
            hint or f"choose another with {Input.PORT}, or 0 for a free one",
        ) from error
    return listener
