"""One line per request, with nothing in it that names a person: no path, no query, no address."""

import logging
import re
import secrets
import time

from flask import Flask, Response, g, has_request_context, request

log = logging.getLogger("shop.request")
_GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)


class _RequestId(logging.Filter):
    """Adds the number of the request to whatever is logged while it is answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, with the number in its facts."""
        if has_request_context() and "request_id" in g:
            record.facts = {"request_id": g.request_id, **getattr(record, "facts", {})}
        return True


def install(app: Flask) -> None:
    """Give every request a number and a line; must come before whatever may refuse one."""
    app.before_request(_begin)
    app.after_request(_end)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_RequestId())


def template_of_request() -> str:
    """Return the address as the route table writes it, without what people put into it."""
    return request.url_rule.rule if request.url_rule is not None else "(none)"


def seconds_so_far() -> float:
    """Return how long this request has taken."""
    begun: float = g.begun
    return time.perf_counter() - begun


def _begin() -> None:
    g.begun = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    # Short, because people read it aloud to support.
    g.request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(5)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    log.info(
        "request",
        extra={
            "facts": {
                "route": template_of_request(),
                "method": request.method if request.method in _METHODS else "OTHER",
                "status": response.status_code,
                "ms": round(seconds_so_far() * 1000, 1),
            }
        },
    )
    return response


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
