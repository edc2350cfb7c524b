"""The buyer's whole way and the producer's desk, as a browser without JavaScript sends them."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from accounts import passwords
from accounts.users import Role
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core.clock import utc_now
from core.db import Database
from core.money import Money
from core.settings import BadSetting, Settings
from shop import carts
from shop.audit import find_faults
from shop.carts import CartLine
from shop.checkout import ORDERS_AN_HOUR
from shop.inbox import Tab
from shop.order_states import SellerOrderState
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder
from shop.payments import vietqr
from shop.payments.payments import Payment
from tests.conftest import SECRET
from tests.factories import a_commune, a_producer, a_product, a_user, a_variant
from tests.shop.selling import (
    FORM,
    Counted,
    a_member,
    a_way,
    an_order,
    checkout_form,
    fill_cart,
    hidden,
    log_in,
    order_code,
)
from wsgi import create_app

NASTY = [
    "",
    "-1",
    "0",
    "9" * 30,
    "1e9",
    "１２",
    "'; --",
    "<script>",
    "%00",
    "١",
    "--5",
    "1.5",
    "null",
]


@pytest.fixture
def honey(database: Database) -> int:
    """A jar of honey of «HTX Ong», which posts and takes transfers; five are left."""
    with database.transaction() as session:
        a_commune(session)
        bees = a_producer(session, name="HTX Ong", phone="+84912000111")
        a_way(session, bees)
        product = a_product(session, name="Mật ong nhãn", producer=bees)
        return a_variant(session, product=product, price=165_000, in_stock=5).id


def the_only(database: Database, what: type[Any]) -> Any:
    with database.reading() as session:
        return session.scalars(select(what)).one()


def an_order_of(database: Database, variant_id: int, quantity: int) -> str:
    """Somebody else orders so many; returns the code."""
    with database.transaction() as session:
        wanted = session.get_one(Variant, variant_id)
        return an_order(session, (wanted, quantity), now=utc_now()).code


def placed(visitor: FlaskClient, honey: int, **typed: str) -> str:
    """Order one jar and return the address of the order's page."""
    fill_cart(visitor, honey)
    answer = visitor.post("/dat-hang", data=checkout_form(visitor, **typed))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_from_the_cart_to_the_producers_yes_without_javascript(
    app: Flask, visitor: FlaskClient, database: Database, honey: int
) -> None:
    added = fill_cart(visitor, honey, 2, then="cart")
    cart = visitor.get(added.headers["Location"])
    page = visitor.post("/dat-hang", data=checkout_form(visitor))
    order = visitor.get(page.headers["Location"])

    assert (added.status_code, page.status_code, order.status_code) == (303, 303, 200)
    assert "Mật ong nhãn" in cart.text
    assert "348.000" in cart.text
    code = the_only(database, Order).code
    assert code in order.text
    assert "Nguyễn Thị Ẩn" in order.text
    assert visitor.get("/gio-hang").text.count("Mật ong nhãn") == 0

    with database.transaction() as session:
        member = a_member(session, session.scalars(select(Producer)).one())
    desk = app.test_client()
    log_in(desk, database, member)
    inbox = desk.get("/ban-hang/htx-ong/don-hang")
    assert code in inbox.text
    assert "0912 345 678" in inbox.text
    for act in ("nhan", "dong-goi", "gui", "da-giao"):
        form = {"csrf_token": hidden(desk.get(f"/ban-hang/htx-ong/don-hang/{code}").text,
                                     "csrf_token"), "called": "1"}  # fmt: skip
        moved = desk.post(f"/ban-hang/htx-ong/don-hang/{code}/{act}", data=form)
        assert moved.status_code == 303, act
        assert desk.get(moved.headers["Location"]).status_code == 200
    part = the_only(database, SellerOrder)
    assert (part.state, part.called_buyer) == (SellerOrderState.DELIVERED, True)
    assert "Đã giao" in visitor.get(page.headers["Location"]).text
    with database.reading() as session:
        assert find_faults(session) == []


