"""A return walks its table, claims each piece once and never gives back more than was paid."""

import re
from datetime import datetime
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from accounts.users import Role
from catalog.producers import Producer
from catalog.products import OcopGroup
from catalog.stock import StockItem
from core.db import Database
from core.money import ZERO, Money, total
from shop import audit, fulfilment, links, orders, return_answers, returns
from shop.orders import Order, OrderLine, SellerOrder
from shop.payments import refunds
from shop.return_answers import NotRejected
from shop.returns import (
    MOVES,
    Asked,
    BadRequest,
    Fate,
    NoSuchRequest,
    RequestMovedOn,
    ReturnReason,
    ReturnState,
    TooLateToAsk,
)
from tests.conftest import NOON, SECRET
from tests.factories import a_producer, a_product, a_user, a_variant, later
from tests.shop.selling import (
    BUYER,
    SELLER,
    a_member,
    a_way,
    an_order,
    at_once,
    hidden,
    log_in,
    only_part,
)

R = ReturnState


def delivered(
    session: Session, *, group: OcopGroup = OcopGroup.FOOD, slug: str = "htx-rung"
) -> tuple[Order, SellerOrder, list[OrderLine]]:
    """A delivered COD order of 3 × 100.000 ₫ and 2 × 50.000 ₫, carriage 18.000 ₫."""
    producer = a_producer(session, slug=slug)
    a_way(session, producer, free_from=None)
    honey = a_product(session, producer=producer, name="Mật ong", group=group)
    tea = a_product(session, producer=producer, name="Trà", group=group)
    order = an_order(
        session,
        (a_variant(session, product=honey, price=100_000), 3),
        (a_variant(session, product=tea, price=50_000), 2),
    )
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
    fulfilment.ship(session, order, part, actor=SELLER, now=NOON)
    fulfilment.deliver(session, order, part, actor=SELLER, now=NOON)
    return order, part, orders.list_lines(session, [part.id])


def ask(
    session: Session,
    order: Order,
    part: SellerOrder,
    pieces: dict[int, int],
    *,
    reason: ReturnReason = ReturnReason.BROKEN,
    now: datetime = NOON,
) -> Asked:
    request = returns.ask(
        session, order, part.id, reason=reason, words="vỡ hũ", pieces=pieces, photo_keys=[],
        pay_to="VCB 001", actor=BUYER, now=now,
    )  # fmt: skip
    return returns.get(session, request.id)


def on_hand(session: Session) -> int:
    session.expire_all()
    return sum(session.scalars(select(StockItem.on_hand)))


def owed(session: Session, part: SellerOrder) -> Money:
    return total(one.amount for one in refunds.due_of(session, part))


def test_every_state_of_a_return_can_end_and_a_closed_one_stays_closed() -> None:
    leaving = {state for froms, _to in MOVES.values() for state in froms}

    assert leaving == set(R) - {R.CLOSED}


def test_goods_that_came_back_are_paid_back_and_food_is_not_sold_again(session: Session) -> None:
    order, part, [honey, _tea] = delivered(session)
    before = on_hand(session)
    asked = ask(session, order, part, {honey.id: 2})

    return_answers.approve(session, asked, goods_back=True, actor=SELLER, now=NOON)
    nothing_yet = owed(session, part)
    return_answers.take_back(session, asked, fates={}, actor=SELLER, now=NOON)

    assert nothing_yet == ZERO
    assert owed(session, part) == Money(200_000)
    assert (asked.request.state, honey.quantity_returned) == (R.REFUNDED, 2)
    assert asked.pieces[0].asked.fate is Fate.WRITE_OFF
    assert on_hand(session) == before
    assert audit.find_faults(session) == []


def test_goods_that_are_no_food_go_back_on_the_shelf(session: Session) -> None:
    order, part, [basket, tea] = delivered(session, group=OcopGroup.HANDICRAFT)
    before = on_hand(session)
    asked = ask(session, order, part, {basket.id: 2, tea.id: 1})
    return_answers.approve(session, asked, goods_back=True, actor=SELLER, now=NOON)

    return_answers.take_back(session, asked, fates={tea.id: Fate.WRITE_OFF}, actor=SELLER, now=NOON)

    assert on_hand(session) == before + 2
    assert audit.find_faults(session) == []


def test_carriage_goes_back_with_the_last_piece_unless_the_buyer_changed_mind(
    session: Session,
) -> None:
    order, part, [honey, tea] = delivered(session)
    first = ask(session, order, part, {honey.id: 3})
    return_answers.approve(session, first, goods_back=False, actor=SELLER, now=NOON)
    second = ask(session, order, part, {tea.id: 2})

    return_answers.approve(session, second, goods_back=False, actor=SELLER, now=NOON)

    assert (first.request.shipping, second.request.shipping) == (ZERO, Money(18_000))
    assert owed(session, part) == part.total
    assert audit.find_faults(session) == []


