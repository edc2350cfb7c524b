"""Letters tell what happened, once, in the reader's language, and never touch the order."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.users import User
from core.db import Database
from core.i18n import speaking
from core.tasks import Task
from shop import cancellations, fulfilment, messages
from shop.messages import on_move
from shop.moves import PartMoved
from shop.orders import Order, SellerOrder
from shop.payments import bank_transfer, refunds
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_variant, later
from tests.shop.selling import SELLER, a_member, an_order, log_in, only_part, run_due


def mails(database: Database) -> list[dict[str, str]]:
    with database.reading() as session:
        return [
            task.payload
            for task in session.scalars(select(Task).order_by(Task.id))
            if task.kind == "mail.send"
        ]


def subjects(database: Database) -> list[str]:
    return [mail["subject"].partition(" ")[2] for mail in mails(database)]


def ordered(database: Database, **typed: str) -> tuple[str, int]:
    """An order with a member of its producer to write to; returns its code and the member's id."""
    with database.transaction() as session:
        producer = a_producer(session, name="HTX Rừng", slug="htx-rung")
        member = a_member(session, producer)
        session.execute(update(User).where(User.id == member).values(email="htx@example.com"))
        honey = a_variant(session, product=a_product(session, producer=producer, name="Mật ong"))
        return an_order(session, (honey, 2), **typed).code, member


def the_part(session: Session) -> tuple[Order, SellerOrder]:
    return session.scalars(select(Order)).one(), session.scalars(select(SellerOrder)).one()


def test_the_way_of_an_order_is_told_step_by_step(app: Flask, database: Database) -> None:
    code, _member = ordered(database)
    with database.transaction() as session:
        order, part = the_part(session)
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
        fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
        fulfilment.ship(session, order, part, actor=SELLER, now=NOON)
        fulfilment.deliver(session, order, part, actor=SELLER, now=NOON)

    run_due(app, database, now=later(days=3))

    told = [(mail["to"], mail["subject"]) for mail in mails(database)]
    assert told[1:] == [
        ("htx@example.com", f"Có đơn mới {code}: trả lời trong 24 giờ"),
        ("an@example.com", f"Đơn {code} đã được nhận"),
        ("an@example.com", f"Đơn {code} đang trên đường giao"),
        ("an@example.com", f"Đơn {code} đã giao"),
    ]
    accepted = mails(database)[2]["body"]
    assert "Mật ong × 2: 330.000\u00a0₫" in accepted
    assert f"http://localhost/don-hang/{code}?t=" in accepted


def test_a_move_that_is_taken_back_tells_nothing(app: Flask, database: Database) -> None:
    def accept_and_break() -> None:
        with database.transaction() as session:
            order, part = the_part(session)
            fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
            raise RuntimeError

    ordered(database)
    with pytest.raises(RuntimeError):
        accept_and_break()

    run_due(app, database, now=later(days=3))

    assert not any("đã được nhận" in subject for subject in subjects(database))


def test_the_same_news_twice_is_one_letter(app: Flask, database: Database) -> None:
    ordered(database)
    with database.transaction() as session:
        _order, part = the_part(session)
        news = PartMoved(part.order_id, part.id, messages.Verb.ACCEPT, part.state, part.state, NOON)
        on_move(session, news)
        on_move(session, news)
    run_due(app, database, now=later(days=3))
    with database.transaction() as session:
        on_move(session, news)

    run_due(app, database, now=later(days=3))

    assert sum("đã được nhận" in subject for subject in subjects(database)) == 1


def test_a_letter_is_written_in_its_buyer_s_language(app: Flask, database: Database) -> None:
    ordered(database)
    with database.transaction() as session:
        order, part = the_part(session)
        order.language = "en"
        session.flush()
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    run_due(app, database, now=later(days=3))

    letter = mails(database)[-1]
    assert letter["subject"].endswith("was accepted")
    assert "₫330,000" in letter["body"]
    assert "http://localhost/en/don-hang/" in letter["body"]


