"""One attempt to open a websocket, whose failures become errors of `prt`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import websockets
from websockets.asyncio.client import ClientConnection, connect

from prt.errors import ProtocolError
from prt.stream.reaching import failure_of, socket_keywords
from prt.stream.socket import refusals
from prt.stream.socket.connection import MessageConnection
from prt.stream.socket.failures import HandshakeRefusedError, NoAnswerError, VersionRefusedError

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""The largest frame that is accepted."""
_FORBIDDEN = 403


async def connected(
    url: str, host: str, on_message: Callable[[bytes], None], *, seconds: float, leave_seconds: float
) -> ClientConnection:
    """Open a websocket.

    Args:
        url: The URL, with its query.
        host: The host and port, as error messages name them.
        on_message: Receives every message.
        seconds: How long the handshake may take.
        leave_seconds: How long the closing handshake may take.

    Raises:
        HandshakeRefusedError: If the server answers with another HTTP status than 101.
        UnreachableError: If there is no answer, or a proxy or TLS prevents it.
        ProtocolError: If the answer is not one of a websocket.
    """
    try:
        return await connect(
            url,
            # The library only calls it, so a factory can replace the class.
            create_connection=partial(MessageConnection, on_message=on_message),  # type: ignore[arg-type]
            open_timeout=seconds,
            close_timeout=leave_seconds,
            max_size=MAX_FRAME_BYTES,
            # Realtime supports no compression. Its own heartbeats replace pings, which a paused
            # reader would leave unanswered.
            compression=None,
            ping_interval=None,
            **socket_keywords(url),
        )
    except websockets.InvalidStatus as exc:
        status, body = exc.response.status_code, exc.response.body or b""
        error = VersionRefusedError if status == _FORBIDDEN and not body else HandshakeRefusedError
        raise error(host, refusals.of_handshake(status, body)) from exc
    except TimeoutError as exc:
        raise failure_of(exc, url) or NoAnswerError(host) from exc
    except (OSError, websockets.InvalidURI, websockets.InvalidHandshake, ValueError) as exc:
        # An invalid certificate raises a ValueError too.
        raise failure_of(exc, url) or ProtocolError(
            f"{host} doesn't speak websocket ({type(exc).__name__})", "is this a Supabase project's URL?"
        ) from exc
