"""What delivery costs: one answer for every place and weight, shown before it is charged."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.producers import Producer
from catalog.variants import Variant
from core.db import Database
from core.money import ZERO, Money
from shop import checkout, delivery, delivery_terms, links, quotes, wishes
from shop.carriers.carrier import To
from shop.carts import Cart
from shop.checkout import Buyer
from shop.delivery import DeliveryBand, DeliveryKind, DeliveryMethod, DeliveryZone
from shop.delivery_terms import BadTerm
from shop.orders import Order, SellerOrder
from shop.wishes import Mistyped
from tests.conftest import NOON, SECRET
from tests.factories import a_producer, a_product, a_variant
from tests.shop.selling import (
    BUYER,
    FORM,
    SELLER,
    a_cart,
    a_way,
    checkout_form,
    fill_cart,
    hidden,
    place,
)

PROVINCES, COMMUNES = ("01", "48"), ("09784", "09787", "20194")
MONEY = st.integers(0, 500_000).map(Money)
ZONES = st.lists(
    st.builds(
        lambda province, commune, served, fee: DeliveryZone(
            province_code=province, commune_code=commune, is_served=served, fee=fee
        ),
        st.sampled_from(PROVINCES),
        st.sampled_from(("", *COMMUNES)),
        st.booleans(),
        st.none() | MONEY,
    ),
    max_size=5,
    unique_by=lambda zone: (zone.province_code, zone.commune_code),
)
BANDS = st.lists(
    st.builds(lambda over, extra: DeliveryBand(over_g=over, extra=extra),
              st.integers(1, 30_000), MONEY),
    max_size=4,
    unique_by=lambda band: band.over_g,
)  # fmt: skip
WAYS = st.builds(
    lambda fee, free_from, zones, bands, only, most: DeliveryMethod(
        kind=DeliveryKind.POST,
        name="Bưu điện",
        fee=fee,
        free_from=free_from,
        zones=zones,
        bands=bands,
        only_zones=only,
        most_g=most,
    ),
    MONEY,
    st.none() | MONEY,
    ZONES,
    BANDS,
    st.booleans(),
    st.none() | st.integers(1, 50_000),
)
WORTH, WEIGHT = st.integers(0, 2_000_000).map(Money), st.integers(0, 60_000)
PLACE = st.tuples(st.sampled_from(PROVINCES), st.sampled_from(COMMUNES))


@given(WAYS, WORTH, WEIGHT, PLACE)
def test_every_weight_to_every_place_has_one_exact_answer(
    way: DeliveryMethod, worth: Money, weight: int, to: tuple[str, str]
) -> None:
    fee = way.quote(worth, weight, *to)

    assert fee.exact
    assert fee.amount is None or fee.amount >= ZERO


@given(WAYS, WORTH, WEIGHT, PLACE)
def test_what_is_shown_before_the_address_is_known_is_the_least(
    way: DeliveryMethod, worth: Money, weight: int, to: tuple[str, str]
) -> None:
    known = way.fee_for(worth, weight, *to)
    from_province, unknown = way.quote(worth, weight, to[0]), way.quote(worth, weight)

    if known is not None:
        assert from_province.amount is not None
        assert unknown.amount is not None
        assert unknown.amount <= from_province.amount <= known
    if unknown.exact:
        assert known == unknown.amount


@given(WAYS, WORTH, WEIGHT, PLACE)
def test_dearer_goods_never_cost_more_to_carry(
    way: DeliveryMethod, worth: Money, weight: int, to: tuple[str, str]
) -> None:
    less, more = way.fee_for(worth, weight, *to), way.fee_for(worth + Money(100_000), weight, *to)

    assert (less is None) == (more is None)
    if less is not None and more is not None:
        assert more <= less
        if way.free_from is not None and worth >= way.free_from:
            assert less == ZERO


def test_the_highest_step_that_a_parcel_is_heavier_than_counts() -> None:
    way = DeliveryMethod(fee=Money(20_000), free_from=None, only_zones=False, most_g=None)
    way.bands = [
        DeliveryBand(over_g=2_000, extra=Money(10_000)),
        DeliveryBand(over_g=5_000, extra=Money(25_000)),
    ]

    fees = [way.fee_for(ZERO, weight, "01", "09784") for weight in (2_000, 2_001, 5_000, 5_001)]

    assert fees == [Money(20_000), Money(30_000), Money(30_000), Money(45_000)]


def test_a_commune_counts_before_its_province() -> None:
    way = DeliveryMethod(fee=Money(30_000), free_from=None, only_zones=False, most_g=None)
    way.zones = [
        DeliveryZone(province_code="01", commune_code="", is_served=True, fee=Money(15_000)),
        DeliveryZone(province_code="01", commune_code="09784", is_served=False, fee=None),
    ]

    assert way.fee_for(ZERO, 500, "01", "09784") is None
    assert way.fee_for(ZERO, 500, "01", "09787") == Money(15_000)
    assert way.fee_for(ZERO, 500, "48", "20194") == Money(30_000)


@pytest.mark.parametrize(
    ("text", "dong"),
    [("20.000", 20_000), ("20000", 20_000), ("20 000 đ", 20_000), ("0", 0), ("", None)],
)
def test_amounts_are_read_as_people_write_them(text: str, dong: int | None) -> None:
    read = delivery_terms.read_money(text, field="fee", most=1_000_000)

    assert read == (None if dong is None else Money(dong))


@pytest.mark.parametrize("text", ["-1", "2,5", "20k", "2.00", "٣٠", "2.000.001"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadTerm):
        delivery_terms.read_money(text, field="fee", most=2_000_000)


@pytest.mark.parametrize(("text", "grams"), [("2", 2_000), ("1,5 kg", 1_500), ("0.25", 250)])
def test_weights_are_read_in_kilograms(text: str, grams: int) -> None:
    assert delivery_terms.read_weight(text, field="most_kg") == grams


def test_a_piece_nobody_weighed_counts_half_a_kilogram(session: Session) -> None:
    weighed, unknown = a_variant(session, weight_g=1_200), a_variant(session)
    cart = a_cart(session, (weighed, 2), (unknown, 1))

    quote = quotes.quote(session, cart, now=NOON)

    assert sum(parcel.weight_g for parcel in quote.parcels) == 2_900


def test_an_order_keeps_the_fee_of_its_own_address(session: Session) -> None:
    producer, way = _a_far_producer(session)
    cart = a_cart(session, (_goods(session, producer), 1))

    order = place(session, cart.id, **{f"delivery_{producer.slug}": str(way.id)})

    part = session.scalars(select(SellerOrder).where(SellerOrder.order_id == order.id)).one()
    assert part.shipping_fee == Money(45_000)
    assert part.delivery_method_id == way.id


def test_a_way_that_does_not_go_there_is_refused_by_its_producers_name(session: Session) -> None:
    producer = a_producer(session, name="HTX Xa")
    way = a_way(session, producer)
    way.zones.append(DeliveryZone(province_code="01", commune_code="09784", is_served=False))
    session.flush()
    cart = a_cart(session, (_goods(session, producer), 1))

    with pytest.raises(Mistyped) as refused:
        place(session, cart.id)

    [(field, message)] = refused.value.mistakes
    assert field == f"delivery_{producer.slug}"
    assert "HTX Xa" in message
    assert "Xã Đan Phượng" in message
    assert "take its goods out" in message


def test_another_way_of_the_producer_is_offered_instead(session: Session) -> None:
    producer = a_producer(session, name="HTX Xa")
    a_way(session, producer, most_g=400)
    near = a_way(session, producer, name="Tự giao", kind=DeliveryKind.SELF, position=1)
    cart = a_cart(session, (_goods(session, producer), 1))

    to = To("01", "09784", "Hà Nội", "Xã Đan Phượng")
    quote = quotes.quote(session, cart, now=NOON, to=to)

    assert quote.parcels[0].method("") == near
    with pytest.raises(Mistyped) as refused:
        place(
            session, cart.id, **{f"delivery_{producer.slug}": str(quote.parcels[0].methods[0].id)}
        )
    assert "0,4 kg" in refused.value.mistakes[0][1]


def test_a_way_that_is_switched_off_is_not_offered(session: Session) -> None:
    producer = a_producer(session)
    way = a_way(session, producer)

    delivery_terms.switch(session, way, on=False, actor=SELLER, now=NOON)

    [offered] = delivery.list_of_producers(session, [producer.id])[producer.id]
    assert offered.kind is DeliveryKind.PICKUP
    assert offered.id == 0
    assert delivery.get(session, producer.id, way.id) == way


def test_the_place_is_read_as_far_as_it_was_chosen(session: Session) -> None:
    a_cart(session)

    to = wishes.destination(session, {"province_code": "01", "ward_code": "99999"})

    assert (to.province_code, to.commune_code) == ("01", "")
    assert not to.is_whole


def test_a_dearer_fee_than_the_page_showed_stops_and_asks_once(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        producer, _way = _a_far_producer(session)
        variant_id = _goods(session, producer).id
        a_cart(session)
    fill_cart(visitor, variant_id)
    cart = visitor.get("/gio-hang").text
    form = checkout_form(visitor)

    asked = visitor.post("/dat-hang", data=form)
    agreed = visitor.post("/dat-hang", data=form | {"cart_token": hidden(asked.text, "cart_token")})

    assert "từ 30.000" in cart
    assert asked.status_code == 409
    assert "45.000" in asked.text
    assert agreed.status_code == 303
    with database.reading() as session:
        assert session.scalars(select(Order.total)).one() == Money(210_000)


def test_choosing_the_commune_shows_the_exact_fee(visitor: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        producer, _way = _a_far_producer(session)
        variant_id = _goods(session, producer).id
        a_cart(session)
    fill_cart(visitor, variant_id)
    form = checkout_form(visitor)

    page = visitor.post("/dat-hang", data={**form, "choose_province": "1"})
    placed = visitor.post("/dat-hang", data=form | {"cart_token": hidden(page.text, "cart_token")})

    assert page.status_code == 200
    assert "từ 30.000" not in page.text
    assert "45.000" in page.text
    assert placed.status_code == 303


def test_a_cheaper_fee_than_the_page_showed_is_simply_charged(session: Session) -> None:
    producer, way = _a_far_producer(session)
    cart = a_cart(session, (_goods(session, producer), 1))
    shown = {f"{producer.id}:{way.id}": 60_000}

    order = _place_seeing(session, cart, shown)

    assert order.total == Money(165_000 + 45_000)


def _place_seeing(session: Session, cart: Cart, shown: dict[str, int]) -> Order:
    return checkout.place(
        session,
        cart.id,
        FORM,
        buyer=Buyer(BUYER, "vi", links.order_mark(SECRET, cart.id)),
        agreed_prices="",
        seen_fees=shown,
        public_url="http://localhost",
        now=NOON,
    )


def _a_far_producer(session: Session) -> tuple[Producer, DeliveryMethod]:
    producer = a_producer(session, name="HTX Xa")
    way = a_way(session, producer, fee=Money(30_000), free_from=None)
    way.zones.append(
        DeliveryZone(province_code="01", commune_code="09784", is_served=True, fee=Money(45_000))
    )
    session.flush()
    return producer, way


def _goods(session: Session, producer: Producer) -> Variant:
    return a_variant(session, product=a_product(session, producer=producer))
