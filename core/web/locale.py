"""English lives under /en: the same addresses, the same views.

The prefix moves from PATH_INFO to SCRIPT_NAME before routing, so every url_for() on an English
page is English by itself.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, has_request_context, request
from flask_babel import Babel
from markupsafe import Markup

from core import i18n

PREFIX = "/en"
StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class LanguagePrefix:
    """WSGI layer that reads the language from the address."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, with /en taken off the path and remembered."""
        path = environ.get("PATH_INFO", "")
        if path == PREFIX or path.startswith(PREFIX + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + PREFIX
            environ["PATH_INFO"] = path[len(PREFIX) :] or "/"
            environ["shop.language"] = "en"
        return self._app(environ, start_response)


def install(app: Flask) -> None:
    """Set up translations; outside a request (worker, commands) the language is Vietnamese."""
    i18n.compile_translations()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(i18n.SOURCES.parent)
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Ho_Chi_Minh"
    Babel(app, default_locale="vi", locale_selector=_language_of_this_page)
    app.wsgi_app = LanguagePrefix(app.wsgi_app)  # type: ignore[method-assign]
    app.jinja_env.globals["_"] = _in_templates
    app.jinja_env.globals["language"] = _language_of_this_page
    app.jinja_env.globals["other_language_url"] = other_language_url
    app.jinja_env.globals["canonical_url"] = canonical_url
    app.jinja_env.filters["money"] = i18n.show_money
    app.jinja_env.filters["day"] = i18n.show_day
    app.jinja_env.filters["moment"] = i18n.show_moment
    app.jinja_env.globals["public_url"] = app.config["SETTINGS"].PUBLIC_URL


def _in_templates(msgid: str, **values: object) -> Markup:
    """Return `msgid` translated, values escaped; every template here is HTML or XML.

    The same as Jinja's own gettext, which costs ten times as much, a hundred times a page.
    """
    tongue = _language_of_this_page()
    return _pattern(tongue, msgid) % values if values else _words(tongue, msgid)


@lru_cache(maxsize=8_192)
def _words(tongue: str, msgid: str) -> Markup:
    return _pattern(tongue, msgid) % {}


def _pattern(tongue: str, msgid: str) -> Markup:
    return Markup(i18n.remembered(tongue, msgid))  # noqa: S704 - our own words, never a visitor's


def other_language_url() -> str:
    """Return this very page in the other language."""
    # Broken UTF-8 in the query is refused, by a page that links to its other language too.
    query = request.query_string.decode("utf-8", "ignore")
    path = f"{request.path}?{query}" if query else request.path
    return path if request.script_root.endswith(PREFIX) else PREFIX + path


def canonical_url(path: str | None = None, *, tongue: str | None = None) -> str:
    """Return the absolute public address of `path` (this page without its query by default)."""
    base = current_app.config["SETTINGS"].PUBLIC_URL
    prefix = PREFIX if (tongue or _language_of_this_page()) == "en" else ""
    return f"{base}{prefix}" + (path if path is not None else request.path)


def _language_of_this_page() -> str:
    if has_request_context():
        return str(request.environ.get("shop.language", "vi"))
    return "vi"
