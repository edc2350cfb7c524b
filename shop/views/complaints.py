"""Complaints: the form for anybody, the page under its link, the desk's and the staff's answers."""

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

from accounts import throttle, users
from accounts.audit import Actor
from accounts.login import network, signed_in, staff_required
from accounts.phones import show_phone
from catalog.desk import Desk, desk_view
from core import intake
from core.clock import utc_now
from core.errors import Conflict, Invalid
from core.storage import PRIVATE
from core.web.media import private_file, storage
from core.web.paging import read_id, write_cursor
from core.web.requests import public, reading, transaction
from core.web.uploads import takes_files, uploaded
from shop import complaints
from shop.complaints import (
    ABOUT_NAMES,
    MOST_PHOTOS,
    About,
    Complaint,
    NoSuchComplaint,
    Side,
    WrongComplaint,
)
from shop.orders import Order
from shop.views.opening import own_id, private

blueprint = Blueprint("complaints", __name__, url_prefix="/khieu-nai")
desk = Blueprint("desk_complaints", __name__, url_prefix="/ban-hang/<producer>/khieu-nai")
staff = Blueprint("staff_complaints", __name__, url_prefix="/quan-tri/khieu-nai")

FOLDER = f"{PRIVATE}khieu-nai"
AN_HOUR = 3_600
TRIES = 6
SHOWN = 100


@blueprint.get("")
@public
def form() -> Response:
    """Ask what is wrong and how to answer."""
    return _form_page({})


@blueprint.post("")
@public
@takes_files
def file() -> Response:
    """Take the complaint in and show its page."""
    given, now = request.form, utc_now()
    with transaction() as session:
        throttle.allow(session, f"complaint:{network()}", limit=TRIES, seconds=AN_HOUR, now=now)
    user_id = own_id()
    try:
        if given.get("about") not in set(About):
            raise WrongComplaint(_("Choose what it is about."), field="about")
        contact = users.parse_login(given.get("contact", ""))
        photos = uploaded("photos")
        if len(photos) > MOST_PHOTOS:
            raise WrongComplaint(_("At most 3 photos."), field="photos")
        keys = [
            intake.take_picture(storage(), data, folder=FOLDER, field="photos").key
            for data in photos
        ]
        with transaction() as session:
            complaint, token = complaints.file(
                session,
                about=About(given["about"]),
                words=given.get("words", ""),
                name=given.get("name", ""),
                contact=contact,
                order_code=given.get("order_code", ""),
                producer_slug=given.get("producer", ""),
                photo_keys=keys,
                user_id=user_id,
                address=f"{current_app.config['SETTINGS'].PUBLIC_URL}/khieu-nai",
                now=now,
            )
    except Invalid as refusal:
        field = "contact" if refusal.field == "login" else refusal.field or "words"
        return _form_page({field: str(refusal.message)})
    address = url_for("complaints.show", code=complaint.code, t=token)
    return private(make_response(redirect(address, 303)))


def _form_page(errors: dict[str, str]) -> Response:
    typed = request.form or {
        "order_code": request.args.get("don", "")[:40],
        "producer": request.args.get("nha-san-xuat", "")[:120],
    }
    page = render_template(
        "shop/complaint_form.html", form=typed, errors=errors, about_names=ABOUT_NAMES
    )
    return make_response(page, 422 if errors else 200)


@blueprint.get("/<code>")
@public
def show(code: str) -> Response:
    """Show a complaint with its answers and its clocks to whoever filed it."""
    return _own_page(code, {})


@blueprint.post("/<code>/them")
@public
def add(code: str) -> Response:
    """Say more."""
    user_id = own_id()
    try:
        with transaction() as session:
            found = complaints.open_by_link(session, code, _token(), user_id)
            complaints.add_words(session, found, request.form.get("words", ""), now=utc_now())
    except (Invalid, Conflict) as refusal:
        return _own_page(code, {"words": str(refusal.message)})
    address = url_for("complaints.show", code=code, t=_token() or None)
    return private(make_response(redirect(address, 303)))


@blueprint.get("/<code>/anh/<int:number>")
@public
def photo(code: str, number: int) -> Response:
    """Show one photo to whoever sent it."""
    user_id = own_id()
    with reading() as session:
        found = complaints.open_by_link(session, code, _token(), user_id)
    return private(_photo(found, number))


