"""A producer finds, reads and works off its orders; each of many is judged by itself."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.audit import Act as DoneAct
from catalog.lots import Lot, LotState
from catalog.producers import Producer
from core.db import Database
from core.money import Money
from shop import batches, cancellations, desk_day, desk_notes, fulfilment, inbox, orders
from shop.batches import Act
from shop.desk_notes import NoteTooLong
from shop.inbox import Tab
from shop.order_states import SellerOrderState
from shop.orders import Order, SellerOrder
from shop.payments.payments import Payment
from shop.slips import Form
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_variant
from tests.queries import counted
from tests.shop.printed import pages_of, words_on
from tests.shop.selling import SELLER, a_member, an_order, hidden, log_in, only_part

S = SellerOrderState


class Stall:
    """A producer with plenty of honey."""

    def __init__(self, session: Session, in_stock: int = 1_000) -> None:
        self.session = session
        self.maker = a_producer(session)
        self.jar = a_variant(
            session, product=a_product(session, producer=self.maker), in_stock=in_stock
        )

    def order(self, **typed: str) -> tuple[Order, SellerOrder]:
        """One jar ordered."""
        order = an_order(self.session, (self.jar, 1), **typed)
        return order, only_part(self.session, order)

    def orders(self, number: int) -> list[str]:
        """So many orders of as many buyers; their codes."""
        return [self.order(phone=f"0912{n:06}")[0].code for n in range(number)]

    def bring(self, order: Order, part: SellerOrder, to: SellerOrderState) -> None:
        """Let the parcel be where it is asked to be."""
        session = self.session
        fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
        for verb, state in (
            (fulfilment.pack, S.PREPARING),
            (fulfilment.ship, S.READY),
            (fulfilment.deliver, S.SHIPPED),
        ):
            if part.state is to:
                return
            assert part.state is state
            verb(session, order, part, actor=SELLER, now=NOON)


@pytest.fixture
def stall(session: Session) -> Stall:
    """A stall in this test's transaction."""
    return Stall(session)


def found(stall: Stall, query: str, producer: Producer | None = None) -> list[str]:
    maker = producer or stall.maker
    page = inbox.list_page(stall.session, maker.id, None, query=query)
    return [card.order.code for card in page.cards]


@pytest.mark.parametrize("typed", ["0912 345 678", "+84912345678", "345678", "5678"])
def test_an_order_is_found_by_its_phone_or_the_end_of_it(stall: Stall, typed: str) -> None:
    order, _part = stall.order()
    stall.order(phone="0987654321")

    assert found(stall, typed) == [order.code]


@pytest.mark.parametrize("typed", ["nguyen thi an", "ẨN", "Thị  Ẩn", "nguyễn ẩn"])
def test_an_order_is_found_by_its_buyers_name_marks_forgiven(stall: Stall, typed: str) -> None:
    order, _part = stall.order()
    stall.order(name="Trần Văn Bình", phone="0987654321")

    assert found(stall, typed) == [order.code]


def test_an_order_is_found_by_its_code_in_any_state(stall: Stall) -> None:
    order, part = stall.order()
    stall.order(phone="0987654321")
    cancellations.decline(stall.session, order, part, reason="hết", actor=SELLER, now=NOON)

    assert found(stall, order.code.lower()) == [order.code]
    assert found(stall, order.code[:5]) == [order.code]


def test_an_order_is_found_by_the_memo_of_its_transfer(stall: Stall) -> None:
    order, _part = stall.order(payment_method="bank_transfer")
    stall.order(phone="0987654321")
    memo = stall.session.scalars(select(Payment.memo).where(Payment.order_id == order.id)).one()

    assert found(stall, f" {memo} ") == [order.code]


def test_another_producers_orders_are_never_found(stall: Stall) -> None:
    stall.order()
    other = a_producer(stall.session)

    assert found(stall, "0912345678", other) == []


@pytest.mark.parametrize("typed", ["%", "_", "%%%%", "' or 1=1", "\\", "0" * 200])
def test_signs_in_a_search_mean_themselves(stall: Stall, typed: str) -> None:
    stall.order()

    assert found(stall, typed) == []


