"""Calls a WSGI application as a server would, without a socket and without a test client."""

import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import unquote

Environ = dict[str, Any]


class WrongAnswer(Exception):  # noqa: N818 - it says what came
    """The application answered something else than a page."""


def environ(address: str) -> Environ:
    """Return what a server would hand over for a guest's first visit to `address`."""
    path, _mark, query = address.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path).encode("utf-8").decode("latin-1"),
        "RAW_URI": address,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_LANGUAGE": "vi",
        "HTTP_USER_AGENT": "benchmarks",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def call(app: Callable[..., Iterable[bytes]], given: Environ) -> bytes:
    """Return the body of a page, or raise WrongAnswer for any status but 200."""
    status: list[str] = []

    def start_response(line: str, *_more: object) -> Callable[[bytes], object]:
        status.append(line)
        return lambda _body: None

    # A server makes a new environment for each request, and applications write into it.
    answer = app({**given, "wsgi.input": BytesIO()}, start_response)
    try:
        body = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    if not status[0].startswith("200"):
        raise WrongAnswer(f"{given['RAW_URI']}: {status[0]}")
    return body
