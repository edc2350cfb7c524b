"""The pages of one's own account."""

from collections.abc import Mapping
from datetime import datetime
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
from sqlalchemy.orm import Session

from accounts import (
    audit,
    consents,
    letters,
    passwords,
    second_factors,
    sessions,
    throttle,
    tokens,
    users,
)
from accounts.login import (
    SignedIn,
    account_required,
    cookie_value,
    counted_as,
    device_name,
    is_of_password,
    keys,
    know_device,
    log_in,
    log_out,
    login_try,
    network,
    read_ticket,
    signed_in,
    ticket_for,
    way_back,
)
from accounts.passwords import PasswordHash
from accounts.phones import show_phone
from accounts.tokens import Purpose
from accounts.users import LoginNameTaken, Role, User
from accounts.views.second import count_try
from core.clock import utc_now
from core.errors import Invalid
from core.web.requests import public, reading, transaction

blueprint = Blueprint("account", __name__, url_prefix="/tai-khoan")

HOUR = 3_600
Errors = dict[str, str]


@blueprint.app_context_processor
def _wiring() -> dict[str, object]:
    """Give every page the tables of wsgi.py that upper floors fill."""
    return {
        "slots": current_app.extensions["slots"],
        "staff_entries": current_app.extensions["staff"],
        "act_words": audit.words_for,
    }


@blueprint.get("")
@account_required
def home() -> str:
    """Show who is logged in and what they can do here."""
    person = _person()
    with reading() as session:
        user = users.get(session, person.user_id)
        devices = sessions.list_devices(session, user.id, now=utc_now())
    phone = show_phone(user.phone) if user.phone else None
    return render_template("accounts/home.html", user=user, phone=phone, devices=len(devices))


@blueprint.route("/dang-nhap", methods=["GET", "POST"])
@public
def login() -> Response:
    """Log in by phone or e-mail and password."""
    if request.method != "POST":
        return _login_page(way_back(request.args.get("tiep")))
    typed, password = request.form.get("login", ""), request.form.get("password", "")
    back = way_back(request.form.get("tiep"))
    user = _prove(typed, password)
    if user is None:
        return _login_page(back, typed, wrong=True)
    better = passwords.renewed(password, user.password_hash or "")
    with transaction() as session:
        if not passwords.still_has(session, user, better=better):
            return _login_page(back, typed, wrong=True)
        user = users.get(session, user.id)
        if second_factors.is_on(session, user.id):
            return _code_page(ticket_for(user), back, typed)
        token = sessions.start(
            session, user, device=device_name(), now=utc_now(), instead_of=cookie_value()
        )
    response = _see(back or _landing(user.role))
    log_in(response, token, user)
    know_device(response, typed)
    return response


@blueprint.post("/dang-nhap/ma")
@public
def login_code() -> Response:
    """Give the second factor after the password, and be logged in."""
    form, now = request.form, utc_now()
    back, typed = way_back(form.get("tiep")), form.get("login", "")
    ticket = read_ticket(form.get("ticket", ""))
    if ticket is None:
        return _login_page(back, typed)
    user_id, mark = ticket
    count_try(user_id)
    with transaction() as session:
        user = users.get(session, user_id)
        if not is_of_password(mark, user) or user.disabled_at is not None:
            return _login_page(back, typed, wrong=True)
        if not second_factors.passes(session, user, form.get("code", ""), keys=keys(), now=now):
            return _code_page(form["ticket"], back, typed, wrong=True)
        token = sessions.start(
            session, user, device=device_name(), now=now, instead_of=cookie_value()
        )
    response = _see(back or _landing(user.role))
    log_in(response, token, user)
    know_device(response, typed)
    return response


def _code_page(ticket: str, back: str | None, typed: str, *, wrong: bool = False) -> Response:
    errors = {"code": _("This code is not right, or was used already. Wait for the next one.")}
    return _page(
        "accounts/login_code.html", errors if wrong else {}, ticket=ticket, back=back, login=typed
    )


