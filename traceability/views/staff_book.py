"""Staff: how the transparency log stands, and erasing a person's name from the diaries."""

from typing import cast

from flask import Blueprint, Response, redirect, render_template, request, url_for

from accounts.audit import Actor
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from core.clock import utc_now
from core.web.requests import reading, transaction
from traceability import checkpoints, erasing, log

blueprint = Blueprint("staff_book", __name__, url_prefix="/quan-tri/so-minh-bach")

LONGEST_QUERY = 100


@blueprint.get("")
@staff_required
def index() -> str:
    """Show the state of the log, and whose names stand in the diaries."""
    sought = request.args.get("q", "")[:LONGEST_QUERY]
    with reading() as session:
        return render_template(
            "traceability/book.html",
            size=log.head(session).size,
            newest=checkpoints.latest(session),
            writers=erasing.list_writers(session, sought=sought),
            sought=sought,
        )


@blueprint.post("/xoa-ten/<int:user_id>")
@staff_required
@proof_required
def erase_name(user_id: int) -> Response:
    """Erase a person's name from every diary; the lines and every proof stay."""
    person = cast("SignedIn", signed_in())
    with transaction() as session:
        erasing.erase_name(
            session, user_id, actor=Actor(person.user_id, person.name), now=utc_now()
        )
    return cast("Response", redirect(url_for("staff_book.index"), 303))
