"""Goods from a spreadsheet: sent, columns looked at, looked through, written; and back out."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage

from catalog.desk import Desk, desk_view
from catalog.goods_sheets import files, reading, runs
from catalog.goods_sheets.columns import COLUMNS
from catalog.goods_sheets.photos import opened
from catalog.goods_sheets.runs import GoodsImport, ImportState, NotSoNow, Sent
from core import sheets
from core.clock import utc_now
from core.errors import Invalid
from core.sheets import BadSheet
from core.storage import PRIVATE
from core.web.media import storage
from core.web.requests import database, transaction
from core.web.requests import reading as reading_session
from core.web.uploads import takes_files

blueprint = Blueprint("desk_sheets", __name__, url_prefix="/ban-hang/<producer>/hang/bang-tinh")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_NAME = 100


@blueprint.get("")
@desk_view
def index(desk: Desk) -> Response:
    """Ask for a sheet; show the last ones, and what can be taken away."""
    return _form(desk)


@blueprint.post("")
@desk_view
@takes_files
def send(desk: Desk) -> Response:
    """Keep a sheet, and the zip of photos beside it, and go on to its columns."""
    try:
        sent = _sent(desk)
    except Invalid as refusal:
        return _form(desk, mistake=(refusal.field or "file", str(refusal.message)))
    with transaction() as session:
        found = runs.open_import(session, desk.producer_id, sent, actor=desk.actor, now=utc_now())
    return _see(desk, found.id)


@blueprint.get("/<int:import_id>")
@desk_view
def show(desk: Desk, import_id: int) -> Response:
    """Show where a sheet is; while the background works the page looks again by itself."""
    return _page(desk, import_id)


@blueprint.post("/<int:import_id>/xem-thu")
@desk_view
def check(desk: Desk, import_id: int) -> Response:
    """Take the columns as chosen and look every row through."""
    try:
        with transaction() as session:
            sheet = runs.get_import(session, desk.producer_id, import_id)
            chosen = [request.form.get(f"column-{n}") for n in range(len(sheet.columns))]
            runs.check(session, sheet, chosen, now=utc_now())
    except NotSoNow:
        return _see(desk, import_id)
    except Invalid as refusal:
        return _page(desk, import_id, chosen=chosen, mistake=str(refusal.message))
    return _see(desk, import_id)


@blueprint.post("/<int:import_id>/nhap")
@desk_view
def write(desk: Desk, import_id: int) -> Response:
    """Write the rows that can be taken."""
    with transaction() as session:
        sheet = runs.get_import(session, desk.producer_id, import_id)
        runs.write(session, sheet, actor=desk.actor, now=utc_now())
    return _see(desk, import_id)


@blueprint.post("/<int:import_id>/thoi")
@desk_view
def cancel(desk: Desk, import_id: int) -> Response:
    """Go no further with a sheet."""
    with transaction() as session:
        sheet = runs.get_import(session, desk.producer_id, import_id)
        runs.cancel(session, sheet, actor=desk.actor, now=utc_now())
    return _see(desk, import_id)


@blueprint.get("/<int:import_id>/loi.xlsx")
@desk_view
def faults(desk: Desk, import_id: int) -> Response:
    """Give back the rows with something to say, as they were sent, that said in a last column."""
    with reading_session() as session:
        sheet = runs.get_import(session, desk.producer_id, import_id)
        rows = runs.list_rows(session, sheet.id)
    read = reading.read(storage().read(sheet.file_key))
    return _xlsx(files.with_faults(read, rows), "dong-co-loi")


@blueprint.get("/mau.xlsx")
@desk_view
def pattern(desk: Desk) -> Response:  # noqa: ARG001 - the desk says who may
    """Give the file to fill in."""
    return _xlsx(files.pattern(), "mau-nhap-hang")


@blueprint.get("/tat-ca.xlsx")
@desk_view
def all_goods(desk: Desk) -> Response:
    """Give all goods as a spreadsheet."""
    with database().reading() as session:
        return _xlsx(files.goods_rows(session, desk.producer_id), f"hang-{desk.slug}")


@blueprint.get("/tat-ca.csv")
@desk_view
def all_goods_csv(desk: Desk) -> Response:
    """Give all goods as CSV, row by row."""
    producer_id, session_of = desk.producer_id, database().reading

    def lines() -> Iterator[bytes]:
        yield b"\xef\xbb\xbf"
        with session_of() as session:
            for row in files.goods_rows(session, producer_id):
                yield sheets.csv_lines([row])

    response = Response(lines(), content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"hang-{desk.slug}.csv")
    return response


def _sent(desk: Desk) -> Sent:
    data, name = _file("file")
    read = reading.read(data)
    zipped, _name = _file("pictures")
    key = None
    if zipped:
        with tempfile.TemporaryFile() as aside:
            aside.write(zipped)
            with opened(aside):
                key = _kept(desk, zipped, "zip")
    ending = "xlsx" if data.startswith(b"PK") else "csv"
    return Sent(
        file_key=_kept(desk, data, ending),
        file_name=name[:LONGEST_NAME],
        pictures_key=key,
        headings_at=read.headings_at,
        columns=read.columns,
        rows=len(read.rows),
    )


def _file(field: str) -> tuple[bytes, str]:
    sent: FileStorage | None = request.files.get(field)
    if sent is None or not sent.filename:
        return b"", ""
    with closing(sent):
        return sent.read(), sent.filename


def _kept(desk: Desk, data: bytes, ending: str) -> str:
    key = f"{PRIVATE}bang-tinh/{desk.producer_id}-{sha256(data).hexdigest()[:32]}.{ending}"
    storage().put(key, data)
    return key


def _form(desk: Desk, *, mistake: tuple[str, str] | None = None) -> Response:
    with reading_session() as session:
        last = runs.list_imports(session, desk.producer_id)
    page = render_template("catalog/sheets.html", desk=desk, last=last, mistake=mistake)
    return make_response(page, 422 if mistake else 200)


def _page(
    desk: Desk,
    import_id: int,
    *,
    chosen: Sequence[str | None] | None = None,
    mistake: str | None = None,
) -> Response:
    with reading_session() as session:
        sheet = runs.get_import(session, desk.producer_id, import_id)
        rows = runs.list_rows(session, sheet.id, limit=runs.PROBLEMS_SHOWN)
    page = render_template(
        "catalog/sheet.html",
        desk=desk,
        sheet=sheet,
        rows=rows,
        columns=COLUMNS,
        mistake=mistake,
        **_columns_to_choose(sheet, chosen),
    )
    return make_response(page, 422 if mistake else 200)


def _columns_to_choose(
    sheet: GoodsImport, chosen: Sequence[str | None] | None
) -> dict[str, object]:
    if sheet.state not in {ImportState.COLUMNS, ImportState.CHECKED, ImportState.FAILED}:
        return {"read": None, "chosen": []}
    try:
        read = reading.read(storage().read(sheet.file_key))
    except BadSheet:
        return {"read": None, "chosen": []}
    return {"read": read, "chosen": list(chosen or sheet.columns)}


def _see(desk: Desk, import_id: int) -> Response:
    where = url_for("desk_sheets.show", producer=desk.slug, import_id=import_id)
    return make_response(redirect(where, 303))


def _xlsx(rows: Iterator[list[str]], name: str) -> Response:
    with tempfile.TemporaryFile() as aside:
        sheets.write_xlsx(rows, aside, name=name)
        aside.seek(0)
        response = make_response(aside.read())
    response.mimetype = XLSX
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.xlsx")
    return response
