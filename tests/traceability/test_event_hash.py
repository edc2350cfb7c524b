"""One event has one id, however it is written; the text that is hashed is the reference's own."""

import copy
import json
import os
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability import epcs, event_hash

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "epcis" / "examples"
NEEDS_EXAMPLES = pytest.mark.skipif(
    not EXAMPLES.exists() and os.environ.get("CI") != "true", reason="the examples are not here"
)
EVENT: dict[str, Any] = {
    "type": "TransformationEvent",
    "eventTime": "2026-05-02T07:30:00.000+07:00",
    "eventTimeZoneOffset": "+07:00",
    "recordTime": "2026-05-02T01:00:00.000Z",
    "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
    "inputQuantityList": [
        {"epcClass": "https://chophien.example/t/AAAA", "quantity": 120, "uom": "KGM"},
        {"epcClass": "https://chophien.example/t/BBBB", "quantity": 3.5, "uom": "KGM"},
    ],
    "outputQuantityList": [
        {"epcClass": "https://chophien.example/01/09521234543213/10/LO-1", "quantity": 200}
    ],
    "bizStep": "commissioning",
    "readPoint": {"id": "https://chophien.example/t/CCCC"},
    "bizTransactionList": [{"type": "testres", "bizTransaction": "https://a.example/kq/1"}],
    "ilmd": {"ocop:variety": "Chè Shan tuyết", "ocop:harvestDate": "2026-05-01"},
    "ocop:note": "sao tay",
}
SPACES = {"ocop": "https://chophien.example/voc/"}


def ident(event: dict[str, Any]) -> str:
    return event_hash.event_hash(event, SPACES)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON, keys of objects and items of lists in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        items = [shuffled(one, chance) for one in value]
        chance.shuffle(items)
        return items
    return value


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything that is said in an event."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inside:
        if isinstance(one, dict | list):
            yield from leaves(one, (*path, key))
        else:
            yield (*path, key)


def test_the_text_before_hashing_is_in_the_order_of_the_standard() -> None:
    assert event_hash.prehash(EVENT, SPACES) == (
        "eventType=TransformationEvent"
        "eventTime=2026-05-02T00:30:00.000Z"
        "eventTimeZoneOffset=+07:00"
        "inputQuantityList"
        "quantityElementepcClass=https://chophien.example/t/AAAAquantity=120uom=KGM"
        "quantityElementepcClass=https://chophien.example/t/BBBBquantity=3.5uom=KGM"
        "outputQuantityList"
        "quantityElementepcClass=https://id.gs1.org/01/09521234543213/10/LO-1quantity=200"
        "bizStep=https://ref.gs1.org/cbv/BizStep-commissioning"
        "readPointid=https://chophien.example/t/CCCC"
        "bizTransactionListtype=https://ref.gs1.org/cbv/BTT-testres"
        "bizTransaction=https://a.example/kq/1"
        "ilmd{https://chophien.example/voc/}harvestDate=2026-05-01"
        "{https://chophien.example/voc/}variety=Chè Shan tuyết"
        "{https://chophien.example/voc/}note=sao tay"
    )


@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_and_items_changes_nothing(chance: random.Random) -> None:
    assert ident(shuffled(EVENT, chance)) == ident(EVENT)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("eventTime", "2026-05-02T00:30:00Z"),
        ("eventTime", "2026-05-02T02:30:00.0004+02:00"),
        ("recordTime", "2030-01-01T00:00:00.000Z"),
        ("eventID", "urn:uuid:00000000-0000-4000-8000-000000000000"),
        ("errorDeclaration", {"declarationTime": "2026-05-03T00:00:00.000Z"}),
        ("bizStep", "https://ref.gs1.org/cbv/BizStep-commissioning"),
        ("bizStep", "urn:epcglobal:cbv:bizstep:commissioning"),
        ("rdfs:comment", "ghi chú"),
        ("ocop:note", " sao tay "),
        ("ocop:note", "sao tay"),
    ],
)
def test_other_spellings_of_the_same_have_the_same_id(key: str, value: Any) -> None:
    assert ident({**EVENT, key: value}) == ident(EVENT)


def test_the_form_of_a_number_and_of_vietnamese_letters_changes_nothing() -> None:
    other = copy.deepcopy(EVENT)
    other["inputQuantityList"][0]["quantity"] = 120.0
    other["ilmd"]["ocop:variety"] = "Che\u0300 Shan tuye\u0302\u0301t"

    assert ident(other) == ident(EVENT)


def test_every_single_word_that_is_said_counts() -> None:
    unsaid = {"recordTime", "eventID"}
    for path in leaves(EVENT):
        if path[0] in unsaid:
            continue
        other = copy.deepcopy(EVENT)
        place: Any = other
        for key in path[:-1]:
            place = place[key]
        said = place[path[-1]]
        place[path[-1]] = said + 1 if isinstance(said, int | float) else f"{said}x"

        assert ident(other) != ident(EVENT), path


