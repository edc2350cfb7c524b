"""Prices, vouchers and accounts on their pages: plain, kept as typed, for the right people."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from accounts.sessions import LoginSession
from accounts.users import Role
from catalog import sales, stock, variants
from catalog.products import Product
from catalog.sales import vietnam_moment
from catalog.variants import Variant
from core.clock import utc_now
from core.db import Database
from core.money import Money
from shop import commissions, ledger, orders
from shop.ledger import Kind
from shop.orders import Order, OrderLine
from shop.payouts import Payout, PayoutState
from shop.vouchers import Funder, Voucher
from tests.factories import a_producer, a_product, a_user, a_variant
from tests.shop.selling import (
    SELLER,
    a_member,
    checkout_form,
    fill_cart,
    hidden,
    log_in,
)


@pytest.fixture
def shop(database: Database) -> dict[str, Any]:
    """A producer with honey for 200.000 ₫ that was sold for a month, and a person of it."""
    now = utc_now()
    with database.transaction() as session:
        producer = a_producer(session, name="HTX Mật Ong", slug="htx-mat-ong")
        product = a_product(session, producer=producer, name="Mật ong", slug="mat-ong")
        product.live_since = now - timedelta(days=40)
        honey = variants.add(
            session,
            product,
            sku="MO-1",
            unit="chai",
            price=Money(200_000),
            now=now - timedelta(days=40),
        )
        stocked = a_variant(session, product=a_product(session, producer=producer), price=50_000)
        item = stock.item_for(session, honey.id, None)
        stock.move(session, item, 20, why=stock.Why.RECEIVED, now=now, actor_id=None)
        return {
            "honey": honey.id,
            "tea": stocked.id,
            "producer": producer.id,
            "member": a_member(session, producer),
            "staff": a_user(session, role=Role.STAFF, name="An").id,
            "second": a_user(session, role=Role.STAFF, name="Bình").id,
            "stranger": a_user(session).id,
        }


def a_shop_voucher(database: Database, code: str = "TET50", **given: Any) -> None:
    now = utc_now()
    values: dict[str, Any] = {
        "code": code,
        "amount": Money(50_000),
        "funded_by": Funder.PLATFORM,
        "starts_at": now - timedelta(hours=1),
        "ends_at": now + timedelta(days=1),
        "created_at": now,
    }
    with database.transaction() as session:
        session.add(Voucher(**{**values, **given}))


def post(visitor: FlaskClient, page: str, address: str, **form: str) -> Any:
    """Send a form of a page with its token."""
    token = hidden(visitor.get(page).text, "csrf_token")
    return visitor.post(address, data={"csrf_token": token, **form})


def prove(database: Database) -> None:
    """Everyone who is logged in has given the password just now."""
    with database.transaction() as session:
        session.execute(update(LoginSession).values(proved_at=utc_now()))


DESK = "/ban-hang/htx-mat-ong"


def test_a_price_is_changed_at_the_desk(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    log_in(visitor, database, shop["member"])
    page = f"{DESK}/gia/{shop['honey']}"

    answer = post(visitor, page, f"{page}/gia", price="185.000 đ")

    assert answer.status_code == 303
    assert "185.000" in visitor.get(f"{DESK}/gia").text
    with database.reading() as session:
        assert session.get_one(Product, _product(session, shop)).list_price == Money(185_000)


def _product(session: Session, shop: dict[str, Any]) -> int:
    return session.get_one(Variant, shop["honey"]).product_id


def test_a_sale_is_set_shown_struck_through_and_ended(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    log_in(visitor, database, shop["member"])
    page = f"{DESK}/gia/{shop['honey']}"
    until = (utc_now() + timedelta(days=3)).date().isoformat()

    answer = post(visitor, page, f"{page}/khuyen-mai", sale_price="150000", until=until, cap="10")

    assert answer.status_code == 303
    seen = visitor.get("/san-pham/mat-ong").text
    assert "150.000" in seen
    assert re.search(r"<s [^>]*>.*200\.000.*</s>", seen)
    assert '"priceValidUntil"' in seen
    assert "150.000" in visitor.get("/san-pham").text
    assert post(visitor, page, f"{page}/dung").status_code == 303
    assert "150.000" not in visitor.get("/san-pham/mat-ong").text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"sale_price": "năm mươi", "until": "2030-01-01"}, "sale_price"),
        ({"sale_price": "250000", "until": "2030-01-01"}, "sale_price"),
        ({"sale_price": "150000", "until": "hôm sau"}, "until"),
        ({"sale_price": "150000", "until": "2030-01-01", "cap": "nhiều"}, "cap"),
    ],
)
def test_a_sale_typed_wrongly_is_kept_as_typed(
    visitor: FlaskClient,
    database: Database,
    shop: dict[str, Any],
    form: dict[str, str],
    field: str,
) -> None:
    log_in(visitor, database, shop["member"])
    page = f"{DESK}/gia/{shop['honey']}"

    answer = post(visitor, page, f"{page}/khuyen-mai", **form)

    assert answer.status_code == 422
    assert f'id="{field}-loi"' in answer.text
    assert form["sale_price"] in answer.text


def test_the_buyer_sees_the_voucher_in_cart_checkout_and_order(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    a_shop_voucher(database)
    fill_cart(visitor, shop["honey"])
    visitor.post("/gio-hang/ma-giam-gia", data={"voucher": "tết 50"})

    cart = visitor.get("/gio-hang").text
    form = checkout_form(visitor)
    checkout = visitor.get("/dat-hang").text
    field = hidden_value(checkout, "voucher")
    placed = visitor.post("/dat-hang", data={**form, "voucher": field})
    order = visitor.get(placed.headers["Location"]).text

    assert "−50.000" in cart
    assert field == "tết 50"
    assert "−50.000" in checkout
    assert "−50.000" in order
    with database.reading() as session:
        assert session.scalars(select(Order.discount_total)).one() == Money(50_000)


def hidden_value(page: str, name: str) -> str:
    """The value a text field shows."""
    found = re.search(f'name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return found.group(1)


def test_the_checkout_shows_what_a_code_takes_off_before_ordering(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    a_shop_voucher(database)
    fill_cart(visitor, shop["honey"])
    form = checkout_form(visitor)

    answer = visitor.post("/dat-hang", data={**form, "voucher": "TET50", "apply_voucher": "1"})

    assert (answer.status_code, "−50.000" in answer.text) == (200, True)
    assert form["name"] in answer.text
    with database.reading() as session:
        assert session.scalars(select(Order)).all() == []


def test_a_code_that_counts_no_more_is_told_and_everything_stays_typed(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    a_shop_voucher(database, minimum=Money(300_000))
    fill_cart(visitor, shop["honey"])
    form = checkout_form(visitor)

    answer = visitor.post("/dat-hang", data={**form, "voucher": "TET50"})

    assert answer.status_code == 422
    assert "100.000" in answer.text
    assert 'id="voucher-loi"' in answer.text
    assert hidden_value(answer.text, "voucher") == "TET50"


def test_a_sold_out_sale_asks_with_the_regular_price(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    with database.transaction() as session:
        honey = session.get_one(Variant, shop["honey"])
        sales.set_sale(
            session, honey, price=Money(150_000), starts_at=None,
            ends_at=utc_now() + timedelta(days=1), cap=1, actor=SELLER, now=utc_now(),
        )  # fmt: skip
    fill_cart(visitor, shop["honey"])
    with database.transaction() as session:
        honey = session.get_one(Variant, shop["honey"])
        sales.take(session, {honey.sale_id or 0: 1}, now=utc_now())
    form = checkout_form(visitor)

    first = visitor.post("/dat-hang", data=form)
    again = {**form, "cart_token": hidden(first.text, "cart_token")}
    second = visitor.post("/dat-hang", data=again)

    assert (first.status_code, second.status_code) == (409, 303)
    assert "200.000" in first.text
    with database.reading() as session:
        line = session.scalars(select(OrderLine)).one()
        assert (line.unit_price, line.sale_id, line.list_price) == (Money(200_000), None, None)


def test_agreeing_in_the_cart_ends_the_question(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    with database.transaction() as session:
        honey = session.get_one(Variant, shop["honey"])
        sales.set_sale(
            session, honey, price=Money(150_000), starts_at=None,
            ends_at=utc_now() + timedelta(days=1), cap=1, actor=SELLER, now=utc_now(),
        )  # fmt: skip
    fill_cart(visitor, shop["honey"], 2)

    before = visitor.get("/gio-hang").text
    visitor.post("/gio-hang/sua", data={"agree": "prices"})
    after = visitor.get("/gio-hang").text

    assert 'value="prices"' in before
    assert 'value="prices"' not in after


def test_a_producer_makes_a_voucher_and_ends_it(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    log_in(visitor, database, shop["member"])
    page = f"{DESK}/ma-giam-gia"

    made = post(
        visitor, page, page, code="Mật Ong 10", kind="percent", percent="10", most="30.000",
        until=(utc_now() + timedelta(days=3)).date().isoformat(), usage_limit="5",
    )  # fmt: skip

    assert made.status_code == 303
    with database.reading() as session:
        voucher = session.scalars(select(Voucher)).one()
        assert (voucher.code, voucher.percent, voucher.most) == ("MATONG10", 10, Money(30_000))
        assert (voucher.funded_by, voucher.producer_id) == (Funder.PRODUCER, shop["producer"])
    assert "MATONG10" in visitor.get(page).text
    assert post(visitor, page, f"{page}/{voucher.id}/dung").status_code == 303
    with database.reading() as session:
        assert session.get_one(Voucher, voucher.id).stopped_at is not None


def test_every_mistake_in_a_voucher_is_told_at_once(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    log_in(visitor, database, shop["member"])
    page = f"{DESK}/ma-giam-gia"

    answer = post(
        visitor, page, page, code="!", kind="percent", percent="95", until="2020-01-01",
        usage_limit="không",
    )  # fmt: skip

    assert answer.status_code == 422
    for field in ("code", "percent", "until", "usage_limit"):
        assert f'id="{field}-loi"' in answer.text


def test_the_statement_is_the_producer_s_own(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    with database.transaction() as session:
        ledger.write(
            session, shop["producer"], Kind.CARRIER_FEE, Money(-15_000),
            source="t:1", note="GHN", now=utc_now(),
        )  # fmt: skip
    log_in(visitor, database, shop["member"])

    page = visitor.get(f"{DESK}/so-tien")
    file = visitor.get(f"{DESK}/so-tien/{_month()}.csv")

    assert page.status_code == 200
    assert "-15.000" in page.text
    assert file.data.startswith(b"\xef\xbb\xbf")
    assert b"-15000,-15000" in file.data
    assert file.headers["Content-Disposition"].startswith("attachment")
    log_in(visitor, database, shop["stranger"])
    assert visitor.get(f"{DESK}/so-tien").status_code == 404
    assert visitor.get(f"{DESK}/so-tien/{_month()}.csv").status_code == 404


def _month() -> str:
    return f"{utc_now():%Y-%m}"


def test_staff_set_a_rate_pay_out_and_correct_with_two_names(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    with database.transaction() as session:
        ledger.write(
            session, shop["producer"], Kind.SALE, Money(80_000),
            source="t:1", note=None, now=utc_now(),
        )  # fmt: skip
    log_in(visitor, database, shop["staff"])
    prove(database)
    page = "/quan-tri/so-tien/htx-mat-ong"

    assert "80.000" in visitor.get("/quan-tri/so-tien").text
    assert post(visitor, page, f"{page}/hoa-hong", rate="2,5").status_code == 303
    assert post(visitor, page, f"{page}/hoa-hong", rate="hai").status_code == 422
    paid = post(visitor, page, f"{page}/ghi", kind="paid", amount="80.000", note="FT26330")
    wrong = post(
        visitor, page, f"{page}/ghi", kind="adjustment", amount="-5000", note="cước tính sai"
    )

    assert (paid.status_code, wrong.status_code) == (303, 303)
    with database.reading() as session:
        rates = commissions.rates_at(session, [shop["producer"]], now=utc_now())
        waiting = session.scalars(
            select(Payout.id).where(Payout.state == PayoutState.WAITING)
        ).one()
        assert rates == {shop["producer"]: 250}
        assert ledger.balance_of(session, shop["producer"]) == Money(0)
    own = post(visitor, "/quan-tri/so-tien", f"/quan-tri/so-tien/cho/{waiting}/dong-y")
    assert own.status_code == 409
    log_in(visitor, database, shop["second"])
    prove(database)
    second = post(visitor, "/quan-tri/so-tien", f"/quan-tri/so-tien/cho/{waiting}/dong-y")
    assert second.status_code == 303
    with database.reading() as session:
        assert ledger.balance_of(session, shop["producer"]) == Money(-5_000)


def test_staff_make_a_voucher_of_the_shop(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    log_in(visitor, database, shop["staff"])
    prove(database)
    page = "/quan-tri/ma-giam-gia"
    until = (utc_now() + timedelta(days=3)).date().isoformat()

    made = post(visitor, page, page, code="CHAO", amount="20000", until=until)
    lost = post(visitor, page, page, code="CHAO2", amount="20000", until=until, producer="khong-co")

    assert (made.status_code, lost.status_code) == (303, 422)
    with database.reading() as session:
        voucher = session.scalars(select(Voucher)).one()
        assert (voucher.funded_by, voucher.producer_id) == (Funder.PLATFORM, None)
        ends = vietnam_moment(until, end=True)
        assert voucher.ends_at == ends


def test_a_wrong_number_of_goods_is_not_found(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    with database.transaction() as session:
        other = a_variant(session, product=a_product(session)).id
    log_in(visitor, database, shop["member"])

    assert visitor.get(f"{DESK}/gia/{other}").status_code == 404
    assert visitor.get(f"{DESK}/gia/{shop['honey']}").status_code == 200


def test_an_order_keeps_its_discount_on_the_desk(
    visitor: FlaskClient, database: Database, shop: dict[str, Any]
) -> None:
    a_shop_voucher(database)
    fill_cart(visitor, shop["honey"])
    visitor.post("/dat-hang", data={**checkout_form(visitor), "voucher": "TET50"})
    with database.reading() as session:
        order = session.scalars(select(Order)).one()
        [part] = orders.list_parts(session, order.id)
    log_in(visitor, database, shop["member"])

    page = visitor.get(f"{DESK}/don-hang/{order.code}").text

    assert "−50.000" in page
    assert str(part.total) in page
