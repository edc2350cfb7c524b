"""Where channels fetch: the last good file at its secret address, with tags and ranges."""

from flask import Blueprint, Response, current_app, request, send_file
from flask_babel import gettext as _

from core.clock import utc_now
from core.web.requests import error_page, public, reading, transaction
from livestream.feeds import feeds, jobs

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/feeds/<token>/meta.csv")
@public
def meta_csv(token: str) -> Response:
    """Serve the catalogue for Meta."""
    return _serve(token, "")


@blueprint.get("/feeds/<token>/meta.csv.gz")
@public
def meta_csv_gz(token: str) -> Response:
    """Serve the packed twin of the same file."""
    return _serve(token, ".gz")


def _serve(token: str, ending: str) -> Response:
    with reading() as session:
        feed = feeds.get_by_token(session, token)
    if feed.file_name is None or feed.etag is None or feed.built_at is None:
        return _not_there_yet()
    folder = jobs.folder_of(current_app.config["SETTINGS"]).resolve() / str(feed.id)
    path = folder / (feed.file_name + ending)
    if not path.exists():
        # A restored shop has the row before the file: the next build writes it.
        return _not_there_yet()
    if request.method == "GET":
        with transaction() as session:
            feeds.note_fetch(session, feed.id, now=utc_now())
    response = send_file(
        path,
        mimetype="application/gzip" if ending else "text/csv",
        download_name=f"meta.csv{ending}",
        conditional=True,
        etag=feed.etag + ending,
        last_modified=feed.built_at,
    )
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _not_there_yet() -> Response:
    response = error_page(503, _("This feed is being built for the first time."))
    response.headers["Retry-After"] = "60"
    return response
