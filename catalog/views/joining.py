"""Asking to sell: the open page, and the file that a producer fills in at its desk."""

from collections.abc import Callable
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
from sqlalchemy.orm import Session

from accounts import passwords, sessions, standing, throttle, users
from accounts.audit import Actor
from accounts.login import (
    SignedIn,
    account_required,
    log_in,
    network,
    proof_required,
    signed_in,
)
from accounts.users import Role
from catalog import approval, identities, joining, members, places
from catalog.desk import Desk, desk_view
from catalog.joining import PARTS, Asked, FoodPaper, NoSuchFile
from catalog.producers import Producer, ProducerKind
from core import intake
from core.clock import utc_now
from core.errors import Conflict, Forbidden, Invalid
from core.i18n import lazy as _
from core.web.media import private_file, storage
from core.web.requests import public, reading, transaction
from core.web.uploads import takes_files, uploaded

blueprint = Blueprint("joining", __name__)

HOUR = 3_600
KIND_NAMES: dict[ProducerKind, object] = {
    ProducerKind.HOUSEHOLD: _("Household"),
    ProducerKind.COOPERATIVE: _("Co-operative"),
    ProducerKind.GROUP: _("Co-operative group"),
    ProducerKind.COMPANY: _("Company"),
}
FOOD_NAMES: dict[FoodPaper, object] = {
    FoodPaper.CERTIFICATE: _("Certificate that the place meets food safety"),
    FoodPaper.COMMITMENT: _("Signed commitment to make safe food (small makers)"),
    FoodPaper.NO_FOOD: _("No food is made here"),
}


@blueprint.get("/ban-hang-cung-cho")
@public
def invitation() -> str:
    """Say what it takes to sell here, and begin."""
    person = signed_in()
    with reading() as session:
        begun = joining.find_open_of(session, person.user_id) if person else None
        own = list(members.list_own_producers(session, person.user_id)) if person else []
    return render_template("catalog/invitation.html", person=person, begun=begun, own=own)


@blueprint.route("/ban-hang-cung-cho/bat-dau", methods=["GET", "POST"])
@account_required
@proof_required
def begin() -> Response:
    """Write a producer down and open its desk, waiting for approval."""
    form = request.form
    if request.method != "POST" or "choose_province" in form:
        return _begin_page({})
    person = cast("SignedIn", signed_in())
    with transaction() as session:
        throttle.allow(session, f"join:net:{network()}", limit=20, seconds=HOUR, now=utc_now())
    try:
        with reading() as session:
            user = users.get(session, person.user_id)
        new_hash = None
        if user.role is Role.BUYER:
            about = [user.name, user.phone or "", (user.email or "").split("@")[0]]
            new_hash = passwords.make(form.get("password", ""), role=Role.PRODUCER, about=about)
        with transaction() as session:
            user = users.get(session, person.user_id)
            actor = Actor(user.id, user.name)
            place = joining.ask(session, user, _asked(), actor=actor, now=utc_now())
            token = None
            if new_hash is not None:
                standing.begin_selling(
                    session, user, new_hash, now=utc_now(), keep=person.session_id
                )
                token = sessions.renew(session, person.session_id, now=utc_now())
    except (Invalid, Forbidden) as refusal:
        return _begin_page({refusal.field or "ward_code": str(refusal.message)})
    response = cast("Response", redirect(url_for("joining.file", producer=place.slug), 303))
    if token is not None:
        log_in(response, token, user)
    return response


def _begin_page(errors: dict[str, str]) -> Response:
    person = cast("SignedIn", signed_in())
    typed = request.form
    with reading() as session:
        page = render_template(
            "catalog/join_begin.html",
            typed=typed,
            errors=errors,
            kinds=KIND_NAMES,
            new_password=person.role is Role.BUYER,
            shortest=passwords.SHORTEST[Role.PRODUCER],
            **_place_lists(session, typed.get("province_code", "")),
        )
    return make_response(page, 422 if errors else 200)


def _asked() -> Asked:
    form = request.form
    return Asked(
        form.get("name", ""),
        form.get("kind", ""),
        form.get("ward_code", ""),
        form.get("place_text", ""),
        form.get("phone", ""),
    )


def _place_lists(session: Session, province_code: str) -> dict[str, object]:
    return {
        "provinces": places.list_provinces(session),
        "communes": places.list_communes(session, province_code[:2]),
    }


@blueprint.get("/ban-hang/<producer>/ho-so-ban-hang")
@desk_view
def file(desk: Desk) -> Response:
    """Show the file with what is missing, part by part."""
    return _file_page(desk, {})


@blueprint.post("/ban-hang/<producer>/ho-so-ban-hang/co-so")
@desk_view
def save_base(desk: Desk) -> Response:
    """Save name, kind and place."""
    if "choose_province" in request.form:
        return _file_page(desk, {})
    return _save(
        desk,
        "ward_code",
        lambda session, place: joining.change_base(
            session, place, _asked(), actor=desk.actor, now=utc_now()
        ),
    )


