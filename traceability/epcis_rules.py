"""Whether a document is EPCIS 2.0: what the official schema asks, and what it cannot see.

Every fault is told with the path to it and the reason, in the order of the document. Beyond the
schema, check digits of GS1 numbers are judged, children named twice and times out of order are
refused, because a graph built on them would be wrong.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.i18n import lazy as _
from traceability import epcis_times
from traceability import epcis_words as words
from traceability.epcis_values import Fault, Values

MOST_FAULTS = 100
_ZONE = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)", re.ASCII)
_UOM = re.compile(r"[A-Z0-9]{2,3}")
_VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
_COMMON = frozenset(
    {
        "@context", "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID",
        "certificationInfo", "errorDeclaration",
    }
)  # fmt: skip
_WHERE_AND_WHY = frozenset(
    {
        "bizStep", "disposition", "readPoint", "bizLocation", "bizTransactionList", "sourceList",
        "destinationList", "sensorElementList",
    }
)  # fmt: skip
_FIELDS = {
    "ObjectEvent": {"action", "epcList", "quantityList", "persistentDisposition", "ilmd"},
    "AggregationEvent": {"action", "parentID", "childEPCs", "childQuantityList"},
    "TransactionEvent": {"action", "parentID", "epcList", "quantityList"},
    "TransformationEvent": {
        "inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList",
        "transformationID", "persistentDisposition", "ilmd",
    },
    "AssociationEvent": {"action", "parentID", "childEPCs", "childQuantityList"},
}  # fmt: skip
_REQUIRED = {
    "ObjectEvent": ("action",),
    "AggregationEvent": ("action",),
    "TransactionEvent": ("action", "bizTransactionList"),
    "TransformationEvent": (),
    "AssociationEvent": ("action", "parentID"),
}
_ACTIONS = frozenset({"OBSERVE", "ADD", "DELETE"})
_DOCUMENT = frozenset(
    {
        "@context", "id", "type", "schemaVersion", "creationDate", "instanceIdentifier", "sender",
        "receiver", "epcisHeader", "epcisBody",
    }
)  # fmt: skip


def find_faults(document: Any) -> list[Fault]:
    """Return what keeps this from being an EPCIS document, the first hundred; none when it is."""
    judge = _Judge()
    if not isinstance(document, Mapping):
        judge.fault("$", _("An EPCIS document is a JSON object."))
    elif document.get("type") == "EPCISQueryDocument":
        judge.query_document(document)
    elif document.get("type") == "EPCISDocument":
        judge.document(document)
    else:
        judge.fault("$.type", _("The type is EPCISDocument."))
    if not judge.faults:
        judge.faults = epcis_times.find_faults(document)
    return judge.faults[:MOST_FAULTS]


def find_event_faults(event: Any) -> list[Fault]:
    """Return what keeps this from being one EPCIS event."""
    judge = _Judge()
    judge.event("$", event)
    return judge.faults[:MOST_FAULTS]


class _Judge(Values):
    """Walks a document."""

    def document(self, document: Mapping[str, Any]) -> None:
        self.require("$", document, ("@context", "schemaVersion", "creationDate", "epcisBody"))
        self.names("$", document, _DOCUMENT)
        self._envelope(document)
        for name in ("instanceIdentifier", "sender", "receiver"):
            if name in document and not isinstance(document[name], str):
                self.fault(f"$.{name}", _("This is text."))
        body = document.get("epcisBody", {})
        if "epcisBody" in document and self.is_object("$.epcisBody", body):
            self.require("$.epcisBody", body, ("eventList",))
            self._events("$.epcisBody.eventList", body.get("eventList", []))

    def query_document(self, document: Mapping[str, Any]) -> None:
        self.require("$", document, ("@context", "epcisBody"))
        self.names("$", document, _DOCUMENT - {"instanceIdentifier", "sender", "receiver"})
        self._envelope(document)
        path, place = "$.epcisBody", document.get("epcisBody", {})
        for step, required in (
            ("queryResults", ("queryName", "resultsBody")),
            ("resultsBody", ("eventList",)),
        ):
            if not self.is_object(path, place):
                return
            self.require(path, place, (step,))
            path, place = f"{path}.{step}", place.get(step, {})
            if isinstance(place, Mapping):
                self.require(path, place, required)
        if self.is_object(path, place):
            self._events(f"{path}.eventList", place.get("eventList", []))
        results = document.get("epcisBody", {}).get("queryResults", {})
        for name in ("queryName", "subscriptionID"):
            self.maybe(results, "$.epcisBody.queryResults", name, self.text)

    def _envelope(self, document: Mapping[str, Any]) -> None:
        self.maybe(document, "$", "@context", self._context)
        version = document.get("schemaVersion", "2.0")
        if not (isinstance(version, str) and _VERSION.fullmatch(version)):
            self.fault("$.schemaVersion", _('The version is text, such as "2.0".'))
        self.maybe(document, "$", "creationDate", self.time)
        self.maybe(document, "$", "id", self.uri)

    def _context(self, path: str, context: Any) -> None:
        for place, part in enumerate(context if isinstance(context, list) else [context]):
            if not isinstance(part, Mapping):
                self.uri(f"{path}[{place}]" if isinstance(context, list) else path, part)

    def _events(self, path: str, events: Any) -> None:
        if self.is_list(path, events):
            for place, event in enumerate(events):
                self.event(f"{path}[{place}]", event)

    def event(self, path: str, event: Any) -> None:
        """Judge one event."""
        if not self.is_object(path, event):
            return
        kind = event.get("type")
        if not isinstance(kind, str):
            self.fault(f"{path}.type", _("An event says what type it is."))
            return
        self.require(path, event, ("eventTime", "eventTimeZoneOffset"))
        self._common(path, event)
        if kind not in _FIELDS:
            self.uri(f"{path}.type", kind)
            return
        self.require(path, event, _REQUIRED[kind])
        self.names(path, event, _COMMON | _WHERE_AND_WHY | _FIELDS[kind])
        self._where_and_why(path, event)
        self._what(path, event, kind)

    def _common(self, path: str, event: Mapping[str, Any]) -> None:
        for name in ("eventTime", "recordTime"):
            self.maybe(event, path, name, self.time)
        zone = event.get("eventTimeZoneOffset", "+07:00")
        if not (isinstance(zone, str) and _ZONE.fullmatch(zone)):
            self.fault(f"{path}.eventTimeZoneOffset", _("A zone is written as +07:00."))
        self.maybe(event, path, "eventID", self.uri)
        for place, one in self.each(path, event, "certificationInfo", single=True):
            self.uri(place, one)
        self.maybe(event, path, "errorDeclaration", self._declaration)

    def _declaration(self, path: str, declaration: Any) -> None:
        if not self.is_object(path, declaration):
            return
        self.require(path, declaration, ("declarationTime",))
        self.names(path, declaration, {"declarationTime", "reason", "correctiveEventIDs"})
        self.maybe(declaration, path, "declarationTime", self.time)
        self.maybe(declaration, path, "reason", self.word_of(words.ERROR_REASONS))
        for place, one in self.each(path, declaration, "correctiveEventIDs"):
            self.uri(place, one)

    def _where_and_why(self, path: str, event: Mapping[str, Any]) -> None:
        self.maybe(event, path, "bizStep", self.word_of(words.BIZ_STEPS))
        self.maybe(event, path, "disposition", self.word_of(words.DISPOSITIONS))
        for name in ("readPoint", "bizLocation"):
            place = event.get(name, {})
            if name in event and self.is_object(f"{path}.{name}", place):
                self.require(f"{path}.{name}", place, ("id",))
                self.maybe(place, f"{path}.{name}", "id", self.identifier)
        self._pairs(path, event, "bizTransactionList", "bizTransaction", words.TRANSACTIONS)
        self._pairs(path, event, "sourceList", "source", words.SIDES)
        self._pairs(path, event, "destinationList", "destination", words.SIDES)
        for place, element in self.each(path, event, "sensorElementList"):
            self._sensor(place, element)

    def _pairs(
        self, path: str, event: Mapping[str, Any], name: str, said: str, known: frozenset[str]
    ) -> None:
        required = (said,) if said == "bizTransaction" else ("type", said)
        for place, pair in self.each(path, event, name):
            if self.is_object(place, pair):
                self.require(place, pair, required)
                self.names(place, pair, {"type", said}, extensions=False)
                self.maybe(pair, place, "type", self.word_of(known))
                self.maybe(pair, place, said, self.identifier)

    def _sensor(self, path: str, element: Any) -> None:
        if not self.is_object(path, element):
            return
        self.require(path, element, ("sensorReport",))
        self.names(path, element, {"sensorMetadata", "sensorReport"})
        metadata = element.get("sensorMetadata", {})
        if "sensorMetadata" in element and self.is_object(f"{path}.sensorMetadata", metadata):
            self._facts(f"{path}.sensorMetadata", metadata, _METADATA)
        if element.get("sensorReport") == []:
            self.fault(f"{path}.sensorReport", _("At least one is needed."))
        for place, report in self.each(path, element, "sensorReport"):
            if self.is_object(place, report):
                self.require(place, report, ("type",))
                self._facts(place, report, _REPORT)

    def _facts(self, path: str, thing: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
        self.names(path, thing, set(kinds))
        for name, kind in kinds.items():
            if name in thing:
                getattr(self, kind)(f"{path}.{name}", thing[name])

    def _what(self, path: str, event: Mapping[str, Any], kind: str) -> None:
        action = event.get("action")
        if "action" in event and not (isinstance(action, str) and action in _ACTIONS):
            self.fault(f"{path}.action", _("The action is ADD, OBSERVE or DELETE."))
        for name in ("parentID", "transformationID"):
            self.maybe(event, path, name, self.identifier)
        for name in ("epcList", "childEPCs", "inputEPCList", "outputEPCList"):
            self._epcs(path, event, name)
        for name in (
            "quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList",
        ):  # fmt: skip
            for place, one in self.each(path, event, name):
                self._quantity(place, one)
        if "persistentDisposition" in event:
            self._dispositions(f"{path}.persistentDisposition", event["persistentDisposition"])
        if "ilmd" in event and self.is_object(f"{path}.ilmd", event["ilmd"]):
            self.names(f"{path}.ilmd", event["ilmd"], ())
        _NEEDS[kind](self, path, event)

    def _epcs(self, path: str, event: Mapping[str, Any], name: str) -> None:
        seen: set[str] = set()
        for place, one in self.each(path, event, name):
            self.identifier(place, one)
            if isinstance(one, str):
                if one in seen:
                    self.fault(place, _("This is named twice."))
                seen.add(one)

    def _quantity(self, path: str, one: Any) -> None:
        if not self.is_object(path, one):
            return
        self.require(path, one, ("epcClass",))
        self.names(path, one, {"epcClass", "quantity", "uom"}, extensions=False)
        self.maybe(one, path, "epcClass", self.identifier)
        self.maybe(one, path, "quantity", self.number)
        uom = one.get("uom", "KGM")
        if not (isinstance(uom, str) and _UOM.fullmatch(uom)):
            self.fault(f"{path}.uom", _("A unit is a code of UN/CEFACT, such as KGM."))

    def _dispositions(self, path: str, said: Any) -> None:
        if not self.is_object(path, said):
            return
        self.names(path, said, {"set", "unset"}, extensions=False)
        if not said.keys() & {"set", "unset"}:
            self.fault(path, _("It sets or unsets at least one disposition."))
        for name in ("set", "unset"):
            listed = [one for _place, one in self.each(path, said, name)]
            if name in said and not listed:
                self.fault(f"{path}.{name}", _("At least one is needed."))
            if len(listed) != len(set(map(str, listed))):
                self.fault(f"{path}.{name}", _("This is named twice."))
            for place, one in self.each(path, said, name):
                self.word_of(words.DISPOSITIONS)(place, one)

    def need_goods(self, path: str, event: Mapping[str, Any]) -> None:
        """Ask an object event for what it is about; master data only where something begins."""
        by_sensor = bool(event.get("sensorElementList")) and "readPoint" in event
        if "epcList" not in event and not event.get("quantityList") and not by_sensor:
            self.fault(path, _("It names no goods: epcList or quantityList."))
        if "ilmd" in event and event.get("action") != "ADD":
            self.fault(f"{path}.ilmd", _("Master data of a lot stands only with action ADD."))

    def need_listed(self, path: str, event: Mapping[str, Any]) -> None:
        """Ask a transaction event for its goods, unless it undoes everything."""
        if event.get("bizTransactionList") == []:
            self.fault(f"{path}.bizTransactionList", _("At least one is needed."))
        listed = "epcList" in event or event.get("quantityList")
        if not listed and event.get("action") != "DELETE":
            self.fault(path, _("It names no goods: epcList or quantityList."))

    def need_children(self, path: str, event: Mapping[str, Any]) -> None:
        """Ask an aggregation or association for its children, unless it undoes everything."""
        children = event.get("childEPCs") or event.get("childQuantityList")
        if not children and event.get("action") != "DELETE":
            self.fault(path, _("It names no children: childEPCs or childQuantityList."))

    def need_both_sides(self, path: str, event: Mapping[str, Any]) -> None:
        """Ask a transformation for what went in and came out; one side if it has a number."""
        into = event.get("inputEPCList") or event.get("inputQuantityList")
        out = event.get("outputEPCList") or event.get("outputQuantityList")
        if not (into or out):
            self.fault(path, _("It names neither what went in nor what came out."))
        elif not (into and out) and "transformationID" not in event:
            self.fault(path, _("It names what went in and what came out, or a transformationID."))


_NEEDS: dict[str, Callable[[_Judge, str, Mapping[str, Any]], None]] = {
    "ObjectEvent": _Judge.need_goods,
    "AggregationEvent": _Judge.need_children,
    "TransactionEvent": _Judge.need_listed,
    "TransformationEvent": _Judge.need_both_sides,
    "AssociationEvent": _Judge.need_children,
}
_METADATA = {
    "time": "time", "startTime": "time", "endTime": "time", "deviceID": "uri",
    "deviceMetadata": "uri", "rawData": "uri", "dataProcessingMethod": "uri", "bizRules": "uri",
}  # fmt: skip
_REPORT = {
    "type": "measurement", "exception": "alert", "deviceID": "uri", "deviceMetadata": "uri",
    "rawData": "uri", "dataProcessingMethod": "uri", "bizRules": "uri", "time": "time",
    "microorganism": "uri", "chemicalSubstance": "uri", "coordinateReferenceSystem": "uri",
    "value": "number", "component": "component", "stringValue": "text", "booleanValue": "flag",
    "hexBinaryValue": "hex", "uriValue": "uri", "minValue": "number", "maxValue": "number",
    "meanValue": "number", "sDev": "number", "percRank": "number", "percValue": "number",
    "uom": "text",
}  # fmt: skip
