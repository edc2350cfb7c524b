"""Serves the built static files and gives templates their hashed names."""

import re
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

from core.assets import BUILT, SOURCE, build

_HASHED = re.compile(r"\.[0-9a-f]{12}\.[a-z0-9]+$")


def install(app: Flask) -> None:
    """Build what changed, serve it, and give templates `asset(name)`; a wrong name is our bug."""
    names = build(SOURCE, BUILT)

    def asset(name: str) -> str:
        return f"/static/{names[name]}"

    app.jinja_env.globals["asset"] = asset
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(BUILT),
        prefix="static/",
        immutable_file_test=lambda _path, url: bool(_HASHED.search(url)),
        allow_all_origins=False,
        add_headers_function=_guard,
    )


def _guard(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
