"""Who is behind this request: the cookie leads to a row, and the row alone is believed.

Flask-Login holds the person for the length of one request. Its remember cookie and its entries in
the client-side session are not used: neither could be ended from another device. It is not
installed by `init_app`, which would look at the cookie on every page and so forbid caching.
"""

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, g, redirect, request, url_for
from flask_login import LoginManager, current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.exc import OperationalError

from accounts import sessions, throttle, users
from accounts.sessions import PROOF_LASTS, SEEN_EVERY
from accounts.sessions import SignedIn as SignedIn  # noqa: PLC0414 - views take it from here
from accounts.throttle import LoginTry
from accounts.users import Role, User
from core.clock import utc_now
from core.errors import NotFound
from core.i18n import lazy
from core.settings import Settings
from core.text import clean, fold
from core.web.requests import audience, reading, transaction
from core.web.security import cookie_name, drop_cookie, set_cookie

COOKIE = "sid"
DEVICE_COOKIE = "may"
DEVICE_DAYS = 365
BROWSERS = (
    ("Zalo", "Zalo"),
    ("FBAN", "Facebook"),
    ("FBAV", "Facebook"),
    ("coc_coc", "Cốc Cốc"),
    ("Edg", "Edge"),
    ("SamsungBrowser", "Samsung Internet"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
LONGEST_WAY_BACK = 500
TICKET_SECONDS = 300
# What staff reach before they have set their code up.
SET_UP = frozenset(
    {"second.index", "second.begin", "second.picture", "second.confirm", "account.prove"}
)


def install(app: Flask) -> None:
    """Let `signed_in()` work in this app."""
    manager = LoginManager()
    manager.session_protection = None
    manager.request_loader(_load)
    # Flask-Login skips our loader where its own cookie is present; this name is never set.
    app.config["REMEMBER_COOKIE_NAME"] = "__Host-never"
    app.login_manager = manager  # type: ignore[attr-defined]
    app.after_request(_note_use)


def signed_in() -> SignedIn | None:
    """Return who is logged in here, or None. The page is then private and never cached."""
    g.private = True
    if not current_user.is_authenticated:
        return None
    return cast("SignedIn", current_user._get_current_object())  # noqa: SLF001 - the proxy's own way


def account_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Open a view to whoever is logged in; others are asked to log in and come back."""

    @wraps(view)
    def guarded(**values: Any) -> Any:
        person = signed_in()
        if person is None:
            return _to_login("account.login")
        return _to_set_up(person) or view(**values)

    return audience("account")(guarded)


def proof_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for the password again when it was given more than ten minutes ago.

    For acts that a thief of an unlocked phone must not do: bank account, log-in name, rights.
    """

    @wraps(view)
    def guarded(**values: Any) -> Any:
        person = signed_in()
        if person is None:
            return _to_login("account.login")
        if person.proved_at is None or person.proved_at + PROOF_LASTS <= utc_now():
            return _to_login("account.prove")
        return view(**values)

    return guarded


def staff_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Open a view to staff; for anyone else who is logged in it does not exist."""

    @wraps(view)
    def guarded(**values: Any) -> Any:
        person = signed_in()
        if person is None:
            return _to_login("account.login")
        if person.role is not Role.STAFF:
            raise NotFound
        return _to_set_up(person) or view(**values)

    return audience("staff")(guarded)


def needs_second_factor(role: Role) -> bool:
    """Say whether this role logs in with a code besides the password.

    Staff do, wherever others can reach the shop; on one's own machine it is offered only.
    """
    settings: Settings = current_app.config["SETTINGS"]
    return role is Role.STAFF and not settings.only_here


def _to_set_up(person: SignedIn) -> Response | None:
    """Lead staff without a code to the page that sets it up, and nowhere else before."""
    if person.has_code or not needs_second_factor(person.role):
        return None
    if request.endpoint in SET_UP:
        return None
    return cast("Response", redirect(url_for("second.index"), 303))


def keys() -> list[str]:
    """Return the keys under which secrets of people are sealed, the one in use first."""
    settings: Settings = current_app.config["SETTINGS"]
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def ticket_for(user: User) -> str:
    """Return the proof that this person's password was right a moment ago, sealed for a form."""
    return _tickets().dumps([user.id, throttle.hashed(_secret(), "step", user.password_hash or "")])


def read_ticket(text: str) -> tuple[int, str] | None:
    """Return whose ticket this is, with the mark of the password it stands for; None if too old."""
    try:
        user_id, mark = _tickets().loads(text, max_age=TICKET_SECONDS)
    except (BadData, ValueError, TypeError):
        return None
    return int(user_id), str(mark)


def is_of_password(mark: str, user: User) -> bool:
    """Say whether the mark of a ticket stands for the password that `user` has now."""
    return hmac.compare_digest(mark, throttle.hashed(_secret(), "step", user.password_hash or ""))


def _tickets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_secret(), salt="second step")


def log_in(response: Response, token: str, user: User) -> None:
    """Give the browser the cookie of a log-in just started; a buyer's outlives the browser."""
    days = sessions.LIFETIMES[Role.BUYER].whole.days if user.role is Role.BUYER else None
    set_cookie(response, COOKIE, token, days=days)


def log_out(response: Response) -> None:
    """Take the log-in cookie from the browser."""
    drop_cookie(response, COOKIE)


def cookie_value() -> str | None:
    """Return what the browser sent as its log-in cookie, believed or not."""
    return request.cookies.get(cookie_name(COOKIE))


def network() -> str:
    """Return the keyed hash of the network this request came from, for keys of counters."""
    return throttle.network_of(_secret(), request.remote_addr)


def counted_as(login: str) -> str:
    """Return the keyed hash of a log-in name, whichever way it was spelled, known or not."""
    try:
        name = str(users.parse_login(login))
    except users.BadLoginName:
        name = fold(clean(login))
    return throttle.hashed(_secret(), "account", name)


def login_try(login: str) -> LoginTry:
    """Return where a try to log in under `login` from this browser is counted."""
    account = counted_as(login)
    device, _dot, seal = request.cookies.get(cookie_name(DEVICE_COOKIE), "").partition(".")
    known = hmac.compare_digest(seal.encode(), _device_seal(account, device).encode())
    return LoginTry(account, network(), device if known else None)


def know_device(response: Response, login: str) -> None:
    """Let this browser count its own tries under `login` from now on."""
    device = secrets.token_urlsafe(16)
    value = f"{device}.{_device_seal(counted_as(login), device)}"
    set_cookie(response, DEVICE_COOKIE, value, days=DEVICE_DAYS)


def device_name() -> str:
    """Return what the browser calls itself, in two words people know."""
    agent = request.user_agent.string
    browser = next((name for sign, name in BROWSERS if sign in agent), str(lazy("Another browser")))
    system = next((name for sign, name in SYSTEMS if sign in agent), None)
    return f"{browser} · {system}" if system else browser


def way_back(given: str | None) -> str | None:
    """Return `given` if it is a path of this shop, else None: never a way out of it.

    Browsers read a backslash as a slash and drop tabs and line ends, so a slash, a tab and
    «/evil» is another site; only a plain path with one leading slash passes.
    """
    if not given or len(given) > LONGEST_WAY_BACK or not given.startswith("/"):
        return None
    if given.startswith("//") or "\\" in given or any(not c.isprintable() for c in given):
        return None
    try:
        parts = urlsplit(given)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc or parts.path.startswith("//") else given


def _device_seal(account: str, device: str) -> str:
    return throttle.hashed(_secret(), "device", f"{account}:{device}")


def _secret() -> str:
    return str(current_app.config["SETTINGS"].SECRET_KEY)


def _to_login(endpoint: str) -> Response:
    return cast("Response", redirect(url_for(endpoint, tiep=_this_page()), 303))


def _this_page() -> str | None:
    if request.method in {"GET", "HEAD"}:
        query = request.query_string.decode("utf-8", "replace")
        return way_back(request.script_root + request.path + (f"?{query}" if query else ""))
    # A form was sent: its answer is no place to return to, the page that held it is.
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return None
    return way_back(page.path) if page.netloc == request.host else None


def _load(_request: Request) -> SignedIn | None:
    token = cookie_value()
    if not token:
        return None
    now = utc_now()
    with reading() as session:
        found = sessions.find_signed_in(session, token, now=now)
    if found is None:
        return None
    person, last_seen_at = found
    if last_seen_at <= now - SEEN_EVERY:
        g.seen_login = person.session_id
    return person


def _note_use(response: Response) -> Response:
    """After the view, so that this small write never waits for the view's own transaction."""
    session_id = g.pop("seen_login", None)
    if session_id is not None:
        try:
            with transaction() as session:
                sessions.see(session, session_id, now=utc_now())
        except OperationalError:
            current_app.logger.warning("the use of a log-in was not noted", exc_info=True)
    return response
