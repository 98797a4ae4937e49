"""A network link between `prt` and a project, which a test can cut."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from typing import Final

CHUNK: Final = 65536


class Link:
    """A TCP forwarder from a port of 127.0.0.1 to a project, which a test can cut.

    It accepts new connections until it is cut with `is_held`, and again after `mend`.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._is_held = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._accept, name="prt link", daemon=True)
        self._thread.start()

    def cut(self, *, is_held: bool = False) -> None:
        """Close all connections; with `is_held`, also refuse new ones until `mend` is called."""
        with self._lock:
            self._is_held = is_held
            pairs = list(self._pairs)
        for pair in pairs:
            for one in pair:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Accept new connections again."""
        with self._lock:
            self._is_held = False

    def close(self) -> None:
        """Close the port and all connections, and wait for the threads to end."""
        self._is_closed = True
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join()
        self._listener.close()
        self.cut(is_held=True)
        for thread in [one for one in threading.enumerate() if one.name == self._name]:
            thread.join()

    @property
    def _name(self) -> str:
        return f"prt link {self.port}"

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_closed:
                near.close()
                return
            with self._lock:
                is_held = self._is_held
            if is_held:
                near.close()
                continue
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._pairs.add((near, far))
            threading.Thread(target=self._forward, args=(near, far), name=self._name, daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, selectors.DefaultSelector() as selector, suppress(OSError):
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                    if not data:
                        self._forget(near, far)
                        return
                    key.data.sendall(data)
        self._forget(near, far)

    def _forget(self, near: socket.socket, far: socket.socket) -> None:
        with self._lock:
            self._pairs.discard((near, far))
