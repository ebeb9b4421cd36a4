"""A TCP door before a server: it can be shut, hold back answers, cut connections in the middle, or answer by itself."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class Door:
    """Forwards connections to a port on loopback, each way in a thread, until it is closed."""

    def __init__(
        self,
        port: int,
        *,
        changed: Callable[[bytes], bytes] | None = None,
        wrapped: Callable[[socket.socket], socket.socket] | None = None,
    ) -> None:
        """`changed`: what becomes of each piece of an answer; `wrapped`: what becomes of a connection, such as TLS."""
        self._wrapped = wrapped
        self._target = port
        self._changed = changed
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        self.is_open = threading.Event()
        """While it is cleared, nothing of an answer passes."""
        self.is_open.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections at once."""
        with self._guard:
            connections, self._connections = self._connections, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def close(self) -> None:
        """Take no more connections, and end all."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        self.is_open.set()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                inside, _ = self._listening.accept()
            except OSError:
                return
            try:
                inside = self._wrapped(inside) if self._wrapped else inside
                outside = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                inside.close()
                continue
            with self._guard:
                self._connections |= {inside, outside}
            threading.Thread(target=self._forward, args=(inside, outside, False), daemon=True).start()
            threading.Thread(target=self._forward, args=(outside, inside, True), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                if is_answer:
                    self.is_open.wait()
                    piece = self._changed(piece) if self._changed else piece
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
