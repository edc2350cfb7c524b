"""The hash id of an EPCIS event (CBV 2.0, «ni» of RFC 6920): one event, one id, however written.

The event's fields are put in the order of the standard, its values in one spelling, and the SHA-256
of that text is the id. Key order, number form, the zone of an instant and the spelling of GS1
identifiers change nothing; `recordTime`, `eventID` and `errorDeclaration` do not take part. The
text before hashing is that of the reference implementation (docs/decisions/0023).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from core.text import nfc
from traceability import epcs

_CBV = "https://ref.gs1.org/cbv/"
_VOC = "https://gs1.org/voc/"
# Fields that take no part, and remarks for people.
_NOT_HASHED = frozenset({"recordTime", "eventID", "type", "errorDeclaration", "@context"})
_REMARKS = frozenset({"comment", "rdfs:comment"})
_QUANTITY = ("epcClass", "quantity", "uom")
_METADATA = (
    "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData",
    "dataProcessingMethod", "bizRules",
)  # fmt: skip
_REPORT = (
    "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time",
    "microorganism", "chemicalSubstance", "value", "component", "stringValue", "booleanValue",
    "hexBinaryValue", "uriValue", "minValue", "maxValue", "meanValue", "sDev", "percRank",
    "percValue", "uom", "coordinateReferenceSystem",
)  # fmt: skip
# The order of the standard: field → how its value is written.
_ORDER: dict[str, str] = {
    "eventTime": "value",
    "eventTimeZoneOffset": "value",
    "certificationInfo": "value",
    "parentID": "value",
    "epcList": "epcs",
    "inputEPCList": "epcs",
    "childEPCs": "epcs",
    "quantityList": "quantities",
    "childQuantityList": "quantities",
    "inputQuantityList": "quantities",
    "outputEPCList": "epcs",
    "outputQuantityList": "quantities",
    "action": "value",
    "transformationID": "value",
    "bizStep": "value",
    "disposition": "value",
    "persistentDisposition": "words",
    "readPoint": "place",
    "bizLocation": "place",
    "sensorElementList": "sensors",
}
_TIMES = frozenset({"eventTime", "time", "startTime", "endTime"})
_PAIRS = {
    "bizTransactionList": ("bizTransaction", "BTT-"),
    "sourceList": ("source", "SDT-"),
    "destinationList": ("destination", "SDT-"),
}
_OLD_WORDS = {
    "urn:epcglobal:cbv:bizstep:": f"{_CBV}BizStep-",
    "urn:epcglobal:cbv:disp:": f"{_CBV}Disp-",
    "urn:epcglobal:cbv:btt:": f"{_CBV}BTT-",
    "urn:epcglobal:cbv:sdt:": f"{_CBV}SDT-",
    "urn:epcglobal:cbv:er:": f"{_CBV}ER-",
}
_WORD = re.compile(r"[A-Za-z_0-9-]+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_HALF_A_MILLISECOND = timedelta(microseconds=500)


def event_hash(event: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> str:
    """Return the event's hash id; `namespaces` are the prefixes its extensions are written with."""
    digest = sha256(prehash(event, namespaces).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def document_hashes(document: Mapping[str, Any]) -> list[str]:
    """Return the hash ids of every event of an EPCIS document, in its order."""
    shared = namespaces_of(document)
    return [event_hash(event, {**shared, **namespaces_of(event)}) for event in events_of(document)]


def events_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the events of an EPCIS document or query document."""
    body = document.get("epcisBody", {})
    if "queryResults" in body:
        body = body["queryResults"].get("resultsBody", {})
    return list(body["eventList"]) if "eventList" in body else [body["event"]]


def namespaces_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the prefixes a document, or an event, declares itself in its `@context`."""
    context = document.get("@context", [])
    found = {}
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, Mapping):
            found.update({key: value for key, value in part.items() if isinstance(value, str)})
    return found


