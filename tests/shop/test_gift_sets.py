"""A gift set is its parts: never dearer, shared to the đồng, gone when one of them is."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog.variants import Variant
from core.db import Database
from core.money import ZERO, Money, total
from shop import audit, cart_sets, carts, cuts, gift_sets, ledger_audit, orders, quotes
from shop.cart_sets import OrderSet
from shop.gift_sets import BadSet, GiftSet, NoSuchSet, SetSoldOut
from shop.orders import Order
from shop.set_prices import Recipe, deals
from tests.conftest import NOON
from tests.factories import a_commune, a_producer, a_product, a_user, a_variant
from tests.shop.selling import SELLER, a_member, hidden, log_in, place


def a_set(
    session: Session, *, price: int | Money | None = 300_000, **given: object
) -> tuple[GiftSet, Variant, Variant]:
    """A live set of 2 × 100.000 ₫ and 1 × 150.000 ₫ of two producers."""
    a_commune(session)
    honey = a_variant(session, price=100_000, product=a_product(session, name="Mật ong"))
    tea = a_variant(session, price=150_000, product=a_product(session, name="Trà"))
    values: dict[str, object] = {
        "name": "Giỏ Tết",
        "story": "Chuyện",
        "items": {honey.id: 2, tea.id: 1},
        "price": Money(price) if isinstance(price, int) else price,
        "producer_id": None,
        "agreed": True,
        "actor": SYSTEM,
        "now": NOON,
    }
    gift = gift_sets.make(session, **{**values, **given})  # type: ignore[arg-type]
    gift_sets.publish(session, gift, actor=SYSTEM, now=NOON)
    return gift, honey, tea


def a_cart_with(session: Session, gift: GiftSet, count: int = 1) -> carts.Cart:
    cart, _token = carts.open_new(session, user_id=None, now=NOON)
    cart_sets.put_in_cart(session, cart, gift.slug, count=count, now=NOON)
    session.flush()
    return cart


def test_a_set_is_ordered_as_its_parts_each_with_its_share(session: Session) -> None:
    gift, honey, tea = a_set(session)
    cart = a_cart_with(session, gift, 2)

    order = place(session, cart.id)

    parts = orders.list_parts(session, order.id)
    lines = orders.list_lines(session, [part.id for part in parts])
    assert {line.variant_id: line.quantity for line in lines} == {honey.id: 4, tea.id: 2}
    assert {line.set_name for line in lines} == {"Giỏ Tết"}
    assert total(line.discount_share for line in lines) == Money(100_000)
    assert order.total == Money(600_000) + total(part.shipping_fee for part in parts)
    assert session.scalars(select(OrderSet.amount)).one() == Money(100_000)
    assert [*audit.find_faults(session), *ledger_audit.find_faults(session)] == []


def test_taking_one_part_out_ends_the_price_and_is_told(session: Session) -> None:
    gift, honey, tea = a_set(session)
    cart = a_cart_with(session, gift)

    carts.change(session, cart, tea.id, quantity=0, now=NOON)
    broken = quotes.quote(session, cart, now=NOON)
    carts.change(session, cart, honey.id, quantity=0, now=NOON)
    emptied = quotes.quote(session, cart, now=NOON)

    assert (broken.sets[0].is_broken, broken.discount_total) == (True, ZERO)
    assert not emptied.sets[0].is_broken


def test_pieces_beside_the_set_cost_their_own_price(session: Session) -> None:
    gift, honey, _tea = a_set(session)
    cart = a_cart_with(session, gift)
    carts.add(session, cart, honey.id, quantity=3, now=NOON)

    quoted = quotes.quote(session, cart, now=NOON)

    assert quoted.discount_total == Money(50_000)
    assert quoted.total_with({}) >= Money(5 * 100_000 + 150_000 - 50_000)


def test_a_set_is_sold_as_often_as_its_scarcest_part(session: Session) -> None:
    gift, honey, _tea = a_set(session)

    whole = gift_sets.get_live(session, gift.slug, now=NOON)
    with pytest.raises(SetSoldOut):
        a_cart_with(session, gift, 6)

    assert whole.left == 5
    assert (whole.sum, whole.price, whole.saved) == (
        Money(350_000),
        Money(300_000),
        Money(50_000),
    )
    assert honey.price == Money(100_000)


def test_a_set_that_ended_leaves_its_parts_at_their_own_prices(session: Session) -> None:
    gift, _honey, _tea = a_set(session)
    cart = a_cart_with(session, gift)

    gift_sets.end(session, gift, actor=SYSTEM, now=NOON)

    assert quotes.quote(session, cart, now=NOON).discount_total == ZERO
    with pytest.raises(NoSuchSet):
        gift_sets.get_live(session, gift.slug, now=NOON)


def test_a_guest_s_set_still_counts_after_log_in(session: Session) -> None:
    gift, _honey, _tea = a_set(session)
    user = a_user(session)
    cart, token = carts.open_new(session, user_id=None, now=NOON)
    cart_sets.put_in_cart(session, cart, gift.slug, count=1, now=NOON)

    carts.merge(session, token=token, user_id=user.id, now=NOON)

    own = carts.find_open(session, token=None, user_id=user.id)
    assert quotes.quote(session, own, now=NOON).discount_total == Money(50_000)


def test_cutting_a_part_of_a_set_gives_back_its_own_share_only(session: Session) -> None:
    gift, honey, _tea = a_set(session)
    order = place(session, a_cart_with(session, gift).id)
    [part] = [p for p in orders.list_parts(session, order.id) if p.discount_total][:1]
    [line] = orders.list_lines(session, [part.id])
    if line.variant_id != honey.id:
        part = next(p for p in orders.list_parts(session, order.id) if p.id != part.id)
        [line] = orders.list_lines(session, [part.id])

    saved = cuts.cut(session, order, part, line.id, keep=1, reason="thiếu", actor=SELLER, now=NOON)

    assert saved == Money(100_000) - Money(line.discount_share.dong // 2)
    assert [*audit.find_faults(session), *ledger_audit.find_faults(session)] == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"items": {}}, "items"),
        ({"price": Money(350_001)}, "price"),
        ({"agreed": False}, "agreed"),
    ],
)
def test_what_is_no_set_is_refused(session: Session, wrong: dict[str, object], field: str) -> None:
    with pytest.raises(BadSet) as refused:
        a_set(session, **wrong)

    assert refused.value.field == field


def test_a_producer_s_set_holds_its_own_goods(session: Session) -> None:
    producer = a_producer(session)

    with pytest.raises(BadSet):
        a_set(session, producer_id=producer.id)


def test_strong_drink_is_in_no_lowered_set(session: Session) -> None:
    producer = a_producer(session)
    wine = a_product(session, producer=producer, name="Rượu nếp", motif="ruou", abv_tenths=400)
    items = {a_variant(session, product=wine, price=100_000).id: 2}

    with pytest.raises(BadSet):
        a_set(session, items=items, price=150_000)
    a_set(session, items=items, price=None)


class Line:
    """A line of a cart in a sum."""

    def __init__(self, variant_id: int, lot_id: int | None, quantity: int, price: int) -> None:
        self.variant_id, self.lot_id, self.quantity = variant_id, lot_id, quantity
        self.price = Money(price)


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(1, 9), st.integers(1, 10**6)),
        max_size=9,
        unique_by=lambda one: one[:2],
    ),
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(1, 3), st.integers(1, 3), min_size=1),
            st.integers(1, 10**6),
            st.integers(1, 4),
        ),
        max_size=3,
    ),
)
def test_whatever_lies_in_the_cart_shares_add_up_and_no_piece_counts_twice(
    cart: list[tuple[int, int, int, int]],
    wanted: list[tuple[dict[int, int], int, int]],
) -> None:
    lines = [Line(variant, lot or None, count, price) for variant, lot, count, price in cart]
    recipes = [
        Recipe(number, f"s{number}", "S", count, items, Money(price))
        for number, (items, price, count) in enumerate(wanted)
    ]

    found = deals(recipes, lines)

    for one, recipe in zip(found, recipes, strict=True):
        assert total(one.shares.values()) == one.amount
        assert 0 <= one.whole <= recipe.count
    for line in lines:
        key = (line.variant_id, line.lot_id or 0)
        taken = total(one.shares.get(key, ZERO) for one in found)
        assert ZERO <= taken <= line.price * line.quantity
    for variant_id in (1, 2, 3):
        used = sum(
            one.whole * recipe.items.get(variant_id, 0)
            for one, recipe in zip(found, recipes, strict=True)
        )
        assert used <= sum(line.quantity for line in lines if line.variant_id == variant_id)


def test_one_tap_puts_the_whole_set_in_the_cart(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        gift, _honey, tea = a_set(session)
        slug, tea_id = gift.slug, tea.id
    page = visitor.get(f"/gio-qua/{slug}").text

    answer = visitor.post(f"/gio-qua/{slug}/them", data={"quantity": "1"})
    cart = visitor.get("/gio-hang").text
    visitor.post("/gio-hang/sua", data={"variant_id": str(tea_id), "remove": "1"})
    broken = visitor.get("/gio-hang").text

    assert "Giỏ Tết" in visitor.get("/gio-qua").text
    assert "−50.000" in page
    assert (answer.status_code, answer.location) == (303, "/gio-hang")
    assert "Giỏ quà Giỏ Tết × 1" in cart
    assert "giá giỏ hết áp dụng" in broken
    assert visitor.post(f"/gio-qua/{slug}/them", data={"quantity": "x"}).status_code == 422


def test_the_desk_makes_and_offers_a_set_of_its_own_goods(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        producer = a_producer(session, slug="htx-rung")
        product = a_product(session, producer=producer)
        variant_id = a_variant(session, product=product, price=100_000).id
        member = a_member(session, producer)
    log_in(visitor, database, member)
    address = "/ban-hang/htx-rung/gio-qua"
    token = hidden(visitor.get(address).text, "csrf_token")
    form = {"csrf_token": token, "name": "Giỏ nhỏ", "price": "180.000", f"so-{variant_id}": "2"}

    wrong = visitor.post(address, data={**form, "price": "250.000"})
    visitor.post(address, data=form)
    visitor.post(f"{address}/1/ban", data={"csrf_token": token})

    assert wrong.status_code == 422
    assert "Giỏ nhỏ" in visitor.get("/gio-qua").text
    visitor.post(f"{address}/1/thoi", data={"csrf_token": token})
    assert visitor.get("/gio-qua/gio-nho").status_code == 404


def test_staff_make_sets_of_several_producers(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        first, second = a_variant(session, sku="A-1"), a_variant(session, sku="B 2")
        assert first.id != second.id
        boss = a_user(session, role=Role.STAFF).id
    log_in(visitor, database, boss)
    token = hidden(visitor.get("/quan-tri/gio-qua").text, "csrf_token")

    wrong = visitor.post(
        "/quan-tri/gio-qua", data={"csrf_token": token, "name": "Giỏ", "items": "A-1 x"}
    )
    visitor.post(
        "/quan-tri/gio-qua", data={"csrf_token": token, "name": "Giỏ", "items": "A-1 1\nB 2 2"}
    )

    assert wrong.status_code == 422
    assert "Không hiểu dòng" in wrong.text
    with database.reading() as session:
        assert session.scalars(select(GiftSet.name)).one() == "Giỏ"
        assert session.scalars(select(Order.id)).all() == []


def test_what_staff_typed_comes_back_as_letters(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        boss = a_user(session, role=Role.STAFF).id
    log_in(visitor, database, boss)
    token = hidden(visitor.get("/quan-tri/gio-qua").text, "csrf_token")

    page = visitor.post(
        "/quan-tri/gio-qua", data={"csrf_token": token, "name": "Giỏ", "items": "<b>A</b> 1"}
    ).text

    assert "&lt;b&gt;A&lt;/b&gt; 1" in page
    assert "<b>A</b>" not in page
