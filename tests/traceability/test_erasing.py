"""A name is erased from the book, and what was proven before still is."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Actor
from accounts.users import User
from core.db import Database
from core.settings import Settings
from tests.conftest import NOON
from tests.factories import a_lot, a_step, a_user, a_variant
from tests.filled_shop import a_visit, fill
from traceability import checkpoints, erasing, log, log_keys, merkle, notes, proving
from traceability.erasing import NobodyOfThatName
from traceability.events import Commitment, TraceEvent


def a_writer(session: Session, settings: Settings) -> User:
    """Someone who wrote two lines that are signed."""
    user = a_user(session, name="Nguyễn Thị Hoa")
    lot = a_lot(session, a_variant(session))
    for _line in range(2):
        a_step(session, lot, actor=Actor(user.id, user.name), note="đảo tay")
    a_step(session, lot, actor=Actor(None, "Anh Minh"))
    checkpoints.sign(session, None, settings, now=NOON)
    return user


def test_the_name_goes_and_nothing_else(session: Session, signing: Settings) -> None:
    user = a_writer(session, signing)

    assert erasing.erase_name(session, user.id, actor=SYSTEM, now=NOON) == 2

    kept = session.execute(select(Commitment.field, Commitment.value)).all()
    assert {tuple(one) for one in kept if one.field == "entered_by"} == {("entered_by", "Anh Minh")}
    assert [one.field for one in kept].count("note") == 2
    assert "Hoa" not in "".join(session.scalars(select(Commitment.value)))
    assert erasing.list_writers(session) == []
    with pytest.raises(NobodyOfThatName):
        erasing.erase_name(session, user.id, actor=SYSTEM, now=NOON)


def test_a_proof_made_before_still_holds(session: Session, signing: Settings) -> None:
    user = a_writer(session, signing)
    event = session.scalars(select(TraceEvent).order_by(TraceEvent.id)).first()
    assert event is not None
    entry = log.get_entry(session, event.log_position).entry
    path = log.inclusion_proof(session, event.log_position, 3)

    erasing.erase_name(session, user.id, actor=SYSTEM, now=NOON)

    signed = checkpoints.latest(session)
    assert signed is not None
    said = notes.read_checkpoint(
        signed.note, log_keys.verifiers(signing), origin=log_keys.origin_of(signing)
    )
    leaf = merkle.leaf_hash(entry.encode())
    assert merkle.verify_inclusion(leaf, event.log_position, said.size, path, said.root)
    assert log.get_entry(session, event.log_position).entry == entry
    assert proving.find_faults(session) == []


def test_writers_are_found_by_a_part_of_their_name(session: Session, signing: Settings) -> None:
    user = a_writer(session, signing)

    assert [one.user_id for one in erasing.list_writers(session, sought="thi hoa")] == [user.id]
    assert erasing.list_writers(session, sought="Minh") == []


def test_staff_erase_a_name_on_their_page(app: Flask, database: Database) -> None:
    shop = fill(app, now=NOON)
    staff = a_visit(app, shop, "staff", now=NOON)
    page = staff.get("/quan-tri/so-minh-bach?q=Producer").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    code = shop.addresses["code"]
    before = staff.get("/log/proof/0").data
    assert shop.people["producer"].name in page

    staff.post(
        f"/quan-tri/so-minh-bach/xoa-ten/{shop.people['producer'].id}",
        data={"csrf_token": token},
    )

    assert shop.people["producer"].name not in staff.get("/quan-tri/so-minh-bach").text
    assert staff.get("/log/proof/0").data == before
    assert "sổ chưa bị sửa" in staff.get(f"/truy-xuat/{code}").text
    with database.reading() as session:
        assert proving.find_faults(session) == []
