"""Documents of others are kept under the right lots, once, and never change what is here."""

import copy
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft7Validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.lots import Lot
from tests.conftest import NOON
from tests.factories import a_lot, a_product, a_step, a_variant
from tests.traceability.test_epcis_rules import DOCUMENT, EVENT, FOLDER, NEEDS_OFFICIAL
from traceability import edges, epcis, event_hash, events, imports, proving, serials, trace_codes
from traceability.events import EventKind, TraceEvent
from traceability.imports import BadDocument, Report

BASE = "https://cho.example"
CARRIER = Actor(None, "hãng xe")
GTIN = "09521234000013"


def a_document(*told: dict[str, Any]) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), "epcisBody": {"eventList": list(told)}}


def an_event(code: str, **given: Any) -> dict[str, Any]:
    said = {**EVENT, "action": "OBSERVE", "bizStep": "receiving", **given}
    said.pop("ilmd", None)
    return {**said, "quantityList": [{"epcClass": code, "quantity": 3, "uom": "H87"}]}


def a_code(session: Session, lot: Lot) -> str:
    return f"{BASE}/t/{trace_codes.ensure_lot_code(session, lot, now=NOON)}"


def keep(session: Session, document: dict[str, Any]) -> Report:
    read = imports.read(json.dumps(document).encode())
    return imports.keep(session, read, base=BASE, actor=CARRIER, now=NOON)


