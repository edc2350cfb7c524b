"""Gift sets of a producer's own goods, made on its desk; staff make them of anyone's."""

import re

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from accounts.audit import Actor
from accounts.login import staff_required
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.money import Money
from core.web.requests import reading, transaction
from shop import gift_sets
from shop.gift_sets import BadSet
from shop.views.staff_reviews import actor

blueprint = Blueprint("desk_sets", __name__, url_prefix="/ban-hang/<producer>/gio-qua")
staff = Blueprint("staff_sets", __name__, url_prefix="/quan-tri/gio-qua")
SHORT_NUMBER = re.compile("[0-9]{1,9}", re.ASCII)


@blueprint.get("")
@desk_view
def index(*, desk: Desk) -> Response:
    """List the producer's sets, with the form of a new one."""
    return _page(desk)


@blueprint.post("")
@desk_view
def make(*, desk: Desk) -> Response:
    """Write a draft of a set."""
    try:
        with transaction() as session:
            _make(session, desk.producer_id, desk.actor)
    except Invalid as refusal:
        return _page(desk, refusal)
    flash(_("The set is a draft: look at it, then offer it."))
    return _to_desk(desk)


@blueprint.post("/<int:set_id>/ban")
@desk_view
def publish(*, desk: Desk, set_id: int) -> Response:
    """Offer the set."""
    with transaction() as session:
        gift = gift_sets.get_of_desk(session, set_id, desk.producer_id)
        gift_sets.publish(session, gift, actor=desk.actor, now=utc_now())
    return _to_desk(desk)


@blueprint.post("/<int:set_id>/thoi")
@desk_view
def end(*, desk: Desk, set_id: int) -> Response:
    """Offer the set no more."""
    with transaction() as session:
        gift = gift_sets.get_of_desk(session, set_id, desk.producer_id)
        gift_sets.end(session, gift, actor=desk.actor, now=utc_now())
    return _to_desk(desk)


@staff.get("")
@staff_required
def index_of_staff() -> Response:
    """List the sets staff made."""
    return _staff_page()


@staff.post("")
@staff_required
def make_as_staff() -> Response:
    """Write a draft of a set of anyone's goods."""
    try:
        with transaction() as session:
            _make(session, None, actor())
    except Invalid as refusal:
        return _staff_page(refusal)
    flash(_("The set is a draft: look at it, then offer it."))
    return _to_staff()


@staff.post("/<int:set_id>/ban")
@staff_required
def publish_as_staff(set_id: int) -> Response:
    """Offer the set."""
    with transaction() as session:
        gift = gift_sets.get_of_desk(session, set_id, None)
        gift_sets.publish(session, gift, actor=actor(), now=utc_now())
    return _to_staff()


@staff.post("/<int:set_id>/thoi")
@staff_required
def end_as_staff(set_id: int) -> Response:
    """Offer the set no more."""
    with transaction() as session:
        gift = gift_sets.get_of_desk(session, set_id, None)
        gift_sets.end(session, gift, actor=actor(), now=utc_now())
    return _to_staff()


def _make(session: Session, producer_id: int | None, who: Actor) -> None:
    form = request.form
    gift_sets.make(
        session,
        name=form.get("name", ""),
        story=form.get("story", ""),
        items=_items(session, producer_id),
        price=_price(),
        producer_id=producer_id,
        agreed="agreed" in form,
        actor=who,
        now=utc_now(),
    )


def _items(session: Session, producer_id: int | None) -> dict[int, int]:
    """Return variant → pieces: ticked on the desk, typed as «SKU number» lines by staff."""
    if producer_id is None:
        return gift_sets.read_items(session, request.form.get("items", ""))
    return {
        int(name.removeprefix("so-")): int(typed)
        for name, typed in request.form.items()
        if name.startswith("so-")
        and SHORT_NUMBER.fullmatch(name.removeprefix("so-"))
        and SHORT_NUMBER.fullmatch(typed.strip())
        and int(typed)
    }


def _price() -> Money | None:
    typed = re.sub(r"[\s.,₫đ]", "", request.form.get("price", ""))
    if not typed:
        return None
    if not SHORT_NUMBER.fullmatch(typed):
        raise BadSet(_("Write the price in đồng, for example 350.000."), field="price")
    return Money(int(typed))


def _page(desk: Desk, refusal: Invalid | None = None) -> Response:
    now = utc_now()
    with reading() as session:
        found = gift_sets.list_of_desk(session, desk.producer_id, now=now)
        goods = gift_sets.list_goods(session, desk.producer_id, now=now)
    page = render_template(
        "shop/desk/sets.html",
        desk=desk,
        found=found,
        goods=goods,
        refusal=refusal,
        form=request.form,
    )
    return make_response(page, 422 if refusal else 200)


def _staff_page(refusal: Invalid | None = None) -> Response:
    with reading() as session:
        found = gift_sets.list_of_desk(session, None, now=utc_now())
    page = render_template("shop/staff/sets.html", found=found, refusal=refusal, form=request.form)
    return make_response(page, 422 if refusal else 200)


def _to_desk(desk: Desk) -> Response:
    return make_response(redirect(url_for("desk_sets.index", producer=desk.slug), 303))


def _to_staff() -> Response:
    return make_response(redirect(url_for("staff_sets.index_of_staff"), 303))
