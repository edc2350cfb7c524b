"""Every night all is proved; when something does not agree, staff are told."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from accounts.users import Role
from core.db import Database
from core.tasks import Task
from shop import proofs
from shop.commands import prove_nightly
from tests.conftest import NOON
from tests.factories import a_user, a_variant
from tests.shop.selling import an_order, log_in


def test_a_quiet_night_is_kept_and_wakes_nobody(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        a_user(session, role=Role.STAFF, email="quan@example.com")
        an_order(session, (a_variant(session), 1))

    with app.app_context():
        prove_nightly(database, NOON)

    with database.reading() as session:
        proof = proofs.find_last(session)
        assert proof is not None
        assert (proof.faults, proof.told) == (0, [])
        assert session.scalars(select(Task.kind).where(Task.key.like("mail:proof%"))).all() == []


def test_a_fault_is_told_by_mail_and_on_the_staff_pages(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        staff = a_user(session, role=Role.STAFF, email="quan@example.com").id
        an_order(session, (a_variant(session), 1))
        session.execute(text("UPDATE stock_item SET on_hand = on_hand + 1"))
    log_in(visitor, database, staff)

    with app.app_context():
        prove_nightly(database, NOON)

    with database.reading() as session:
        [mail] = session.scalars(select(Task).where(Task.key.like("mail:proof%")))
        assert mail.payload["to"] == "quan@example.com"
        assert "on hand is the sum of movements" in mail.payload["body"]
    assert "không khớp: 1 chỗ sai" in visitor.get("/quan-tri").text
    assert "on hand is the sum of movements" in visitor.get("/quan-tri/kiem-chung").text


def test_a_buyer_does_not_see_the_proof(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        buyer = a_user(session).id
    log_in(visitor, database, buyer)

    assert visitor.get("/quan-tri/kiem-chung").status_code in {403, 404}


def test_a_proof_sees_one_moment_while_the_shop_sells(database: Database) -> None:
    with database.transaction() as session:
        a_variant(session)

    with database.snapshot() as proof:
        before = proof.execute(text("SELECT sum(on_hand) FROM stock_item")).scalar()
        with database.transaction() as session:
            session.execute(text("UPDATE stock_item SET on_hand = 0"))

        assert proof.execute(text("SELECT sum(on_hand) FROM stock_item")).scalar() == before
