"""What every stand-in is: a real HTTP server on loopback, with an illness that can be chosen."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

LARGEST = 1_000_000


@dataclass(slots=True)
class Trouble:
    """How the stand-in ails: none of it by default; after `times` answers it is well again.

    `lose` does what was asked and hangs up without a word.
    """

    delay: float = 0.0
    drip: bool = False
    status: int = 0
    garbage: bool = False
    hang_up: bool = False
    lose: bool = False
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> list[tuple[str, str]]:
        """Return the fields of a form, in their order."""
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: JSON of `body` unless it is text already."""

    body: Any = field(default_factory=dict)
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        """Return the answer's bytes."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


class StandIn:
    """A server on 127.0.0.1; `answer` says what it does with a request."""

    def __init__(self, port: int = 0) -> None:
        """Listen at `port`, or at a free one."""
        self.trouble = Trouble()
        self.asked: list[Asked] = []
        self.lock = threading.RLock()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stand_in._serve(self)

            do_POST = do_GET  # noqa: N815 - the names are the library's

            def log_message(self, *_words: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Said:
        """Say what this service says."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until the process is ended."""
        self._server.serve_forever()

    def ail(self, **illness: Any) -> None:
        """Ail like that from now on; without arguments, be well."""
        with self.lock:
            self.trouble = Trouble(**illness)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            asked = _read(handler)
            with self.lock:
                self.asked.append(asked)
                trouble = self._next_trouble(asked)
            time.sleep(trouble.delay)
            if trouble.hang_up:
                return
            if trouble.garbage:
                handler.wfile.write(b"\x00\xffhello, this is no HTTP\r\n\r\n")
            elif trouble.status:
                _write(handler, Said({"error": {"message": "ill"}}, trouble.status))
            else:
                said = self.answer(asked)
                if not trouble.lose:
                    _write(handler, said, drip=trouble.drip)

    def _next_trouble(self, asked: Asked) -> Trouble:
        if not self.is_api(asked.path):
            return Trouble()
        trouble = self.trouble
        if trouble.times is not None:
            trouble.times -= 1
            if trouble.times < 0:
                self.trouble = trouble = Trouble()
        return trouble

    def is_api(self, path: str) -> bool:
        """Say whether programs call this address; only there the stand-in is ever ill."""
        return not path.startswith("/pay")


def page(title: str, body: str) -> Said:
    """Return a plain page that works without any script."""
    head = f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title>'
    style = '<meta name="viewport" content="width=device-width">'
    return Said(f"{head}{style}<h1>{escape(title)}</h1>{body}", kind="text/html; charset=utf-8")


def hidden_form(address: str, buttons: Mapping[str, str], **fields: str) -> str:
    """Return a form with one button for each of `buttons`: value → words."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    pressed = "".join(
        f'<p><button name="do" value="{escape(value)}">{escape(words)}</button></p>'
        for value, words in buttons.items()
    )
    return f'<form method="post" action="{escape(address)}">{inputs}{pressed}</form>'


def see_other(address: str) -> Said:
    """Send a browser on."""
    return Said("", 303, "text/plain", {"Location": address})


def until_true(what: Callable[[], bool], *, tries: int, pause: float) -> bool:
    """Try again and again, as senders of events do; say whether it came true."""
    for number in range(tries):
        if what():
            return True
        time.sleep(pause * (number + 1))
    return False


def _read(handler: BaseHTTPRequestHandler) -> Asked:
    parts = urlsplit(handler.path)
    length = min(int(handler.headers.get("Content-Length") or 0), LARGEST)
    return Asked(
        method=handler.command,
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in handler.headers.items()},
        body=handler.rfile.read(length),
    )


def _write(handler: BaseHTTPRequestHandler, said: Said, *, drip: bool = False) -> None:
    handler.send_response(said.status)
    handler.send_header("Content-Type", said.kind)
    handler.send_header("Content-Length", str(len(said.raw)))
    for name, value in said.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if not drip:
        handler.wfile.write(said.raw)
        return
    for number in range(len(said.raw)):
        handler.wfile.write(said.raw[number : number + 1])
        handler.wfile.flush()
        time.sleep(0.2)
