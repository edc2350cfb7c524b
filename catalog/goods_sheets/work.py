"""The background's part: rows in small transactions, so that nothing waits and nothing is lost.

How far a sheet is stands in the same transaction as its rows: whoever goes on after a killed
worker begins where that one stopped. Looking through compares, and writes nothing of the goods.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import BinaryIO

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog import pictures
from catalog.goods_sheets import photos, reading, writing
from catalog.goods_sheets.lines import GoodsLine
from catalog.goods_sheets.photos import BadZip, PhotoZip
from catalog.goods_sheets.runs import GoodsImport, GoodsImportRow, ImportState
from catalog.goods_sheets.writing import Outcome
from catalog.pictures import ProductPicture
from catalog.producers import Producer
from catalog.products import Product
from catalog.typed_goods import BadValues
from core.errors import Refusal
from core.i18n import speaking
from core.intake import Original
from core.sheets import BadSheet
from core.storage import Storage
from core.tasks import Work

AT_ONCE = 20
LOOKED_AT_ONCE = 200
PIECE = 1024 * 1024


class _Stopped(Exception):  # noqa: N818 - ends a transaction whose sheet is no longer ours
    """The sheet was stopped, or another worker did these rows."""


def run(work: Work) -> None:
    """Look one sheet through, or write it, from the row where it stands."""
    import_id, state = int(work.payload["import_id"]), ImportState(work.payload["state"])
    with work.database.reading() as session:
        sheet = session.get_one(GoodsImport, import_id)
        language = sheet.language
    with speaking(language), ExitStack() as opened:
        try:
            read = reading.read(work.storage.read(sheet.file_key))
            zipped = opened.enter_context(photos.opened(_zip_of(work, sheet, opened)))
        except (BadSheet, BadZip) as refusal:
            _end(work, import_id, state, ImportState.FAILED, why=str(refusal.message))
            return
        lines = reading.goods_lines(read, sheet.columns)
        with suppress(_Stopped):
            while _next(work, import_id, state, lines, zipped):
                pass
    ended = ImportState.CHECKED if state is ImportState.CHECKING else ImportState.DONE
    _end(work, import_id, state, ended, why=None)


def _zip_of(work: Work, sheet: GoodsImport, opened: ExitStack) -> BinaryIO | None:
    """Return the zip as a file one can move about in, on disk rather than in memory."""
    if sheet.pictures_key is None:
        return None
    aside = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by `opened`
    with work.storage.open_stream(sheet.pictures_key) as stored:
        while piece := stored.read(PIECE):
            aside.write(piece)
    aside.seek(0)
    return aside


def _next(
    work: Work,
    import_id: int,
    state: ImportState,
    lines: Sequence[GoodsLine],
    zipped: PhotoZip | None,
) -> bool:
    """Do the next rows; return False when there are none left or nobody wants them any more."""
    with work.database.reading() as session:
        sheet = session.get_one(GoodsImport, import_id)
    if sheet.state is not state or sheet.rows_done >= len(lines):
        return False
    many = LOOKED_AT_ONCE if state is ImportState.CHECKING else AT_ONCE
    batch = lines[sheet.rows_done : sheet.rows_done + many]
    if state is ImportState.CHECKING:
        for line in batch:
            photos.look(zipped, line)
        with work.database.transaction() as session:
            producer = session.get_one(Producer, sheet.producer_id)
            outcomes = writing.foresee(session, producer, batch)
            return _note(session, sheet, state, batch, outcomes)
    taken = _taken(work.storage, zipped, batch)
    with work.database.transaction() as session:
        producer = session.get_one(Producer, sheet.producer_id)
        outcomes = [
            _put(session, producer, sheet, line, taken.get(line.number, []), work) for line in batch
        ]
        return _note(session, sheet, state, batch, outcomes)


def _taken(
    storage: Storage, zipped: PhotoZip | None, batch: Sequence[GoodsLine]
) -> dict[int, list[Original]]:
    return {
        line.number: photos.take(storage, zipped, line)
        for line in batch
        if line.pictures and line.can_be_taken
    }


def _put(
    session: Session,
    producer: Producer,
    sheet: GoodsImport,
    line: GoodsLine,
    originals: Sequence[Original],
    work: Work,
) -> Outcome:
    """Put one line whole or not at all, and say what became of it."""
    if not line.can_be_taken:
        return Outcome.REFUSED
    try:
        with session.begin_nested():
            outcome, product = writing.put(
                session, producer, line, actor=sheet.actor, now=work.clock()
            )
            hung = _hang(session, product, sheet, originals, work)
    except BadValues as refusal:
        for field, message in refusal.problems.items():
            line.wrong(field, message)
        return Outcome.REFUSED
    except Refusal as refusal:
        line.wrong("name", refusal.message)
        return Outcome.REFUSED
    return Outcome.CHANGED if hung and outcome is Outcome.SAME else outcome


def _hang(
    session: Session,
    product: Product,
    sheet: GoodsImport,
    originals: Sequence[Original],
    work: Work,
) -> bool:
    """Hang the photos that the goods never had; one that was taken off stays off."""
    known = set(
        session.scalars(
            select(ProductPicture.original_key).where(ProductPicture.product_id == product.id)
        )
    )
    new = [one for one in originals if one.key not in known]
    for one in new:
        pictures.add(
            session,
            product,
            one.key,
            size=(one.width, one.height),
            actor=sheet.actor,
            now=work.clock(),
        )
    return bool(new)


def _note(
    session: Session,
    sheet: GoodsImport,
    state: ImportState,
    batch: Sequence[GoodsLine],
    outcomes: Sequence[Outcome],
) -> bool:
    """Keep how far the sheet is and what is to be told of its rows; False when it was stopped."""
    count = Counter(outcomes)
    moved = session.scalar(
        update(GoodsImport)
        .where(
            GoodsImport.id == sheet.id,
            GoodsImport.state == state,
            GoodsImport.rows_done == sheet.rows_done,
        )
        .values(
            rows_done=GoodsImport.rows_done + len(batch),
            added=GoodsImport.added + count[Outcome.ADDED],
            changed=GoodsImport.changed + count[Outcome.CHANGED],
            same=GoodsImport.same + count[Outcome.SAME],
            refused=GoodsImport.refused + count[Outcome.REFUSED],
        )
        .returning(GoodsImport.id)
    )
    if moved is None:
        # Stopped, or another worker was quicker: what was written here is not to be kept.
        raise _Stopped
    session.add_all(
        GoodsImportRow(
            import_id=sheet.id,
            number=line.number,
            outcome=outcome,
            told=[[problem.column, str(problem.message)] for problem in line.problems],
        )
        for line, outcome in zip(batch, outcomes, strict=True)
        if line.problems
    )
    return True


def _end(
    work: Work, import_id: int, before: ImportState, after: ImportState, *, why: str | None
) -> None:
    with work.finishing() as session:
        session.execute(
            update(GoodsImport)
            .where(GoodsImport.id == import_id, GoodsImport.state == before)
            .values(state=after, why=why, finished_at=work.clock())
        )
