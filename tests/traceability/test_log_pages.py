"""The log over HTTP: checkpoints, proofs and entries as strangers read them, and lots proven."""

import base64
import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update

from catalog.producers import Producer
from core.db import Database
from core.settings import Settings
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_star, a_step, a_variant
from traceability import (
    checkpoints,
    epcis_rules,
    event_hash,
    events,
    log_keys,
    merkle,
    notes,
    proving,
    trace_codes,
)

INTACT = "đã ghi vào sổ minh bạch trước"
WAITING = "sẽ được ký trong ít phút"
BROKEN = "không khớp với chứng cứ"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with a log key of the tests."""
    return replace(settings, LOG_ORIGIN="chophien.example/log")


@pytest.fixture
def code(database: Database) -> str:
    """The public code of a lot with three lines in its diary."""
    with database.transaction() as session:
        product = a_product(session, producer=a_producer(session), name="Chè Shan")
        a_star(session, product)
        lot = a_lot(session, a_variant(session, product=product), code="LO-1")
        for _line in range(3):
            a_step(session, lot)
        return trace_codes.ensure_lot_code(session, lot, now=NOON)


def sign(database: Database, settings: Settings) -> None:
    with database.transaction() as session:
        checkpoints.sign(session, None, settings, now=NOON)


def behind_our_back(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_proof_is_checked_with_what_is_published(
    database: Database, visitor: FlaskClient, settings: Settings, code: str
) -> None:
    sign(database, settings)
    [vkey] = visitor.get("/log/key").text.splitlines()

    for number in range(3):
        answer = visitor.get(f"/log/proof/{number}")
        proof = notes.read_proof(answer.text)
        said = notes.read_checkpoint(
            proof.checkpoint, [notes.read_vkey(vkey)], origin="chophien.example/log"
        )
        leaf = sha256(b"\x00" + visitor.get(f"/log/entry/{number}").data).digest()

        assert answer.mimetype == "text/plain"
        assert proof.index == number
        assert merkle.verify_inclusion(leaf, number, said.size, proof.path, said.root)
        assert merkle.leaf_hash(proof.extra) == leaf
    assert visitor.get("/log/checkpoint").text == proof.checkpoint
    assert visitor.get("/log/checkpoint").headers["Cache-Control"].startswith("public")


def test_two_checkpoints_are_proven_to_follow_one_another(
    database: Database, visitor: FlaskClient, settings: Settings, code: str
) -> None:
    sign(database, settings)
    keys, origin = log_keys.verifiers(settings), log_keys.origin_of(settings)
    old = notes.read_checkpoint(visitor.get("/log/checkpoint").text, keys, origin=origin)
    with database.transaction() as session:
        a_step(session, a_lot(session, a_variant(session)))
    sign(database, settings)
    new = notes.read_checkpoint(visitor.get("/log/checkpoint").text, keys, origin=origin)

    lines = visitor.get(f"/log/consistency/{old.size}/{new.size}").text.splitlines()

    proof = [base64.b64decode(line) for line in lines]
    assert merkle.verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_what_is_not_signed_yet_is_said_so(visitor: FlaskClient, code: str) -> None:
    for path in ("checkpoint", "proof/0", "consistency/1/2"):
        answer = visitor.get(f"/log/{path}")

        assert answer.status_code == 404
        assert "chưa ký" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    for path in ("entry/3", "proof/3", f"entry/{10**30}", f"proof/{10**30}"):
        assert visitor.get(f"/log/{path}").status_code == 404
    assert visitor.get("/log").status_code == 200


def test_the_checking_page_allows_itself_and_nothing_else(visitor: FlaskClient) -> None:
    answer = visitor.get("/log/verify.html")

    policy = answer.headers["Content-Security-Policy"]
    for tag in ("script", "style"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert inner is not None
        digest = base64.b64encode(sha256(inner[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "http" not in re.sub(r"<!--.*?-->", "", answer.text.partition("<body>")[2])


def test_the_scan_page_vouches_only_for_what_is_proven(
    database: Database, visitor: FlaskClient, settings: Settings, code: str
) -> None:
    page = visitor.get(f"/truy-xuat/{code}").text
    assert WAITING in page
    assert INTACT not in page

    sign(database, settings)

    page = visitor.get(f"/truy-xuat/{code}").text
    assert f"Lô này có 3 sự kiện, {INTACT} 12:00 · 25/11/2026, sổ chưa bị sửa." in page
    assert WAITING not in page


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE step SET quantity = 420 WHERE id = (SELECT min(id) FROM step)",
        "UPDATE step SET note = 'hữu cơ' WHERE id = (SELECT min(id) FROM step)",
        "UPDATE step SET place = 'Đồi khác'",
        "UPDATE step SET entered_by_name = 'Người khác'",
        "UPDATE step SET happened_at = '2026-01-01 00:00:00'",
        "UPDATE trace_commitment SET value = 'khác' WHERE field = 'place'",
        "UPDATE trace_event SET body = replace(body, '42', '43')",
        "UPDATE trace_event SET body = 'không còn gì'",
        "UPDATE log_entry SET entry = replace(entry, 'event', 'evenT') WHERE position = 1",
        "DELETE FROM log_entry WHERE position = 1",
        "UPDATE log_entry SET leaf = (SELECT min(leaf) FROM log_entry)",
    ],
)
def test_what_was_changed_behind_our_back_is_not_vouched_for(
    database: Database, visitor: FlaskClient, settings: Settings, code: str, statement: str
) -> None:
    sign(database, settings)
    assert INTACT in visitor.get(f"/truy-xuat/{code}").text

    behind_our_back(database, statement)

    for path in (code, f"{code}/chung-cu"):
        page = visitor.get(f"/truy-xuat/{path}").text
        assert INTACT not in page
        assert BROKEN in page


def test_a_rewritten_lot_with_all_its_hashes_does_not_fit_the_signature(
    database: Database, visitor: FlaskClient, settings: Settings, code: str
) -> None:
    sign(database, settings)
    with database.transaction() as session:
        row = session.execute(
            text("SELECT body, base, event_hash FROM trace_event WHERE log_position = 1")
        ).one()
        body = row.body.replace('"quantity":42', '"quantity":420')
        ident = events.ident_of(json.loads(body), row.base)
        entry = str(session.scalar(text("SELECT entry FROM log_entry WHERE position = 1")))
        entry = entry.replace(row.event_hash, ident)
        for statement in (
            "UPDATE log_entry SET entry = :entry, leaf = :leaf WHERE position = 1",
            "UPDATE trace_event SET body = :body, event_hash = :ident WHERE log_position = 1",
            "UPDATE step SET quantity = 420 WHERE id = (SELECT min(id) + 1 FROM step)",
        ):
            values = {
                "entry": entry,
                "leaf": merkle.leaf_hash(entry.encode()),
                "body": body,
                "ident": ident,
            }
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            session.execute(text(statement), wanted)

    with database.reading() as session:
        assert list(proving.find_event_faults(session)) == []
    assert BROKEN in visitor.get(f"/truy-xuat/{code}").text


def test_a_line_without_its_event_is_not_vouched_for(
    database: Database, visitor: FlaskClient, settings: Settings, code: str
) -> None:
    sign(database, settings)
    behind_our_back(database, "DELETE FROM trace_commitment")
    behind_our_back(database, "DELETE FROM trace_event WHERE log_position = 1")

    assert BROKEN in visitor.get(f"/truy-xuat/{code}").text


def test_the_proof_page_leads_to_every_proof(
    database: Database, visitor: FlaskClient, settings: Settings, code: str
) -> None:
    sign(database, settings)

    page = visitor.get(f"/truy-xuat/{code}/chung-cu").text

    for number in range(3):
        assert f'href="/log/proof/{number}"' in page
    assert log_keys.verifiers(settings)[0].vkey in page
    assert 'href="/log/verify.html"' in page


def test_the_events_are_one_right_document(visitor: FlaskClient, code: str) -> None:
    answer = visitor.get(f"/truy-xuat/{code}/epcis.jsonld")

    document = json.loads(answer.text)
    assert answer.mimetype == "application/ld+json"
    assert epcis_rules.find_faults(document) == []
    assert [one["eventID"] for one in document["epcisBody"]["eventList"]] == (
        event_hash.document_hashes(document)
    )
    assert "Chị Hoa" not in answer.text
    assert visitor.get(f"/truy-xuat/{code}/epcis.jsonld").data == answer.data


def test_the_passport_names_what_the_decree_asks_for(visitor: FlaskClient, code: str) -> None:
    said = visitor.get(f"/truy-xuat/{code}/ho-chieu.json").json

    assert said is not None
    assert said["ten_san_pham"].startswith("Chè Shan")
    assert said["so_lo"] == "LO-1"
    assert said["chung_nhan"][0]["loai"] == "chung_nhan_ocop"
    assert {"gtin", "ma_so_don_vi"} <= set(said["con_thieu"])
    assert "bank" not in json.dumps(said)


@pytest.mark.parametrize(
    ("number", "shown", "kept_back"),
    [
        ("0100109106", "0100109106", []),
        ("0100109106-001", "0100109106-001", []),
        ("001190012345", None, ["ma_so_don_vi"]),
    ],
)
def test_the_passport_has_the_tax_number_but_no_personal_number(
    database: Database, visitor: FlaskClient, code: str, number: str, shown: str | None,
    kept_back: list[str],
) -> None:  # fmt: skip
    with database.transaction() as session:
        session.execute(update(Producer).values(tax_number=number))

    answer = visitor.get(f"/truy-xuat/{code}/ho-chieu.json")

    said = json.loads(answer.text)
    assert said["ma_so_don_vi"] == shown
    assert said["khong_cong_khai"] == kept_back
    assert "ma_so_don_vi" not in said["con_thieu"]
    assert (number in answer.text) is (shown is not None)


def test_ten_items_say_what_is_missing(visitor: FlaskClient, code: str) -> None:
    page = visitor.get(f"/truy-xuat/{code}/muoi-muc").text
    answer = visitor.get(f"/truy-xuat/{code}/muoi-muc.csv")

    assert "Chưa đủ thông tin" in page
    assert "Đủ 10 mục" not in page
    assert "Chưa đủ thông tin" in visitor.get(f"/truy-xuat/{code}").text
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1, 11)]
    states = {row[0]: row[4] for row in rows[1:]}
    assert states["2"] == states["10"] == "thiếu"
    assert states["5"] == "có"


def test_all_ten_items_give_the_badge(
    database: Database, visitor: FlaskClient, app: Flask, code: str
) -> None:
    from catalog.certificates import PaperKind, add  # noqa: PLC0415
    from catalog.lots import Lot  # noqa: PLC0415

    with database.transaction() as session:
        found = trace_codes.find_code(session, code)
        assert found is not None
        add(
            session, found.product_id, PaperKind.FOOD_SAFETY,
            issued_on=NOON.date() - timedelta(days=9), number="12/2026/ATTP",
        )  # fmt: skip
        lot = session.get_one(Lot, found.lot_id)
        lot.produced_on = NOON.date() - timedelta(days=3)
        a_step(session, lot, photo_key="photos/a-640.webp")

    assert "Đủ 10 mục Thông tư 02/2024" in visitor.get(f"/truy-xuat/{code}").text
    assert "Đủ 10 mục Thông tư 02/2024" in visitor.get(f"/truy-xuat/{code}/muoi-muc").text


@pytest.mark.parametrize(
    "path", ["epcis.jsonld", "ho-chieu.json", "muoi-muc", "muoi-muc.csv", "chung-cu"]
)
def test_a_code_nobody_printed_has_none_of_these(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(f"/truy-xuat/7K3QX9M2PD7/{path}").status_code == 404
    assert visitor.get(f"/truy-xuat/x/{path}").status_code == 404
