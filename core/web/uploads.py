"""Files in forms: only views that ask for them accept large bodies."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from flask import Flask, current_app, request

LARGEST_BODY = 48 * 1024 * 1024


def takes_files(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let this view be sent up to three photos at once; `core.intake` limits each file."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Widen the limit before the body is looked at; must come before every other guard."""
    app.before_request(_allow_large_body)


def uploaded(name: str) -> list[bytes]:
    """Return the content of every file chosen in the field `name`; empty fields count for none."""
    contents = []
    for file in request.files.getlist(name):
        with closing(file):
            contents += [file.read()] if file.filename else []
    return contents


def _allow_large_body() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "takes_files", False):
        request.max_content_length = LARGEST_BODY
