"""One attempt at a websocket's handshake; what the library says of its failure becomes an error of ours."""

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
_FORBIDDEN = 403


async def connected(
    url: str, host: str, on_message: Callable[[bytes], None], *, seconds: float, leave_seconds: float
) -> ClientConnection:
    """Raises HandshakeRefusedError, UnreachableError, ProtocolError; `host` is what they name."""
    try:
        return await connect(
            url,
            # A factory as good as a class: it is only called.
            create_connection=partial(MessageConnection, on_message=on_message),  # type: ignore[arg-type]
            open_timeout=seconds,
            close_timeout=leave_seconds,
            max_size=MAX_FRAME_BYTES,
            # Realtime negotiates no compression; its own heartbeats replace pings, which a paused
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
        # A certificate that is not valid is a ValueError too.
        raise failure_of(exc, url) or ProtocolError(
            f"{host} doesn't speak websocket ({type(exc).__name__})", "is this a Supabase project's URL?"
        ) from exc