def _own_page(code: str, errors: dict[str, str]) -> Response:
    user_id = own_id()
    with reading() as session:
        found = complaints.open_by_link(session, code, _token(), user_id)
        page = render_template(
            "shop/complaint.html",
            complaint=found,
            words=complaints.list_words(session, found.id),
            about_names=ABOUT_NAMES,
            token=_token(),
            errors=errors,
        )
    return private(make_response(page, 422 if errors else 200))


def _token() -> str:
    return request.args.get("t", "")[:100]


@desk.get("")
@desk_view
def index(*, desk: Desk) -> str:
    """List the complaints that concern this producer."""
    with reading() as session:
        found = complaints.list_of_producer(session, desk.producer_id, limit=SHOWN)
    return render_template(
        "shop/desk/complaints.html", found=found, about_names=ABOUT_NAMES, now=utc_now()
    )


@desk.route("/<int:complaint_id>", methods=["GET", "POST"])
@desk_view
def answer(*, desk: Desk, complaint_id: int) -> Response:
    """Show one complaint and answer it; contacts stay with the staff."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            with transaction() as session:
                complaints.answer(
                    session,
                    complaints.get_of_producer(session, desk.producer_id, complaint_id),
                    request.form.get("words", ""),
                    side=Side.PRODUCER,
                    actor=desk.actor,
                    now=utc_now(),
                )
        except (Invalid, Conflict) as refusal:
            errors = {"words": str(refusal.message)}
    with reading() as session:
        found = complaints.get_of_producer(session, desk.producer_id, complaint_id)
        order = session.get(Order, found.order_id) if found.order_id else None
        page = render_template(
            "shop/desk/complaint.html",
            complaint=found,
            order=order,
            words=complaints.list_words(session, found.id),
            about_names=ABOUT_NAMES,
            now=utc_now(),
            errors=errors,
        )
    return make_response(page, 422 if errors else 200)


@desk.get("/<int:complaint_id>/anh/<int:number>")
@desk_view
def desk_photo(*, desk: Desk, complaint_id: int, number: int) -> Response:
    """Show one photo to the producer it concerns."""
    with reading() as session:
        found = complaints.get_of_producer(session, desk.producer_id, complaint_id)
    return _photo(found, number)


@staff.get("")
@staff_required
def queue() -> str:
    """List what is not settled, the oldest first; what is, on demand."""
    closed = request.args.get("xong") == "1"
    after_id = read_id(request.args.get("sau")) or 0
    with reading() as session:
        found = complaints.list_for_staff(
            session, closed=closed, after_id=after_id, limit=complaints.PAGE + 1
        )
    shown = found[: complaints.PAGE]
    return render_template(
        "shop/staff/complaints.html",
        found=shown,
        closed=closed,
        following=write_cursor([shown[-1].id]) if len(found) > complaints.PAGE else None,
        about_names=ABOUT_NAMES,
        now=utc_now(),
    )


@staff.route("/<int:complaint_id>", methods=["GET", "POST"])
@staff_required
def settle(complaint_id: int) -> Response:
    """Show one complaint; answer it, or close it with the last word."""
    errors: dict[str, str] = {}
    person = signed_in()
    if request.method == "POST" and person is not None:
        try:
            with transaction() as session:
                complaints.answer(
                    session,
                    complaints.get(session, complaint_id),
                    request.form.get("words", ""),
                    side=Side.STAFF,
                    actor=Actor(person.user_id, person.name),
                    now=utc_now(),
                    close=request.form.get("what") == "close",
                )
        except (Invalid, Conflict) as refusal:
            errors = {"words": str(refusal.message)}
    with reading() as session:
        found = complaints.get(session, complaint_id)
        page = render_template(
            "shop/staff/complaint.html",
            complaint=found,
            phone=show_phone(found.phone) if found.phone else None,
            order=session.get(Order, found.order_id) if found.order_id else None,
            words=complaints.list_words(session, found.id),
            about_names=ABOUT_NAMES,
            now=utc_now(),
            errors=errors,
        )
    return make_response(page, 422 if errors else 200)


@staff.get("/<int:complaint_id>/anh/<int:number>")
@staff_required
def staff_photo(complaint_id: int, number: int) -> Response:
    """Show one photo to staff."""
    with reading() as session:
        found = complaints.get(session, complaint_id)
    return _photo(found, number)


def _photo(found: Complaint, number: int) -> Response:
    if not 1 <= number <= len(found.photo_keys):
        raise NoSuchComplaint
    return private_file(found.photo_keys[number - 1], name=f"{found.code}-{number}.webp")
