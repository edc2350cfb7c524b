"""The address book, the address chosen at the checkout, and the way from an old address."""

from collections.abc import Iterator
from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import places
from core.db import Database
from core.settings import ROOT
from shop import addresses
from shop.addresses import Address, BookFull, NoSuchAddress
from shop.orders import Order
from shop.wishes import Mistyped
from tests.conftest import NOON
from tests.factories import a_commune, a_user, a_variant, later
from tests.shop.selling import FORM, an_order, at_once, checkout_form, fill_cart, hidden, log_in


def kept(session: Session, user_id: int, **typed: str) -> Address:
    a_commune(session)
    return addresses.keep(session, user_id, {**FORM, **typed}, now=NOON)


def defaults(session: Session, user_id: int) -> list[tuple[str, bool]]:
    return [
        (entry.address.street, entry.address.is_default)
        for entry in addresses.list_of(session, user_id)
    ]


def test_the_first_address_is_the_default_until_another_is_chosen(session: Session) -> None:
    user = a_user(session)
    kept(session, user.id, street="Thôn 1")
    second = kept(session, user.id, street="Thôn 2")

    assert defaults(session, user.id) == [("Thôn 1", True), ("Thôn 2", False)]

    addresses.prefer(session, user.id, second.id)

    assert defaults(session, user.id) == [("Thôn 2", True), ("Thôn 1", False)]


def test_deleting_can_be_undone_for_a_month(session: Session, database: Database) -> None:
    user = a_user(session)
    first = kept(session, user.id, street="Thôn 1")
    kept(session, user.id, street="Thôn 2")

    addresses.remove(session, user.id, first.id, now=NOON)
    assert defaults(session, user.id) == [("Thôn 2", True)]
    assert addresses.find_deleted(session, user.id, first.id) is not None
    addresses.take_back(session, user.id, first.id)

    assert defaults(session, user.id) == [("Thôn 2", True), ("Thôn 1", False)]
    with pytest.raises(NoSuchAddress):
        addresses.take_back(session, user.id, first.id)


def test_what_was_deleted_long_ago_is_gone(database: Database) -> None:
    with database.transaction() as session:
        user_id = a_user(session).id
        address = kept(session, user_id)
        addresses.remove(session, user_id, address.id, now=NOON)

    addresses.forget_deleted(database, later(NOON, days=29))
    with database.reading() as session:
        assert addresses.find_deleted(session, user_id, address.id)
    addresses.forget_deleted(database, later(NOON, days=31))

    with database.reading() as session:
        assert session.scalars(select(Address)).all() == []


def test_every_mistake_is_told_at_once(session: Session) -> None:
    with pytest.raises(Mistyped) as refusal:
        addresses.keep(session, a_user(session).id, {"phone": "12"}, now=NOON)

    assert [field for field, _why in refusal.value.mistakes] == [
        "phone",
        "name",
        "province_code",
        "street",
    ]


def test_a_book_holds_twenty(session: Session) -> None:
    user = a_user(session)
    for number in range(20):
        kept(session, user.id, street=f"Thôn {number}")

    with pytest.raises(BookFull):
        kept(session, user.id, street="Thôn 21")


def test_somebody_elses_address_does_not_exist(session: Session) -> None:
    mine, other = a_user(session), a_user(session)
    address = kept(session, mine.id)

    for act in (
        lambda: addresses.get(session, other.id, address.id),
        lambda: addresses.prefer(session, other.id, address.id),
        lambda: addresses.remove(session, other.id, address.id, now=NOON),
        lambda: addresses.keep(session, other.id, FORM, address_id=address.id, now=NOON),
    ):
        with pytest.raises(NoSuchAddress):
            act()


def test_the_address_of_an_order_is_kept_once(session: Session) -> None:
    user = a_user(session)
    order = an_order(session, (a_variant(session), 1))

    assert not addresses.knows(session, user.id, order)
    first = addresses.keep_of_order(session, user.id, order, now=NOON)
    again = addresses.keep_of_order(session, user.id, order, now=NOON)

    assert first.id == again.id
    assert addresses.knows(session, user.id, order)


@pytest.fixture
def person(visitor: FlaskClient, database: Database) -> Iterator[tuple[FlaskClient, int]]:
    """Someone logged in, with every commune in the shop and something in the cart."""
    with database.transaction() as session:
        places.load_units(session, ROOT / "data" / "units")
        user_id = a_user(session, name="Hoa").id
        honey = a_variant(session).id
    log_in(visitor, database, user_id)
    fill_cart(visitor, honey)
    yield visitor, user_id


def send(visitor: FlaskClient, address: str, **typed: str) -> str:
    token = hidden(visitor.get("/tai-khoan/dia-chi/moi").text, "csrf_token")
    form = {"csrf_token": token, **typed}
    return visitor.post(address, data=form, follow_redirects=True).text


