"""Faults planted in the drilled processes, each a thing a shop may get wrong: the drill must fail.

`python -m drill.planted web|worker NAME…` changes these things and then starts what is drilled.
"""

import smtplib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import has_request_context, request
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from catalog import stock
from catalog.stock import HoldState, StockItem
from core import inbox, mail
from core.clock import utc_now
from core.db import Database
from core.settings import load
from core.tasks import Work
from shop import cancellations, carts, checkout, confirmations, moves, orders
from shop.carts import Cart, CartLine, CartState
from shop.order_states import Ended, SellerOrderState, Verb
from shop.orders import Order, SellerOrder
from shop.payments import bank_rows, bank_transfer, receipts
from shop.payments.notices import BankRow
from shop.payments.payments import Custody, Payment
from shop.payments.receipts import Receipt

WHILE = 0.05


def forms_sent_again_order_again() -> None:
    """Let a form that was lost on its way, or pressed twice, become an order of its own."""
    place: Any = checkout.place

    def place_again(session: Session, cart_id: int, typed: Any, **more: Any) -> Any:
        if session.get_one(Cart, cart_id).state is CartState.ORDERED:
            cart_id = _copy(session, cart_id)
        return place(session, cart_id, typed, **more)

    checkout.place = place_again


def _copy(session: Session, cart_id: int) -> int:
    now = utc_now()
    cart, _token = carts.open_new(session, user_id=None, now=now)
    for line in session.scalars(select(CartLine).where(CartLine.cart_id == cart_id)).all():
        carts.add(session, cart, line.variant_id, quantity=line.quantity, now=now)
    session.flush()
    return cart.id


def stock_is_read_then_written() -> None:
    """Let two buyers read the same number of free pieces before either writes."""

    def take(session: Session, stock_id: int, quantity: int) -> bool:
        on_hand, reserved = session.execute(
            select(StockItem.on_hand, StockItem.reserved).where(StockItem.id == stock_id)
        ).one()
        time.sleep(WHILE)
        if on_hand - reserved < quantity:
            return False
        session.execute(
            update(StockItem)
            .where(StockItem.id == stock_id)
            .values(reserved=reserved + quantity)
            .execution_options(synchronize_session=False)
        )
        return True

    # The lock beneath would put the buyers in a row again.
    Select.with_for_update = lambda self, **_how: self  # type: ignore[method-assign]
    stock._take = take  # noqa: SLF001 - a fault is planted where it hurts


def answers_come_before_the_commit() -> None:
    """Let the page say that an order stands while its transaction is still to be kept."""
    keeping = Database.transaction

    @contextmanager
    def transaction(self: Database) -> Iterator[Session]:
        if not has_request_context() or request.path != "/dat-hang":
            with keeping(self) as session:
                yield session
            return
        session = self._writer()
        session.begin()
        try:
            yield session
            session.flush()
        except BaseException:
            session.rollback()
            session.close()
            raise
        threading.Thread(target=_keep_later, args=(session,), daemon=True).start()

    Database.transaction = transaction  # type: ignore[method-assign]


def _keep_later(session: Session) -> None:
    time.sleep(4 * WHILE)
    session.commit()
    session.close()


def mails_leave_inside_the_transaction() -> None:
    """Let the mail go before the order it speaks of is kept."""

    def queue(session: Session, order: Any, *, link: str, now: datetime) -> None:
        del session, link, now
        settings = load()
        with smtplib.SMTP("127.0.0.1", int(settings.MAIL_URL.rpartition(":")[2])) as server:
            server.sendmail(
                "shop@example.com", order.buyer_email, f"Subject: {order.code}\r\n\r\n{order.code}"
            )
        time.sleep(2 * WHILE)

    confirmations.queue = queue


def mails_are_ticked_before_they_leave() -> None:
    """Let a worker that is killed in between believe that the mail was sent."""
    send: Any = mail.send

    def send_late(work: Work) -> None:
        with work.finishing():
            pass
        time.sleep(10 * WHILE)
        send(work)

    mail.send = send_late


def holds_end_unasked() -> None:
    """Let the timer end what it read as unpaid, whatever has happened since."""

    def expire(session: Session, part: SellerOrder, *, now: datetime) -> bool:
        time.sleep(2 * WHILE)
        session.execute(
            update(SellerOrder)
            .where(SellerOrder.id == part.id)
            .values(state=SellerOrderState.CANCELLED, ended=Ended.EXPIRED, hold_expires_at=None)
        )
        stock.release(session, orders.list_holds(session, [part.id]), as_state=HoldState.EXPIRED)
        moves.note(session, part, Verb.EXPIRE, actor=SYSTEM, now=now, before=part.state)
        return True

    cancellations.expire = expire


def money_is_taken_each_time() -> None:
    """Let money that is told of twice be taken as arrived twice."""

    def take(
        session: Session,
        order: Order,
        payment: Payment,
        note: str,
        *,
        custody: Custody,
        actor: Actor,
        now: datetime,
    ) -> Receipt | None:
        del order
        return receipts.receive(
            session, payment, payment.amount, evidence=note, custody=custody, actor=actor, now=now
        )

    bank_transfer._take = take  # noqa: SLF001 - as above
    take_event: Any = inbox.take
    take_row: Any = bank_rows.take

    def take_every_event(session: Session, provider: str, event_id: str, **more: Any) -> Any:
        return take_event(session, provider, f"{event_id}-{time.monotonic_ns()}", **more)

    def take_every_row(session: Session, row: BankRow, **more: Any) -> Any:
        kept = take_row(session, row, **more)
        if kept is None:
            payment = session.scalars(
                select(Payment).where(Payment.memo == row.memo.rpartition(" ")[2])
            ).one()
            receipts.receive(
                session, payment, row.amount, evidence="", custody=Custody.PRODUCER,
                actor=SYSTEM, now=more["now"],
            )  # fmt: skip
        return kept

    inbox.take = take_every_event
    bank_rows.take = take_every_row


def holds_are_kept_without_the_order() -> None:
    """Let goods be set aside in a transaction of their own: an order that fails keeps them."""
    reserve: Any = stock.reserve

    def reserve_apart(session: Session, wanted: Any, **more: Any) -> Any:
        with Session(session.get_bind(), expire_on_commit=False) as apart:
            held = reserve(apart, wanted, **more)
            apart.commit()
        time.sleep(2 * WHILE)
        return held

    stock.reserve = reserve_apart


PLANTED: dict[str, Callable[[], None]] = {
    "forms-sent-again-order-again": forms_sent_again_order_again,
    "stock-is-read-then-written": stock_is_read_then_written,
    "answers-come-before-the-commit": answers_come_before_the_commit,
    "mails-leave-inside-the-transaction": mails_leave_inside_the_transaction,
    "mails-are-ticked-before-they-leave": mails_are_ticked_before_they_leave,
    "holds-end-unasked": holds_end_unasked,
    "money-is-taken-each-time": money_is_taken_each_time,
    "holds-are-kept-without-the-order": holds_are_kept_without_the_order,
}


def main(arguments: list[str]) -> None:
    """Plant faults, then be the web server or the background worker."""
    role, *names = arguments
    for name in names:
        PLANTED[name]()
    # Imported after planting: what they import must meet the fault.
    if role == "web":
        from gunicorn.app.wsgiapp import run  # type: ignore[import-untyped]  # noqa: PLC0415

        sys.argv = ["gunicorn", "wsgi:create_app()"]
        run()
    else:
        from flask.cli import main as flask  # noqa: PLC0415

        sys.argv = ["flask", "worker"]
        flask()


if __name__ == "__main__":
    main(sys.argv[1:])