def test_a_buyers_past_counts_parcels_taken_in_and_sent_back(stall: Stall) -> None:
    for state in (S.DELIVERED, S.COMPLETED, S.RETURNED, S.CANCELLED):
        order, _part = stall.order()
        stall.session.execute(
            update(SellerOrder).where(SellerOrder.order_id == order.id).values(state=state)
        )
    order, _part = stall.order()
    stranger, _part = stall.order(phone="0987654321")

    known = inbox.histories(stall.session, {order.buyer_phone, stranger.buyer_phone})

    assert known[order.buyer_phone] == inbox.History(received=2, returned=1)
    assert known[stranger.buyer_phone] == inbox.History()


@pytest.mark.parametrize("number", [10, 200])
def test_a_page_of_the_inbox_asks_six_questions_for_few_orders_and_for_many(
    database: Database, number: int
) -> None:
    with database.transaction() as session:
        stall = Stall(session)
        a_lot(session, stall.jar, code="LO-1", in_stock=500)
        stall.orders(number)
        maker_id = stall.maker.id

    with database.reading() as session, counted(database) as asked:
        page = inbox.list_page(session, maker_id, None)

    assert len(page.cards) == min(number, inbox.PAGE)
    assert len(asked) <= 6


def test_a_list_of_many_orders_goes_page_by_page_without_a_gap(stall: Stall) -> None:
    codes = stall.orders(45)

    seen: list[str] = []
    before = None
    while True:
        page = inbox.list_page(stall.session, stall.maker.id, None, before=before)
        seen += [card.order.code for card in page.cards]
        before = page.next_before
        if before is None:
            break

    assert seen == codes[::-1]


def test_the_day_counts_orders_money_work_and_cash_on_the_road(stall: Stall) -> None:
    price = stall.jar.price
    assert price is not None
    to_pack, on_the_road, late = stall.order(), stall.order(), stall.order()
    stall.bring(*to_pack, S.PREPARING)
    stall.bring(*on_the_road, S.SHIPPED)
    stall.bring(*late, S.READY)
    late[0].placed_at = NOON - timedelta(hours=49)
    stall.session.flush()
    declined = stall.order()
    cancellations.decline(stall.session, *declined, reason="hết", actor=SELLER, now=NOON)

    day = desk_day.read(stall.session, stall.maker.id, now=NOON)

    assert day == desk_day.Day(
        orders=2,
        amount=to_pack[1].total + on_the_road[1].total,
        to_pack=1,
        late=1,
        cash_out=on_the_road[1].total,
    )


def test_a_day_without_orders_is_a_day_of_zeros(stall: Stall) -> None:
    day = desk_day.read(stall.session, stall.maker.id, now=NOON)

    assert day == desk_day.Day(0, Money(0), 0, 0, Money(0))


def test_the_desks_own_note_is_kept_and_its_writing_recorded(stall: Stall) -> None:
    order, part = stall.order()

    first = desk_notes.write(stall.session, order, part, " hẹn  chiều ", actor=SELLER, now=NOON)
    again = desk_notes.write(stall.session, order, part, "hẹn chiều", actor=SELLER, now=NOON)

    assert (first, again, part.internal_note) == (True, False, "hẹn chiều")
    acts = stall.session.scalars(select(DoneAct).where(DoneAct.verb == "order.note")).all()
    assert len(acts) == 1


def test_a_note_is_not_a_novel(stall: Stall) -> None:
    order, part = stall.order()

    with pytest.raises(NoteTooLong):
        desk_notes.write(stall.session, order, part, "a" * 501, actor=SELLER, now=NOON)


def run(database: Database, maker_id: int, codes: list[str], act: Act) -> dict[str, bool]:
    outcomes = batches.do(database, maker_id, codes, act, called_buyer=True, actor=SELLER, now=NOON)
    return {one.code: one.done for one in outcomes}