def test_a_changed_mind_pays_for_its_carriage(session: Session) -> None:
    order, part, [honey, tea] = delivered(session)
    asked = ask(session, order, part, {honey.id: 3, tea.id: 2}, reason=ReturnReason.CHANGED_MIND)

    return_answers.approve(session, asked, goods_back=False, actor=SELLER, now=NOON)

    assert owed(session, part) == part.total - Money(18_000)


def test_each_piece_is_asked_back_once(session: Session) -> None:
    order, part, [honey, tea] = delivered(session)
    ask(session, order, part, {honey.id: 2})

    with pytest.raises(BadRequest):
        ask(session, order, part, {honey.id: 2})
    with pytest.raises(BadRequest):
        ask(session, order, part, {tea.id: 0})
    with pytest.raises(NoSuchRequest):
        ask(session, order, part, {honey.id + 99: 1})
    ask(session, order, part, {honey.id: 1})


def test_two_requests_at_once_for_the_last_piece_are_one(database: Database) -> None:
    with database.transaction() as session:
        order, part, [_honey, tea] = delivered(session)
        ids = order.id, part.id, tea.id

    def try_it(session: Session) -> object:
        order = session.get_one(Order, ids[0])
        part = session.get_one(SellerOrder, ids[1])
        return ask(session, order, part, {ids[2]: 2}).request.id

    done = at_once(database, [try_it] * 4)

    assert sum(isinstance(one, int) for one in done) == 1
    assert sum(isinstance(one, BadRequest) for one in done) == 3


def test_agreeing_twice_pays_once(database: Database) -> None:
    with database.transaction() as session:
        order, part, [honey, _tea] = delivered(session)
        request_id, part_id = ask(session, order, part, {honey.id: 1}).request.id, part.id

    def agree(session: Session) -> object:
        asked = returns.get(session, request_id)
        return return_answers.approve(session, asked, goods_back=False, actor=SELLER, now=NOON)

    at_once(database, [agree] * 4)

    with database.reading() as session:
        assert owed(session, session.get_one(SellerOrder, part_id)) == Money(100_000)
        assert audit.find_faults(session) == []


def test_before_the_goods_arrive_and_after_the_time_for_claims_nothing_is_asked(
    session: Session,
) -> None:
    order, part, [honey, _tea] = delivered(session)
    until = returns.open_until(part)
    assert until is not None

    with pytest.raises(TooLateToAsk):
        ask(session, order, part, {honey.id: 1}, now=until)
    waiting = an_order(session, (a_variant(session), 1), phone="0912345679")
    [line] = orders.list_lines(session, [only_part(session, waiting).id])
    with pytest.raises(TooLateToAsk):
        ask(session, waiting, only_part(session, waiting), {line.id: 1})


def test_a_producer_does_not_overrule_itself_but_staff_do(session: Session) -> None:
    order, part, [honey, _tea] = delivered(session)
    asked = ask(session, order, part, {honey.id: 1})
    return_answers.reject(session, asked, words="đã bóc", actor=SELLER, now=NOON)

    with pytest.raises(RequestMovedOn):
        return_answers.approve(session, asked, goods_back=False, actor=SELLER, now=NOON)
    return_answers.appeal(session, asked, actor=BUYER, now=NOON)
    in_queue = [one.request.id for one in returns.list_for_staff(session, now=NOON)[0]]
    return_answers.approve(session, asked, goods_back=False, by_staff=True, actor=SELLER, now=NOON)

    assert in_queue == [asked.request.id]
    assert asked.request.state is R.REFUNDED
    assert returns.list_for_staff(session, now=NOON)[0] == []


def test_what_staff_refuse_is_closed(session: Session) -> None:
    order, part, [honey, tea] = delivered(session)
    first, second = (ask(session, order, part, {line.id: 1}) for line in (honey, tea))
    return_answers.reject(session, first, words="không", actor=SELLER, now=NOON)
    return_answers.appeal(session, first, actor=BUYER, now=NOON)

    for asked in (first, second):
        return_answers.reject(session, asked, words="đã xem", by_staff=True, actor=SELLER, now=NOON)

    assert (first.request.state, second.request.state) == (R.CLOSED, R.CLOSED)
    with pytest.raises(NotRejected):
        return_answers.appeal(session, first, actor=BUYER, now=NOON)


def test_no_answer_for_48_hours_is_the_staff_s_affair(session: Session) -> None:
    order, part, [honey, _tea] = delivered(session)
    asked = ask(session, order, part, {honey.id: 1})

    early = returns.list_for_staff(session, now=later(hours=47))[0]
    late = returns.list_for_staff(session, now=later(hours=48))[0]

    assert early == []
    assert [one.request.id for one in late] == [asked.request.id]


