"""Saved for later: out of the cart but not lost, for guests and accounts, also at log-in."""

from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import passwords
from accounts.users import Role
from core.clock import utc_now
from core.db import Database
from shop import carts, later
from shop.carts import Cart, CartLine, SoldOut
from shop.later import LaterLine, NotThere
from tests.conftest import NOON
from tests.factories import a_lot, a_product, a_user, a_variant
from tests.shop.selling import Counted, a_cart, an_order, at_once, fill_cart, hidden, log_in

GUEST = later.owner_of(None, "a-guest") or ""


def names(session: Session, owner: str) -> list[tuple[str, int]]:
    return [(one.name, one.line.quantity) for one in later.list_of(session, owner, now=NOON)]


def test_a_thing_moves_out_of_the_cart_and_back(session: Session) -> None:
    honey = a_variant(session, product=a_product(session, name="Mật ong"))
    cart = a_cart(session, (honey, 3))

    later.save(session, cart, GUEST, honey.id, lot_code=None, now=NOON)

    assert carts.count(session, cart) == 0
    [one] = later.list_of(session, GUEST, now=NOON)
    assert (one.name, one.line.quantity, one.free) == ("Mật ong", 3, 10)

    kept = later.to_cart(session, GUEST, cart, one.line.id, now=NOON)

    assert (kept.quantity, carts.count(session, cart)) == (3, 3)
    assert later.list_of(session, GUEST, now=NOON) == []


def test_a_chosen_lot_stays_chosen(session: Session) -> None:
    honey = a_variant(session, in_stock=0)
    a_lot(session, honey, code="MO-1", in_stock=4)
    cart = a_cart(session)
    carts.add(session, cart, honey.id, quantity=2, lot_code="MO-1", now=NOON)

    later.save(session, cart, GUEST, honey.id, lot_code="MO-1", now=NOON)
    [one] = later.list_of(session, GUEST, now=NOON)
    later.to_cart(session, GUEST, cart, one.line.id, now=NOON)

    assert one.lot_code == "MO-1"
    assert session.scalars(select(CartLine.lot_id)).one() is not None


def test_saving_twice_keeps_the_larger_number(session: Session) -> None:
    honey = a_variant(session, product=a_product(session, name="Mật ong"))
    for quantity in (2, 5, 1):
        cart = a_cart(session, (honey, quantity))
        later.save(session, cart, GUEST, honey.id, lot_code=None, now=NOON)

    assert names(session, GUEST) == [("Mật ong", 5)]


def test_what_is_sold_out_stays_saved(session: Session) -> None:
    honey = a_variant(session, in_stock=2)
    cart = a_cart(session, (honey, 2))
    later.save(session, cart, GUEST, honey.id, lot_code=None, now=NOON)
    an_order(session, (honey, 2))

    [one] = later.list_of(session, GUEST, now=NOON)
    with pytest.raises(SoldOut):
        later.to_cart(session, GUEST, cart, one.line.id, now=NOON)

    assert len(later.list_of(session, GUEST, now=NOON)) == 1


def test_what_others_saved_is_not_there(session: Session) -> None:
    honey = a_variant(session)
    cart = a_cart(session, (honey, 1))
    later.save(session, cart, GUEST, honey.id, lot_code=None, now=NOON)
    [one] = later.list_of(session, GUEST, now=NOON)

    with pytest.raises(NotThere):
        later.to_cart(session, "u:1", cart, one.line.id, now=NOON)
    with pytest.raises(NotThere):
        later.save(session, cart, GUEST, honey.id, lot_code=None, now=NOON)
    later.forget(session, None, one.line.id)
    assert names(session, GUEST)


def test_logging_in_loses_nothing_that_was_saved(session: Session) -> None:
    honey = a_variant(session, product=a_product(session, name="Mật ong"))
    tea = a_variant(session, product=a_product(session, name="Trà"))
    user = a_user(session)
    own = later.owner_of(user.id, None) or ""
    for owner, variant, quantity in ((GUEST, honey, 4), (GUEST, tea, 1), (own, honey, 2)):
        cart = a_cart(session, (variant, quantity))
        later.save(session, cart, owner, variant.id, lot_code=None, now=NOON)

    assert later.bring_along(session, token="a-guest", user_id=user.id) == 2

    assert sorted(names(session, own)) == [("Mật ong", 4), ("Trà", 1)]
    assert names(session, GUEST) == []


