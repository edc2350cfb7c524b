"""Wires that can be cut: small TCP proxies between clients and shop, and shop and database."""

import select
import socket
import struct
import threading
from contextlib import suppress

CHUNK = 65_536
# Closing with this option is a reset: the other side sees a broken wire, not a goodbye.
AT_ONCE = struct.pack("ii", 1, 0)
# How a driver ends a transaction: one simple question of the PostgreSQL protocol.
COMMIT = b"COMMIT\x00"
COMMITTED = b"COMMIT\x00"
PATIENCE = 5.0


class Wire:
    """Listens on a port of its own and carries every connection on to `target`."""

    def __init__(self, target: int) -> None:
        """Carry connections to this port on loopback."""
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        self._lock = threading.Lock()
        self._carried: set[socket.socket] = set()
        self._to_lose = 0
        self._closed = False
        self.commits_lost = 0
        threading.Thread(target=self._accept, name=f"wire-{self.port}", daemon=True).start()

    def cut(self) -> int:
        """Break every connection there is; return how many there were."""
        with self._lock:
            broken = list(self._carried)
        for end in broken:
            _break(end)
        return len(broken) // 2

    def lose_commits(self, number: int) -> None:
        """Carry the next so many COMMITs to the database, but not its answers back."""
        with self._lock:
            self._to_lose = number

    def close(self) -> None:
        """Break everything and listen no more."""
        self._closed = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listening.accept()
            except OSError:
                if self._closed:
                    return
                continue  # whoever called has hung up already
            threading.Thread(target=self._open, args=(near,), daemon=True).start()

    def _open(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=2)
        except OSError:
            _break(near)
            return
        far.settimeout(None)
        with self._lock:
            self._carried |= {near, far}
        try:
            self._carry(near, far)
        except (OSError, ValueError):
            pass  # a wire that was cut while it carried
        finally:
            with self._lock:
                self._carried -= {near, far}
            _break(near)
            _break(far)

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            readable, _, _ = select.select([near, far], [], [])
            for source in readable:
                data = source.recv(CHUNK)
                if not data:
                    return
                if source is near and COMMIT in data and self._shall_lose():
                    self._lose(data, far)
                    return
                (far if source is near else near).sendall(data)

    def _shall_lose(self) -> bool:
        with self._lock:
            lose = self._to_lose > 0
            self._to_lose -= lose
        return lose

    def _lose(self, question: bytes, far: socket.socket) -> None:
        far.sendall(question)
        far.settimeout(PATIENCE)
        if COMMITTED in far.recv(CHUNK):
            self.commits_lost += 1


def _break(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    # Shutting down first wakes whoever waits for this end in another thread.
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
