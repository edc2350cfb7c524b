"""Which orders somebody means who types a code, a phone, a name, a memo or a waybill."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from accounts.phones import InvalidPhone, parse_phone
from core.codes import is_well_formed, normalise
from core.text import clean, words
from shop.codes import MEMO, ORDER_CODE
from shop.orders import Order, SellerOrder
from shop.payments.payments import Payment
from shop.shipments import Shipment

LONGEST = 100
# So many digits say something about a phone; fewer are in half of all numbers.
FEWEST_DIGITS, FEWEST_OF_CODE = 4, 3


def meant_by(typed: str) -> ColumnElement[bool] | None:
    """Return the condition on orders that `typed` puts; None when nothing was typed.

    An order's code, a memo and a phone find exactly; the end of a phone, the beginning of a code
    and the words of a name, marks forgiven, find what fits.
    """
    text = clean(typed)[:LONGEST]
    if not text:
        return None
    exact = _exactly(text)
    if exact is not None:
        return exact
    as_waybill = (
        select(SellerOrder.order_id)
        .join(Shipment, Shipment.seller_order_id == SellerOrder.id)
        .where(Shipment.waybill.in_([text, text.upper()]))
    )
    found: list[Any] = [Order.id.in_(as_waybill)]
    digits = "".join(letter for letter in text if letter.isdecimal())
    if len(digits) >= FEWEST_DIGITS:
        found.append(Order.buyer_phone.endswith(digits, autoescape=True))
    code = normalise(ORDER_CODE, text)
    if len(code) >= FEWEST_OF_CODE and all(c in ORDER_CODE.alphabet for c in code):
        found.append(Order.code.startswith(code, autoescape=True))
    of_name = words(text)
    if of_name and not digits:
        found.append(
            and_(*(Order.buyer_folded.contains(word, autoescape=True) for word in of_name))
        )
    return or_(*found)


def _exactly(text: str) -> ColumnElement[bool] | None:
    code = normalise(ORDER_CODE, text)
    if is_well_formed(ORDER_CODE, code):
        return Order.code == code
    memo = normalise(MEMO, text)
    if is_well_formed(MEMO, memo):
        return Order.id.in_(select(Payment.order_id).where(Payment.memo == memo))
    try:
        return Order.buyer_phone == parse_phone(text)
    except InvalidPhone:
        return None
