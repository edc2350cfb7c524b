"""Staff: papers that wait to be looked at before they count."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from accounts.audit import Actor
from accounts.login import SignedIn, signed_in, staff_required
from catalog import paperwork
from catalog.certificates import PAPER_NAMES
from core.clock import utc_now
from core.errors import Conflict, Invalid
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction

blueprint = Blueprint("staff_papers", __name__, url_prefix="/quan-tri/giay-to")

A_PAGE = 30


@blueprint.get("")
@staff_required
def index() -> Response:
    """List the papers that wait, the first handed in first."""
    return _page({})


@blueprint.post("/<int:paper_id>")
@staff_required
def answer(paper_id: int) -> Response:
    """Let a paper count, or refuse it with the reason."""
    person = cast("SignedIn", signed_in())
    actor = Actor(person.user_id, person.name)
    form = request.form
    try:
        with transaction() as session:
            paper = paperwork.get_any(session, paper_id)
            if form.get("what") == "approve":
                paperwork.approve(session, paper, actor=actor, role=person.role, now=utc_now())
            else:
                paperwork.refuse(
                    session,
                    paper,
                    answer=form.get("answer", ""),
                    actor=actor,
                    role=person.role,
                    now=utc_now(),
                )
    except (Invalid, Conflict) as refusal:
        return _page({paper_id: str(refusal.message)})
    return cast("Response", redirect(url_for("staff_papers.index", xong="luu"), 303))


def _page(errors: dict[int, str]) -> Response:
    after_id = read_id(request.args.get("sau")) or 0
    with reading() as session:
        found = paperwork.list_waiting(session, after_id=after_id, limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    page = render_template(
        "catalog/staff_papers.html",
        papers=shown,
        following=write_cursor([shown[-1][0].id]) if len(found) > A_PAGE else None,
        kind_names=PAPER_NAMES,
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)