def test_a_refusal_nobody_asks_about_is_closed_after_a_week(database: Database) -> None:
    with database.transaction() as session:
        order, part, [honey, _tea] = delivered(session)
        asked = ask(session, order, part, {honey.id: 1})
        return_answers.reject(session, asked, words="không", actor=SELLER, now=NOON)
        request_id = asked.request.id

    for days in (6, 7, 8):
        return_answers.close_due(database, later(days=days))

    with database.reading() as session:
        assert returns.get(session, request_id).request.state is R.CLOSED


def test_money_sent_back_closes_the_request(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        order, part, [honey, _tea] = delivered(session)
        asked = ask(session, order, part, {honey.id: 1})
        return_answers.approve(session, asked, goods_back=False, actor=SELLER, now=NOON)
        [refund] = refunds.due_of(session, part)

        refunds.settle(session, refund, reference="FT1", actor=SELLER, now=NOON)

        assert asked.request.state is R.CLOSED


@given(st.integers(0, 250_000), st.lists(st.integers(1, 3), min_size=1, max_size=3))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_steps_a_line_gives_back_its_price_less_its_discount(
    share: int, steps: list[int]
) -> None:
    line = OrderLine(
        quantity=sum(steps), quantity_cancelled=0, quantity_returned=0,
        unit_price=Money(100_000), discount_share=Money(min(share, 100_000 * sum(steps))),
    )  # fmt: skip
    given_back = []
    for pieces in steps:
        given_back.append(returns.worth_of(line, pieces))
        line.quantity_returned += pieces

    assert total(given_back) == Money(100_000) * sum(steps) - line.discount_share
    assert all(one >= ZERO for one in given_back)


def photo() -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "JPEG")
    file.seek(0)
    return file


def test_a_guest_asks_with_a_photo_and_the_producer_answers(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        order, part, [honey, _tea] = delivered(session)
        session.execute(update(SellerOrder).values(claim_until=None, delivered_at=later(days=300)))
        member = a_member(session, session.get_one(Producer, part.producer_id))
        mark = links.order_mark(SECRET, order.cart_id)
        page = f"/don-hang/{order.code}/tra-hang/{part.id}?t={mark}"
        track, line_id, code = f"/don-hang/{order.code}?t={mark}", honey.id, order.code
    token = hidden(visitor.get(page).text, "csrf_token")

    answer = visitor.post(
        page,
        data={
            "csrf_token": token, f"so-{line_id}": "1", "reason": "broken", "words": "Vỡ <hũ>",
            "pay_to": "VCB 0011", "photos": (photo(), "a.jpg"),
        },
    )  # fmt: skip
    seen = visitor.get(track).text
    shown = re.search(r'<img src="(/don-hang/[^"]+/anh/1[^"]*)"', seen)
    assert shown is not None
    address = shown.group(1).replace("&amp;", "&")
    picture = visitor.get(address)
    visitor.delete_cookie("khach")
    stranger = visitor.get(address.partition("?")[0])
    log_in(visitor, database, member)
    home = visitor.get("/ban-hang/htx-rung").text
    desk = visitor.get("/ban-hang/htx-rung/tra-hang").text
    one = visitor.get("/ban-hang/htx-rung/tra-hang/1").text
    visitor.post(
        "/ban-hang/htx-rung/tra-hang/1/dong-y",
        data={"csrf_token": hidden(one, "csrf_token"), "goods": "keep", "answer": "Xin lỗi"},
    )

    assert answer.status_code == 303
    assert "Vỡ &lt;hũ&gt;" in seen
    assert (picture.status_code, picture.mimetype) == (200, "image/webp")
    assert stranger.status_code == 404
    assert "1 người mua xin trả hàng" in home
    assert code in desk
    assert "VCB 0011" in one
    assert "Xin lỗi" in visitor.get(track).text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(refunds.Refund)) == 1


def test_a_stranger_s_request_is_not_found_at_another_desk(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        order, part, [honey, _tea] = delivered(session)
        request_id = ask(session, order, part, {honey.id: 1}).request.id
        other = a_producer(session, slug="htx-khac")
        member = a_member(session, other)
    log_in(visitor, database, member)

    assert visitor.get(f"/ban-hang/htx-khac/tra-hang/{request_id}").status_code == 404
    assert visitor.get(f"/ban-hang/htx-rung/tra-hang/{request_id}").status_code == 404


def test_staff_decide_on_their_page(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        order, part, [honey, _tea] = delivered(session)
        asked = ask(session, order, part, {honey.id: 1})
        return_answers.reject(session, asked, words="không", actor=SELLER, now=NOON)
        return_answers.appeal(session, asked, actor=BUYER, now=NOON)
        request_id = asked.request.id
        boss = a_user(session, role=Role.STAFF).id
    log_in(visitor, database, boss)
    page = visitor.get("/quan-tri/tra-hang").text

    visitor.post(
        f"/quan-tri/tra-hang/{request_id}",
        data={
            "csrf_token": hidden(page, "csrf_token"), "decision": "back", "answer": "Nhận lại nhé",
        },
    )  # fmt: skip

    with database.reading() as session:
        assert returns.get(session, request_id).request.state is R.APPROVED