def test_an_event_is_kept_under_its_lot_once(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    document = a_document(an_event(a_code(session, lot), **{"ocop:note": "Chè Shan"}))

    first, again = keep(session, document), keep(session, document)

    assert (first.recorded, first.known, first.strange) == (1, 0, [])
    assert (again.recorded, again.known) == (0, 1)
    [kept] = events.list_of_lot(session, lot.id)
    assert kept.kind is EventKind.IMPORTED
    assert [kept.event_hash] == event_hash.document_hashes(document)
    assert proving.find_faults(session) == []


def test_what_we_gave_out_ourselves_comes_back_as_known(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    a_step(session, lot)
    document = epcis.document(events.list_of_lot(session, lot.id), base=BASE, now=NOON)

    report = keep(session, document)

    assert (report.recorded, report.known) == (0, 1)
    assert len(events.list_of_lot(session, lot.id)) == 1


def test_lots_are_found_by_gtin_serial_and_urn(session: Session) -> None:
    variant = a_variant(session, gtin=GTIN)
    lot = a_lot(session, variant, code="LO-7")
    [serial] = serials.make(session, lot, 1, now=NOON)
    idents = (
        f"https://id.gs1.org/01/{GTIN}/10/LO-7",
        f"https://other.example/01/{GTIN}/10/LO-7",
        "urn:epc:class:lgtin:9521234.000001.LO-7",
        f"{BASE}/t/{serial}",
        f"{BASE}/01/{GTIN}/10/LO-7/21/{serial}",
    )

    for number, ident in enumerate(idents):
        time = f"2026-05-0{number + 1}T07:30:00.000+07:00"
        assert keep(session, a_document(an_event(ident, eventTime=time))).recorded == 1, ident

    assert len(events.list_of_lot(session, lot.id)) == len(idents)


def test_lots_nobody_knows_are_told_with_their_path(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    known = an_event(a_code(session, lot))
    known["quantityList"].append({"epcClass": f"{BASE}/t/7K3QX9M2PD7"})

    report = keep(session, a_document(known, an_event("urn:a:b")))

    assert report.recorded == 1
    assert [fault.path for fault in report.strange] == [
        "$.epcisBody.eventList[0].quantityList[1].epcClass",
        "$.epcisBody.eventList[1].quantityList[0].epcClass",
    ]


def test_a_transformation_links_the_lots(session: Session) -> None:
    tea = a_lot(session, a_variant(session))
    jar = a_lot(session, a_variant(session, product=a_product(session, name="Lọ chè")))
    said = {**an_event(""), "type": "TransformationEvent"}
    del said["action"], said["quantityList"]
    said["inputQuantityList"] = [
        {"epcClass": a_code(session, tea), "quantity": 1.5, "uom": "KGM"},
        {"epcClass": "urn:a:salt"},
    ]
    said["outputQuantityList"] = [{"epcClass": a_code(session, jar), "quantity": 2, "uom": "H87"}]

    keep(session, a_document(said))

    [edge] = edges.inputs_of(session, [jar.id])
    assert (edge.input_lot_id, edge.quantity, edge.unit) == (tea.id, Decimal("1.5"), "KGM")
    assert events.list_of_lot(session, tea.id) == []


def test_a_declared_error_is_kept_beside_what_was_wrong(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    wrong = an_event(a_code(session, lot))
    declared = {
        **wrong,
        "errorDeclaration": {
            "declarationTime": "2026-06-01T00:00:00.000Z",
            "reason": "did_not_occur",
        },
    }
    keep(session, a_document(wrong))
    before = [one.body for one in events.list_of_lot(session, lot.id)]

    reports = [keep(session, a_document(wrong, declared)) for _time in range(2)]

    assert [(one.recorded, one.known) for one in reports] == [(1, 1), (0, 2)]
    first, second = events.list_of_lot(session, lot.id)
    assert [first.body] == before
    assert (second.kind, second.corrects) == (EventKind.DECLARATION, first.id)
    assert second.event_hash == first.event_hash
    assert proving.find_faults(session) == []


def test_the_senders_prefixes_go_out_again_with_the_event(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    a_step(session, lot, now=NOON)
    document = a_document(an_event(a_code(session, lot), **{"ocop:note": "a", "xe:bien": "29C"}))
    document["@context"].append({"xe": "https://xe.example/voc/"})
    keep(session, document)

    told = epcis.document(events.list_of_lot(session, lot.id), base=BASE, now=NOON)

    assert [one["eventID"] for one in told["epcisBody"]["eventList"]] == (
        event_hash.document_hashes(told)
    )
    assert event_hash.document_hashes(told)[1:] == event_hash.document_hashes(document)
    assert imports.read(json.dumps(told).encode()) == told


def test_what_has_not_happened_is_refused_whole(session: Session) -> None:
    lot = a_lot(session, a_variant(session))
    code = a_code(session, lot)
    later = (NOON + timedelta(days=1)).isoformat()

    with pytest.raises(BadDocument) as refused:
        keep(session, a_document(an_event(code), an_event(code, eventTime=later)))

    assert [one.path for one in refused.value.faults] == ["$.epcisBody.eventList[1].eventTime"]
    assert session.scalars(select(TraceEvent)).all() == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b"[" * 100 + b"]" * 100,
        b"[" * 200_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b" " * (imports.LARGEST + 1),
        b"[]",
    ],
)
def test_what_is_no_document_is_refused_with_a_path(data: bytes) -> None:
    with pytest.raises(BadDocument) as refused:
        imports.read(data)

    assert refused.value.faults[0].path == "$"


@NEEDS_OFFICIAL
def test_every_official_example_is_read_and_kept(session: Session) -> None:
    files = sorted((FOLDER / "examples").rglob("*.jsonld"))
    read = [imports.read(one.read_bytes()) for one in files if "schema-tests" not in one.parts]

    assert len(read) >= 47
    for document in read:
        assert imports.keep(session, document, base=BASE, actor=CARRIER, now=NOON).recorded == 0


@NEEDS_OFFICIAL
def test_what_we_give_out_is_right_to_the_official_schema(session: Session) -> None:
    schema = json.loads((FOLDER / "schema" / "EPCIS-JSON-Schema.json").read_text())
    lot = a_lot(session, a_variant(session))
    a_step(session, lot)
    extra = an_event(a_code(session, lot), **{"xe:bien": "29C"})
    document = a_document(extra)
    document["@context"].append({"xe": "https://xe.example/voc/"})
    keep(session, document)

    told = epcis.document(events.list_of_lot(session, lot.id), base=BASE, now=NOON)

    checker = Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)
    assert [error.message for error in checker.iter_errors(told)] == []
