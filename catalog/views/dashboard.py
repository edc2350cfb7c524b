"""The producer's desk: what to do, who helps, where the money goes, and what was done."""

from datetime import date
from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _

from accounts import audit
from accounts.audit import read_mark, write_mark
from accounts.login import SignedIn, account_required, proof_required, signed_in
from accounts.users import Role
from catalog import (
    approval,
    bank_accounts,
    banks,
    barcodes,
    certificates,
    duties,
    grants,
    members,
    missing_papers,
    paperwork,
    producers,
    products,
)
from catalog.certificates import CHECKED, EXPIRING_DAYS, PAPER_NAMES, PaperKind
from catalog.desk import Desk, desk_view
from catalog.paperwork import NoSuchPaper, WrongPaper
from catalog.producers import Producer
from core import intake
from core.clock import utc_now, vietnam_day
from core.errors import Conflict, Invalid
from core.web.media import private_file, storage
from core.web.paging import LARGEST_NUMBER
from core.web.requests import reading, transaction

blueprint = Blueprint("desk", __name__, url_prefix="/ban-hang")

ACTS_A_PAGE = 50
PLACES_A_PAGE = 200


@blueprint.app_context_processor
def _wiring() -> dict[str, object]:
    """Give the desk's layout its entries."""
    return {"desk_entries": current_app.extensions["dashboard"]}


@blueprint.get("")
@account_required
def index() -> Response:
    """Lead to the one desk this person has, or list them."""
    person = _person()
    with reading() as session:
        own = list(members.list_own_producers(session, person.user_id))
        helped: list[Producer] = []
        given = []
        if person.role is Role.HELPER:
            helped = list(grants.list_producers(session, person.user_id))
            given = list(grants.list_active(session, helper_id=person.user_id))
        elif person.role is Role.STAFF:
            found = approval.search(session, "", state=None, after_id=0, limit=PLACES_A_PAGE)
            helped = list(found)
    desks = own + [place for place in helped if place not in own]
    if len(desks) == 1 and not given:
        return cast("Response", redirect(url_for("desk.home", producer=desks[0].slug), 303))
    page = render_template(
        "catalog/desks.html", own=own, helped=helped, given=given, role=person.role.value
    )
    return make_response(page)


@blueprint.get("/<producer>")
@desk_view
def home(desk: Desk) -> str:
    """Show what can be done here and who helps."""
    with reading() as session:
        place = session.get_one(Producer, desk.producer_id)
        people = members.list_of_producer(session, place.id)
        helpers = grants.list_helpers(session, place)
        refused = grants.list_refused(session, place)
        over = grants.list_active(session, commune_code=place.commune_code or "")
        waiting = duties.list_duties(session, place.id, current_app.extensions["duties"])
    return render_template(
        "catalog/desk_home.html",
        place=place,
        people=people,
        helpers=helpers,
        refused=refused,
        given={grant.helper_id: grant for grant, _helper, _commune in over},
        duties=waiting,
    )


@blueprint.post("/<producer>/nguoi-giup/<int:helper_id>/dung")
@desk_view
def refuse_helper(desk: Desk, helper_id: int) -> Response:
    """End a helper's acting for this producer."""
    with transaction() as session:
        place = session.get_one(Producer, desk.producer_id)
        grants.refuse(session, place, helper_id, actor=desk.actor, now=utc_now())
    return _see("desk.home", desk)


@blueprint.post("/<producer>/nguoi-giup/<int:helper_id>/cho-lai")
@desk_view
def welcome_helper(desk: Desk, helper_id: int) -> Response:
    """Let a helper that was refused act again; only the producer's own people say so."""
    with transaction() as session:
        place = session.get_one(Producer, desk.producer_id)
        grants.welcome(session, place, helper_id, actor=desk.actor, now=utc_now())
    return _see("desk.home", desk)


@blueprint.route("/<producer>/tai-khoan-ngan-hang", methods=["GET", "POST"])
@desk_view
@proof_required
def bank(desk: Desk) -> Response:
    """Show and change the account that buyers transfer to."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        form = request.form
        try:
            with transaction() as session:
                bank_accounts.change(
                    session,
                    producers.get_by_slug(session, desk.slug),
                    bank_bin=form.get("bank_bin", ""),
                    number=form.get("bank_account", ""),
                    holder=form.get("bank_holder", ""),
                    actor=desk.actor,
                    now=utc_now(),
                )
        except Invalid as refusal:
            errors = {refusal.field or "bank_account": str(refusal.message)}
        else:
            return _see("desk.bank", desk, xong="luu")
    with reading() as session:
        place = producers.get_by_slug(session, desk.slug)
        changes = bank_accounts.list_changes(session, place, limit=ACTS_A_PAGE)
    page = render_template(
        "catalog/bank.html",
        place=place,
        banks=banks.list_transfer_banks(),
        changes=changes,
        errors=errors,
        form=request.form if errors else None,
    )
    return make_response(page, 422 if errors else 200)


@blueprint.get("/<producer>/nhat-ky-viec")
@desk_view
def acts(desk: Desk) -> str:
    """List what was done at this desk, by whom and in whose name; of one person on demand."""
    before, person_id = read_mark(request.args.get("sau")), request.args.get("nguoi", type=int)
    if person_id is not None and not 0 < person_id < LARGEST_NUMBER:
        person_id = None
    with reading() as session:
        found = audit.list_acts(
            session,
            scope=f"producer:{desk.producer_id}",
            actor_id=person_id,
            before=before,
            limit=ACTS_A_PAGE + 1,
        )
    shown = found[:ACTS_A_PAGE]
    following = write_mark(shown[-1]) if len(found) > ACTS_A_PAGE else None
    return render_template(
        "catalog/acts.html", acts=shown, following=following, person_id=person_id
    )


@blueprint.route("/<producer>/giay-to", methods=["GET", "POST"])
@desk_view
def papers(desk: Desk) -> Response:
    """List the papers of this producer's products; hand one in."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            _hand_in(desk, _person().role)
        except Invalid as refusal:
            errors = {refusal.field or "product_id": str(refusal.message)}
        else:
            return _see("desk.papers", desk, xong="luu")
    return _papers_page(desk, errors)


