"""Parcels at the desk: waybills, tried again, sent back, taken back, each with its own form."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core import outgoing
from core.clock import utc_now
from core.db import Database
from core.settings import Settings
from demo.standins.ghn import SHOP, TOKEN, GhnStandIn
from shop import connections, fulfilment, links, orders
from shop.carriers.carrier import Stage
from shop.delivery import DeliveryKind
from shop.order_states import SellerOrderState
from shop.orders import Order, SellerOrder
from shop.shipments import Shipment
from tests.conftest import SECRET
from tests.factories import a_producer, a_product, a_variant
from tests.shop.selling import (
    SELLER,
    a_member,
    a_way,
    an_order,
    hidden,
    log_in,
    only_part,
    run_due,
)


class AtTheDesk:
    """A person of the producer with the page of one packed order."""

    def __init__(self, app: Flask, database: Database, *, kind: DeliveryKind) -> None:
        self.app, self.database = app, database
        now = utc_now()
        by: dict[str, Any] = {"actor": SELLER, "now": now}
        with database.transaction() as session:
            producer = a_producer(session, slug="htx-ong")
            a_way(session, producer, kind=kind)
            if kind is DeliveryKind.GHN:
                keys = {"token": TOKEN, "shop_id": str(SHOP)}
                connections.open_new(session, producer.id, "ghn", keys, secrets=(SECRET,), **by)
            product = a_product(session, producer=producer)
            order = an_order(session, (a_variant(session, product=product), 2), now=now)
            part = only_part(session, order)
            fulfilment.accept(session, order, part, called_buyer=True, **by)
            fulfilment.pack(session, order, part, **by)
            member = a_member(session, producer)
            self.line_id = orders.list_lines(session, [part.id])[0].id
            self.code = order.code
        self.visitor: FlaskClient = app.test_client()
        log_in(self.visitor, database, member)
        self.path = f"/ban-hang/htx-ong/don-hang/{self.code}"

    @property
    def page(self) -> str:
        """The order's page as it stands."""
        return self.visitor.get(self.path).text

    def send(self, what: str, **form: str) -> Any:
        """Press the button that leads to `what`."""
        token = hidden(self.page, "csrf_token")
        return self.visitor.post(f"{self.path}/{what}", data={**form, "csrf_token": token})

    @property
    def state(self) -> SellerOrderState:
        """Where the part stands."""
        with self.database.reading() as session:
            return session.scalars(select(SellerOrder.state)).one()

    @property
    def parcel(self) -> Shipment:
        """The newest parcel."""
        with self.database.reading() as session:
            return session.scalars(select(Shipment).order_by(Shipment.id.desc())).first()  # type: ignore[return-value]


@pytest.fixture
def post(app: Flask, database: Database) -> AtTheDesk:
    return AtTheDesk(app, database, kind=DeliveryKind.POST)


@pytest.fixture
def carrier() -> Iterator[GhnStandIn]:
    outgoing.forget()
    with GhnStandIn() as standing:
        yield standing


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    if "carrier" not in request.fixturenames:
        return settings
    return replace(settings, GHN_API_BASE=request.getfixturevalue("carrier").url)


def test_a_parcel_leaves_with_its_waybill(post: AtTheDesk) -> None:
    answer = post.send("van-don", waybill="eb123456789vn", carrier_name="VNPost")

    assert answer.status_code == 303
    assert post.state is SellerOrderState.SHIPPED
    assert (post.parcel.waybill, post.parcel.state) == ("EB123456789VN", Stage.PICKED_UP)
    assert "EB123456789VN" in post.page


def test_a_parcel_may_leave_before_its_waybill_is_known(post: AtTheDesk) -> None:
    post.send("van-don", waybill="", carrier_name="")
    post.send("van-don", waybill="EB1234", carrier_name="Nhà xe")

    assert post.state is SellerOrderState.SHIPPED
    assert (post.parcel.waybill, post.parcel.carrier_name) == ("EB1234", "Nhà xe")


def test_a_slip_in_the_waybill_is_told_in_place_and_nothing_leaves(post: AtTheDesk) -> None:
    answer = post.send("van-don", waybill="!!", carrier_name="VNPost")

    assert answer.status_code == 422
    assert 'href="#waybill"' in answer.text
    assert post.state is SellerOrderState.READY


