"""A client of the shop that speaks plain HTTP, and sometimes hangs up before the answer."""

import http.client
import random
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from drill.notes import Notes
from drill.wires import AT_ONCE

LONGEST_WAIT = 20.0
FORM_TYPE = "application/x-www-form-urlencoded"
OUR_FAULT = 500
AWAY = 503
TOO_OFTEN = 429


class NoAnswer(Exception):  # noqa: N818 - what happened
    """The request was sent, perhaps, and nobody knows what became of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    status: int
    location: str
    text: str

    def hidden(self, name: str) -> str | None:
        """Return the value of a hidden field, None where the page has none."""
        found = re.search(f'name="{name}" value="([^"]*)"', self.text)
        return found.group(1) if found else None


@dataclass
class Browser:
    """One person's browser: cookies, and a hand that sometimes pulls the plug."""

    port: int
    chance: random.Random
    notes: Notes
    cookies: dict[str, str] = field(default_factory=dict)
    hangs_up: float = 0.0

    def get(self, path: str) -> Page:
        """Ask for a page; NoAnswer when the wire broke, the shop is away or nothing came."""
        return self._ask("GET", path, None)

    def post(self, path: str, form: dict[str, str]) -> Page:
        """Send a form as a browser does; NoAnswer also when we hang up by chance ourselves."""
        body = urlencode(form).encode()
        return self._ask("POST", path, body, {"Content-Type": FORM_TYPE})

    def call(self, path: str, body: bytes, headers: dict[str, str]) -> Page:
        """Send what a program sends: a body of its own, with headers that prove it."""
        return self._ask("POST", path, body, headers | {"Content-Type": "application/json"})

    def _ask(
        self, method: str, path: str, body: bytes | None, more: dict[str, str] | None = None
    ) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_WAIT)
        headers = {
            "Sec-Fetch-Site": "same-origin",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **(more or {}),
        }
        started = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            if body is not None and self.chance.random() < self.hangs_up:
                self._hang_up(connection)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(type(error).__name__) from error
        finally:
            connection.close()
            self.notes.took(time.monotonic() - started)
        self._keep_cookies(answer)
        if answer.status == AWAY:
            raise NoAnswer("the shop said that it is away")
        if answer.status >= OUR_FAULT:
            self.notes.fault(f"{method} {path.partition('?')[0]}: answered {answer.status}")
            raise NoAnswer(f"answered {answer.status}")
        return Page(answer.status, answer.headers.get("Location", ""), text)

    def _hang_up(self, connection: http.client.HTTPConnection) -> None:
        time.sleep(self.chance.choice((0.0, 0.01, 0.05)))
        if connection.sock is not None:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.notes.count("hung up before the answer")
        raise NoAnswer("hung up")

    def _keep_cookies(self, answer: http.client.HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie") or []:
            try:
                cookies = SimpleCookie(line)
            except CookieError:
                continue
            self.cookies.update({name: morsel.value for name, morsel in cookies.items()})


def insist(
    ask: Callable[[], Page], *, until: Callable[[], bool], pause: float = 0.1
) -> Page | None:
    """Ask until there is an answer; None when the time is over before there was one."""
    while not until():
        try:
            return ask()
        except NoAnswer:
            time.sleep(pause)
    return None
