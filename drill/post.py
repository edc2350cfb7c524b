"""A post office that keeps every mail it was given."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from tests.postgres import free_port


@dataclass(frozen=True, slots=True)
class Letter:
    """What counts of a mail: who it is for, what about, and its own mark."""

    to: str
    subject: str
    mark: str


@dataclass
class PostOffice:
    """Takes every mail; the shop believes that it was delivered."""

    letters: list[Letter] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802
        """Keep one mail."""
        content = envelope.content
        message = message_from_bytes(
            content if isinstance(content, bytes) else b"", policy=policy.default
        )
        letter = Letter(
            envelope.rcpt_tos[0], str(message["Subject"]), str(message["Message-ID"] or "")
        )
        with self.lock:
            self.letters.append(letter)
        return "250 OK"

    def kept(self) -> list[Letter]:
        """Return every mail that came until now."""
        with self.lock:
            return list(self.letters)


@contextmanager
def open_post_office() -> Iterator[tuple[PostOffice, str]]:
    """Open a post office; give it and the address the shop sends to."""
    office = PostOffice()
    port = free_port()
    controller = Controller(office, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield office, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()
