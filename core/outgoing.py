"""The one way out to other people's servers: nobody waits for them longer than was said.

A timeout of the library counts from one byte to the next, so a server that drips keeps its caller
for hours. Here a whole call has a deadline: whoever waits goes on, and the connection is cut
behind them. A service that failed five times in a row is left alone but for one probe every
two seconds. Nothing here may be called inside a transaction: its locks would wait along.
"""

import json as json_text
import logging
import socket
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from time import monotonic
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from core.errors import Invalid, Unavailable
from core.i18n import lazy

T = TypeVar("T")
MOST_AT_ONCE = 8
FAILURES_TO_OPEN = 5
PROBE_SECONDS = 2.0
SECONDS = 3.0
CONNECT_SECONDS = 1.0
SILENCE_SECONDS = 2.0
MOST_BYTES = 1_000_000
PIECE = 16_384
OUT_OF_ORDER = 500
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 3
PUBLIC_BREAKERS = 64

log = logging.getLogger(__name__)


class NoAnswer(Unavailable):
    """The other side is away, too slow, talks garbage or says itself that it is out of order."""

    def __init__(self, service: str, why: str) -> None:
        super().__init__(lazy("The other side does not answer right now. Try again in a minute."))
        self.service = service
        self.why = why

    def __str__(self) -> str:
        """Return what the log wants to know; people are shown `message`."""
        return f"{self.service}: {self.why}"


class NotPublic(Invalid):
    """The address is none that a stranger may send us to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: header names in small letters, at most so many bytes."""

    service: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body read as JSON, or raise NoAnswer: garbage is no answer."""
        try:
            return json_text.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NoAnswer(self.service, "what it says is no JSON") from error


@dataclass(slots=True)
class _Breaker:
    """How a service fared lately. Five failures in a row open it; one success closes it."""

    failures: int = 0
    next_probe: float = 0.0
    slots: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(MOST_AT_ONCE)
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def may_call(self) -> bool:
        with self.lock:
            if self.failures < FAILURES_TO_OPEN:
                return True
            if monotonic() < self.next_probe:
                return False
            self.next_probe = monotonic() + PROBE_SECONDS
            return True

    def failed(self) -> None:
        with self.lock:
            self.failures += 1
            self.next_probe = monotonic() + PROBE_SECONDS

    def succeeded(self) -> None:
        with self.lock:
            self.failures = 0


@dataclass(slots=True)
class _Leash:
    """Every connection that one call has opened, so that all of them can be cut."""

    held: list[socket.socket] = field(default_factory=list)
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, opened: socket.socket) -> None:
        with self.lock:
            if self.over:
                raise TimeoutError("the call was given up")
            # TLS takes the socket over; a second handle on it stays ours.
            self.held.append(opened.dup())

    def let_go(self, *, cut: bool = False) -> None:
        with self.lock:
            self.over = True
            for connection in self.held:
                if cut:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self.held.clear()


@dataclass(slots=True)
class _Call(Generic[T]):
    """One call on its own thread."""

    run: Callable[[], T]
    leash: _Leash = field(default_factory=_Leash)
    ended: threading.Event = field(default_factory=threading.Event)
    result: T | None = None
    error: BaseException | None = None

    def perform(self, slots: threading.BoundedSemaphore) -> None:
        _of_thread.leash = self.leash
        try:
            self.result = self.run()
        except BaseException as error:  # noqa: BLE001 - raised again where the caller waits
            self.error = error
        finally:
            self.leash.let_go()
            slots.release()
            self.ended.set()


_breakers: dict[str, _Breaker] = defaultdict(_Breaker)
_of_thread = threading.local()


def ask(service: str, call: Callable[[], T], *, seconds: float = SECONDS) -> T:
    """Return what `call` returns, waiting `seconds` at the very most, or raise NoAnswer.

    An OSError or NoAnswer of the call is an outage and counts towards the breaker of `service`;
    whatever else it raises passes through, for then someone did answer. At most eight calls to one
    service run at once, so that a slow one cannot take every thread there is.
    """
    breaker = _breakers[service]
    if not breaker.may_call():
        raise NoAnswer(service, "left alone after failing again and again")
    deadline = monotonic() + seconds
    if not breaker.slots.acquire(timeout=seconds):
        raise NoAnswer(service, f"{MOST_AT_ONCE} calls are waiting already")
    running = _Call(call)
    thread = threading.Thread(
        target=running.perform, args=(breaker.slots,), name=f"ask {service}", daemon=True
    )
    try:
        thread.start()
    except BaseException:
        breaker.slots.release()
        raise
    if not running.ended.wait(max(deadline - monotonic(), 0)):
        running.leash.let_go(cut=True)
        breaker.failed()
        log.warning("no answer in time", extra={"service": service, "seconds": seconds})
        raise NoAnswer(service, f"no answer within {seconds:g} s")
    if isinstance(running.error, OSError | NoAnswer):
        breaker.failed()
        log.warning("no answer", extra={"service": service, "why": str(running.error)[:200]})
        if isinstance(running.error, NoAnswer):
            raise running.error
        raise NoAnswer(service, type(running.error).__name__) from running.error
    breaker.succeeded()
    if running.error is not None:
        raise running.error
    return running.result  # type: ignore[return-value]


def request(
    service: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    data: Mapping[str, str] | str | bytes | None = None,
    seconds: float = SECONDS,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Return the server's answer within `seconds`, or raise NoAnswer.

    No redirect is followed. An answer of 500 or above, one longer than `most_bytes` and one that
    is not HTTP are outages as well; a 4xx is an answer, and the caller's to read.
    """

    def call() -> Answer:
        answer = fetch(
            *(service, method, url),
            headers=headers,
            params=params,
            json=json,
            data=data,
            most_bytes=most_bytes,
        )
        if answer.status >= OUT_OF_ORDER:
            raise NoAnswer(service, f"it says {answer.status}")
        return answer

    return ask(service, call, seconds=seconds)


