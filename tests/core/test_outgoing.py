"""Whatever a server of others does, the caller goes on in time, and the house stays whole."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest

from core import outgoing
from core.outgoing import FAILURES_TO_OPEN, NoAnswer, ask, request
from tests.postgres import free_port
from tests.servers import wait_until

SHORT = 0.4
names = count()


class Server:
    """A server that takes connections and does with each what it was told."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self.behave = behave
        self.calls = 0
        self.cut = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/x"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self.listener.accept()
                self.calls += 1
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller:
            try:
                caller.recv(65_536)
                self.behave(caller)
            except OSError:
                self.cut.set()


@pytest.fixture
def service() -> str:
    """A service nobody has called yet."""
    return f"service-{next(names)}"


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    servers: list[Server] = []

    def start(behave: Callable[[socket.socket], None]) -> Server:
        servers.append(Server(behave))
        return servers[-1]

    yield start
    for server in servers:
        server.listener.close()


def says(text: str) -> Callable[[socket.socket], None]:
    return lambda caller: caller.sendall(text.encode())


def drips(beginning: str, piece: str) -> Callable[[socket.socket], None]:
    def behave(caller: socket.socket) -> None:
        caller.sendall(beginning.encode())
        for _ in range(600):
            time.sleep(0.05)
            caller.sendall(piece.encode())

    return behave


def test_an_answer_comes_back_whole(service: str, serve: Callable[..., Server]) -> None:
    server = serve(says('HTTP/1.1 404 Nothing\r\nX-Kind: a\r\nContent-Length: 8\r\n\r\n{"a": 1}'))

    answer = request(service, "GET", server.url)

    assert (answer.status, answer.headers["x-kind"], answer.json()) == (404, "a", {"a": 1})


