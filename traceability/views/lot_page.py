"""The page of one lot at its maker's desk: what is missing, the next line, the diary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from flask import (
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.orm import Session

from catalog.desk import Desk
from core.clock import utc_now, vietnam_day
from core.errors import NotFound, Refusal
from core.i18n import lazy as _
from core.web.requests import reading, transaction
from traceability import diary, diary_templates, input_lots, keeping, lot_book, scan, tt02
from traceability.diary import KIND_NAMES, Step
from traceability.diary_templates import Suggestion
from traceability.input_lots import Choice
from traceability.keeping import Input
from traceability.lot_book import Opened
from traceability.scan import Scan
from traceability.trace_codes import ensure_lot_code, find_lot_code
from traceability.views.diary_form import LABELS, chosen_inputs, typed_of

UNITS = ("kg", "g", "lít", "cái", "gói", "hũ", "chai", "túi", "hộp", "cây", "sào", "m")
PLACES_OFFERED = 6


class NoSuchLine(NotFound):
    """This lot's diary has no such line."""


@dataclass(frozen=True, slots=True)
class Book:
    """One lot's diary with all that its pages show."""

    opened: Opened
    scan: Scan
    suggestions: Sequence[Suggestion]
    lots: Sequence[Choice]
    inputs: Mapping[int, Sequence[Input]]
    code: str

    @property
    def steps(self) -> Sequence[Step]:
        """Return the diary in the order things happened, with the lines that were struck out."""
        return self.scan.steps

    @property
    def written(self) -> set[str]:
        """Return what of the suggestions stands in the diary."""
        standing = [one for one in self.steps if one.id not in self.scan.corrected]
        return {f"{one.kind.value}|{one.note}" for one in standing}

    @property
    def following(self) -> str | None:
        """Return the suggestion after the last one that stands in the diary."""
        done = [n for n, one in enumerate(self.suggestions) if one.value in self.written]
        after = done[-1] + 1 if done else 0
        return self.suggestions[after].value if after < len(self.suggestions) else None

    @property
    def last(self) -> Step | None:
        """Return the line written last, which the next one often repeats."""
        return diary.last_standing(self.steps, self.scan.corrected)

    @property
    def places(self) -> list[str]:
        """Return the last places, each once."""
        newest = sorted(self.steps, key=lambda step: -step.id)
        return list(dict.fromkeys(one.place for one in newest if one.place))[:PLACES_OFFERED]

    @property
    def repeated(self) -> dict[str, str]:
        """Return what a form says that tells the last line once more, now."""
        last = self.last
        if last is None:
            return {}
        typed = typed_of(last, self.inputs.get(last.id, []), self.suggestions)
        doer = self.scan.record.doers.get(last.id) or last.entered_by_name
        return {**typed, "when": "today", "day": "", "clock": "", "done_by": doer}


def lot_page(desk: Desk, lot_id: int, refusal: Refusal | None = None) -> Response:
    """Show the lot; after a refusal with what was typed, and the reason at its field."""
    book = _open_book(desk, lot_id)
    last = book.last
    fresh = {"place": last.place or "" if last else "", "done_by": desk.actor.name}
    form = request.form if refusal else fresh
    page = render_template(
        "traceability/show.html",
        **_shown(desk, book, form, refusal),
        again=str(uuid4()),
        items=tt02.ten_items(book.scan, base=current_app.config["SETTINGS"].PUBLIC_URL),
    )
    return make_response(page, 422 if refusal else 200)


def correction_page(
    desk: Desk, lot_id: int, step_id: int, refusal: Refusal | None = None
) -> Response:
    """Show a line as it was written, to be written right."""
    book = _open_book(desk, lot_id)
    step = next((one for one in book.steps if one.id == step_id), None)
    if step is None:
        raise NoSuchLine(_("This lot’s diary has no such line."))
    typed = typed_of(step, book.inputs.get(step.id, []), book.suggestions)
    typed["done_by"] = book.scan.record.doers.get(step.id) or step.entered_by_name
    page = render_template(
        "traceability/correct.html",
        **_shown(desk, book, request.form if refusal else typed, refusal),
        step=step,
    )
    return make_response(page, 422 if refusal else 200)


def to_lot(desk: Desk, lot_id: int) -> Response:
    """Lead to the lot's page."""
    place = url_for("desk_lots.show", producer=desk.slug, lot=lot_id)
    return make_response(redirect(place, 303))


def _shown(
    desk: Desk, book: Book, form: Mapping[str, str], refusal: Refusal | None
) -> dict[str, object]:
    return {
        "desk": desk,
        "book": book,
        "kinds": KIND_NAMES,
        "units": UNITS,
        "labels": LABELS,
        "form": form,
        "ticked": chosen_inputs(form),
        "uid": str(uuid4()),
        "refusal": refusal,
        "today": vietnam_day(utc_now()),
    }


def _open_book(desk: Desk, lot_id: int) -> Book:
    with reading() as session:
        opened = lot_book.get_lot(session, lot_id, desk.producer_id)
        code = find_lot_code(session, lot_id)
    if code is None:
        with transaction() as session:
            code = ensure_lot_code(session, opened.lot, now=utc_now())
    with reading() as session:
        return _read_book(session, desk, opened, code)


def _read_book(session: Session, desk: Desk, opened: Opened, code: str) -> Book:
    found = scan.find_scan(session, code, typed=None, now=utc_now())
    if found is None:
        raise lot_book.NoSuchLot
    inputs = {
        step.id: keeping.inputs_of(session, step)
        for step in found.steps
        if step.kind in keeping.LINKING
    }
    used = sorted({one.lot_id for some in inputs.values() for one in some})
    return Book(
        opened,
        found,
        diary_templates.steps_for(opened.product.motif, opened.product.group),
        input_lots.list_choices(session, opened.lot, desk.producer_id, also=used),
        inputs,
        code,
    )
