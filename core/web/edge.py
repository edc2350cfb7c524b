"""The edge: input that no column may hold and no page may show is refused before any view.

Control characters, broken UTF-8, lone surrogates, fields sent twice, forms and addresses too long:
each is answered 400, 413 or 414 with the field's name (reliability.md decision 5, §5.5).
"""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from flask import Flask, Response, current_app, request
from flask_babel import gettext as _

from core.text import has_control_characters
from core.web.requests import error_page

LONGEST_QUERY = 4_000
LONGEST_NAME = 40
FORM = "application/x-www-form-urlencoded"
BROKEN = "\ufffd"


def install(app: Flask) -> None:
    """Look at every request's address and form before anything else does."""
    app.before_request(_refuse_unreadable_address)
    app.before_request(_refuse_unreadable_form)
    app.before_request(_refuse_unreadable_fields)


def _refuse_unreadable_address() -> Response | None:
    if len(request.query_string) > LONGEST_QUERY:
        return error_page(414)
    path = request.environ.get("PATH_INFO", "").encode("latin-1", "replace")
    if _is_not_utf8(path) or _is_not_utf8(request.query_string):
        return error_page(400, _("The address holds characters that cannot be read."))
    return _refuse_broken(request.query_string)


def _refuse_unreadable_form() -> Response | None:
    if request.mimetype != FORM:
        return None
    if (request.content_length or 0) > current_app.config["MAX_FORM_MEMORY_SIZE"]:
        return error_page(413)
    # Looked at before werkzeug writes broken letters back as %FF, unseen.
    return _refuse_broken(request.get_data(cache=True, parse_form_data=False))


def _refuse_unreadable_fields() -> Response | None:
    for name, values in request.form.lists():
        if len(values) > 1:
            return error_page(
                400,
                _("The field “%(field)s” was sent more than once.", field=name[:LONGEST_NAME]),
            )
    for name, value in _fields():
        if has_control_characters(name + value) or BROKEN in name + value:
            return _unreadable(name)
    return None


def _refuse_broken(raw: bytes) -> Response | None:
    """Refuse fields whose bytes are no UTF-8: decoding leaves lone surrogates of them."""
    fields = parse_qsl(
        raw.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="surrogateescape"
    )
    for name, value in fields:
        if has_control_characters(name + value):
            return _unreadable(name)
    return None


def _unreadable(field: str) -> Response:
    shown = field[:LONGEST_NAME].encode("ascii", "replace").decode()
    return error_page(
        400, _("The field “%(field)s” holds characters that cannot be read.", field=shown)
    )


def _fields() -> Iterator[tuple[str, str]]:
    for source in (request.args, request.form):
        yield from source.items(multi=True)
    for name, value in (request.view_args or {}).items():
        if isinstance(value, str):
            yield name, value


def _is_not_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False
