"""What every request passes: the one transaction, its audience, and refusal pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

from flask import (
    Flask,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    render_template,
    request,
)
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from core.db import Database
from core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Throttled, Unavailable

STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    Invalid: 422,
    Conflict: 409,
    Forbidden: 403,
    Throttled: 429,
    Unavailable: 503,
}

# Addresses that programs read, who cannot read pages.
FOR_PROGRAMS = "/api/"


def database() -> Database:
    """Return the shop's database."""
    return cast("Database", current_app.extensions["database"])


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the only transaction of this request that may write."""
    with database().transaction() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """Open a session for reading."""
    with database().reading() as session:
        yield session


def audience(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name who may call this view; a view without an audience is never served."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.audience = name  # type: ignore[attr-defined]
        return view

    return mark


public = audience("public")


def is_fragment() -> bool:
    """Say whether htmx asks for the changed part only; the same address gives the whole page."""
    return request.headers.get("HX-Request") == "true"


def install(app: Flask) -> None:
    """Serve no view without an audience, and put a page behind every refusal."""
    app.before_request(_refuse_view_without_audience)
    app.register_error_handler(Refusal, refusal_page)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DataError, _data_error)
    # What SQLite's driver says of a number with more digits than a column has.
    app.register_error_handler(OverflowError, _data_error)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(PoolTimeout, _database_away)
    app.register_error_handler(Exception, _our_bug)


def refusal_page(refusal: Refusal) -> Response:
    """Answer a refusal with its status and a page in plain words."""
    status = next(code for family, code in STATUS.items() if isinstance(refusal, family))
    page = error_page(status, str(refusal.message) or None)
    if isinstance(refusal, Unavailable):
        current_app.logger.warning("someone outside did not answer", exc_info=refusal)
        page.headers["Retry-After"] = "30"
    if isinstance(refusal, Throttled):
        page.headers["Retry-After"] = str(refusal.retry_after)
    return page


def error_page(status: int, message: str | None = None) -> Response:
    """Return the error page of `status`, as data where programs ask; it needs no database."""
    if request.path.startswith(FOR_PROGRAMS):
        return problem(status, message)
    page = render_template("refused.html", status=status, message=message)
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def problem(status: int, message: str | None = None, **more: object) -> Response:
    """Return a refusal as application/problem+json (RFC 9457)."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, **more}
    answer = jsonify({**told, **({"detail": message} if message else {})})
    answer.status_code, answer.mimetype = status, "application/problem+json"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refuse_view_without_audience() -> Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and not hasattr(view, "audience"):
        return error_page(403)
    return None


def _http_error(error: HTTPException) -> Response:
    if (
        error.response is not None
        or (error.code or HTTPStatus.INTERNAL_SERVER_ERROR) < HTTPStatus.BAD_REQUEST
    ):
        return cast("Response", error.get_response())
    page = error_page(error.code or 500)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            page.headers[name] = value
    return page


def _data_error(error: DataError | OverflowError) -> Response:
    """Answer what the database could not store: the input is wrong, and retrying cannot help."""
    current_app.logger.warning("input the database refused", exc_info=error)
    return error_page(400)


def _database_away(error: Exception) -> Response:
    current_app.logger.error("the database did not answer", exc_info=error)
    page = error_page(503)
    page.headers["Retry-After"] = "10"
    return page


def _our_bug(error: Exception) -> Response:
    current_app.logger.error("unexpected error", exc_info=error)
    return error_page(500, g.get("request_id"))