def fetch(
    service: str, method: str, url: str, *, most_bytes: int = MOST_BYTES, **sent: Any
) -> Answer:
    """Return the server's answer, whatever its status; only for a call that `ask` runs.

    `sent` is headers, params, json, data as `request` takes them. Raises OSError or NoAnswer.
    """
    with requests.Session() as session:
        # Neither a proxy nor a password of the machine's environment belongs to these calls.
        session.trust_env = False
        session.mount("http://", _LeashedAdapter())
        session.mount("https://", _LeashedAdapter())
        with session.request(
            method,
            url,
            **sent,
            timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for piece in response.iter_content(PIECE):
                body += piece
                if len(body) > most_bytes:
                    raise NoAnswer(service, f"more than {most_bytes} bytes")
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(service, response.status_code, names, bytes(body))


def get_public(url: str, *, seconds: float = SECONDS, most_bytes: int = MOST_BYTES) -> Answer:
    """Return what lies at an address that a stranger wrote down, or raise NotPublic or NoAnswer.

    Only http and https on their own ports, and only machines of the open internet: the name is
    looked up first, and who is really at the other end is looked at again before anything is said,
    so neither a name that changes its mind nor a redirect leads into the house.
    """
    answer = Answer("", 0, {}, b"")
    for _hop in range(MOST_REDIRECTS + 1):
        host = _public_host(url)
        # One bad host must not stop the others, and hosts without number must not fill the memory.
        service = f"public web {zlib.crc32(host.encode()) % PUBLIC_BREAKERS}"

        def call(url: str = url, service: str = service, host: str = host) -> Answer:
            for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
                _refuse_private(str(found[4][0]))
            _of_thread.public_only = True
            return fetch(service, "GET", url, most_bytes=most_bytes)

        answer = ask(service, call, seconds=seconds)
        if answer.status not in REDIRECTS or "location" not in answer.headers:
            return answer
        url = urljoin(url, answer.headers["location"])
    raise NotPublic(lazy("This address leads on and on. Give the address of the file itself."))


def _public_host(url: str) -> str:
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or port not in {None, 80, 443}:
        raise NotPublic(lazy("Write the whole address, beginning with https://."))
    return host


def _refuse_private(address: str) -> None:
    """Raise NotPublic for an address that is not on the open internet."""
    peer = ip_address(address.partition("%")[0])
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped
    if not peer.is_global or peer.is_multicast:
        raise NotPublic(lazy("This address does not lie on the open internet."))


def forget() -> None:
    """Forget how every service fared, as in a new process."""
    _breakers.clear()


class _Leashed(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _leashed(super()._new_conn())


class _LeashedTls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _leashed(super()._new_conn())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Leashed


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _LeashedTls


class _LeashedAdapter(HTTPAdapter):
    def init_poolmanager(self, *words: Any, **named: Any) -> None:
        super().init_poolmanager(*words, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _leashed(opened: socket.socket) -> socket.socket:
    if getattr(_of_thread, "public_only", False):
        try:
            _refuse_private(str(opened.getpeername()[0]))
        except NotPublic:
            opened.close()
            raise
    leash: _Leash | None = getattr(_of_thread, "leash", None)
    if leash is not None:
        try:
            leash.hold(opened)
        except OSError:
            opened.close()
            raise
    return opened