def test_the_qr_on_the_page_pays_the_producer_the_right_amount(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    page = visitor.get(placed(visitor, honey, payment_method="bank_transfer"))
    payment = the_only(database, Payment)
    address = unescape(re.search(r'href="([^"]+\.png\?[^"]+)"', page.text)[1])  # type: ignore[index]

    picture = visitor.get(address)
    seen = zxingcpp.read_barcode(Image.open(BytesIO(picture.data)))
    svg = visitor.get(address.replace(".png", ".svg"))

    paid = vietqr.decode(seen.text)
    assert (paid.bin, paid.account, paid.amount, paid.memo) == (
        "970403", "0011012345678", Money(183_000), payment.memo,
    )  # fmt: skip
    assert svg.mimetype == "image/svg+xml"
    assert 'fill="#fff"' in svg.text
    assert payment.memo in page.text
    assert "183.000" in page.text
    assert "HTX THU" in page.text
    assert 'http-equiv="refresh"' in page.text
    assert "data-until=" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


def test_a_demo_producers_pay_page_says_not_to_pay(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    with database.transaction() as session:
        session.scalars(select(Producer)).one().is_demo = True

    page = visitor.get(placed(visitor, honey, payment_method="bank_transfer"))

    assert "MINH HOẠ – không chuyển tiền" in page.text


def test_a_replayed_form_leads_to_the_same_order(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    fill_cart(visitor, honey)
    form = checkout_form(visitor)
    first = visitor.post("/dat-hang", data=form)
    fill_cart(visitor, honey, 2)  # a new cart: the old form must not order it

    second = visitor.post("/dat-hang", data=form)

    assert second.headers["Location"] == first.headers["Location"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 1


def test_mistakes_come_back_with_everything_typed(visitor: FlaskClient, honey: int) -> None:
    fill_cart(visitor, honey)
    form = checkout_form(visitor, phone="0912", name="Trần <b>Văn</b> Ổi", street="Xóm 1")

    answer = visitor.post("/dat-hang", data=form)

    assert answer.status_code == 422
    assert "Trần &lt;b&gt;Văn&lt;/b&gt; Ổi" in answer.text
    assert 'value="Xóm 1"' in answer.text
    assert 'href="#phone"' in answer.text
    assert answer.text.count('class="loi-o"') == 1
    assert re.search(r'value="09784" selected', answer.text)
    again = {**form, "cart_token": hidden(answer.text, "cart_token"), "phone": "0912345678"}
    assert visitor.post("/dat-hang", data=again).status_code == 303


def test_choosing_a_province_lists_its_communes_and_keeps_the_rest(
    visitor: FlaskClient, honey: int
) -> None:
    fill_cart(visitor, honey)
    form = checkout_form(visitor, ward_code="", choose_province="1")

    answer = visitor.post("/dat-hang", data=form)

    assert answer.status_code == 200
    assert '<option value="09784">Xã Đan Phượng' in answer.text
    assert 'value="Nguyễn Thị Ẩn"' in answer.text


def test_a_risen_price_is_asked_about_and_taken_on_the_second_press(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    fill_cart(visitor, honey)
    with database.transaction() as session:
        session.get_one(Variant, honey).price = Money(180_000)
    form = checkout_form(visitor)

    asked = visitor.post("/dat-hang", data=form)
    pressed_twice = visitor.post("/dat-hang", data=form)
    agreed = {**form, "cart_token": hidden(asked.text, "cart_token")}
    answer = visitor.post("/dat-hang", data=agreed)

    assert (asked.status_code, pressed_twice.status_code, answer.status_code) == (409, 409, 303)
    assert "180.000" in asked.text
    assert "165.000" in asked.text
    assert the_only(database, Order).total == Money(198_000)


def test_goods_added_in_another_tab_are_shown_before_they_are_ordered(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    fill_cart(visitor, honey)
    form = checkout_form(visitor)
    fill_cart(visitor, honey, 2)

    asked = visitor.post("/dat-hang", data=form)
    answer = visitor.post(
        "/dat-hang", data={**form, "cart_token": hidden(asked.text, "cart_token")}
    )

    assert (asked.status_code, answer.status_code) == (409, 303)
    assert "Giỏ hàng đã thay đổi" in asked.text
    assert "495.000" in asked.text
    assert the_only(database, OrderLine).quantity == 3


def test_a_phone_that_ordered_too_often_keeps_what_was_typed(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    now = utc_now()
    with database.transaction() as session:
        goods = a_variant(session, in_stock=30)
        for _order in range(ORDERS_AN_HOUR):
            an_order(session, (goods, 1), now=now)
    fill_cart(visitor, honey)

    refused = visitor.post("/dat-hang", data=checkout_form(visitor))

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert FORM["name"] in refused.text
    assert FORM["street"] in refused.text


def test_sold_out_while_ordering_names_the_goods(
    app: Flask, visitor: FlaskClient, database: Database, honey: int
) -> None:
    fill_cart(visitor, honey, 5)
    form = checkout_form(visitor)
    quicker = app.test_client()
    placed(quicker, honey)

    answer = visitor.post("/dat-hang", data=form)

    assert answer.status_code == 409
    assert "Mật ong nhãn" in answer.text
    assert "4" in answer.text


def test_an_old_or_forged_form_orders_nothing(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    fill_cart(visitor, honey)
    form = checkout_form(visitor)

    for token in ("", "1..x", "1.2.3.4", "x" * 500, "99999999999999999999..x"):
        assert visitor.post("/dat-hang", data={**form, "cart_token": token}).status_code == 422

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_without_the_forms_own_token_nothing_is_ordered(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    fill_cart(visitor, honey)
    form = checkout_form(visitor)

    assert visitor.post("/dat-hang", data={**form, "csrf_token": "x"}).status_code == 403


@pytest.mark.parametrize("value", NASTY)
@pytest.mark.parametrize("field", ["variant_id", "quantity", "lot"])
def test_hostile_cart_input_is_never_our_error(
    visitor: FlaskClient, honey: int, field: str, value: str
) -> None:
    form = {"variant_id": str(honey), "quantity": "1", field: value}

    for address in ("/gio-hang/them", "/gio-hang/sua"):
        assert visitor.post(address, data=form).status_code < 500


def test_hostile_checkout_input_is_never_our_error(visitor: FlaskClient, honey: int) -> None:
    fill_cart(visitor, honey)
    form = checkout_form(visitor)

    for field in (*FORM, "delivery_htx-ong", "cart_token"):
        for value in ("", "x" * 5_000, "9" * 40, "<script>", "ẨẪ" * 300, "\u202e"):
            answer = visitor.post("/dat-hang", data={**form, field: value, "ward_code": "00000"})
            assert answer.status_code in {422, 409}, (field, value)


def test_order_pages_open_only_with_the_right_link(
    app: Flask, visitor: FlaskClient, database: Database, honey: int
) -> None:
    address = placed(visitor, honey, payment_method="bank_transfer")
    parts = urlsplit(address)
    payment_id = the_only(database, Payment).id
    stranger = app.test_client()

    for mark in ("", "?t=", "?t=x", "?t=" + "é" * 22):
        for path in (parts.path, f"{parts.path}/tinh-trang", f"{parts.path}/qr/{payment_id}.svg"):
            assert stranger.get(path + mark).status_code == 404
    assert stranger.get(address).status_code == 200
    good = parse_qs(parts.query)["t"][0]
    assert stranger.get(f"{parts.path}/qr/{10**30}.png?t={good}").status_code == 404
    missing = stranger.get("/don-hang/ZZZZZZZZZ")
    assert missing.status_code == 404


def test_a_link_keeps_working_after_the_key_was_changed(
    settings: Settings, visitor: FlaskClient, database: Database, honey: int
) -> None:
    address = placed(visitor, honey)
    changed = create_app(
        Settings(
            **{
                **{name: getattr(settings, name) for name in settings.__dataclass_fields__},
                "SECRET_KEY": "another-key-another-key-another-key-1",
            }
        )
    )
    changed.extensions["database"].close()
    changed.extensions["database"] = database

    assert changed.test_client().get(address).status_code == 200


def test_looking_up_needs_code_and_phone_and_is_throttled(
    app: Flask, visitor: FlaskClient, database: Database, honey: int
) -> None:
    address = placed(visitor, honey)
    code = the_only(database, Order).code
    stranger = app.test_client()
    token = hidden(stranger.get("/tra-cuu").text, "csrf_token")

    def look(code: str, last4: str) -> Any:
        form = {"csrf_token": token, "code": code, "last4": last4}
        return stranger.post("/tra-cuu", data=form)

    found = look(f" {code[:4].lower()} {code[4:]}", "5678")
    wrong_phone, wrong_code = look(code, "0000"), look("ABCDEFGHJ", "5678")
    look(code, "")
    look(code, "0001")
    late = look(code, "5678")

    assert (found.status_code, found.headers["Location"]) == (303, address)
    assert (wrong_phone.status_code, wrong_code.status_code) == (422, 422)
    strip = re.compile(r'value="[^"]*"')
    assert strip.sub("", wrong_phone.text) == strip.sub("", wrong_code.text)
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) > 0


def test_the_buyer_calls_the_order_off(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    address = placed(visitor, honey)
    token = hidden(visitor.get(address).text, "csrf_token")
    parts = urlsplit(address)

    answer = visitor.post(f"{parts.path}/huy?{parts.query}", data={"csrf_token": token})

    assert answer.headers["Location"] == address
    assert the_only(database, SellerOrder).state is SellerOrderState.CANCELLED
    assert "Đã huỷ" in visitor.get(address).text


def test_foreign_desks_and_orders_do_not_exist(
    app: Flask, visitor: FlaskClient, database: Database, honey: int
) -> None:
    placed(visitor, honey)
    with database.transaction() as session:
        other = a_producer(session, name="HTX Khác")
        member = a_member(session, other)
        code = order_code(session)
    desk = app.test_client()
    log_in(desk, database, member)

    own = desk.get("/ban-hang/htx-khac/don-hang")

    assert own.status_code == 200
    assert code not in own.text
    for path in (f"/ban-hang/htx-khac/don-hang/{code}", "/ban-hang/htx-ong/don-hang",
                 f"/ban-hang/htx-ong/don-hang/{code}"):  # fmt: skip
        assert desk.get(path).status_code == 404, path


def test_the_desk_writes_down_money_only_with_a_word(
    app: Flask, visitor: FlaskClient, database: Database, honey: int
) -> None:
    address = placed(visitor, honey, payment_method="bank_transfer")
    with database.transaction() as session:
        member = a_member(session, session.scalars(select(Producer)).one())
        code = order_code(session)
    desk = app.test_client()
    log_in(desk, database, member)
    page = f"/ban-hang/htx-ong/don-hang/{code}"
    token = hidden(desk.get(page).text, "csrf_token")

    silent = desk.post(f"{page}/da-nhan-tien", data={"csrf_token": token, "evidence": ""})
    said = desk.post(f"{page}/da-nhan-tien", data={"csrf_token": token, "evidence": "FT26 10:15"})

    assert (silent.status_code, said.status_code) == (422, 303)
    assert 'href="#evidence"' in silent.text
    assert the_only(database, SellerOrder).state is SellerOrderState.TO_CONFIRM
    assert "Đã nhận chuyển khoản" in visitor.get(address).text


def test_out_of_turn_on_the_desk_is_a_conflict_not_an_error(
    app: Flask, visitor: FlaskClient, database: Database, honey: int
) -> None:
    placed(visitor, honey)
    with database.transaction() as session:
        member = a_member(session, session.scalars(select(Producer)).one())
        code = order_code(session)
    desk = app.test_client()
    log_in(desk, database, member)
    page = f"/ban-hang/htx-ong/don-hang/{code}"
    token = hidden(desk.get(page).text, "csrf_token")

    assert desk.post(f"{page}/gui", data={"csrf_token": token}).status_code == 409


def test_logging_in_brings_the_guests_cart(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    fill_cart(visitor, honey, 2)
    password = "bốn từ viết liền nhau"
    secret = passwords.make(password, role=Role.BUYER)
    with database.transaction() as session:
        user = a_user(session, phone="+84912345678", password_hash=secret)
        own, _token = carts.open_new(session, user_id=user.id, now=utc_now())
        carts.add(session, own, honey, quantity=4, now=utc_now())
    quicker = an_order_of(database, honey, 3)
    token = hidden(visitor.get("/tai-khoan/dang-nhap").text, "csrf_token")

    form = {"csrf_token": token, "login": "0912345678", "password": password}
    answer = visitor.post("/tai-khoan/dang-nhap", data=form)

    assert answer.status_code == 303
    cart = visitor.get("/gio-hang")
    assert quicker
    assert "Mật ong nhãn" in cart.text
    assert "nhiều nhất 2" in cart.text
    assert any(c.startswith("gio_so=2") for c in cart.headers.getlist("Set-Cookie"))


def test_an_order_of_an_account_opens_without_the_link(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    with database.transaction() as session:
        user_id = a_user(session).id
    log_in(visitor, database, user_id)

    address = placed(visitor, honey)

    assert the_only(database, Order).user_id == user_id
    assert visitor.get(urlsplit(address).path).status_code == 200


def test_the_count_cookie_is_readable_and_the_cart_cookie_is_not(
    visitor: FlaskClient, honey: int
) -> None:
    cookies = fill_cart(visitor, honey, 3).headers.getlist("Set-Cookie")

    cart = next(c for c in cookies if c.startswith("cart="))
    count = next(c for c in cookies if c.startswith("gio_so="))
    assert "HttpOnly" in cart
    assert "SameSite=Lax" in cart
    assert count.startswith("gio_so=3")
    assert "HttpOnly" not in count


def test_another_site_cannot_fill_the_cart(visitor: FlaskClient, honey: int) -> None:
    form = {"variant_id": str(honey), "quantity": "1"}

    answer = visitor.post("/gio-hang/them", data=form, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


@pytest.mark.parametrize("number", [10, 200])
def test_cart_and_inbox_of_any_length_take_few_queries(
    app: Flask, visitor: FlaskClient, database: Database, honey: int, number: int
) -> None:
    fill_cart(visitor, honey)
    now = utc_now()
    with database.transaction() as session:
        cart_id = session.scalars(select(CartLine.cart_id)).one()
        product = session.scalars(select(Product)).one()
        for _line in range(number):
            goods = a_variant(session, product=product)
            session.add(
                CartLine(cart_id=cart_id, variant_id=goods.id, quantity=1,
                         seen_price=Money(165_000), added_at=now)
            )  # fmt: skip
        stock = a_variant(session, product=product, in_stock=number)
        for order in range(number):
            an_order(session, (stock, 1), now=now, phone=f"0912345{order:03d}")
        member = a_member(session, session.scalars(select(Producer)).one())
    desk = app.test_client()
    log_in(desk, database, member)

    with Counted(database) as cart:
        assert visitor.get("/gio-hang").status_code == 200
    with Counted(database) as inbox:
        page = desk.get("/ban-hang/htx-ong/don-hang")

    assert cart.queries <= 8, cart.statements
    assert inbox.queries <= 9, inbox.statements  # one of them is the log-in, two the desk itself
    assert page.text.count('class="don"') == min(number, 20)


def test_the_inbox_goes_by_cursor(app: Flask, database: Database, honey: int) -> None:
    now = utc_now()
    with database.transaction() as session:
        goods = a_variant(session, product=session.scalars(select(Product)).one(), in_stock=30)
        codes = {
            an_order(session, (goods, 1), now=now, phone=f"09123450{n:02d}").code for n in range(25)
        }
        member = a_member(session, session.scalars(select(Producer)).one())
    desk = app.test_client()
    log_in(desk, database, member)

    first = desk.get(f"/ban-hang/htx-ong/don-hang?muc={Tab.TO_CONFIRM}").text
    older = unescape(re.search(r'href="([^"]*sau=[^"]*)"', first)[1])  # type: ignore[index]
    second = desk.get(older).text

    assert {code for code in codes if code in first or code in second} == codes
    assert "Xem đơn cũ hơn" in first
    assert "Xem đơn cũ hơn" not in second
    assert desk.get("/ban-hang/htx-ong/don-hang?muc=x&sau=%FF").status_code < 500
    assert desk.get("/ban-hang/htx-ong/don-hang?sau=e30").status_code == 200


def test_events_name_the_buyer_as_actor(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    placed(visitor, honey)

    with database.reading() as session:
        event = session.scalars(select(OrderEvent)).one()
    assert (event.actor_id, event.actor_name) == (None, "người mua")


def test_half_an_account_of_the_operator_stops_the_start(database: Database) -> None:
    with pytest.raises(BadSetting, match="OPERATOR_BANK_ACCOUNT"):
        create_app(
            Settings(
                PUBLIC_URL="http://localhost",
                DATABASE_URL=database.url.render_as_string(hide_password=False),
                SECRET_KEY=SECRET,
                SELLING_MODE="direct",
                OPERATOR_BANK_BIN="970436",
            )
        )


def test_the_countdown_is_half_an_hour(
    visitor: FlaskClient, database: Database, honey: int
) -> None:
    page = visitor.get(placed(visitor, honey, payment_method="bank_transfer"))

    end = the_only(database, Payment).created_at + timedelta(minutes=30)
    assert f'data-until="{end.isoformat()}"' in page.text