def _login_page(back: str | None, typed: str = "", *, wrong: bool = False) -> Response:
    # One sentence for every miss: it never says whether the account exists.
    errors = {"login": _("Wrong phone number or password.")} if wrong else {}
    return _page("accounts/login.html", errors, login=typed, back=back)


def _landing(role: Role) -> str:
    return url_for(current_app.extensions["landings"].get(role.value, "account.home"))


@blueprint.post("/dang-xuat")
@public
def logout() -> Response:
    """End this log-in."""
    person = signed_in()
    if person is not None:
        with transaction() as session:
            sessions.end(session, person.session_id, user_id=person.user_id)
    response = _see(url_for("account.login"))
    log_out(response)
    return response


@blueprint.route("/dang-ky", methods=["GET", "POST"])
@public
def register() -> Response:
    """Open a buyer's account. The answer is the same where there is one already."""
    if request.method != "POST":
        return _page("accounts/register.html", {})
    form = request.form
    with transaction() as session:
        throttle.allow(session, f"register:net:{network()}", limit=20, seconds=HOUR, now=utc_now())
    try:
        login_name = users.parse_login(form.get("login", ""))
        name = users.clean_name(form.get("name", ""))
        agreed = consents.check(name for name, value in form.items() if value == "1")
        password_hash = passwords.make(
            form.get("password", ""), role=Role.BUYER, about=[name, str(login_name)]
        )
    except Invalid as refusal:
        return _page("accounts/register.html", _errors(refusal), form=form)
    try:
        with transaction() as session:
            user = users.register(
                session, login_name, name=name, password_hash=password_hash, now=utc_now()
            )
            consents.give(session, user, agreed, network=network(), now=utc_now())
    except LoginNameTaken:
        current_app.logger.info("an account was asked for that there is already")
    return _page("accounts/login.html", {}, login=form.get("login", ""), just_registered=True)


@blueprint.route("/mat-khau/quen", methods=["GET", "POST"])
@public
def forgot() -> Response:
    """Send a link to set a new password. The answer never says whether there is an account."""
    if request.method != "POST":
        return _page("accounts/forgot.html", {})
    typed, now = request.form.get("login", ""), utc_now()
    try:
        users.parse_login(typed)
    except Invalid as refusal:
        return _page("accounts/forgot.html", _errors(refusal), login=typed)
    with transaction() as session:
        throttle.allow(session, f"reset:net:{network()}", limit=20, seconds=HOUR, now=now)
        throttle.allow(session, f"reset:{counted_as(typed)}", limit=3, seconds=HOUR, now=now)
        user = users.find_by_login(session, typed)
        if user is not None and user.email and user.disabled_at is None:
            token = tokens.issue(session, user, Purpose.RESET_PASSWORD, now=now)
            letters.send_reset_link(session, user, _public_url(token), now=now)
    return _page("accounts/forgot.html", {}, sent=True)


def _public_url(token: str) -> str:
    settings = current_app.config["SETTINGS"]
    return f"{settings.PUBLIC_URL}/tai-khoan/mat-khau/{token}"


@blueprint.route("/mat-khau/<token>", methods=["GET", "POST"])
@public
def new_password(token: str) -> Response:
    """Set a password by a one-time link; looking at the page does not use the link up."""
    now = utc_now()
    with reading() as session:
        user = tokens.get_user(session, token, now=now)
    errors: Errors = {}
    if request.method == "POST":
        try:
            password_hash = _new_hash(user, request.form.get("password", ""))
        except Invalid as refusal:
            errors = _errors(refusal)
        else:
            with transaction() as session:
                user = tokens.use_up(session, token, now=now)
                _change_password(session, user, password_hash, now=now)
            return _quiet(_page("accounts/login.html", {}, login=_name_of(user), changed=True))
    return _quiet(
        _page(
            "accounts/new_password.html", errors, user=user, shortest=passwords.SHORTEST[user.role]
        )
    )


def _quiet(response: Response) -> Response:
    # The address is the secret: no page that is reached from here may learn it.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.route("/mat-khau", methods=["GET", "POST"])
