"""Recalls on the producer's desk: look first, stop, call the buyers, end it with a second one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from accounts.login import SignedIn, proof_required, signed_in, staff_required
from accounts.phones import show_phone
from catalog.desk import Desk, desk_view
from catalog.lots import NoReason
from catalog.places import AdminUnit, known_place
from catalog.producers import Producer
from core import i18n, sheets
from core.clock import utc_now
from core.errors import Conflict, Forbidden, Invalid, Refusal
from core.web.paging import read_id, write_cursor
from core.web.requests import reading, transaction
from shop import recall_letters, recalls
from shop.recalls import Buyer
from traceability import lot_book, recall_cases, recall_scope, told_lots
from traceability import recalls as cases
from traceability.recall_cases import Case, CaseKind
from traceability.recall_scope import LotLine

blueprint = Blueprint("desk_recalls", __name__, url_prefix="/ban-hang/<producer>/thu-hoi")
staff = Blueprint("staff_recalls", __name__, url_prefix="/quan-tri/thu-hoi")

CASES_A_PAGE = 30
BUYERS_A_PAGE = 50
LOTS_SHOWN = 200
Act = Callable[[Session, Case, datetime], object]


@blueprint.get("")
@desk_view
def index(desk: Desk) -> str:
    """List the producer's recalls and holds, newest first."""
    found, following = _cases(desk.producer_id)
    return render_template("shop/desk/recalls.html", desk=desk, found=found, following=following)


@blueprint.get("/lo/<int:lot>")
@desk_view
@proof_required
def look(desk: Desk, lot: int) -> Response:
    """Show what stopping this lot would reach, before anything is done."""
    return _look_page(desk, lot)