def test_of_many_orders_each_is_judged_by_itself(database: Database) -> None:
    with database.transaction() as session:
        stall = Stall(session)
        maker_id, codes = stall.maker.id, stall.orders(3)
        gone = stall.order()
        cancellations.decline(session, *gone, reason="hết", actor=SELLER, now=NOON)
        foreign = Stall(session).order(phone="0977000000")[0].code

    done = run(database, maker_id, [codes[0], gone[0].code, foreign, codes[2]], Act.ACCEPT)

    assert done == {codes[0]: True, gone[0].code: False, foreign: False, codes[2]: True}
    with database.reading() as session:
        states = dict(
            session.execute(
                select(Order.code, SellerOrder.state).join(
                    SellerOrder, SellerOrder.order_id == Order.id
                )
            ).all()
        )
    assert [states[code] for code in (codes[0], codes[1], codes[2], foreign)] == [
        S.PREPARING,
        S.TO_CONFIRM,
        S.PREPARING,
        S.TO_CONFIRM,
    ]


def test_many_are_packed_and_sent_but_not_the_one_of_a_recalled_lot(database: Database) -> None:
    with database.transaction() as session:
        stall = Stall(session, in_stock=0)
        a_lot(session, stall.jar, code="LO-1", in_stock=1)
        bad = stall.order()[0].code
        a_lot(session, stall.jar, code="LO-2", in_stock=2)
        good = [stall.order(phone=f"091200000{n}")[0].code for n in range(2)]
        session.execute(update(Lot).where(Lot.code == "LO-1").values(state=LotState.RECALLED))
        maker_id = stall.maker.id
    codes = [bad, *good]
    run(database, maker_id, codes, Act.ACCEPT)

    packed = run(database, maker_id, codes, Act.PACK)
    sent = run(database, maker_id, codes, Act.SHIP)
    again = run(database, maker_id, good, Act.SHIP)

    assert packed == sent == {bad: False, good[0]: True, good[1]: True}
    assert again == dict.fromkeys(good, False)


def test_many_are_printed_in_one_file_which_tells_what_is_missing(database: Database) -> None:
    with database.transaction() as session:
        stall = Stall(session)
        codes = stall.orders(3)
        gone = stall.order()
        cancellations.decline(session, *gone, reason="hết", actor=SELLER, now=NOON)
        maker_id, gone_code = stall.maker.id, gone[0].code

    with database.reading() as session:
        data = batches.print_many(session, maker_id, [*codes, gone_code], [Form.LABEL], now=NOON)

    pages = pages_of(data)
    assert [code in words_on(page) for code, page in zip(codes, pages, strict=False)] == [True] * 3
    assert len(pages) == 4
    assert gone_code in words_on(pages[3])


@pytest.fixture
def desk(database: Database, visitor: FlaskClient) -> tuple[FlaskClient, str, list[str]]:
    """A member's browser, the desk's address, and the codes of three orders there."""
    with database.transaction() as session:
        stall = Stall(session, in_stock=0)
        a_lot(session, stall.jar, code="LO-1", in_stock=9)
        a_lot(session, stall.jar, code="LO-2", in_stock=9)
        codes = stall.orders(3)
        member = a_member(session, stall.maker)
        address = f"/ban-hang/{stall.maker.slug}"
    log_in(visitor, database, member)
    return visitor, address, codes


def ticked(*codes: str) -> dict[str, str]:
    return {f"don-{code}": "1" for code in codes}


def post(browser: FlaskClient, page: str, address: str, **form: object) -> object:
    token = hidden(browser.get(page).text, "csrf_token")
    return browser.post(address, data={"csrf_token": token, **form}, follow_redirects=True)


def test_the_page_does_many_at_once_and_tells_of_each(
    desk: tuple[FlaskClient, str, list[str]],
) -> None:
    browser, address, codes = desk
    inbox_page = f"{address}/don-hang"

    accepted = post(
        browser, inbox_page, f"{inbox_page}/ca-nhom", viec="nhan-don", **ticked(*codes, "NIX")
    )
    packed = post(
        browser, inbox_page, f"{inbox_page}/ca-nhom",
        viec="dong-goi", muc=Tab.PREPARING.value, **{"tat-ca": "1"},
    )  # fmt: skip

    assert "3 đơn xong" in accepted.text
    assert "1 đơn không được" in accepted.text
    assert "NIX" in accepted.text
    assert "3 đơn xong" in packed.text


