"""What is saved stays saved: once each, for guests too, and comes along at log-in."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from catalog.producers import ProducerState
from catalog.products import NoSuchProduct
from core.db import Database
from shop import saved
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_user, a_variant
from tests.shop.selling import log_in


def test_saving_twice_keeps_one_and_taking_off_is_final(session: Session) -> None:
    honey, tea = a_product(session), a_product(session)
    for product in (honey, tea, honey):
        saved.save(session, product.id, token="g", user_id=None, now=NOON)

    saved.forget(session, honey.id, token="g", user_id=None)

    assert saved.list_ids(session, token="g", user_id=None) == [tea.id]
    assert saved.list_ids(session, token="other", user_id=None) == []


def test_goods_buyers_do_not_see_cannot_be_saved(session: Session) -> None:
    hidden = a_product(session, producer=a_producer(session, state=ProducerState.PENDING))

    with pytest.raises(NoSuchProduct):
        saved.save(session, hidden.id, token="g", user_id=None, now=NOON)


def test_a_guest_s_list_comes_along_at_log_in_without_doubles(session: Session) -> None:
    user = a_user(session)
    honey, tea = a_product(session), a_product(session)
    saved.save(session, honey.id, token=None, user_id=user.id, now=NOON)
    for product in (honey, tea):
        saved.save(session, product.id, token="g", user_id=None, now=NOON)

    new = saved.merge(session, token="g", user_id=user.id)

    assert new == 1
    assert set(saved.list_ids(session, token=None, user_id=user.id)) == {honey.id, tea.id}
    assert saved.list_ids(session, token="g", user_id=None) == []


def test_one_tap_on_the_product_s_page_saves_it(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = a_product(session, slug="mat-ong", name="Mật ong rừng")
        a_variant(session, product=product, in_stock=0)
        product_id = product.id
    page = visitor.get("/san-pham/mat-ong").text

    answer = visitor.post("/da-luu", data={"product_id": str(product_id)})

    assert 'action="/da-luu"' in page
    assert (answer.status_code, answer.location) == (303, "/da-luu")
    assert "Mật ong rừng" in visitor.get("/da-luu").text
    visitor.post("/da-luu/bo", data={"product_id": str(product_id)})
    assert "Mật ong rừng" not in visitor.get("/da-luu").text


@pytest.mark.parametrize("typed", ["", "x", "9" * 30, "-1"])
def test_what_is_no_product_is_not_found(visitor: FlaskClient, typed: str) -> None:
    assert visitor.post("/da-luu", data={"product_id": typed}).status_code == 404


def test_an_account_sees_its_own_list_only(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product = a_product(session, name="Trà sen")
        owner, other = a_user(session), a_user(session)
        saved.save(session, product.id, token=None, user_id=owner.id, now=NOON)
        ids = owner.id, other.id

    log_in(visitor, database, ids[1])
    seen_by_other = visitor.get("/da-luu").text
    log_in(visitor, database, ids[0])

    assert "Trà sen" not in seen_by_other
    assert "Trà sen" in visitor.get("/da-luu").text
