"""The transparency log for everybody: what was signed, its proofs, and a page that checks."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, current_app, make_response, render_template, request

from core.errors import NotFound
from core.i18n import lazy as _
from core.web.requests import public, reading
from traceability import checkpoints, log
from traceability.notes import Proof
from traceability.views.data import known_keys

blueprint = Blueprint("log", __name__, url_prefix="/log")

TEXT = "text/plain; charset=utf-8"
FRESH = "public, max-age=5, stale-if-error=86400"
# An entry and a proof between two sizes never change.
FOR_EVER = "public, max-age=86400, immutable"
_VERIFIER = Path(__file__).parent.parent / "verify.html"


class NotSignedYet(NotFound):
    """The log has no checkpoint that covers this yet."""


@blueprint.get("")
@public
def index() -> Response:
    """Say in plain words what the log is and how anybody checks it."""
    with reading() as session:
        newest, size = checkpoints.latest(session), log.head(session).size
    settings = current_app.config["SETTINGS"]
    page = render_template(
        "traceability/log.html",
        newest=newest,
        size=size,
        keys=known_keys(settings) if newest else [],
    )
    return _kept(make_response(page), FRESH)


@blueprint.get("/checkpoint")
@public
def checkpoint() -> Response:
    """Give the newest checkpoint as a signed note."""
    with reading() as session:
        newest = checkpoints.latest(session)
    if newest is None:
        raise _not_signed()
    return _text(newest.note, FRESH)


@blueprint.get("/key")
@public
def key() -> Response:
    """Give every public key the log was signed with, one a line, the one of today first."""
    keys = known_keys(current_app.config["SETTINGS"])
    return _text("".join(f"{one.vkey}\n" for one in keys), FRESH)


@blueprint.get("/entry/<int:position>")
@public
def entry(position: int) -> Response:
    """Give an entry, exactly the bytes that were hashed."""
    with reading() as session:
        if position >= log.head(session).size:
            raise _not_there()
        found = log.get_entry(session, position)
    return _text(found.entry, FOR_EVER)


@blueprint.get("/proof/<int:position>")
@public
def proof(position: int) -> Response:
    """Give the proof file of an entry: with a key it can be checked without any network."""
    with reading() as session:
        signed = checkpoints.covering(session, position)
        if signed is None:
            raise _not_signed() if position < log.head(session).size else _not_there()
        found = log.get_entry(session, position)
        path = log.inclusion_proof(session, position, signed.size)
    text = Proof(position, tuple(path), signed.note, found.entry.encode()).text
    response = _text(text, FRESH)
    name = f"chung-cu-{position}.tlog-proof"
    response.headers.set("Content-Disposition", "inline", filename=name)
    return response


@blueprint.get("/consistency/<int:old>/<int:new>")
@public
def consistency(old: int, new: int) -> Response:
    """Give the proof that the log of `new` entries begins with that of `old`, a hash a line."""
    with reading() as session:
        newest = checkpoints.latest(session)
        if newest is None or new > newest.size:
            raise _not_signed()
        path = log.consistency_proof(session, old, new)
    return _text("".join(f"{b64encode(one).decode()}\n" for one in path), FOR_EVER)


@blueprint.get("/verify.html")
@public
def verifier() -> Response:
    """Give the page that checks proofs by itself; it may be kept and opened without network."""
    page, policy = _verifier()
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy
    return _kept(response, "public, max-age=3600")


def _verifier() -> tuple[str, str]:
    """Return the page and its own policy: exactly its one script and style, and no network."""
    text = _VERIFIER.read_text("utf-8")
    script, style = (_inside(text, tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


def _inside(text: str, tag: str) -> str:
    inner = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"sha256-{b64encode(sha256(inner.encode()).digest()).decode()}"


def _not_signed() -> NotSignedYet:
    return NotSignedYet(_("This is in the book but not signed yet. Try again in a few minutes."))


def _not_there() -> NotFound:
    return log.NoSuchEntry(_("The log has no such entry yet."))


def _text(text: str, how: str) -> Response:
    return _kept(Response(text, content_type=TEXT), how)


def _kept(response: Response, how: str) -> Response:
    response.headers["Cache-Control"] = how
    response.add_etag()
    response.make_conditional(request)
    return response