def prehash(event: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> str:
    """Return the text whose SHA-256 is the event's id."""
    writer = _Writer(namespaces or {})
    ordered, rest = [], []
    for name, kind in _ORDER.items():
        if name in event:
            said, left = writer.field(name, kind, event[name])
            ordered.append(said)
            rest += left
    rest += [
        writer.loose(key, value)
        for key, value in event.items()
        if key not in _ORDER and key not in _NOT_HASHED and key not in _REMARKS
    ]
    return f"eventType={event['type']}{''.join(ordered)}{_joined(rest)}"


def _joined(texts: Iterable[str]) -> str:
    return "".join(sorted(texts))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _Writer:
    """Writes fields of one document: it knows the document's prefixes.

    What stands inside a field and is neither the standard's nor an extension whose namespace ends
    in a slash is left over: it is told after everything else, with the names it stood under.
    """

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._namespaces = namespaces

    def field(self, name: str, kind: str, value: Any) -> tuple[str, list[str]]:
        """Return a field of the standard, empty when nothing is in it, and what is left over."""
        if kind == "value":
            return self._value(name, value), []
        if kind == "epcs":
            said, left = self._value("epc", value), ""
        elif kind == "quantities":
            said, left = self._each("quantityElement", value, _QUANTITY)
        elif kind == "sensors":
            said, left = self._sensors(value)
        else:
            said, left = self._inside(value, ("id",) if kind == "place" else ("set", "unset"))
        return (name + said if said else ""), ([name + left] if left else [])

    def _value(self, name: str, value: Any) -> str:
        return _joined(self._said(name, one) for one in _items(value))

    def _each(self, name: str, value: Any, order: Sequence[str]) -> tuple[str, str]:
        pairs = [self._inside(one, order) for one in _items(value)]
        return (
            _joined(name + said for said, _left in pairs if said),
            _joined(name + left for _said, left in pairs if left),
        )

    def _sensors(self, value: Any) -> tuple[str, str]:
        pairs = [self._sensor(one) for one in _items(value)]
        return (
            _joined(f"sensorElement{said}" for said, _left in pairs if said),
            _joined(f"sensorElement{left}" for _said, left in pairs if left),
        )

    def _sensor(self, element: Mapping[str, Any]) -> tuple[str, str]:
        metadata, metadata_left = self._each(
            "sensorMetadata", element.get("sensorMetadata", []), _METADATA
        )
        reports, reports_left = self._each("sensorReport", element.get("sensorReport", []), _REPORT)
        more, left = self._extensions(element, ("sensorMetadata", "sensorReport"))
        inner = [one for one in (metadata_left, reports_left, *left) if one]
        return metadata + reports + more, _joined(inner)

    def _inside(self, element: Any, order: Sequence[str]) -> tuple[str, str]:
        if not isinstance(element, Mapping):
            return "", ""
        known = [self._value(name, element[name]) for name in order if name in element]
        more, left = self._extensions(element, order)
        return "".join(known) + more, _joined(left)

    def _extensions(
        self, element: Mapping[str, Any], known: Sequence[str]
    ) -> tuple[str, list[str]]:
        """Return the extensions told in place, and what else is in the element."""
        others = {
            key: value for key, value in element.items() if key not in known and key not in _REMARKS
        }
        # An element with a single child has nothing it could be an extension of.
        alone = sum(len(_items(value)) for value in element.values()) <= 1
        inside: list[str] = []
        left: list[str] = []
        for key, value in others.items():
            in_place = not alone and "/}" in self._named(key)
            (inside if in_place else left).append(self.loose(key, value))
        return _joined(inside), left

    def loose(self, key: str, value: Any) -> str:
        """Return a field the standard gives no place: lists of pairs, master data, extensions."""
        if key in _PAIRS:
            return key + _joined(self._pair(key, one) for one in _items(value))
        name = self._named(key)
        if isinstance(value, list):
            if key.endswith("List"):
                inner = name.removesuffix("List")
                return name + _joined(self._one(inner, one) for one in value)
            return _joined(self._one(name, one) for one in value)
        return self._one(name, value)

    def _one(self, name: str, value: Any) -> str:
        if isinstance(value, Mapping):
            return name + _joined(
                self.loose(key, one) for key, one in value.items() if key not in _REMARKS
            )
        if isinstance(value, list):
            return name + _joined(self._one("", one) for one in value)
        text = _text(self._expanded(value))
        return f"{name}={_canonical(text)}" if text else name

    def _pair(self, name: str, pair: Mapping[str, Any]) -> str:
        word, vocabulary = _PAIRS[name]
        kind = f"type={_word(str(pair['type']), vocabulary)}" if "type" in pair else ""
        return kind + f"{word}={_canonical(_text(self._expanded(pair[word])))}"

    def _said(self, name: str, value: Any) -> str:
        text = _text(self._expanded(value))
        if not text:
            return ""
        if name in _TIMES:
            return f"{name}={_instant(text)}"
        return f"{name}={_canonical(_full_word(name, text))}"

    def _named(self, key: str) -> str:
        prefix, colon, local = key.partition(":")
        space = self._namespaces.get(prefix) if colon else None
        return key if space is None else f"{{{space}}}{local}"

    def _expanded(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        prefix, colon, local = value.partition(":")
        space = self._namespaces.get(prefix) if colon else None
        return value if space is None else f"{space}{local}"


_VOCABULARY = {
    "bizStep": f"{_CBV}BizStep-",
    "disposition": f"{_CBV}Disp-",
    "set": f"{_CBV}Disp-",
    "unset": f"{_CBV}Disp-",
    "component": f"{_CBV}Comp-",
    "type": _VOC,
    "exception": _VOC,
}


def _full_word(name: str, text: str) -> str:
    vocabulary = _VOCABULARY.get(name)
    return vocabulary + text if vocabulary and _WORD.fullmatch(text) else text


def _word(text: str, vocabulary: str) -> str:
    return _canonical(f"{_CBV}{vocabulary}{text}" if _WORD.fullmatch(text) else text)


def _text(value: Any) -> str:
    return nfc(str(value)).strip() if value is not None else ""


def _canonical(text: str) -> str:
    for old, new in _OLD_WORDS.items():
        text = text.replace(old, new)
    if _NUMBER.fullmatch(text):
        number = float(text)
        return str(int(number)) if number.is_integer() else str(number)
    return epcs.normalise(text) or text


def _instant(text: str) -> str:
    """Return the instant in UTC to the millisecond; what is no time stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    whole = (moment + _HALF_A_MILLISECOND).astimezone(UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03d}Z"