def test_the_cart_page_saves_and_gives_back_without_javascript(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        honey = a_variant(session, product=a_product(session, name="Mật ong")).id
    fill_cart(visitor, honey, 2)

    visitor.post("/gio-hang/de-danh", data={"variant_id": str(honey), "quantity": "2"})
    page = visitor.get("/gio-hang").text
    assert "Để dành mua sau" in page
    with database.reading() as session:
        number = session.scalars(select(LaterLine.id)).one()
    visitor.post(f"/gio-hang/de-danh/{number}")

    with database.reading() as session:
        assert session.scalars(select(CartLine.quantity)).all() == [2]
        assert session.scalars(select(LaterLine.id)).all() == []
    assert visitor.post("/gio-hang/de-danh/99").status_code == 404
    assert visitor.post("/gio-hang/de-danh", data={"variant_id": "x"}).status_code == 404


def test_a_persons_saved_things_are_on_every_device(
    visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        user_id = a_user(session).id
        honey = a_variant(session, product=a_product(session, name="Mật ong"))
        cart = a_cart(session, (honey, 1))
        owner = later.owner_of(user_id, None) or ""
        later.save(session, cart, owner, honey.id, lot_code=None, now=utc_now())
    log_in(visitor, database, user_id)

    assert "Để dành mua sau" in visitor.get("/gio-hang").text


def test_a_log_in_tells_what_joined_the_cart(visitor: FlaskClient, database: Database) -> None:
    password = "bốn từ viết liền nhau"
    with database.transaction() as session:
        secret = passwords.make(password, role=Role.BUYER)
        user = a_user(session, phone="+84912345678", password_hash=secret)
        honey = a_variant(session, product=a_product(session, name="Mật ong"))
        tea = a_variant(session, product=a_product(session, name="Trà"))
        own, _token = carts.open_new(session, user_id=user.id, now=utc_now())
        carts.add(session, own, honey.id, quantity=1, now=utc_now())
        ids = honey.id, tea.id
    fill_cart(visitor, ids[0], 3)
    fill_cart(visitor, ids[1], 1)
    token = hidden(visitor.get("/tai-khoan/dang-nhap").text, "csrf_token")
    form = {"csrf_token": token, "login": "0912345678", "password": password}
    visitor.post("/tai-khoan/dang-nhap", data=form)

    page = visitor.get("/gio-hang").text

    assert "Mật ong: giỏ nay có 3, trước là 1." in page
    assert "1 món chọn từ trước khi đăng nhập" in page


def test_saving_in_two_tabs_at_once_makes_one_line(database: Database) -> None:
    for _round in range(8):
        with database.transaction() as session:
            honey = a_variant(session, in_stock=9)
            ids = [a_cart(session, (honey, quantity)).id for quantity in (2, 3)]
            variant_id = honey.id

        def put_by(session: Session, cart_id: int, variant_id: int = variant_id) -> None:
            cart = session.get_one(Cart, cart_id)
            later.save(session, cart, GUEST, variant_id, lot_code=None, now=NOON)

        at_once(database, [partial(put_by, cart_id=cart_id) for cart_id in ids])

        with database.reading() as session:
            kept = select(LaterLine.quantity).where(LaterLine.variant_id == variant_id)
            assert session.scalars(kept).all() == [3]


@pytest.mark.parametrize("things", [1, 30])
def test_any_number_of_saved_things_is_read_in_two_questions(
    database: Database, things: int
) -> None:
    with database.transaction() as session:
        for _number in range(things):
            honey = a_variant(session)
            cart = a_cart(session, (honey, 1))
            later.save(session, cart, GUEST, honey.id, lot_code=None, now=NOON)

    with database.reading() as session, Counted(database) as counted:
        assert len(later.list_of(session, GUEST, now=NOON)) == things

    assert counted.queries == 2