def test_half_a_millisecond_is_rounded_up_over_every_border() -> None:
    assert "eventTime=2027-01-01T00:00:00.000Z" in event_hash.prehash(
        {**EVENT, "eventTime": "2026-12-31T23:59:59.9996Z"}
    )


def the_reference(document: dict[str, Any]) -> list[str] | None:
    """What the reference hashes of a document; None for the two it cannot read itself."""
    reader = pytest.importorskip("epcis_event_hash_generator.json_to_py")
    generator = pytest.importorskip("epcis_event_hash_generator.hash_generator")
    reader._namespaces.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it opens its own files in a way that goes out of use
        try:
            events = reader.event_list_from_epcis_document_json(copy.deepcopy(document))
        except Exception:  # noqa: BLE001 - whatever it raises, it read nothing
            return None
        return list(generator.derive_prehashes_from_events(events))


@NEEDS_EXAMPLES
def test_the_reference_hashes_the_same_text_for_every_official_example() -> None:
    compared = 0
    for path in sorted(EXAMPLES.rglob("*.jsonld")):
        document = json.loads(path.read_text("utf-8"))
        if "eventList" not in document.get("epcisBody", {}):
            continue
        theirs = the_reference(document)
        if theirs is not None:
            spaces = event_hash.namespaces_of(document)
            ours = [event_hash.prehash(one, spaces) for one in event_hash.events_of(document)]
            assert ours == theirs, path.name
            compared += len(ours)

    assert compared >= 51  # all examples that the reference reads


URNS = {
    "urn:epc:id:sgtin:0614141.107346.2018": "01/10614141073464/21/2018",
    "urn:epc:class:lgtin:4012345.012345.998877": "01/04012345123456/10/998877",
    "urn:epc:idpat:sgtin:4012345.098765.*": "01/04012345987652",
    "urn:epc:id:sscc:0614141.1234567890": "00/106141412345678908",
    "urn:epc:id:sgln:0012345.11111.400": "414/0012345111112/254/400",
    "urn:epc:id:sgln:0012345.11111.0": "414/0012345111112",
    "urn:epc:id:pgln:4012345.00225": "417/4012345002256",
    "urn:epc:id:giai:4000001.111": "8004/4000001111",
    "urn:epc:id:gdti:0614141.00001.1618034": "253/06141410000121618034",
    "urn:epc:id:gsrn:0614141.0000010253": "8018/061414100000102534",
    "urn:epc:id:grai:9521141.12345.32a%2Fb": "8003/0952114112345432a%2Fb",
    "urn:epc:id:cpi:9521141.5PQ7%2FZ43.12345": "8010/95211415PQ7%2FZ43/8011/12345",
    "https://example.com/shop/01/9521234543213/22/A/10/LO-1/21/S9?17=260101":
        "01/09521234543213/21/S9",
    "https://example.com/gtin/09521234543213/lot/LO-1": "01/09521234543213/10/LO-1",
}  # fmt: skip


@pytest.mark.parametrize(("spelling", "link"), URNS.items())
def test_every_spelling_of_an_identifier_becomes_one_link(spelling: str, link: str) -> None:
    assert epcs.normalise(spelling) == f"https://id.gs1.org/{link}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hà Nội",
        "urn:epc:id:sgtin:0614141.10734.2018",
        "urn:epc:id:sgtin:06141.107346.2018",
        "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "https://chophien.example/t/01AB-2025",
        "https://localhost/01/09521234543213",
        "https://chophien.example/anh/2025/01/15",
    ],
)
def test_what_is_no_identifier_is_left_as_it_is(text: str) -> None:
    assert epcs.normalise(text) is None


@given(st.from_regex(r"\A[0-9]{6,12}\Z", fullmatch=True), st.data())
def test_numbers_of_any_company_come_out_as_the_reference_makes_them(
    prefix: str, data: st.DataObject
) -> None:
    normaliser = pytest.importorskip("epcis_event_hash_generator.dl_normaliser").normaliser
    digits = st.text("0123456789", min_size=13 - len(prefix), max_size=13 - len(prefix))
    reference = data.draw(digits)
    serial = data.draw(st.text("ABCxyz0189.:()_-", min_size=1, max_size=20))
    for urn in (
        f"urn:epc:id:sgtin:{prefix}.{reference}.{serial}",
        f"urn:epc:class:lgtin:{prefix}.{reference}.{serial}",
        f"urn:epc:id:sgln:{prefix}.{reference[1:]}.{serial}",
        f"urn:epc:id:pgln:{prefix}.{reference[1:]}",
    ):
        assert epcs.normalise(urn) == normaliser(urn)
