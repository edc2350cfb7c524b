"""Whether the times in an EPCIS document can be: nothing is used before it begins."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from core.i18n import lazy as _
from traceability import event_hash
from traceability.epcis_values import Fault

# Single things begin once; of a lot there may be more with every harvest.
_THINGS = ("epcList", "childEPCs", "inputEPCList")


def find_faults(document: Mapping[str, Any]) -> list[Fault]:
    """Return the times that contradict each other, in a document that is right otherwise.

    Things that begin in the document, by a making or with action ADD, are in no event before; an
    event is recorded, and declared wrong, after it happened; a sensor ends after it began.
    """
    place = "$.epcisBody"
    if "queryResults" in document["epcisBody"]:
        place += ".queryResults.resultsBody"
    told = [(f"{place}.eventList[{number}]", event)
            for number, event in enumerate(event_hash.events_of(document))]  # fmt: skip
    born: dict[str, datetime] = {}
    for _path, event in told:
        begins = event["type"] == "ObjectEvent" and event["action"] == "ADD"
        for ident in _named(event, ("epcList",) if begins else ("outputEPCList",)):
            moment = _instant(event["eventTime"])
            born[ident] = min(moment, born.get(ident, moment))
    return [fault for path, event in told for fault in _of_event(path, event, born)]


def _of_event(path: str, event: Mapping[str, Any], born: Mapping[str, datetime]) -> Iterator[Fault]:
    happened = _instant(event["eventTime"])
    if any(ident in born and happened < born[ident] for ident in _named(event, _THINGS)):
        yield Fault(
            f"{path}.eventTime", _("It is of things that begin only later in this document.")
        )
    if "recordTime" in event and _instant(event["recordTime"]) < happened:
        yield Fault(f"{path}.recordTime", _("This lies before the event itself."))
    declared = event.get("errorDeclaration", {}).get("declarationTime")
    if declared is not None and _instant(declared) < happened:
        yield Fault(
            f"{path}.errorDeclaration.declarationTime", _("This lies before the event itself.")
        )
    sensors = event.get("sensorElementList", [])
    for number, element in enumerate(sensors if isinstance(sensors, list) else []):
        spans = element.get("sensorMetadata", {})
        if {"startTime", "endTime"} <= spans.keys() and (
            _instant(spans["endTime"]) < _instant(spans["startTime"])
        ):
            yield Fault(
                f"{path}.sensorElementList[{number}].sensorMetadata.endTime",
                _("This lies before the beginning."),
            )


def _named(event: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        listed = event.get(name, [])
        if isinstance(listed, list):
            yield from (one for one in listed if isinstance(one, str))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.upper())
