"""Documents are judged as the official schema judges them, and told where and why."""

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from traceability import epcis_rules

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "epcis"
NEEDS_OFFICIAL = pytest.mark.skipif(
    not FOLDER.exists() and os.environ.get("CI") != "true", reason="the official files are away"
)
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-05-02T07:30:00.000+07:00",
    "eventTimeZoneOffset": "+07:00",
    "action": "ADD",
    "quantityList": [{"epcClass": "https://chophien.example/t/AAAA", "quantity": 12, "uom": "KGM"}],
    "bizStep": "commissioning",
    "disposition": "active",
    "readPoint": {"id": "https://chophien.example/t/CCCC"},
    "ilmd": {"ocop:variety": "Shan tuyết"},
}
DOCUMENT: dict[str, Any] = {
    "@context": [
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        {"ocop": "https://chophien.example/voc/"},
    ],
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-05-02T08:00:00.000+07:00",
    "epcisBody": {"eventList": [EVENT]},
}
MUTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no context": ({"@context": None}, "$.@context"),
    "a version that is a number": ({"schemaVersion": 2.0}, "$.schemaVersion"),
    "a type nobody knows": ({"type": "Document"}, "$.type"),
    "an unknown name": ({"note": "x"}, "$.note"),
    "a time without a zone": ({"creationDate": "2026-05-02T08:00:00"}, "$.creationDate"),
}
EVENT_MUTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a zone without its colon": ({"eventTimeZoneOffset": "+0700"}, ".eventTimeZoneOffset"),
    "a time that is none": ({"eventTime": "2026-02-30T00:00:00Z"}, ".eventTime"),
    "an action nobody knows": ({"action": "CHANGE"}, ".action"),
    "a step nobody knows": ({"bizStep": "harvesting"}, ".bizStep"),
    "a disposition nobody knows": ({"disposition": "fresh"}, ".disposition"),
    "a bare extension": ({"note": "x"}, ".note"),
    "master data while observing": ({"action": "OBSERVE"}, ".ilmd"),
    "a unit nobody knows": (
        {"quantityList": [{"epcClass": "urn:a:b", "quantity": 1, "uom": "kg"}]},
        ".quantityList[0].uom",
    ),
    "a quantity in quotation marks": (
        {"quantityList": [{"epcClass": "urn:a:b", "quantity": "1"}]},
        ".quantityList[0].quantity",
    ),
    "no goods at all": ({"quantityList": []}, ""),
    "goods named twice": ({"epcList": ["urn:a:b", "urn:a:b"]}, ".epcList[1]"),
    "a wrong check digit": (
        {"epcList": ["https://id.gs1.org/01/09521234543214/21/1"]},
        ".epcList[0]",
    ),
    "an error without its time": (
        {"errorDeclaration": {"reason": "incorrect_data"}},
        ".errorDeclaration.declarationTime",
    ),
    "a reason nobody knows": (
        {
            "errorDeclaration": {
                "declarationTime": "2026-05-02T08:00:00Z",
                "reason": "typing_error",
            }
        },
        ".errorDeclaration.reason",
    ),
    "a place without its id": ({"readPoint": {}}, ".readPoint.id"),
    "a sensor that measures nothing": (
        {"sensorElementList": [{"sensorReport": [{"value": 1}]}]},
        ".sensorElementList[0].sensorReport[0].type",
    ),
    "a side without its type": (
        {"sourceList": [{"source": "urn:a:b"}]},
        ".sourceList[0].type",
    ),
}


def paths(document: dict[str, Any]) -> list[str]:
    return [fault.path for fault in epcis_rules.find_faults(document)]


def test_a_right_document_has_no_faults() -> None:
    assert epcis_rules.find_faults(DOCUMENT) == []
    assert epcis_rules.find_event_faults(EVENT) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_of_the_document_is_told_with_its_path(name: str) -> None:
    change, path = MUTATIONS[name]

    assert path in paths({**DOCUMENT, **change})


@pytest.mark.parametrize("name", EVENT_MUTATIONS)
def test_a_fault_of_an_event_is_told_with_its_path(name: str) -> None:
    change, path = EVENT_MUTATIONS[name]
    event = {**EVENT, **change}

    told = epcis_rules.find_faults({**DOCUMENT, "epcisBody": {"eventList": [event]}})

    assert f"$.epcisBody.eventList[0]{path}" in [fault.path for fault in told]
    assert all(str(fault.reason) for fault in told)


def test_times_that_cannot_be_are_told_with_their_path() -> None:
    early = "2026-05-01T07:30:00.000+07:00"
    begun = {**EVENT, "epcList": ["https://chophien.example/t/BBBB"]}
    used = {**begun, "action": "OBSERVE", "eventTime": early}
    del used["ilmd"]
    wrong = {
        ".eventTime": used,
        ".recordTime": {**EVENT, "recordTime": early},
        ".errorDeclaration.declarationTime": {
            **EVENT,
            "errorDeclaration": {"declarationTime": early},
        },
        ".sensorElementList[0].sensorMetadata.endTime": {
            **EVENT,
            "sensorElementList": [
                {
                    "sensorMetadata": {"startTime": EVENT["eventTime"], "endTime": early},
                    "sensorReport": [{"type": "Temperature", "value": 4}],
                }
            ],
        },
    }
    for path, event in wrong.items():
        body = {"eventList": [begun, event]}
        assert paths({**DOCUMENT, "epcisBody": body}) == [f"$.epcisBody.eventList[1]{path}"]


@pytest.mark.parametrize(
    "kind", ["AggregationEvent", "TransformationEvent", "AssociationEvent", "TransactionEvent"]
)
def test_an_event_about_nothing_is_refused(kind: str) -> None:
    bare = {key: EVENT[key] for key in ("eventTime", "eventTimeZoneOffset")}

    assert epcis_rules.find_event_faults({**bare, "type": kind, "action": "ADD"})


@pytest.mark.parametrize("document", [None, [], "x", 7, {}, {"type": []}])
def test_what_is_no_document_is_refused_not_crashed_on(document: Any) -> None:
    assert epcis_rules.find_faults(document)


def examples() -> Iterator[tuple[str, Any]]:
    for path in sorted((FOLDER / "examples").rglob("*.jsonld")):
        yield path.name, json.loads(path.read_text("utf-8"))


@NEEDS_OFFICIAL
def test_all_official_examples_are_read() -> None:
    judged = {name: [str(one) for one in epcis_rules.find_faults(doc)] for name, doc in examples()}

    assert len(judged) == 47
    assert {name: faults for name, faults in judged.items() if faults} == {}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inside:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))


def changed(document: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    other = copy.deepcopy(document)
    place = other
    for key in path[:-1]:
        place = place[key]
    change(place, path[-1])
    return other


@NEEDS_OFFICIAL
def test_our_judgement_of_broken_examples_is_the_schemas() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((FOLDER / "schema" / "EPCIS-JSON-Schema.json").read_text("utf-8"))
    official = jsonschema.Draft7Validator(
        schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )
    values: list[Any] = [7, "zz zz", [], {}, None, True]
    changes: list[Callable[[Any, Any], None]] = [
        lambda place, key: place.__delitem__(key),
        *(lambda place, key, value=value: place.__setitem__(key, value) for value in values),
    ]
    chance = random.Random(2026)
    disagreed = []
    for name, document in examples():
        everywhere = list(places(document))
        for path in chance.sample(everywhere, min(8, len(everywhere))):
            for change in changes:
                broken = changed(document, path, change)
                if official.is_valid(broken) != (not epcis_rules.find_faults(broken)):
                    disagreed.append((name, path))

    assert disagreed == []