@blueprint.post("/<producer>/giay-to/<int:paper_id>/rut")
@desk_view
def withdraw_paper(desk: Desk, paper_id: int) -> Response:
    """Take a paper back, with the reason."""
    try:
        with transaction() as session:
            paper = paperwork.get(session, desk.producer_id, paper_id)
            answer = request.form.get("answer", "")
            paperwork.withdraw(session, paper, answer=answer, actor=desk.actor, now=utc_now())
    except (Invalid, Conflict) as refusal:
        return _papers_page(desk, {f"rut-{paper_id}": str(refusal.message)})
    return _see("desk.papers", desk, xong="luu")


def _papers_page(desk: Desk, errors: dict[str, str]) -> Response:
    with reading() as session:
        found = paperwork.list_papers(session, desk.producer_id)
        goods = products.list_of_producer(session, desk.producer_id)
        missing = missing_papers.list_missing(
            session, desk.producer_id, today=vietnam_day(utc_now())
        )
    replaced = request.form.get("replaces", type=int) or request.args.get("thay", type=int)
    before = next((paper for paper, _product in found if paper.id == replaced), None)
    as_before = {"kind": request.args.get("giay"), "product_id": request.args.get("hang")}
    if before:
        as_before = {
            "kind": before.kind.value,
            "product_id": str(before.product_id),
            "issuer": before.issuer,
            "stars": str(before.stars or ""),
        }
    page = render_template(
        "catalog/papers.html",
        papers=found,
        missing=missing,
        goods=goods,
        before=before,
        kind_names=PAPER_NAMES,
        checked=set() if _person().role is Role.STAFF else CHECKED,
        today=vietnam_day(utc_now()),
        soon=EXPIRING_DAYS,
        errors=errors,
        form=request.form if errors else as_before,
    )
    return make_response(page, 422 if errors else 200)


def _hand_in(desk: Desk, role: Role) -> None:
    form, now = request.form, utc_now()
    given = form.get("kind", "")
    if given not in set(PaperKind):
        raise WrongPaper(_("Choose what kind of paper it is."), field="kind")
    issued_on = _day("issued_on")
    if issued_on is None:
        raise WrongPaper(_("Write the day of issue."), field="issued_on")
    sent = request.files.get("file")
    data = sent.read() if sent else b""
    # The file first: it is slow, and stored twice it is still one file.
    stored = intake.take_paper(storage(), data, field="file") if data else None
    with transaction() as session:
        paperwork.hand_in(
            session,
            desk.producer_id,
            product_id=form.get("product_id", 0, type=int),
            kind=PaperKind(given),
            number=form.get("number", ""),
            issuer=form.get("issuer", ""),
            issued_on=issued_on,
            expires_on=_day("expires_on"),
            stars=form.get("stars", None, type=int),
            file_key=stored.key if stored else None,
            replaces=form.get("replaces", None, type=int),
            actor=desk.actor,
            role=role,
            now=now,
        )


def _day(field: str) -> date | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WrongPaper(_("Write the day as day/month/year."), field=field) from error


@blueprint.get("/<producer>/giay-to/<int:paper_id>/tep")
@desk_view
def paper_file(desk: Desk, paper_id: int) -> Response:
    """Download the file of a paper."""
    with reading() as session:
        paper = paperwork.get(session, desk.producer_id, paper_id)
    if paper.file_key is None:
        raise NoSuchPaper
    ending = paper.file_key.rpartition(".")[2]
    return private_file(paper.file_key, name=f"giay-to-{paper.id}.{ending}")


@blueprint.get("/<producer>/giay-to/ma-vach")
@desk_view
def barcodes_page(desk: Desk) -> Response:
    """List the producer's goods with their barcode numbers."""
    return _barcodes(desk, {})


@blueprint.post("/<producer>/giay-to/ma-vach/<int:variant_id>")
@desk_view
def give_barcode(desk: Desk, variant_id: int) -> Response:
    """Give goods the number under their barcode, or take it off."""
    try:
        with transaction() as session:
            barcodes.give(
                session,
                desk.producer_id,
                variant_id,
                request.form.get("gtin", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict) as refusal:
        return _barcodes(desk, {variant_id: str(refusal.message)})
    return _see("desk.barcodes_page", desk, xong="luu")


def _barcodes(desk: Desk, errors: dict[int, str]) -> Response:
    with reading() as session:
        goods = barcodes.list_goods(session, desk.producer_id)
        certified = certificates.is_certified(session, desk.producer_id, vietnam_day(utc_now()))
    page = render_template("catalog/barcodes.html", goods=goods, certified=certified, errors=errors)
    return make_response(page, 422 if errors else 200)


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())


def _see(endpoint: str, desk: Desk, *, xong: str | None = None) -> Response:
    return cast("Response", redirect(url_for(endpoint, producer=desk.slug, xong=xong), 303))
