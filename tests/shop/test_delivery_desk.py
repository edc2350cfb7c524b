"""A producer says at its desk how goods are brought: the plain fee first, more where needed."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core.db import Database
from core.money import Money
from shop import delivery
from shop.delivery import DeliveryKind, DeliveryMethod
from tests.factories import a_commune, a_producer
from tests.shop.selling import a_member, a_way, hidden, log_in

PAGE = "/ban-hang/htx-ong/giao-hang"
PLAIN = {"kind": "self", "name": "Tự giao", "fee": "15.000", "free_from": "300.000"}


@pytest.fixture
def desk(app: Flask, database: Database) -> Iterator[FlaskClient]:
    with database.transaction() as session:
        a_commune(session)
        member = a_member(session, a_producer(session, slug="htx-ong"))
    visitor = app.test_client()
    log_in(visitor, database, member)
    yield visitor


def send(desk: FlaskClient, path: str, **form: str) -> Any:
    token = hidden(desk.get(PAGE).text, "csrf_token")
    return desk.post(path, data={**form, "csrf_token": token})


def only_way(database: Database) -> DeliveryMethod:
    with database.reading() as session:
        return session.scalars(select(DeliveryMethod)).one()


def test_a_plain_fee_is_all_it_takes(desk: FlaskClient, database: Database) -> None:
    answer = send(desk, PAGE, **PLAIN)

    way = only_way(database)
    assert answer.status_code == 303
    assert (way.kind, way.name) == (DeliveryKind.SELF, "Tự giao")
    assert (way.fee, way.free_from) == (Money(15_000), Money(300_000))
    assert "Tự giao" in desk.get(PAGE).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"fee": "rẻ"}, "fee"),
        ({"fee": ""}, "fee"),
        ({"kind": "pickup"}, "place"),
        ({"kind": "drone"}, "kind"),
        ({"most_kg": "nặng"}, "most_kg"),
    ],
)
def test_a_slip_is_told_at_its_field_and_nothing_is_lost(
    desk: FlaskClient, database: Database, wrong: dict[str, str], field: str
) -> None:
    answer = send(desk, PAGE, **PLAIN | wrong)

    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert "300.000" in answer.text
    with database.reading() as session:
        assert session.scalars(select(DeliveryMethod)).all() == []


def test_places_and_weights_are_added_and_removed(desk: FlaskClient, database: Database) -> None:
    send(desk, PAGE, **PLAIN)
    terms = f"{PAGE}/{only_way(database).id}/phi"

    chosen = send(desk, terms, province_code="01", choose_province="1")
    send(desk, terms, province_code="01", ward_code="09784", zone_fee="5.000")
    send(desk, terms, province_code="01", served="no")
    send(desk, terms, over_kg="2", extra="10.000")
    send(desk, terms, only="1")

    way = only_way(database)
    assert "Xã Đan Phượng" in chosen.text
    assert way.fee_for(Money(0), 2_500, "01", "09784") == Money(15_000)
    assert way.fee_for(Money(0), 500, "01", "09787") is None
    assert way.fee_for(Money(0), 500, "48", "20194") is None
    assert "Thành phố Hà Nội" in desk.get(f"{PAGE}/{way.id}").text

    for zone in way.zones:
        send(desk, terms, drop_zone=str(zone.id))
    send(desk, terms, drop_band=str(way.bands[0].id))

    way = only_way(database)
    assert (way.zones, way.bands, way.only_zones) == ([], [], False)


def test_a_way_that_goes_nowhere_cannot_be_made(desk: FlaskClient, database: Database) -> None:
    send(desk, PAGE, **PLAIN)

    answer = send(desk, f"{PAGE}/{only_way(database).id}/phi", only="1")

    assert answer.status_code == 422
    assert not only_way(database).only_zones


def test_a_way_is_changed_and_switched_off_but_never_deleted(
    desk: FlaskClient, database: Database
) -> None:
    send(desk, PAGE, **PLAIN)
    way = only_way(database)

    send(desk, f"{PAGE}/{way.id}", name="Xe nhà", fee="0", kind="ghn")
    send(desk, f"{PAGE}/{way.id}/bat-tat", on="0")

    changed = only_way(database)
    assert (changed.name, changed.fee, changed.is_on) == ("Xe nhà", Money(0), False)
    assert changed.kind is DeliveryKind.SELF
    with database.reading() as session:
        offered = delivery.list_of_producers(session, [changed.producer_id])
    assert [one.id for one in offered[changed.producer_id]] == [0]


def test_a_way_of_another_producer_does_not_exist_here(
    desk: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        other = a_way(session, a_producer(session)).id

    assert desk.get(f"{PAGE}/{other}").status_code == 404
    assert send(desk, f"{PAGE}/{other}/bat-tat", on="0").status_code == 404


def test_every_change_stands_in_the_list_of_acts(desk: FlaskClient) -> None:
    send(desk, PAGE, **PLAIN)

    assert "thêm cách giao hàng" in desk.get("/ban-hang/htx-ong/nhat-ky-viec").text
