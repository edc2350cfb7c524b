"""What a buyer does after ordering: pay otherwise, say that it came, buy again, print, look up."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import sales
from catalog.stock import HoldState, Reservation
from core.clock import utc_now
from core.db import Database
from core.money import Money
from core.tasks import Task
from shop import (
    cancellations,
    carts,
    completion,
    fulfilment,
    lookup,
    messages,
    moves,
    reorder,
    repayment,
)
from shop.audit import find_faults
from shop.completion import DRY, FRESH, Frozen
from shop.lookup import NoMatch
from shop.moves import TooLate
from shop.order_states import SellerOrderState as S
from shop.order_states import Verb
from shop.orders import Order, OrderEvent, SellerOrder
from shop.payments import payments, receipts
from shop.payments.payments import UNPAID, Custody, Payment, PaymentMethod, PaymentState
from shop.repayment import NotThisWay, TooManyPayTries
from shop.selling import INTERMEDIARY
from tests.conftest import NOON
from tests.factories import a_commune, a_lot, a_producer, a_product, a_user, a_variant, later
from tests.shop.selling import (
    BUYER,
    SELLER,
    Counted,
    a_cart,
    an_order,
    at_once,
    checkout_form,
    fill_cart,
    hidden,
    log_in,
    only_part,
)

TRANSFER: dict[str, Any] = {"payment_method": "bank_transfer"}
COD, BANK = PaymentMethod.COD, PaymentMethod.BANK_TRANSFER


def pay_in(
    session: Session, order: Order, method: PaymentMethod, now: datetime = NOON
) -> list[Payment]:
    return repayment.pay_in(session, order, method, selling=INTERMEDIARY, actor=BUYER, now=now)


def live(session: Session, order: Order) -> list[PaymentMethod]:
    return list(
        session.scalars(
            select(Payment.method).where(
                Payment.order_id == order.id, Payment.state.in_([*UNPAID, PaymentState.DUE])
            )
        )
    )


def test_a_transfer_becomes_cash_and_the_producer_gets_the_order(session: Session) -> None:
    order = an_order(session, (a_variant(session), 2), **TRANSFER)
    part = only_part(session, order)

    pay_in(session, order, COD)

    assert (part.state, part.hold_expires_at) == (S.TO_CONFIRM, None)
    assert part.confirm_by == later(NOON, hours=24)
    assert live(session, order) == [COD]
    assert session.scalars(select(Reservation.state)).all() == [HoldState.COMMITTED]
    assert find_faults(session) == []


def test_the_producer_gets_one_letter_when_the_order_becomes_one_for_cash(
    session: Session,
) -> None:
    order = an_order(session, (a_variant(session), 1), **TRANSFER)
    part = only_part(session, order)
    moved = (Verb.CHANGE_METHOD, S.PENDING, S.TO_CONFIRM)
    noted = (Verb.CHANGE_METHOD, S.PENDING, S.PENDING)
    for verb, before, after in (noted, moved, moved):
        messages.on_move(session, moves.PartMoved(order.id, part.id, verb, before, after, NOON))

    asked = session.scalars(select(Task.key).where(Task.kind == messages.KIND)).all()
    assert [key.split(":")[2] for key in asked if key] == ["new_order"]


def test_every_unpaid_part_goes_along_and_a_paid_one_stays(session: Session) -> None:
    one, two = a_variant(session), a_variant(session)
    order = an_order(session, (one, 1), (two, 1), **TRANSFER)
    [first, _second] = payments.list_all_of_order(session, order.id)
    receipts.receive(
        session, first, first.amount, evidence="thấy", custody=Custody.PRODUCER,
        actor=SELLER, now=NOON,
    )  # fmt: skip

    pay_in(session, order, COD)

    states = session.execute(select(Payment.method, Payment.state).order_by(Payment.id)).all()
    assert [tuple(row) for row in states] == [
        (BANK, PaymentState.SUCCEEDED),
        (BANK, PaymentState.CANCELLED),
        (COD, PaymentState.DUE),
    ]
    assert find_faults(session) == []
    first.captured = Money(1)
    session.flush()
    assert "its money has not arrived" in " ".join(fault.what for fault in find_faults(session))


def test_cash_is_not_changed_into_money_that_is_waited_for(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1))

    assert repayment.ways(session, order, selling=INTERMEDIARY) == []
    with pytest.raises(TooLate):
        pay_in(session, order, BANK)


def test_asking_twice_for_the_same_way_changes_nothing(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1), **TRANSFER)
    before = payments.list_all_of_order(session, order.id)

    again = pay_in(session, order, BANK, later(NOON, minutes=5))

    assert [one.id for one in again] == [one.id for one in before]
    assert len(payments.list_all_of_order(session, order.id)) == 1


def test_a_failed_payment_is_asked_for_again_and_holds_the_goods_anew(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1), **TRANSFER)
    [payment] = payments.list_all_of_order(session, order.id)
    payment.method, payment.state = PaymentMethod.STRIPE, PaymentState.FAILED
    session.flush()
    now = later(NOON, minutes=50)

    [new] = pay_in(session, order, BANK, now)

    assert (new.attempt, new.memo is not None) == (2, True)
    assert only_part(session, order).hold_expires_at == later(now, hours=2)
    assert session.scalars(select(Reservation.expires_at)).one() == later(now, hours=2)
    assert live(session, order) == [BANK]


def test_money_sent_to_the_old_request_still_counts(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1), **TRANSFER)
    [old] = payments.list_all_of_order(session, order.id)
    pay_in(session, order, COD)

    receipt = receipts.receive(
        session, old, old.amount, evidence="thấy", custody=Custody.PRODUCER,
        actor=SELLER, now=NOON,
    )  # fmt: skip

    # The parcel goes on with cash at the door; what came besides is owed back.
    assert receipt is receipts.Receipt.OVER
    session.refresh(old)
    assert old.refund_due == old.amount


def test_half_paid_is_paid_to_the_end_in_the_same_way(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1), **TRANSFER)
    [payment] = payments.list_all_of_order(session, order.id)
    receipts.receive(
        session, payment, Money(1_000), evidence="thấy", custody=Custody.PRODUCER,
        actor=SELLER, now=NOON,
    )  # fmt: skip

    with pytest.raises(TooLate):
        pay_in(session, order, COD)
    assert live(session, order) == [BANK]


def test_goods_are_not_held_for_ever_by_changing_the_way(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1), **TRANSFER)
    for _try in range(4):
        [payment] = [p for p in payments.list_all_of_order(session, order.id) if p.state in UNPAID]
        payment.state = PaymentState.FAILED
        session.flush()
        pay_in(session, order, BANK)

    assert repayment.ways(session, order, selling=INTERMEDIARY) == []
    with pytest.raises(TooManyPayTries):
        pay_in(session, order, COD)


def test_a_way_that_is_not_offered_is_refused(session: Session) -> None:
    producer = a_producer(session, bank_bin=None, bank_account=None, bank_holder=None)
    order = an_order(
        session, (a_variant(session, product=a_product(session, producer=producer)), 1)
    )

    with pytest.raises(TooLate):
        pay_in(session, order, BANK)
    other = an_order(session, (a_variant(session), 1), **TRANSFER)
    with pytest.raises(NotThisWay):
        pay_in(session, other, PaymentMethod.STRIPE)


def test_expiry_and_a_change_to_cash_never_both_happen(database: Database) -> None:
    for number in range(15):
        with database.transaction() as session:
            phone = f"09123456{number:02d}"
            order = an_order(session, (a_variant(session), 1), phone=phone, **TRANSFER)
            order_id, part_id = order.id, only_part(session, order).id
        then = later(NOON, hours=2, seconds=1)

        def expire(session: Session, part_id: int = part_id, then: datetime = then) -> object:
            part = session.get_one(SellerOrder, part_id)
            return cancellations.expire(session, part, now=then)

        def change(session: Session, order_id: int = order_id, then: datetime = then) -> object:
            return pay_in(session, session.get_one(Order, order_id), COD, then)

        expired, changed = at_once(database, [expire, change])

        with database.reading() as session:
            part = session.get_one(SellerOrder, part_id)
            assert (expired is True) != isinstance(changed, list)
            assert part.state is (S.CANCELLED if expired is True else S.TO_CONFIRM)
            assert find_faults(session) == []


def delivered(session: Session, *, motif: str = "mat-ong", keeps: int | None = None) -> Order:
    product = a_product(session, motif=motif)
    honey = a_variant(session, product=product, in_stock=0 if keeps else 5)
    if keeps:
        made = date(2026, 11, 24)
        a_lot(session, honey, in_stock=5, produced_on=made, expires_on=made + timedelta(days=keeps))
    order = an_order(session, (honey, 1))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    for step in (fulfilment.pack, fulfilment.ship, fulfilment.deliver):
        step(session, order, part, actor=SELLER, now=NOON)
    news = moves.PartMoved(order.id, part.id, Verb.DELIVER, S.SHIPPED, S.DELIVERED, NOON)
    completion.open_claim_window(session, news)
    return order


@pytest.mark.parametrize(
    ("motif", "keeps", "window"),
    [("mat-ong", None, DRY), ("rau", None, FRESH), ("rau", 200, DRY), ("mat-ong", 5, FRESH)],
)
def test_fresh_goods_are_complained_about_at_once_others_within_a_week(
    session: Session, motif: str, keeps: int | None, window: timedelta
) -> None:
    order = delivered(session, motif=motif, keeps=keeps)

    assert only_part(session, order).claim_until == NOON + window


def test_the_buyer_closes_a_part_once(session: Session) -> None:
    order = delivered(session)
    part = only_part(session, order)

    assert completion.complete(session, order, part, actor=BUYER, now=NOON)
    assert not completion.complete(session, order, part, actor=BUYER, now=NOON)

    assert part.state is S.COMPLETED
    told = select(func.count()).where(OrderEvent.verb == Verb.COMPLETE)
    assert session.scalar(told) == 1


def test_what_is_not_delivered_or_disputed_is_not_closed(session: Session) -> None:
    sent = an_order(session, (a_variant(session), 1))
    with pytest.raises(TooLate):
        completion.complete(session, sent, only_part(session, sent), actor=BUYER, now=NOON)
    order = delivered(session)
    order.frozen = True
    session.flush()

    with pytest.raises(Frozen):
        completion.complete(session, order, only_part(session, order), actor=BUYER, now=NOON)


def test_the_timer_closes_what_is_due_and_may_run_twice(database: Database) -> None:
    with database.transaction() as session:
        fresh, dry = delivered(session, motif="rau"), delivered(session)
        frozen = delivered(session, motif="rau")
        frozen.frozen = True
        ids = [only_part(session, one).id for one in (fresh, dry, frozen)]

    for _run in range(2):
        completion.complete_due(database, later(NOON, hours=49))

    with database.reading() as session:
        states = [session.get_one(SellerOrder, part_id).state for part_id in ids]
    assert states == [S.COMPLETED, S.DELIVERED, S.DELIVERED]


def test_buying_again_tells_what_is_missing_and_what_costs_more(session: Session) -> None:
    honey = a_variant(session, product=a_product(session, name="Mật ong"), in_stock=9)
    tea = a_variant(session, product=a_product(session, name="Trà"), in_stock=1)
    few = a_variant(session, product=a_product(session, name="Nấm"), in_stock=5)
    order = an_order(session, (honey, 2), (tea, 1), (few, 3))
    sales.change_price(session, honey, Money(170_000), actor=SELLER, now=NOON)
    cart = a_cart(session, (honey, 1))

    come = reorder.reorder(session, order, cart, now=NOON)

    assert come.missing == ["Trà"]
    assert [(kept.name, kept.quantity) for kept in come.fewer] == [("Nấm", 2)]
    assert [(name, now) for name, _before, now in come.prices] == [("Mật ong", Money(170_000))]
    assert carts.count(session, cart) == 4
    assert come.added == 3


def test_buying_again_twice_does_not_double_the_cart(session: Session) -> None:
    honey = a_variant(session, in_stock=9)
    order = an_order(session, (honey, 2))
    cart = a_cart(session)

    for _press in range(2):
        reorder.reorder(session, order, cart, now=NOON)

    assert carts.count(session, cart) == 2


def test_a_miss_takes_the_same_way_whatever_is_wrong(database: Database) -> None:
    with database.transaction() as session:
        code = an_order(session, (a_variant(session), 1)).code
    asked = []
    with database.reading() as session:
        for typed, digits in ((code, "0000"), ("AAAAAAAAA", "5678"), ("", ""), (code, "x" * 9)):
            with Counted(database) as counted, pytest.raises(NoMatch) as miss:
                lookup.find(session, typed, digits)
            asked.append((counted.queries, str(miss.value.message)))
        assert lookup.find(session, f" {code.lower()} ", " 5678 ").code == code

    assert len(set(asked)) == 1


def ordered(visitor: FlaskClient, variant_id: int, **typed: str) -> str:
    fill_cart(visitor, variant_id, 2)
    answer = visitor.post("/dat-hang", data=checkout_form(visitor, **typed))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


@pytest.fixture
def honey(database: Database) -> int:
    """A jar of honey that can be bought."""
    with database.transaction() as session:
        a_commune(session)
        return a_variant(session, product=a_product(session, name="Mật ong nhãn")).id


def act(visitor: FlaskClient, page: str, what: str, **form: str) -> str:
    path, _mark, mark = page.partition("?")
    token = hidden(visitor.get(page).text, "csrf_token")
    answer = visitor.post(
        f"{path}/{what}?{mark}", data={"csrf_token": token, **form}, follow_redirects=True
    )
    assert answer.status_code == 200, answer.status
    return answer.text


def test_a_guest_changes_to_cash_on_the_orders_page(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    page = ordered(visitor, honey, payment_method="bank_transfer")
    assert "Trả tiền cách khác" in visitor.get(page).text

    told = act(visitor, page, "cach-tra", payment_method="cod")

    assert "Đã đổi cách trả tiền." in told
    assert "Trả khi nhận" in told or "trả khi nhận" in told.lower()
    assert "Trả tiền cách khác" not in told


def test_a_guest_says_that_the_goods_came_and_buys_again(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    page = ordered(visitor, honey)
    assert "muộn nhất" in visitor.get(page).text
    with database.transaction() as session:
        order = session.scalars(select(Order)).one()
        part = only_part(session, order)
        now = utc_now()
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=now)
        for step in (fulfilment.pack, fulfilment.ship, fulfilment.deliver):
            step(session, order, part, actor=SELLER, now=now)
        part_id = part.id

    assert "Hàng có vấn đề thì báo trước" in visitor.get(page).text
    assert "Gói hàng này đã xong" in act(visitor, page, f"{part_id}/da-nhan")
    assert "Mật ong nhãn" in act(visitor, page, "mua-lai")

    with database.reading() as session:
        assert session.scalars(select(carts.CartLine.quantity)).all()[-1] == 2
    path, _dot, mark = page.partition("?")
    token = hidden(visitor.get(page).text, "csrf_token")
    wrong = visitor.post(f"{path}/{part_id + 9}/da-nhan?{mark}", data={"csrf_token": token})
    assert wrong.status_code == 404


def test_the_confirmation_says_who_sells_what_for_how_much(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    page = ordered(visitor, honey)
    path, _dot, mark = page.partition("?")

    sheet = visitor.get(f"{path}/xac-nhan?{mark}").text

    assert "Người bán: HTX Thử" in sheet
    assert "330.000\u00a0₫" in sheet
    assert "không phải hoá đơn thuế" in sheet
    assert visitor.get(f"{path}/xac-nhan").status_code == 404


def test_an_order_of_before_is_taken_into_the_account(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    ordered(visitor, honey)
    with database.transaction() as session:
        code = session.scalars(select(Order.code)).one()
        # The same number, typed at registration: nobody has proved it.
        user_id = a_user(session, phone="+84912345678").id
    log_in(visitor, database, user_id)
    mine = visitor.get("/tai-khoan/don-hang")
    assert code not in mine.text
    assert "chưa đăng nhập" in mine.text
    token = hidden(mine.text, "csrf_token")

    miss = visitor.post(
        "/tai-khoan/don-hang/nhan", data={"csrf_token": token, "code": code, "last4": "0000"}
    )
    assert miss.status_code == 422
    form = {"csrf_token": token, "code": code, "last4": "5678"}
    found = visitor.post("/tai-khoan/don-hang/nhan", data=form, follow_redirects=True)

    assert f"Đơn {code} đã nằm trong tài khoản này" in found.text
    assert visitor.get(f"/don-hang/{code}").status_code == 200
    with database.transaction() as session:
        other = a_user(session).id
    log_in(visitor, database, other)
    form["csrf_token"] = hidden(visitor.get("/tai-khoan/don-hang").text, "csrf_token")
    assert visitor.post("/tai-khoan/don-hang/nhan", data=form).status_code == 422


def test_a_proved_phone_takes_all_its_orders_at_once(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    ordered(visitor, honey)
    ordered(visitor, honey)
    with database.transaction() as session:
        user_id = a_user(session, phone="+84912345678", phone_proved_at=NOON).id
    log_in(visitor, database, user_id)
    page = visitor.get("/tai-khoan/don-hang").text
    assert "Có 2 đơn đặt bằng số điện thoại này" in page

    token = hidden(page, "csrf_token")
    told = visitor.post(
        "/tai-khoan/don-hang/nhan-theo-so", data={"csrf_token": token}, follow_redirects=True
    ).text

    assert "2 đơn đã nằm trong tài khoản này" in told


def test_the_list_of_orders_goes_by_cursor_and_narrows(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        user_id = a_user(session).id
        plenty = a_variant(session, in_stock=90)
        for number in range(23):
            order = an_order(session, (plenty, 1), phone=f"09123456{number:02d}")
            order.user_id = user_id
    log_in(visitor, database, user_id)

    with Counted(database) as counted:
        first = visitor.get("/tai-khoan/don-hang").text
    after = first.split("sau=")[1].split('"')[0]
    second = visitor.get(f"/tai-khoan/don-hang?sau={after}").text

    assert first.count('<li class="stack sat">') == 20
    assert second.count('<li class="stack sat">') == 3
    assert "Chưa có đơn nào" in visitor.get("/tai-khoan/don-hang?muc=xong").text
    assert visitor.get("/tai-khoan/don-hang?muc=la&sau=la").status_code == 200
    assert counted.queries <= 8


def test_a_new_order_offers_to_keep_its_address(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    with database.transaction() as session:
        user_id = a_user(session).id
    log_in(visitor, database, user_id)
    page = ordered(visitor, honey)
    code = page.split("/don-hang/")[1].split("?")[0]
    assert "Lưu địa chỉ này cho lần sau?" in visitor.get(page).text

    token = hidden(visitor.get(page).text, "csrf_token")
    address = f"/tai-khoan/don-hang/{code}/luu-dia-chi"
    told = visitor.post(address, data={"csrf_token": token}, follow_redirects=True).text

    assert "Đã lưu địa chỉ vào sổ." in told
    assert "Lưu địa chỉ này cho lần sau?" not in told
    assert "Thôn 3, số 8" in visitor.get("/tai-khoan/dia-chi").text
