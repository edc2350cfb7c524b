"""How a buyer's page opens an order: by the link's mark, or by the account that ordered."""

from collections.abc import Sequence

from flask import Response, current_app, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from accounts.audit import Actor
from accounts.login import signed_in
from core.codes import normalise
from core.settings import Settings
from shop import links, orders
from shop.codes import ORDER_CODE
from shop.orders import NoSuchOrder, Order


def own_id() -> int | None:
    """Return the id of who is logged in here, if anyone; ask before opening a transaction."""
    person = signed_in()
    return person.user_id if person else None


def buyer() -> Actor:
    """Return who acts on a buyer's page: the account, or the holder of the link."""
    person = signed_in()
    return Actor(person.user_id, person.name) if person else Actor(None, str(_("buyer")))


def open_order(session: Session, code: str, user_id: int | None) -> Order:
    """Return the order if the link's mark or the account opens it; else it does not exist."""
    order = orders.find_by_code(session, normalise(ORDER_CODE, code))
    if order is None:
        raise NoSuchOrder
    own = user_id is not None and order.user_id == user_id
    if not own and not links.opens(order, mark(), secrets()):
        raise NoSuchOrder
    return order


def mark() -> str:
    """Return the mark in this page's address, which every link to the order carries on."""
    return request.args.get("t", "")


def address_of(code: str) -> str:
    """Return the order's page, opened the way this page was."""
    return url_for("orders.show", code=code, t=mark() or None)


def secrets() -> Sequence[str]:
    """Return the keys a mark may have been made with."""
    settings: Settings = current_app.config["SETTINGS"]
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def private(response: Response) -> Response:
    """Keep the page from travelling: its address itself opens the order."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
