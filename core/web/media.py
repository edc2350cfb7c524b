"""Stored pictures by address, and private files for the views that may show them."""

from collections.abc import Iterator
from typing import BinaryIO

from flask import Blueprint, Response, current_app, request
from flask_babel import gettext as _

from core.errors import NotFound
from core.i18n import lazy
from core.storage import PRIVATE, Storage, StorageAway, checked, type_of
from core.web.requests import error_page, public

blueprint = Blueprint("media", __name__)
SHOWN = {"image/webp", "image/avif", "image/jpeg", "image/png"}
HARMLESS = "sandbox; default-src 'none'"
CHUNK = 64 * 1024


@blueprint.get("/media/<path:key>")
@public
def file(key: str) -> Response:
    """Show a stored picture. Its name carries its content, so it may be kept for ever."""
    if key.startswith(PRIVATE) or type_of(key) not in SHOWN:
        raise NotFound(lazy("There is no such file."))
    stored = storage().stat(checked(key))
    response = Response(mimetype=type_of(key))
    response.set_etag(stored.etag)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Content-Security-Policy"] = HARMLESS
    if request.if_none_match.contains(stored.etag):
        response.status_code = 304
        return response
    response.content_length = stored.size
    if request.method != "HEAD":
        _stream(response, key)
    return response


def private_file(key: str, *, name: str) -> Response:
    """Return a private file as a download called `name`; who may have it is the view's to say."""
    stored = storage().stat(key)
    response = Response(mimetype=type_of(key))
    response.content_length = stored.size
    response.headers["Content-Security-Policy"] = HARMLESS
    response.headers["Cache-Control"] = "no-store"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    _stream(response, key)
    return response


def storage() -> Storage:
    """Return the shop's storage."""
    found: Storage = current_app.extensions["storage"]
    return found


@blueprint.app_template_global()
def media(key: str) -> str:
    """Return the address of a stored picture, the same in every language."""
    return f"/media/{key}"


@blueprint.app_errorhandler(StorageAway)
def _away(error: StorageAway) -> Response:
    current_app.logger.error("the storage did not answer", exc_info=error)
    page = error_page(503, _("Files cannot be stored or shown right now. Try again in a minute."))
    page.headers["Retry-After"] = "30"
    return page


def _stream(response: Response, key: str) -> None:
    opened = storage().open_stream(key)
    response.call_on_close(opened.close)
    response.response = _pieces(opened)


def _pieces(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while piece := opened.read(CHUNK):
            yield piece
