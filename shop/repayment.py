"""Paying again, or in another way, while an order is unpaid: a new payment, the old one ended.

Cash at the door stays cash: its parcel is promised already, and an order that waits for money
must not be on its way. Who has paid a little already pays the rest in the same way.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import stock
from catalog.producers import Producer
from catalog.stock import HoldState, Reservation
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.money import ZERO
from shop import moves, orders
from shop.moves import TooLate
from shop.order_states import SellerOrderState, Verb
from shop.orders import Order, SellerOrder
from shop.payments import asking, connected, payments
from shop.payments.asking import HOLDS
from shop.payments.payments import UNPAID, Payment, PaymentMethod, PaymentState
from shop.payments.receipts import TIME_TO_CONFIRM
from shop.selling import Account, Selling

# Each try holds the goods anew: nobody keeps them from others for ever.
MOST_TRIES = 5
ENDED = (PaymentState.FAILED, PaymentState.EXPIRED, PaymentState.CANCELLED)


class NotThisWay(Invalid):
    """This order cannot be paid in this way."""


class MoneyOnItsWay(Conflict):
    """Money is being taken, or part of it has come: another way to pay would ask for it twice."""


class TooManyPayTries(Conflict):
    """The way to pay was changed so often that the goods are not held any longer."""


def ways(session: Session, order: Order, *, selling: Selling) -> list[PaymentMethod]:
    """Return in which ways the unpaid parts of an order may be paid; none when none is open."""
    parts = _unpaid_parts(session, order)
    if not parts or _tries(session, parts) >= MOST_TRIES:
        return []
    found = [PaymentMethod.COD]
    if selling.is_direct:
        has_account = selling.account is not None
    else:
        accounts = _accounts(session, parts)
        has_account = all(accounts[part.producer_id] is not None for part in parts)
    if has_account:
        found.append(PaymentMethod.BANK_TRANSFER)
    owed = [(part.producer_id, part.total) for part in parts]
    return [*found, *connected.online_ways(session, selling, owed)]


def pay_in(
    session: Session,
    order: Order,
    method: PaymentMethod,
    *,
    selling: Selling,
    actor: Actor,
    now: datetime,
) -> list[Payment]:
    """Let every unpaid part of an order be paid by `method`; return the payments that are open.

    A payment in this way that is still open stays as it is: asking twice changes nothing. With
    cash the parts go to their producers at once, their goods held for good; any other way holds
    them anew for its own time. Raises TooLate, MoneyOnItsWay, NotThisWay, TooManyPayTries.
    """
    moves.lock(session, order.id)
    parts = _unpaid_parts(session, order)
    if not parts:
        raise TooLate(_("There is nothing left to pay here. Look at the order again."))
    current = payments.list_of_parts(session, [part.id for part in parts])
    if all(one.method is method and one.state not in ENDED for one in current.values()):
        return list({one.id: one for one in current.values()}.values())
    if method not in ways(session, order, selling=selling):
        if _tries(session, parts) >= MOST_TRIES:
            raise TooManyPayTries(_("The way to pay was changed too often. Order again."))
        raise NotThisWay(_("Choose how to pay."), field="payment_method")
    _end_open(session, order, parts)
    attempt = _tries(session, parts) + 1
    asked = asking.ask(
        session, order, parts, method=method, accounts=_accounts(session, parts),
        selling=selling, now=now, attempt=attempt,
    )  # fmt: skip
    _hold(session, parts, method, now=now)
    order.payment_method = method
    session.flush()
    for part in parts:
        told = {"method": method.value}
        if method is PaymentMethod.COD:
            moves.move(
                session, part, Verb.CHANGE_METHOD, actor=actor, now=now, detail=told,
                hold_expires_at=None, confirm_by=now + TIME_TO_CONFIRM,
            )  # fmt: skip
        else:
            moves.note(
                session, part, Verb.CHANGE_METHOD, actor=actor, now=now, before=part.state,
                detail=told,
            )  # fmt: skip
    payments.write_status(session, order.id)
    return asked


def _unpaid_parts(session: Session, order: Order) -> list[SellerOrder]:
    """Return the parts that wait for money; refuse when some of it is here or being taken."""
    parts = [
        part
        for part in orders.list_parts(session, order.id)
        if part.state is SellerOrderState.PENDING
    ]
    mine = payments.list_of_parts(session, [part.id for part in parts])
    if order.frozen:
        return []
    return [
        part
        for part in parts
        if payments.net_of(session, mine[part.id]) == ZERO
        and mine[part.id].state is not PaymentState.PROCESSING
    ]


def _tries(session: Session, parts: list[SellerOrder]) -> int:
    current = payments.list_of_parts(session, [part.id for part in parts])
    return max((one.attempt for one in current.values()), default=0)


def _accounts(session: Session, parts: list[SellerOrder]) -> dict[int, Account | None]:
    rows = session.scalars(
        select(Producer).where(Producer.id.in_([part.producer_id for part in parts]))
    )
    return {
        one.id: Account(one.bank_bin, one.bank_account, one.bank_holder)
        if one.bank_bin and one.bank_account and one.bank_holder
        else None
        for one in rows
    }


def _end_open(session: Session, order: Order, parts: list[SellerOrder]) -> None:
    """End whatever was still open for these parts, unless it is being taken this very moment."""
    mine = {one.id for one in payments.list_of_parts(session, [part.id for part in parts]).values()}
    for payment in payments.list_all_of_order(session, order.id):
        if payment.id not in mine or payment.state not in UNPAID:
            continue
        ended = session.scalar(
            update(Payment)
            .where(
                Payment.id == payment.id,
                Payment.state.in_([*UNPAID]),
                Payment.state != PaymentState.PROCESSING,
            )
            .values(state=PaymentState.CANCELLED)
            .returning(Payment.id)
            .execution_options(synchronize_session=False)
        )
        if ended is None:
            raise MoneyOnItsWay(_("A payment is under way. Wait a moment, then look again."))
        session.refresh(payment)


def _hold(
    session: Session, parts: list[SellerOrder], method: PaymentMethod, *, now: datetime
) -> None:
    """Let the goods be held as the new way wants: for good with cash, else until a new end."""
    holds = orders.list_holds(session, [part.id for part in parts])
    if method is PaymentMethod.COD:
        stock.commit_holds(session, holds)
        return
    until = now + HOLDS[method]
    session.execute(
        update(Reservation)
        .where(
            Reservation.id.in_(holds),
            Reservation.state == HoldState.HELD,
            Reservation.expires_at < until,
        )
        .values(expires_at=until)
        .execution_options(synchronize_session=False)
    )
    for part in parts:
        part.hold_expires_at = max(until, part.hold_expires_at or until)
    session.flush()
