"""What scans leave behind in the shop that has one of everything."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from catalog.certificates import Certificate
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from traceability import (
    cartons,
    enumeration,
    gs1_places,
    link_targets,
    problem_reports,
    scan_counts,
    serials,
)
from traceability.labels import runs, sheets
from traceability.labels.presets import get_preset
from traceability.labels.printing import Form
from traceability.labels.runs import Wish
from traceability.link_targets import Typed

GLN = "9521234567899"
SSCC = "395212345678901236"


def traces(
    session: Session,
    producer: Producer,
    product: Product,
    lot: Lot,
    code: str,
    *,
    now: datetime,
    text: str = "",
) -> dict[str, Any]:
    """Scan, report, pack and link; return how the addresses name what came of it."""
    (serial,) = serials.make(session, lot, 1, now=now)
    gs1_places.add(
        session, producer.id, gln=GLN, extension="", name=f"Xưởng{text}"[:120],
        actor=SYSTEM, now=now,
    )  # fmt: skip
    cartons.pack(session, producer.id, sscc=SSCC, inside=lot.code, actor=SYSTEM, now=now)
    typed = Typed("recipeInfo", "https://bep.example/mon", f"Món{text}"[:120], "vi")
    link = link_targets.add(session, producer.id, product.id, typed, actor=SYSTEM, now=now)
    report = problem_reports.send(
        session, code, kind="other", words=f"Nắp hở{text}", photo_key=None, province_code=None,
        now=now,
    )  # fmt: skip
    for scanned in (code, serial):
        subject = scan_counts.find_subject(session, scanned)
        assert subject is not None
        scan_counts.count(session, subject, address="203.0.113.9", agent="Zalo", now=now)
    enumeration.tell(session, now=now)
    sheet, run = _labels(session, producer, lot, now=now, text=text)
    return {
        "serial": serial,
        "run_id": serials.list_runs(session, lot.id)[0].id,
        "sscc": SSCC,
        "gln": GLN,
        "link_id": link.id,
        "sheet_id": sheet,
        "desk_labels.run": run,
        "report_id": report.id,
        "scan.paper_id": session.scalars(select(Certificate.id)).first(),
    }


def _labels(
    session: Session, producer: Producer, lot: Lot, *, now: datetime, text: str
) -> tuple[int, int]:
    typed = {**sheets.typed_of(get_preset("a4-40")), "name": f"Giấy{text}"[:60]}
    sheet = sheets.keep(session, producer.id, typed, actor=SYSTEM, now=now)
    wish = Wish(sheet.sheet, Form.PDF, 3, with_serials=True)
    run = runs.open_run(
        session, producer.id, lot, wish, key="mot", base="http://localhost", actor=SYSTEM, now=now
    )
    return sheet.id, run.id