def test_the_way_back_has_a_button_for_every_step(post: AtTheDesk) -> None:
    post.send("van-don", waybill="EB1234")

    post.send("khong-giao-duoc", tapped="Khách không nghe máy")
    failed = post.page
    post.send("giao-lai")
    post.send("khong-giao-duoc", tapped="Không có ai ở nhà", why="gọi 3 lần")
    post.send("chuyen-hoan", tapped="Khách không nhận")
    returning = post.page
    without = post.send("da-nhan-hoan")
    taken = post.send("da-nhan-hoan", **{f"back_{post.line_id}": "restock"})

    assert "Giao lại" in failed
    assert "Đã giao 1 lần" in failed
    assert f'name="back_{post.line_id}"' in returning
    assert without.status_code == 422
    assert taken.status_code == 303
    assert post.state is SellerOrderState.RETURNED
    assert "Không có ai ở nhà. gọi 3 lần" in post.page


def test_a_reason_is_asked_for(post: AtTheDesk) -> None:
    post.send("van-don", waybill="")

    answer = post.send("khong-giao-duoc")

    assert answer.status_code == 422
    assert 'href="#why"' in answer.text
    assert post.state is SellerOrderState.SHIPPED


def test_who_brings_it_itself_sees_no_waybill(app: Flask, database: Database) -> None:
    own = AtTheDesk(app, database, kind=DeliveryKind.SELF)

    assert 'name="waybill"' not in own.page
    assert "Gọi GHN" not in own.page
    assert own.send("gui").status_code == 303
    assert own.state is SellerOrderState.SHIPPED


def test_ghn_is_called_and_its_label_printed(
    app: Flask, database: Database, carrier: GhnStandIn
) -> None:
    desk = AtTheDesk(app, database, kind=DeliveryKind.GHN)

    called = desk.send("goi-ghn", weight_kg="1,4")
    again = desk.send("goi-ghn", weight_kg="1,4")
    waiting = desk.page
    run_due(app, database, now=utc_now())
    label = desk.visitor.get(f"{desk.path}/nhan-ghn")

    [waybill] = carrier.kept.orders
    assert called.status_code == 303
    assert again.status_code == 409
    assert "Đang gọi GHN" in waiting
    assert waybill in desk.page
    assert carrier.kept.orders[waybill]["weight"] == 1_400
    assert label.headers["Location"].startswith(f"{carrier.url}/a5/public-api/printA5?token=")


def test_an_order_that_is_declined_calls_ghn_off(
    app: Flask, database: Database, carrier: GhnStandIn
) -> None:
    desk = AtTheDesk(app, database, kind=DeliveryKind.GHN)
    desk.send("goi-ghn", weight_kg="1")
    run_due(app, database, now=utc_now())

    desk.send("khong-nhan", reason="hết hàng")
    run_due(app, database, now=utc_now())

    [waybill] = carrier.kept.orders
    assert carrier.kept.orders[waybill]["status"] == "cancel"
    assert desk.parcel.state is Stage.CANCELLED


def test_while_ghn_is_away_its_label_is_no_page_that_hangs(
    app: Flask, database: Database, carrier: GhnStandIn
) -> None:
    desk = AtTheDesk(app, database, kind=DeliveryKind.GHN)
    desk.send("goi-ghn", weight_kg="1")
    run_due(app, database, now=utc_now())
    carrier.ail(status=500)

    assert desk.visitor.get(f"{desk.path}/nhan-ghn").status_code == 503


def test_the_buyer_sees_where_the_parcel_is(post: AtTheDesk) -> None:
    post.send("van-don", waybill="EB1234", carrier_name="VNPost")
    with post.database.reading() as session:
        order = session.scalars(select(Order)).one()
        mark = links.order_mark(SECRET, order.cart_id)

    page = post.app.test_client().get(f"/don-hang/{order.code}?t={mark}").text

    assert "EB1234" in page
    assert "Đã lấy" in page


def test_what_waits_for_the_producer_stands_on_its_desk(post: AtTheDesk) -> None:
    post.send("van-don", waybill="")
    post.send("khong-giao-duoc", tapped="Không có ai ở nhà")
    failed = post.visitor.get("/ban-hang/htx-ong").text
    post.send("chuyen-hoan", tapped="Khách không nhận")

    assert "1 kiện hàng chưa giao được" in failed
    assert "1 kiện hàng đang hoàn về" in post.visitor.get("/ban-hang/htx-ong").text