def test_the_page_prints_what_was_ticked(desk: tuple[FlaskClient, str, list[str]]) -> None:
    browser, address, codes = desk
    inbox_page = f"{address}/don-hang"

    answer = post(browser, inbox_page, f"{inbox_page}/ca-nhom", viec="in-ca-hai", **ticked(*codes))

    assert answer.mimetype == "application/pdf"
    assert len(pages_of(answer.data)) == 6


@pytest.mark.parametrize("form", [{"viec": "nhan-don"}, {"viec": "bay"}, {}])
def test_nothing_ticked_or_asked_is_told(
    desk: tuple[FlaskClient, str, list[str]], form: dict[str, str]
) -> None:
    browser, address, _codes = desk
    inbox_page = f"{address}/don-hang"

    answer = post(browser, inbox_page, f"{inbox_page}/ca-nhom", **form)

    assert answer.status_code == 422
    assert "Chưa chọn đơn nào" in answer.text


def test_the_packers_page_changes_the_lot_then_packs(
    database: Database, desk: tuple[FlaskClient, str, list[str]]
) -> None:
    browser, address, codes = desk
    page = f"{address}/don-hang/{codes[0]}/dong-goi"
    post(browser, f"{address}/don-hang", f"{address}/don-hang/{codes[0]}/nhan", called="1")
    with database.reading() as session:
        part = session.scalars(select(SellerOrder).join(Order).where(Order.code == codes[0])).one()
        [line] = orders.list_lines(session, [part.id])
        field = f"lot-{line.id}"

    changed = post(browser, page, page, viec="doi", **{field: "lo-2"})
    unknown = post(browser, page, page, viec="doi", **{field: "LO-9"})
    done = post(browser, page, page)

    assert "Đã lấy lô LO-2" in changed.text
    assert unknown.status_code == 422
    assert "Mặt hàng này không có lô LO-9" in unknown.text
    assert f'href="#{field}"' in unknown.text
    assert "LO-2" in done.text
    with database.reading() as session:
        assert session.get_one(SellerOrder, part.id).state is S.READY


def test_the_desks_home_shows_the_day(desk: tuple[FlaskClient, str, list[str]]) -> None:
    browser, address, _codes = desk

    page = browser.get(address).text

    assert "Hôm nay" in page
    assert "Tiền thu hộ chưa về" in page


def test_the_inbox_finds_by_a_name_without_marks(
    desk: tuple[FlaskClient, str, list[str]],
) -> None:
    browser, address, codes = desk

    page = browser.get(f"{address}/don-hang?q=nguyen+thi+an").text

    assert all(code in page for code in codes)


@pytest.mark.parametrize("form", ["phieu", "nhan"])
def test_slip_and_label_are_files_for_the_desk_only(
    desk: tuple[FlaskClient, str, list[str]], form: str
) -> None:
    browser, address, codes = desk

    answer = browser.get(f"{address}/don-hang/{codes[0]}/{form}.pdf")
    browser.delete_cookie("sid")
    stranger = browser.get(f"{address}/don-hang/{codes[0]}/{form}.pdf")

    assert answer.mimetype == "application/pdf"
    assert codes[0] in words_on(pages_of(answer.data)[0])
    assert answer.headers["Cache-Control"] == "no-store"
    assert stranger.mimetype != "application/pdf"


def test_a_note_of_the_desk_is_kept_by_its_page_and_not_shown_to_the_buyer(
    desk: tuple[FlaskClient, str, list[str]],
) -> None:
    browser, address, codes = desk
    page = f"{address}/don-hang/{codes[0]}"

    kept = post(browser, page, f"{page}/ghi-chu", internal_note="khách quen")

    assert "Đã lưu ghi chú" in kept.text
    assert "khách quen" in kept.text
