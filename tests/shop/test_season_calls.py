"""Who asked hears once when goods are there again, after saying that the address is theirs."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import stock
from catalog.products import Product
from catalog.variants import Variant
from core.db import Database
from core.tasks import Task
from shop import season_calls
from shop.season_calls import CallState, NoWayToTell, SeasonCall
from tests.conftest import NOON, SECRET
from tests.factories import a_lot, a_product, a_variant, later
from tests.shop.selling import SELLER, a_member, hidden, log_in, run_due

WAY = "an@example.com"


def sold_out(session: Session, **given: object) -> tuple[Product, Variant]:
    product = a_product(session, slug="mat-ong", name="Mật ong", **given)
    return product, a_variant(session, product=product, in_stock=0)


def mails(database: Database) -> list[dict[str, str]]:
    with database.reading() as session:
        return [
            task.payload
            for task in session.scalars(select(Task).order_by(Task.id))
            if task.kind == "mail.send"
        ]


def new_lot(database: Database, variant_id: int) -> None:
    with database.transaction() as session:
        a_lot(session, session.get_one(Variant, variant_id), in_stock=5)


def test_an_address_is_asked_first_then_told_once_per_season(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        variant_id = sold_out(session)[1].id

    visitor.post("/san-pham/mat-ong/nhac-vu-moi", data={"way": WAY})
    run_due(app, database, now=later(days=3))
    new_lot(database, variant_id)
    run_due(app, database, now=later(days=3))
    unconfirmed = mails(database)
    link = re.search(r"http://localhost(/nhac-vu-moi/\S+)", unconfirmed[0]["body"])
    assert link is not None
    token = hidden(visitor.get(link.group(1)).text, "csrf_token")
    visitor.post(link.group(1), data={"csrf_token": token})
    new_lot(database, variant_id)
    new_lot(database, variant_id)
    run_due(app, database, now=later(days=3))

    assert len(unconfirmed) == 1
    told = mails(database)[1:]
    assert [mail["subject"] for mail in told] == ["Mật ong đã có lại"]
    assert "/thoi" in told[0]["body"]


def test_who_asks_again_is_told_of_the_next_season_without_confirming_again(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product, variant = sold_out(session)
        call = season_calls.ask(session, product.id, way=WAY, language="vi", now=NOON)
        season_calls.confirm(session, call, now=NOON)
        variant_id = variant.id
    new_lot(database, variant_id)
    run_due(app, database, now=later(days=3))

    visitor.post("/san-pham/mat-ong/nhac-vu-moi", data={"way": WAY})
    new_lot(database, variant_id)
    run_due(app, database, now=later(days=3))

    subjects = [mail["subject"] for mail in mails(database)]
    assert subjects.count("Mật ong đã có lại") == 2


def test_who_stopped_hears_nothing_more(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product, variant = sold_out(session)
        call = season_calls.ask(session, product.id, way=WAY, language="vi", now=NOON)
        season_calls.confirm(session, call, now=NOON)
        address = f"/nhac-vu-moi/{call.id}/{season_calls.call_mark(SECRET, call.id)}/thoi"
        variant_id = variant.id

    token = hidden(visitor.get(address).text, "csrf_token")
    visitor.post(address, data={"csrf_token": token})
    new_lot(database, variant_id)
    run_due(app, database, now=later(days=3))

    assert "không gửi thư nào" in visitor.get(address).text.lower()
    assert [mail["subject"] for mail in mails(database) if "đã có lại" in mail["subject"]] == []


def test_a_forged_link_opens_nothing(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product, _variant = sold_out(session)
        call = season_calls.ask(session, product.id, way=WAY, language="vi", now=NOON)
        wrong = season_calls.call_mark(SECRET, call.id + 1)
        call_id = call.id

    assert visitor.get(f"/nhac-vu-moi/{call_id}/{wrong}").status_code == 404
    assert visitor.get(f"/nhac-vu-moi/{call_id}/é").status_code == 404


def test_goods_that_arrive_but_cannot_be_sold_tell_nobody(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        product, variant = sold_out(session)
        call = season_calls.ask(session, product.id, way=WAY, language="vi", now=NOON)
        season_calls.confirm(session, call, now=NOON)
        lot = a_lot(session, variant, expires_on=NOON.date())
        item = stock.item_for(session, variant.id, lot.id)
        stock.move(session, item, 5, why=stock.Why.RECEIVED, now=NOON, actor_id=None)

    run_due(app, database, now=later(days=3))

    with database.reading() as session:
        assert session.scalars(select(SeasonCall.state)).one() is CallState.WAITING


def test_a_phone_waits_on_the_producer_s_own_list(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        product, variant = sold_out(session)
        producer_id, slug = (
            product.producer_id or 0,
            session.get_one(season_calls.Producer, product.producer_id).slug,
        )
        member = a_member(session, session.get_one(season_calls.Producer, producer_id))
        variant_id = variant.id
    visitor.post("/san-pham/mat-ong/nhac-vu-moi", data={"way": "0912 345 678"})
    new_lot(database, variant_id)
    log_in(visitor, database, member)

    page = visitor.get(f"/ban-hang/{slug}/nhac-vu-moi").text
    home = visitor.get(f"/ban-hang/{slug}").text
    with database.reading() as session:
        call_id = session.scalars(select(SeasonCall.id)).one()
    visitor.post(
        f"/ban-hang/{slug}/nhac-vu-moi/{call_id}/da-nhan",
        data={"csrf_token": hidden(page, "csrf_token")},
    )

    assert "0912 345 678" in page
    assert "1 người mua chờ nhắn có hàng" in home
    assert "0912 345 678" not in visitor.get(f"/ban-hang/{slug}/nhac-vu-moi").text


def test_another_producer_s_list_does_not_exist_here(session: Session) -> None:
    product, _variant = sold_out(session)
    call = season_calls.ask(session, product.id, way="0912345678", language="vi", now=NOON)

    with pytest.raises(season_calls.NoSuchCall):
        season_calls.mark_told(session, call.id, 999_999, actor=SELLER, now=NOON)


@pytest.mark.parametrize("way", ["", "   ", "hai ba", "a@b"])
def test_what_is_neither_address_nor_phone_is_told_in_place(
    database: Database, visitor: FlaskClient, way: str
) -> None:
    with database.transaction() as session:
        sold_out(session)

    answer = visitor.post("/san-pham/mat-ong/nhac-vu-moi", data={"way": way})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_no_way_to_tell_is_a_refusal(session: Session) -> None:
    product, _variant = sold_out(session)

    with pytest.raises(NoWayToTell):
        season_calls.ask(session, product.id, way="", language="vi", now=NOON)