def test_the_book_is_written_changed_and_mended_by_plain_forms(
    person: tuple[FlaskClient, int],
) -> None:
    visitor, _user_id = person

    page = send(visitor, "/tai-khoan/dia-chi/moi", **FORM)
    assert "Thôn 3, số 8, Xã Đan Phượng, Hà Nội" in page
    number = page.split("/tai-khoan/dia-chi/")[1].split('"')[0].split("/")[0]
    if number == "moi":
        number = "1"

    assert "số 9" in send(visitor, f"/tai-khoan/dia-chi/{number}", **FORM | {"street": "số 9"})
    assert "Lấy lại" in send(visitor, f"/tai-khoan/dia-chi/{number}/xoa")
    assert "số 9" in send(visitor, f"/tai-khoan/dia-chi/{number}/lay-lai")
    assert "Lỗi:" in send(visitor, "/tai-khoan/dia-chi/moi", **FORM | {"phone": "1"})
    assert visitor.get("/tai-khoan/dia-chi/999").status_code == 404


def test_the_checkout_knows_the_default_and_takes_another_by_one_tap(
    person: tuple[FlaskClient, int], database: Database
) -> None:
    visitor, user_id = person
    with database.transaction() as session:
        addresses.keep(session, user_id, FORM | {"street": "Nhà Hoa"}, now=NOON)
        office = FORM | {"street": "Chỗ làm", "ward_code": "09817", "name": "Lan"}
        other = addresses.keep(session, user_id, office, now=NOON).id

    page = visitor.get("/dat-hang").text
    assert 'value="Nhà Hoa"' in page
    assert 'value="09784" selected' in page
    form = checkout_form(visitor) | {"use_address": str(other)}
    page = visitor.post("/dat-hang", data=form).text

    assert 'value="Chỗ làm"' in page
    assert 'value="09817" selected' in page
    assert 'value="Lan"' in page


def test_an_old_address_leads_to_todays_commune_at_the_checkout(
    person: tuple[FlaskClient, int], database: Database
) -> None:
    visitor, _user_id = person
    empty = {"province_code": "", "ward_code": "", "street": ""}
    old = {"old_text": "Thôn 3, xã Hạ Mỗ, Đan Phượng, Hà Nội"}
    form = checkout_form(visitor, **empty, **old)

    page = visitor.post("/dat-hang", data=form | {"old_find": "1"}).text
    assert "Xã Ô Diên, Hà Nội" in page
    page = visitor.post("/dat-hang", data=form | {"old_take": "09817"}).text

    assert 'value="09817" selected' in page
    assert 'value="Thôn 3"' in page
    with database.reading() as session:
        assert session.scalars(select(Order)).all() == []


def test_a_forgotten_commune_is_looked_up_when_the_order_is_sent(
    person: tuple[FlaskClient, int],
) -> None:
    visitor, _user_id = person
    form = checkout_form(visitor, ward_code="", old_text="xã Hạ Mỗ, Đan Phượng, Hà Nội")

    answer = visitor.post("/dat-hang", data=form)

    assert answer.status_code == 422
    assert "Xã Ô Diên, Hà Nội" in answer.text


def test_three_lists_lead_there_without_javascript(person: tuple[FlaskClient, int]) -> None:
    visitor, _user_id = person
    form = checkout_form(visitor, ward_code="") | {"old_next": "1"}

    page = visitor.post("/dat-hang", data=form).text
    assert "<option>Tỉnh Hà Giang</option>" in page
    form |= {"old_province": "Thành phố Hà Nội"}
    page = visitor.post("/dat-hang", data=form).text
    assert "<option>Huyện Đan Phượng</option>" in page
    form |= {"old_district": "Huyện Đan Phượng"}
    assert "<option>Xã Hạ Mỗ</option>" in visitor.post("/dat-hang", data=form).text
    form |= {"old_ward": "Xã Hạ Mỗ"}

    assert "Xã Ô Diên, Hà Nội" in visitor.post("/dat-hang", data=form).text


@pytest.mark.parametrize("nasty", ["", "x" * 9000, "'; --", "<script>", "\u0661", "09817 "])
def test_hostile_old_addresses_are_never_our_error(
    person: tuple[FlaskClient, int], nasty: str
) -> None:
    visitor, _user_id = person
    for button in ("old_find", "old_next", "old_take", "use_address"):
        form = checkout_form(visitor) | {"old_text": nasty, "old_province": nasty, button: nasty}

        assert visitor.post("/dat-hang", data=form).status_code == 200


def test_two_devices_at_once_leave_one_default(database: Database) -> None:
    with database.transaction() as session:
        a_commune(session)
        user_id = a_user(session).id

    def keep(session: Session, street: str) -> None:
        addresses.keep(session, user_id, FORM | {"street": street, "default": "1"}, now=NOON)

    at_once(database, [partial(keep, street=f"Thôn {number}") for number in range(6)])

    with database.reading() as session:
        book = defaults(session, user_id)
    assert len(book) == 6
    assert [is_default for _street, is_default in book].count(True) == 1
