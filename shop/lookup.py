"""Finding one's order without an account: by its code and the last four digits of its phone."""

import hmac
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from accounts import throttle
from accounts.phones import last4
from core.codes import normalise
from core.i18n import lazy as _
from shop import orders
from shop.codes import ORDER_CODE
from shop.orders import NoSuchOrder, Order

TRIES, SECONDS = 5, 15 * 60
TRIES_AT_ONE_ORDER, AN_HOUR = 30, 60 * 60
LONGEST_CODE = 40
NOBODY = "+84000000000"


class NoMatch(NoSuchOrder):
    """No order has this code and these digits; it is never said which of the two was wrong."""


def count_try(session: Session, code: str, *, secret: str, network: str, now: datetime) -> None:
    """Count one look-up from this network and at this code, in a transaction of its own.

    Raises TooManyTries: four digits must not be tried out, neither from one place nor from many.
    """
    throttle.allow(session, f"lookup:{network}", limit=TRIES, seconds=SECONDS, now=now)
    wanted = throttle.hashed(secret, "lookup", normalise(ORDER_CODE, code[:LONGEST_CODE]))
    throttle.allow(
        session, f"lookup:code:{wanted}", limit=TRIES_AT_ONE_ORDER, seconds=AN_HOUR, now=now
    )


def find(session: Session, code: str, digits: str) -> Order:
    """Return the order with this code whose phone ends so; every miss takes the same way.

    Raises NoMatch.
    """
    order = orders.find_by_code(session, normalise(ORDER_CODE, code[:LONGEST_CODE]))
    known = last4(order.buyer_phone if order is not None else NOBODY)
    right = hmac.compare_digest(_digest(digits.strip()), _digest(known))
    if order is None or not right:
        raise NoMatch(_("No order has this code and these last four digits."))
    return order


def _digest(text: str) -> bytes:
    """Return a hash: texts of any length then take the same time to compare."""
    return sha256(text.encode("utf-8", "replace")).digest()