def test_who_left_no_address_gets_none_and_the_order_goes_on(
    app: Flask, database: Database
) -> None:
    ordered(database, email="")
    with database.transaction() as session:
        order, part = the_part(session)
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    run_due(app, database, now=later(days=3))

    assert [mail["to"] for mail in mails(database)] == ["htx@example.com"]
    with database.reading() as session:
        assert {task.state.value for task in session.scalars(select(Task))} == {"done"}


def test_money_sent_back_is_told_with_its_reference(app: Flask, database: Database) -> None:
    ordered(database, payment_method="bank_transfer")
    with database.transaction() as session:
        order, part = the_part(session)
        bank_transfer.confirm_by_hand(
            session, order, part, evidence="thấy trên ứng dụng", actor=SELLER, now=NOON
        )
        cancellations.decline(session, order, part, reason="hết mật", actor=SELLER, now=NOON)
        [refund] = refunds.due_of(session, part)
        refunds.settle(session, refund, reference="FT26330", actor=SELLER, now=NOON)

    run_due(app, database, now=later(days=3))

    bodies = {mail["subject"].partition(": ")[2]: mail["body"] for mail in mails(database)}
    assert "FT26330" in bodies["đã chuyển lại tiền"]
    assert "330.000\u00a0₫" in bodies["đã chuyển lại tiền"]
    cancelled = next(mail["body"] for mail in mails(database) if "đã hủy" in mail["subject"])
    assert "Lý do: hết mật" in cancelled
    assert "đã trả sẽ được chuyển lại" in cancelled


def test_the_producer_is_reminded_twice_before_the_clock_ends_and_once_to_send(
    app: Flask, database: Database
) -> None:
    ordered(database)
    for hours in (3, 4, 5, 20, 21, 25):
        messages.remind_due(database, later(hours=hours))
        messages.remind_due(database, later(hours=hours))
    with database.transaction() as session:
        order, part = the_part(session)
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    for hours in (47, 48, 60):
        messages.remind_due(database, later(hours=hours))

    run_due(app, database, now=later(days=3))

    to_producer = [mail["subject"] for mail in mails(database) if mail["to"] == "htx@example.com"]
    assert sum("còn chờ trả lời" in subject for subject in to_producer) == 2
    assert sum("chưa gửi đi" in subject for subject in to_producer) == 1


def test_a_reminder_that_comes_late_is_one_reminder(app: Flask, database: Database) -> None:
    ordered(database)

    messages.remind_due(database, later(hours=21))
    messages.remind_due(database, later(hours=22))
    run_due(app, database, now=later(days=3))

    assert sum("còn chờ" in subject for subject in subjects(database)) <= 2
    with database.reading() as session:
        assert session.scalars(select(SellerOrder.reminders)).one() == 2


def test_the_desk_has_the_words_ready_and_never_the_buyer_s_own_link(
    database: Database, visitor: FlaskClient
) -> None:
    code, member = ordered(database)
    log_in(visitor, database, member)

    page = visitor.get(f"/ban-hang/htx-rung/don-hang/{code}").text

    assert "Đúng thì nhắn lại «OK»" in page
    assert "?t=" not in page


def test_the_words_for_zalo_follow_the_order(app: Flask, session: Session) -> None:
    order = an_order(session, (a_variant(session), 1))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    with app.app_context(), speaking("vi"):
        [one] = messages.to_copy(session, order, part, link="http://localhost/tra-cuu")

    assert one.text.startswith("Chào Nguyễn Thị Ẩn,")
    assert "đã nhận đơn" in one.text
    assert "http://localhost/tra-cuu" in one.text


def test_a_letter_that_cannot_be_sent_never_touches_its_order(
    app: Flask, database: Database
) -> None:
    ordered(database)
    with database.transaction() as session:
        order, part = the_part(session)
        order.buyer_email = "không phải địa chỉ"
        session.flush()
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)

    run_due(app, database, now=later(days=3))

    with database.reading() as session:
        _order, part = the_part(session)
        failed = session.scalars(select(Task).where(Task.last_error.is_not(None))).all()
        assert part.state.value == "preparing"
        assert [task.payload["template"] for task in failed] == ["accepted"]