def test_a_dead_port_is_no_answer(service: str) -> None:
    with pytest.raises(NoAnswer):
        request(service, "GET", f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize(
    "behave",
    [
        lambda _caller: time.sleep(5),
        drips("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"),
        drips("HTTP/1.1 200 OK\r\nX-Slow: ", "y"),
        drips("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nz\r\n"),
    ],
    ids=["silent", "dripping body", "dripping headers", "dripping chunks"],
)
def test_a_slow_server_holds_nobody(
    service: str, serve: Callable[..., Server], behave: Callable[[socket.socket], None]
) -> None:
    server = serve(behave)
    begun = time.monotonic()

    with pytest.raises(NoAnswer):
        request(service, "GET", server.url, seconds=SHORT)

    assert time.monotonic() - begun < SHORT + 1.5
    wait_until(lambda: not _threads_of(service))


def test_a_call_given_up_is_cut(service: str, serve: Callable[..., Server]) -> None:
    server = serve(drips("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"))

    with pytest.raises(NoAnswer):
        request(service, "GET", server.url, seconds=SHORT)

    assert server.cut.wait(5)


@pytest.mark.parametrize(
    "text",
    [
        "<html>hello</html>",
        "\x00\x01\x02",
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 200 + "\r\n",
        "HTTP/1.1 500 Ouch\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Later\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_garbage_is_no_answer(service: str, serve: Callable[..., Server], text: str) -> None:
    server = serve(says(text))

    with pytest.raises(NoAnswer):
        request(service, "GET", server.url)


def test_an_endless_answer_is_no_answer(service: str, serve: Callable[..., Server]) -> None:
    server = serve(says("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + "x" * 5000))

    with pytest.raises(NoAnswer):
        request(service, "GET", server.url, most_bytes=4000)


def test_what_is_no_json_is_no_answer(service: str, serve: Callable[..., Server]) -> None:
    server = serve(says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
    answer = request(service, "GET", server.url)

    with pytest.raises(NoAnswer):
        answer.json()


def test_a_redirect_is_not_followed(service: str, serve: Callable[..., Server]) -> None:
    server = serve(
        says("HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")
    )

    answer = request(service, "GET", server.url)

    assert (answer.status, server.calls) == (302, 1)


def test_the_breaker_opens_probes_and_closes(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr(outgoing, "monotonic", lambda: moment[0])
    calls: list[str] = []

    def fails() -> None:
        calls.append("failed")
        raise ConnectionError

    for _ in range(FAILURES_TO_OPEN + 3):
        with pytest.raises(NoAnswer):
            ask(service, fails)
    assert len(calls) == FAILURES_TO_OPEN

    moment[0] += outgoing.PROBE_SECONDS
    with pytest.raises(NoAnswer):
        ask(service, fails)
    with pytest.raises(NoAnswer):
        ask(service, lambda: "no second probe")
    assert len(calls) == FAILURES_TO_OPEN + 1

    moment[0] += outgoing.PROBE_SECONDS
    assert ask(service, lambda: "well again") == "well again"
    assert ask(service, lambda: "and open to all") == "and open to all"


def test_a_refusal_of_the_other_side_is_an_answer(service: str) -> None:
    def refuse() -> None:
        raise ValueError("card declined")

    for _ in range(FAILURES_TO_OPEN + 1):
        with pytest.raises(ValueError, match="card declined"):
            ask(service, refuse)

    assert ask(service, lambda: 1) == 1


def test_a_slow_service_takes_eight_threads_and_no_more(service: str) -> None:
    end = threading.Event()
    callers = [
        threading.Thread(target=_ask_quietly, args=(service, end.wait), daemon=True)
        for _ in range(outgoing.MOST_AT_ONCE + 4)
    ]
    for caller in callers:
        caller.start()
    wait_until(lambda: len(_threads_of(service)) == outgoing.MOST_AT_ONCE)

    with pytest.raises(NoAnswer):
        ask(service, lambda: 1, seconds=0.1)

    assert len(_threads_of(service)) == outgoing.MOST_AT_ONCE
    end.set()
    for caller in callers:
        caller.join(5)


def _ask_quietly(service: str, call: Callable[[], object]) -> None:
    with suppress(NoAnswer):
        ask(service, call, seconds=2)


def _threads_of(service: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"ask {service}"]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/a.jpg",
        "http://localhost/a.jpg",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/",
        "http://0/",
        "http://cho.example:5432/",
        "ftp://cho.example/a.jpg",
        "file:///etc/passwd",
        "/etc/passwd",
        "http://cho.example:99999/",
        "http://[",
    ],
)
def test_no_address_of_a_stranger_leads_into_the_house(address: str) -> None:
    with pytest.raises(outgoing.NotPublic):
        outgoing.get_public(address, seconds=2)


def test_a_name_that_changes_its_mind_is_refused_before_anything_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = iter(["93.184.216.34", "127.0.0.1"])
    real = socket.getaddrinfo

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def changing(_host: object, given: object, *_words: object, **_named: object) -> object:
            return real(next(asked), port if given else None, type=socket.SOCK_STREAM)

        monkeypatch.setattr(socket, "getaddrinfo", changing)
        with pytest.raises(outgoing.NotPublic):
            outgoing.get_public("http://cho.example/a.jpg", seconds=2)
        caller, _address = listener.accept()
        with caller:
            said = caller.recv(1_000)

    assert next(asked, None) is None
    assert said == b""


def test_a_redirect_into_the_house_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "http://cho.example/a": outgoing.Answer("x", 302, {"location": "/b"}, b""),
        "http://cho.example/b": outgoing.Answer("x", 301, {"location": "http://10.0.0.9/"}, b""),
    }
    monkeypatch.setattr(
        socket, "getaddrinfo",
        lambda host, *_words, **_named: [
            (0, 0, 0, "", ("10.0.0.9" if host == "10.0.0.9" else "93.184.216.34", 0))
        ],
    )  # fmt: skip
    monkeypatch.setattr(outgoing, "fetch", lambda _service, _method, url, **_rest: answers[url])

    with pytest.raises(outgoing.NotPublic):
        outgoing.get_public("http://cho.example/a", seconds=2)
