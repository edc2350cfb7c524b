"""Asking for a return from the order's page, and what the buyer can still do about it."""

from collections.abc import Callable
from datetime import datetime

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from accounts.audit import Actor
from core import intake
from core.clock import utc_now
from core.errors import Conflict, Invalid, Refusal
from core.storage import PRIVATE
from core.web.media import private_file, storage
from core.web.requests import public, reading, transaction
from core.web.uploads import takes_files, uploaded
from shop import orders, return_answers, returns
from shop.returns import (
    MOST_PHOTOS,
    REASON_NAMES,
    Asked,
    BadRequest,
    NoSuchRequest,
    ReturnReason,
    TooLateToAsk,
)
from shop.views.opening import address_of, buyer, mark, open_order, own_id, private

blueprint = Blueprint("returns", __name__)
FOLDER = f"{PRIVATE}tra-hang"
Act = Callable[[Session, Asked, Actor, datetime], bool]


@blueprint.get("/don-hang/<code>/tra-hang/<int:part_id>")
@public
def form(code: str, part_id: int) -> Response:
    """Ask what is to be returned, and why."""
    return _form_page(code, part_id)


@blueprint.post("/don-hang/<code>/tra-hang/<int:part_id>")
@public
@takes_files
def ask(code: str, part_id: int) -> Response:
    """Pass the wish on to the producer, with its photos made anew."""
    user_id, actor, now = own_id(), buyer(), utc_now()
    try:
        with reading() as session:
            order = open_order(session, code, user_id)
            part = next((p for p in orders.list_parts(session, order.id) if p.id == part_id), None)
        if part is None:
            raise NoSuchRequest
        until = returns.open_until(part)
        if until is None or now >= until:
            raise TooLateToAsk(_("The time to ask for a return is over. Call the producer."))
        photo_keys = _take_photos()
        with transaction() as session:
            returns.ask(
                session,
                open_order(session, code, user_id),
                part_id,
                reason=_reason(),
                words=request.form.get("words", ""),
                pieces=_pieces(),
                photo_keys=photo_keys,
                pay_to=request.form.get("pay_to", ""),
                actor=actor,
                now=now,
            )
    except (Invalid, Conflict) as refusal:
        return _form_page(code, part_id, refusal)
    flash(_("The producer was told and answers within 48 hours."))
    return private(make_response(redirect(address_of(code), 303)))


@blueprint.post("/don-hang/<code>/yeu-cau-tra/<int:request_id>/rut")
@public
def withdraw(code: str, request_id: int) -> Response:
    """Take the request back."""

    def act(session: Session, asked: Asked, actor: Actor, now: datetime) -> bool:
        return return_answers.withdraw(session, asked, actor=actor, now=now)

    return _do(code, request_id, act, _("The request was taken back."))


@blueprint.post("/don-hang/<code>/yeu-cau-tra/<int:request_id>/xem-lai")
@public
def appeal(code: str, request_id: int) -> Response:
    """Ask the shop's staff to look at a refusal."""

    def act(session: Session, asked: Asked, actor: Actor, now: datetime) -> bool:
        return return_answers.appeal(session, asked, actor=actor, now=now)

    return _do(code, request_id, act, _("The shop's staff will look at it."))


@blueprint.get("/don-hang/<code>/yeu-cau-tra/<int:request_id>/anh/<int:number>")
@public
def photo(code: str, request_id: int, number: int) -> Response:
    """Show one photo of a request to its buyer."""
    user_id = own_id()
    with reading() as session:
        asked = returns.get_of_order(session, open_order(session, code, user_id), request_id)
    return private(photo_of(asked, number))


def photo_of(asked: Asked, number: int) -> Response:
    """Return the photo of that number, counted from 1; who may see it is the caller's to say."""
    keys = asked.request.photo_keys
    if not 1 <= number <= len(keys):
        raise NoSuchRequest
    return private_file(keys[number - 1], name=f"tra-hang-{asked.request.id}-{number}.webp")


def _do(code: str, request_id: int, act: Act, done: str) -> Response:
    user_id, actor = own_id(), buyer()
    with transaction() as session:
        order = open_order(session, code, user_id)
        act(session, returns.get_of_order(session, order, request_id), actor, utc_now())
    flash(done)
    return private(make_response(redirect(address_of(code), 303)))


def _form_page(code: str, part_id: int, refusal: Refusal | None = None) -> Response:
    user_id, now = own_id(), utc_now()
    with reading() as session:
        order = open_order(session, code, user_id)
        part = next((p for p in orders.list_parts(session, order.id) if p.id == part_id), None)
        if part is None:
            raise NoSuchRequest
        lines = orders.list_lines(session, [part.id])
        left = returns.returnable(session, lines)
    until = returns.open_until(part)
    page = render_template(
        "shop/return_form.html",
        order=order,
        part=part,
        lines=lines,
        left=left,
        until=until,
        is_open=until is not None and now < until and any(left.values()),
        reasons=REASON_NAMES,
        mark=mark(),
        refusal=refusal,
        form=request.form,
    )
    return private(make_response(page, 422 if refusal else 200))


def _reason() -> ReturnReason:
    try:
        return ReturnReason(request.form.get("reason", ""))
    except ValueError:
        raise BadRequest(_("Choose what is wrong."), field="reason") from None


def _pieces() -> dict[int, int]:
    """Return line id → how many, from the fields «so-<line id>»; anything else counts for none."""
    pieces = {}
    for name, typed in request.form.items():
        line_id, count = name.removeprefix("so-"), typed.strip()
        if name.startswith("so-") and _is_number(line_id) and _is_number(count):
            pieces[int(line_id)] = int(count)
    return pieces


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9  # noqa: PLR2004


def _take_photos() -> list[str]:
    contents = uploaded("photos")
    if len(contents) > MOST_PHOTOS:
        raise BadRequest(_("At most 3 photos."), field="photos")
    return [
        intake.take_picture(storage(), content, folder=FOLDER, field="photos").key
        for content in contents
    ]