@blueprint.post("/ban-hang/<producer>/ho-so-ban-hang/ma-so-thue")
@desk_view
def save_tax(desk: Desk) -> Response:
    """Save the tax number."""
    number = request.form.get("tax_number", "")
    return _save(
        desk,
        "tax_number",
        lambda session, place: joining.write_tax_number(
            session, place, number, actor=desk.actor, now=utc_now()
        ),
    )


@blueprint.post("/ban-hang/<producer>/ho-so-ban-hang/nguoi-dung-ten")
@desk_view
def save_identity(desk: Desk) -> Response:
    """Keep who stands behind the producer, sealed."""
    return _save(
        desk,
        "number",
        lambda session, place: joining.keep_identity(
            session,
            place,
            request.form.to_dict(),
            secrets=_secrets(),
            actor=desk.actor,
            now=utc_now(),
        ),
    )


@blueprint.post("/ban-hang/<producer>/ho-so-ban-hang/an-toan")
@desk_view
@takes_files
def save_food(desk: Desk) -> Response:
    """Hand in the food safety paper."""
    try:
        sent = uploaded("file")
        # The file first: it is slow, and stored twice it is still one file.
        stored = intake.take_paper(storage(), sent[0], field="file") if sent else None
    except Invalid as refusal:
        return _file_page(desk, {refusal.field or "file": str(refusal.message)})
    return _save(
        desk,
        "food_paper",
        lambda session, place: joining.hand_in_food_paper(
            session,
            place,
            request.form.to_dict(),
            file_key=stored.key if stored else None,
            actor=desk.actor,
            now=utc_now(),
        ),
    )


@blueprint.get("/ban-hang/<producer>/ho-so-ban-hang/tep")
@desk_view
def food_file(desk: Desk) -> Response:
    """Download the food safety paper."""
    return send_food_file(desk.producer_id)


def send_food_file(producer_id: int) -> Response:
    """Return the food safety paper of a producer as a download, or raise NoSuchFile."""
    with reading() as session:
        found = joining.find(session, producer_id)
    if found is None or found.food_key is None:
        raise NoSuchFile
    return private_file(found.food_key, name=f"an-toan.{found.food_key.rpartition('.')[2]}")


@blueprint.post("/ban-hang/<producer>/ho-so-ban-hang/gui")
@desk_view
def send(desk: Desk) -> Response:
    """Hand the file to staff."""
    return _save(
        desk,
        "gui",
        lambda session, place: joining.send(session, place, actor=desk.actor, now=utc_now()),
    )


@blueprint.post("/ban-hang/<producer>/ho-so-ban-hang/them-nguoi")
@desk_view
@proof_required
def add_person(desk: Desk) -> Response:
    """Open an account for one more person, and show its first link once."""
    form = request.form
    with transaction() as session:
        key = f"join:person:{desk.actor.user_id}"
        throttle.allow(session, key, limit=10, seconds=HOUR, now=utc_now())
    try:
        with transaction() as session:
            token = joining.add_person(
                session,
                session.get_one(Producer, desk.producer_id),
                name=form.get("name", ""),
                login=form.get("login", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except (Invalid, Conflict, Forbidden) as refusal:
        said = str(refusal.message) or str(_("This phone or e-mail has an account already."))
        return _file_page(desk, {refusal.field or "login": said})
    link = f"{current_app.config['SETTINGS'].PUBLIC_URL}/tai-khoan/mat-khau/{token}"
    return make_response(render_template("catalog/join_link.html", link=link))


def _save(desk: Desk, field: str, write: Callable[[Session, Producer], None]) -> Response:
    try:
        with transaction() as session:
            place = session.get_one(Producer, desk.producer_id)
            write(session, place)
            slug = place.slug
    except (Invalid, Conflict) as refusal:
        return _file_page(desk, {refusal.field or field: str(refusal.message)})
    return cast("Response", redirect(url_for("joining.file", producer=slug, xong="luu"), 303))


def _file_page(desk: Desk, errors: dict[str, str]) -> Response:
    form = request.form
    with reading() as session:
        place = session.get_one(Producer, desk.producer_id)
        known = identities.find(session, place.id, secrets=_secrets())
        typed = {
            "name": place.name,
            "kind": place.kind.value if place.kind else "",
            "province_code": place.province_code or "",
            "ward_code": place.commune_code or "",
            "place_text": place.place_text or "",
            "phone": place.phone or "",
            "tax_number": place.tax_number or "",
        } | form.to_dict()
        page = render_template(
            "catalog/join_file.html",
            place=place,
            file=joining.find(session, place.id),
            missing=joining.list_missing(session, place),
            parts_of_file=PARTS,
            identity=known,
            typed=typed,
            errors=errors,
            kinds=KIND_NAMES,
            papers=FOOD_NAMES,
            stopped=approval.find_reason(session, place),
            alone=not members.list_of_producer(session, place.id),
            **_place_lists(session, typed["province_code"]),
        )
    return make_response(page, 422 if errors else 200)


def _secrets() -> list[str]:
    settings = current_app.config["SETTINGS"]
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