@blueprint.post("/lo/<int:lot>")
@desk_view
@proof_required
def stop(desk: Desk, lot: int) -> Response:
    """Take the lot, and all that was made of it, off the market."""
    try:
        with transaction() as session:
            opened = lot_book.get_lot(session, lot, desk.producer_id)
            kind = _kind()
            cases.check_code(opened.lot, request.form.get("code", ""))
            case = cases.stop(
                session,
                opened.lot,
                kind,
                reason=request.form.get("reason", ""),
                base=_base(),
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _look_page(desk, lot, refusal)
    flash(_("Done. Nothing of it can be bought any more, anywhere in the shop."))
    return _to_case(desk, case.id)


@blueprint.get("/<int:case_id>")
@desk_view
def show(desk: Desk, case_id: int) -> Response:
    """Show one case: its lots, the buyers to be called, how it ends."""
    return _case_page(desk, case_id)


@blueprint.post("/<int:case_id>/goi/<int:part_id>")
@desk_view
def called(desk: Desk, case_id: int, part_id: int) -> Response:
    """Tick that a buyer was called, or take the tick back."""
    with transaction() as session:
        case = recall_cases.get_case(session, case_id, desk.producer_id)
        buyer = recalls.get_buyer(session, case, part_id, producer_id=desk.producer_id)
        was_called = request.form.get("called") == "1"
        recalls.note_call(session, case, buyer, called=was_called, actor=desk.actor, now=utc_now())
    place = url_for(
        "desk_recalls.show",
        producer=desk.slug,
        case_id=case_id,
        sau=request.form.get("sau") or None,
        _anchor=f"don-{part_id}",
    )
    return cast("Response", redirect(place, 303))


@blueprint.post("/<int:case_id>/xin-go")
@desk_view
def ask(desk: Desk, case_id: int) -> Response:
    """Ask for the end of a case."""

    def act(session: Session, case: Case, now: datetime) -> None:
        reason = request.form.get("reason", "")
        cases.ask_to_lift(session, case, reason=reason, actor=desk.actor, now=now)

    return _do(desk, case_id, act, _("Asked. A second person must agree."))


@blueprint.post("/<int:case_id>/dong-y-go")
@desk_view
def lift(desk: Desk, case_id: int) -> Response:
    """Agree to the end of a case, as the second person."""
    role = cast("SignedIn", signed_in()).role

    def act(session: Session, case: Case, now: datetime) -> object:
        return cases.lift(session, case, role=role, base=_base(), actor=desk.actor, now=now)

    return _do(desk, case_id, act, _("Ended. What is not stopped otherwise is sold again."))


@blueprint.post("/<int:case_id>/giu-nguyen")
@desk_view
def keep_up(desk: Desk, case_id: int) -> Response:
    """Let a case stand although its end was asked for."""

    def act(session: Session, case: Case, now: datetime) -> None:
        cases.keep_up(session, case, actor=desk.actor, now=now)

    return _do(desk, case_id, act, _("It stays as it is."))


@blueprint.get("/<int:case_id>/nguoi-mua.csv")
@desk_view
@proof_required
def buyers_file(desk: Desk, case_id: int) -> Response:
    """Give the buyers of a case as a file, with who was called."""
    with reading() as session:
        case = recall_cases.get_case(session, case_id, desk.producer_id)
        buyers = recalls.list_buyers(session, case, producer_id=desk.producer_id)
    return _file(f"thu-hoi-{case.id}-nguoi-mua.csv", _rows(buyers))


@blueprint.get("/<int:case_id>/lo.csv")
@desk_view
def lots_file(desk: Desk, case_id: int) -> Response:
    """Give the lots of a case as a file for the authority: how many, where they are; no buyer."""
    with reading() as session:
        case = recall_cases.get_case(session, case_id, desk.producer_id)
        lines = recall_scope.lines_of(session, recall_cases.lots_of(session, case.id))
        sent = recalls.sent_of_lots(session, [line.lot.id for line in lines])
    return _file(f"thu-hoi-{case.id}-lo.csv", _lot_rows(lines, sent))


@blueprint.get("/<int:case_id>/bao-cao")
@desk_view
def report(desk: Desk, case_id: int) -> str:
    """Show the report for the authority, to be printed: lots, quantities, where they went."""
    with reading() as session:
        case = recall_cases.get_case(session, case_id, desk.producer_id)
        opened = lot_book.get_lot(session, case.lot_id, desk.producer_id)
        covered = recall_cases.lots_of(session, case.id)
        lines = recall_scope.lines_of(session, covered)
        cartons = recall_scope.cartons_of(session, covered)
        buyers = recalls.list_buyers(session, case, producer_id=desk.producer_id)
        done = recalls.progress(session, case, producer_id=desk.producer_id)
        made_from = recall_scope.made_from(session, case.lot_id)
        sent = recalls.sent_of_lots(session, covered)
        house = session.get_one(Producer, desk.producer_id)
        units = [
            session.get(AdminUnit, one) if one else None
            for one in (house.commune_code, house.province_code)
        ]
    commune, province = (unit.name if unit else None for unit in units)
    return render_template(
        "shop/desk/recall_report.html",
        desk=desk,
        house=house,
        place=known_place(commune, province, house.place_text),
        show_phone=show_phone,
        case=case,
        opened=opened,
        lines=lines,
        sent=sent,
        cartons=cartons,
        buyers=buyers,
        progress=done,
        made_from=made_from,
        now=utc_now(),
    )


@staff.get("")
@staff_required
def all_cases() -> str:
    """List every recall and hold there is; those that wait for a second person say so."""
    found, following = _cases(None)
    return render_template("shop/staff/recalls.html", found=found, following=following)


def _cases(
    producer_id: int | None,
) -> tuple[list[recall_cases.Listed], str | None]:
    with reading() as session:
        found = recall_cases.list_cases(
            session,
            producer_id=producer_id,
            before_id=read_id(request.args.get("sau")),
            limit=CASES_A_PAGE + 1,
        )
    shown = found[:CASES_A_PAGE]
    more = len(found) > CASES_A_PAGE
    return shown, write_cursor([shown[-1].case.id]) if more else None


def _look_page(desk: Desk, lot_id: int, refusal: Refusal | None = None) -> Response:
    with reading() as session:
        opened = lot_book.get_lot(session, lot_id, desk.producer_id)
        scope = recall_scope.of_lot(session, lot_id)
        touched = recalls.touched(session, [line.lot.id for line in scope.made])
        standing = recall_cases.find_standing(session, lot_id)
    page = render_template(
        "shop/desk/recall_look.html",
        desk=desk,
        opened=opened,
        scope=scope,
        touched=touched,
        standing=standing,
        most=LOTS_SHOWN,
        form=request.form,
        refusal=refusal,
    )
    return make_response(page, 422 if refusal else 200)


def _case_page(desk: Desk, case_id: int, refusal: Refusal | None = None) -> Response:
    after = read_id(request.args.get("sau")) or 0
    settings = current_app.config["SETTINGS"]
    with reading() as session:
        case = recall_cases.get_case(session, case_id, desk.producer_id)
        opened = lot_book.get_lot(session, case.lot_id, desk.producer_id)
        lines = recall_scope.lines_of(session, recall_cases.lots_of(session, case.id))
        buyers = recalls.list_buyers(
            session,
            case,
            producer_id=desk.producer_id,
            after_id=after,
            limit=BUYERS_A_PAGE + 1,
        )
        done = recalls.progress(session, case, producer_id=desk.producer_id)
        goods = recalls.ordered_goods(session, case, producer_id=desk.producer_id)
        waiting = told_lots.count_waiting(session, [line.lot.id for line in lines])
    shown = buyers[:BUYERS_A_PAGE]
    more = len(buyers) > BUYERS_A_PAGE
    page = render_template(
        "shop/desk/recall.html",
        desk=desk,
        case=case,
        opened=opened,
        lines=lines,
        waiting=waiting,
        most=LOTS_SHOWN,
        buyers=shown,
        following=write_cursor([shown[-1].part.id]) if more else None,
        progress=done,
        words=recall_letters.for_zalo(
            desk.name,
            goods,
            reason=case.reason,
            phone=settings.SUPPORT_PHONE,
        ),
        may_agree=_may_agree(desk, case),
        show_phone=show_phone,
        form=request.form,
        refusal=refusal,
    )
    return make_response(page, 422 if refusal else 200)


def _may_agree(desk: Desk, case: Case) -> bool:
    person = cast("SignedIn", signed_in())
    return cases.may_agree(case, role=person.role, actor=desk.actor)


def _do(desk: Desk, case_id: int, act: Act, said: str) -> Response:
    try:
        with transaction() as session:
            case = recall_cases.get_case(session, case_id, desk.producer_id)
            act(session, case, utc_now())
    except (Invalid, Conflict, Forbidden) as refusal:
        return _case_page(desk, case_id, refusal)
    flash(said)
    return _to_case(desk, case_id)


def _kind() -> CaseKind:
    try:
        return CaseKind(request.form.get("kind", ""))
    except ValueError:
        raise NoReason(_("Choose what shall be done."), field="kind") from None


def _rows(buyers: Sequence[Buyer]) -> Iterator[Sequence[str]]:
    yield (
        _("Order code"),
        _("Ordered"),
        _("Buyer"),
        _("Phone"),
        _("Address"),
        _("Goods"),
        _("Lot number"),
        _("How many"),
        _("Where they are"),
        _("Called"),
    )
    for one in buyers:
        for goods in one.goods:
            yield (
                one.order.code,
                i18n.show_moment(one.order.placed_at),
                one.order.buyer_name,
                show_phone(one.order.buyer_phone),
                one.order.address_text,
                goods.name,
                goods.lot,
                str(goods.quantity),
                _("sent") if goods.left else _("not sent yet"),
                f"{one.call.called_by_name}, {i18n.show_moment(one.call.called_at)}"
                if one.call
                else "",
            )


def _lot_rows(lines: Sequence[LotLine], sent: Mapping[int, int]) -> Iterator[Sequence[str]]:
    yield (
        _("Lot number"),
        _("Public code"),
        _("Goods"),
        _("Made on"),
        _("Use by"),
        _("In this lot"),
        _("On the shelf"),
        _("Sent to buyers"),
        _("Labels with a number of their own"),
        _("Makings away"),
    )
    for one in lines:
        yield (
            one.lot.code,
            one.code or "",
            one.name,
            one.lot.produced_on.isoformat() if one.lot.produced_on else "",
            one.lot.expires_on.isoformat() if one.lot.expires_on else "",
            str(one.lot.quantity or ""),
            str(one.on_hand),
            str(sent.get(one.lot.id, 0)),
            str(one.serials),
            str(one.steps),
        )


def _file(name: str, rows: Iterable[Sequence[str]]) -> Response:
    response = Response(sheets.write_csv(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _base() -> str:
    return str(current_app.config["SETTINGS"].PUBLIC_URL)


def _to_case(desk: Desk, case_id: int) -> Response:
    place = url_for("desk_recalls.show", producer=desk.slug, case_id=case_id)
    return cast("Response", redirect(place, 303))
