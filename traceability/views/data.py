"""What stands behind a scan page: its events, passport, ten items and proof."""

import csv
import io
from dataclasses import replace
from functools import lru_cache

from flask import Blueprint, Response, current_app, json, make_response, render_template, request

from core.clock import utc_now
from core.codes import is_well_formed, normalise
from core.settings import Settings
from core.web.requests import public, reading
from traceability import (
    epcis,
    events,
    evidence,
    log_keys,
    lot_proof,
    passports,
    scan,
    tt02,
)
from traceability.codes import TRACE_CODE
from traceability.evidence import Judged
from traceability.lot_proof import Said
from traceability.notes import Verifier
from traceability.scan import Scan
from traceability.views.unknown import unknown_code

blueprint = Blueprint("scan_data", __name__)

# As on the scan page: a recall is told within seconds.
FRESH = "public, max-age=2, stale-if-error=86400"
MOST_EVENTS = 2_000
# So that a spreadsheet reads the file as what it is.
BOM = "\ufeff"


@blueprint.get("/truy-xuat/<code>/epcis.jsonld")
@public
def events_file(code: str) -> Response:
    """Give the events of a lot, or of all lots of a product, as one EPCIS 2.0 document."""
    wanted = normalise(TRACE_CODE, code)
    with reading() as session:
        found = _find(wanted)
        if found is None:
            return unknown_code(code)
        told = (
            events.list_of_lot(session, found.lot.id)
            if found.lot
            else events.list_of_product(session, found.product.id, limit=MOST_EVENTS)
        )
    # The day of the newest event, so that the same events are the same file.
    made = told[-1].recorded_at if told else found.product.created_at
    document = epcis.document(told, base=_settings().PUBLIC_URL, now=made)
    return _data(document, "application/ld+json")


@blueprint.get("/truy-xuat/<code>/ho-chieu.json")
@public
def passport(code: str) -> Response:
    """Give the digital passport of what the code names."""
    found = _find(normalise(TRACE_CODE, code))
    if found is None:
        return unknown_code(code)
    return _data(passports.passport(found, base=_settings().PUBLIC_URL), "application/json")


@blueprint.get("/truy-xuat/<code>/muoi-muc.csv")
@public
def ten_items_file(code: str) -> Response:
    """Give the ten items of circular 02/2024 as a table, one line an item."""
    found = _find(normalise(TRACE_CODE, code))
    if found is None:
        return unknown_code(code)
    text = io.StringIO()
    tt02.write_table(csv.writer(text), tt02.ten_items(found, base=_settings().PUBLIC_URL))
    response = Response(BOM + text.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"muoi-muc-{found.code}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return _open(response)


@blueprint.get("/truy-xuat/<code>/muoi-muc")
@public
def ten_items(code: str) -> Response:
    """Show the ten items of circular 02/2024, and which are missing."""
    found = _find(normalise(TRACE_CODE, code))
    if found is None:
        return unknown_code(code)
    items = tt02.ten_items(found, base=_settings().PUBLIC_URL)
    page = render_template(
        "traceability/ten_items.html", scan=found, items=items, missing=tt02.completeness(items)
    )
    return _kept(make_response(page))


@blueprint.get("/truy-xuat/<code>/chung-cu")
@public
def proof(code: str) -> Response:
    """Check a lot's record against the log now, and show what everybody can check."""
    found = _find(normalise(TRACE_CODE, code))
    if found is None:
        return unknown_code(code)
    page = render_template(
        "traceability/proof.html",
        scan=found,
        proof=judge(found),
        witnesses=found.record.witnesses,
        keys=known_keys(_settings()) if found.record.note else [],
    )
    return _kept(make_response(page))


def judge(found: Scan) -> Judged | None:
    """Return what can be proven of the scanned lot now; None where the code names no lot."""
    if found.lot is None or found.typed is not None:
        return None
    settings = _settings()
    verifiers = known_keys(settings) if found.record.note else ()
    with reading() as session:
        proof = evidence.judge(
            session, found.record, verifiers, origin=log_keys.origin_of(settings)
        )
        told = [Said(one.id, one.kind, one.event) for one in found.record.witnesses]
        faults = lot_proof.faults_of(session, found.lot, told)
        return replace(proof, faults=[*proof.faults, *faults])


@lru_cache(maxsize=4)
def known_keys(settings: Settings) -> tuple[Verifier, ...]:
    """Return every public key the log was signed with; read once, the file does not change."""
    return tuple(log_keys.verifiers(settings))


def _find(code: str) -> Scan | None:
    if not is_well_formed(TRACE_CODE, code):
        return None
    with reading() as session:
        return scan.find_scan(session, code, typed=None, now=utc_now())


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def _data(content: object, media: str) -> Response:
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=False)
    return _open(Response(text + "\n", content_type=f"{media}; charset=utf-8"))


def _open(response: Response) -> Response:
    """Let programs of other sites read it: it is about goods, not about whoever asks."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return _kept(response)


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = FRESH
    response.add_etag()
    response.make_conditional(request)
    return response