@account_required
def password() -> Response:
    """Change one's own password; every other device has to log in again."""
    person, now = _person(), utc_now()
    with reading() as session:
        user = users.get(session, person.user_id)
    errors: Errors = {}
    if request.method == "POST":
        if _prove(_name_of(user), request.form.get("current_password", "")) is None:
            errors = {"current_password": _("The current password is not right.")}
        else:
            try:
                password_hash = _new_hash(user, request.form.get("password", ""))
            except Invalid as refusal:
                errors = _errors(refusal)
            else:
                with transaction() as session:
                    user = users.get(session, user.id)
                    _change_password(session, user, password_hash, now=now, keep=person.session_id)
                    token = sessions.renew(session, person.session_id, now=now)
                response = _see(url_for("account.home", xong="mat-khau"))
                log_in(response, token, user)
                return response
    return _page(
        "accounts/password.html", errors, user=user, shortest=passwords.SHORTEST[user.role]
    )


@blueprint.route("/xac-nhan", methods=["GET", "POST"])
@account_required
def prove() -> Response:
    """Give the password once more before an act that an unlocked phone must not allow."""
    person = _person()
    given = request.form if request.method == "POST" else request.args
    back = way_back(given.get("tiep"))
    with reading() as session:
        user = users.get(session, person.user_id)
    if request.method != "POST":
        return _page("accounts/prove.html", {}, user=user, back=back)
    if _prove(_name_of(user), request.form.get("password", "")) is None:
        errors = {"password": _("The current password is not right.")}
        return _page("accounts/prove.html", errors, user=user, back=back)
    with transaction() as session:
        token = sessions.renew(session, person.session_id, now=utc_now())
    response = _see(back or url_for("account.home"))
    log_in(response, token, user)
    return response


@blueprint.get("/thiet-bi")
@account_required
def devices() -> str:
    """List the devices that are logged in."""
    person = _person()
    with reading() as session:
        found = sessions.list_devices(session, person.user_id, now=utc_now())
    return render_template("accounts/devices.html", devices=found, person=person)


@blueprint.post("/thiet-bi/<int:device_id>/ket-thuc")
@account_required
def end_device(device_id: int) -> Response:
    """End one device's log-in."""
    with transaction() as session:
        sessions.end(session, device_id, user_id=_person().user_id)
    return _see(url_for("account.devices"))


@blueprint.post("/thiet-bi/ket-thuc-het")
@account_required
def end_other_devices() -> Response:
    """End every log-in but this one."""
    person = _person()
    with transaction() as session:
        sessions.end_all(session, person.user_id, but=person.session_id)
    return _see(url_for("account.devices"))


def _person() -> SignedIn:
    return cast("SignedIn", signed_in())


def _prove(typed: str, given: str) -> User | None:
    """Return whose password this is, or None; the try is counted before it is looked at."""
    attempt = login_try(typed)
    with transaction() as session:
        throttle.begin_login(session, attempt, now=utc_now())
    with reading() as session:
        user = users.find_by_login(session, typed)
    right = passwords.matches(given, user.password_hash if user else None)
    if user is None or not right or user.disabled_at is not None:
        return None
    with transaction() as session:
        throttle.forgive_login(session, attempt)
    return user


def _new_hash(user: User, given: str) -> PasswordHash:
    about = [user.name, user.phone or "", (user.email or "").split("@")[0]]
    return passwords.make(given, role=user.role, about=about)


def _change_password(
    session: Session,
    user: User,
    password_hash: PasswordHash,
    *,
    now: datetime,
    keep: int | None = None,
) -> None:
    passwords.change(session, user, password_hash, now=now, keep=keep)
    for name in (user.phone, user.email):
        if name:
            throttle.unlock_account(session, counted_as(name))
    letters.send_password_changed(session, user, now=now)


def _name_of(user: User) -> str:
    return user.phone or user.email or ""


def _errors(refusal: Invalid) -> Errors:
    return {refusal.field or "login": str(refusal.message)}


def _page(
    template: str, errors: Errors, *, form: Mapping[str, str] | None = None, **values: object
) -> Response:
    page = render_template(template, errors=errors, form=form or {}, **values)
    return make_response(page, 422 if errors else 200)


def _see(address: str) -> Response:
    return cast("Response", redirect(address, 303))
