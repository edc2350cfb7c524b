"""One sheet on its way into the shop: columns chosen, looked through, then written, row by row."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.goods_sheets.columns import COLUMNS
from catalog.goods_sheets.writing import Outcome
from core import tasks
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import language
from core.i18n import lazy as _
from core.sheets import Limits

WORK = "goods.import"
LIMITS = Limits(megabytes=20, rows=10_001, columns=60)
SHOWN = 20
PROBLEMS_SHOWN = 200

describe(
    {
        "goods.imported": _("took in goods from a sheet"),
        "goods.import_cancelled": _("stopped taking in a sheet"),
    }
)


class ImportState(enum.StrEnum):
    """columns → checking → checked → writing → done; cancelled or failed on the way."""

    COLUMNS = "columns"
    CHECKING = "checking"
    CHECKED = "checked"
    WRITING = "writing"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


_MOVING = frozenset({ImportState.CHECKING, ImportState.WRITING})


class NoSuchImport(NotFound):
    """This producer sent no such sheet."""


class NoNameColumn(Invalid):
    """No column holds the name of the goods."""


class SameColumnTwice(Invalid):
    """Two columns were given the same meaning."""


class NotSoNow(Conflict):
    """The sheet is not in the state that this needs."""


class GoodsImport(Base):
    """One sheet: where it lies, which column is what, how far it is and what came of it.

    `headings_at` is the row of the headings. `made_by_name` and `on_behalf_of` stand at every act.
    """

    __tablename__ = "goods_import"
    __table_args__ = (Index("ix_goods_import_producer", "producer_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"))
    state: Mapped[ImportState] = mapped_column(word(ImportState), default=ImportState.COLUMNS)
    file_key: Mapped[str]
    file_name: Mapped[str]
    pictures_key: Mapped[str | None]
    headings_at: Mapped[int]
    columns: Mapped[list[str | None]] = mapped_column(JSON)
    language: Mapped[str]
    rows: Mapped[int]
    rows_done: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    same: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    why: Mapped[str | None]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    made_by_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def is_moving(self) -> bool:
        """Say whether the background works on it."""
        return self.state in _MOVING

    @property
    def actor(self) -> Actor:
        """Return who sent the sheet, in whose name every row is written."""
        return Actor(
            self.made_by_id,
            self.made_by_name,
            on_behalf_of=self.on_behalf_of,
            scope=f"producer:{self.producer_id}",
        )


class GoodsImportRow(Base):
    """One row with something to say: refused, or taken with a remark. `told`: [column, words]."""

    __tablename__ = "goods_import_row"
    __table_args__ = (UniqueConstraint("import_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("goods_import.id", ondelete="CASCADE"))
    number: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(word(Outcome))
    told: Mapped[list[list[str]]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class Sent:
    """A sheet as it arrived."""

    file_key: str
    file_name: str
    pictures_key: str | None
    headings_at: int
    columns: Sequence[str | None]
    rows: int


def get_import(session: Session, producer_id: int, import_id: int) -> GoodsImport:
    """Return one of the producer's sheets, or raise NoSuchImport."""
    found = session.get(GoodsImport, import_id)
    if found is None or found.producer_id != producer_id:
        raise NoSuchImport(_("There is no such sheet."))
    return found


def list_imports(session: Session, producer_id: int) -> Sequence[GoodsImport]:
    """Return the producer's last sheets, the newest first."""
    return session.scalars(
        select(GoodsImport)
        .where(GoodsImport.producer_id == producer_id)
        .order_by(GoodsImport.id.desc())
        .limit(SHOWN)
    ).all()


def list_rows(
    session: Session, import_id: int, *, limit: int | None = None
) -> Sequence[GoodsImportRow]:
    """Return the rows with something to say, in the order of the sheet."""
    return session.scalars(
        select(GoodsImportRow)
        .where(GoodsImportRow.import_id == import_id)
        .order_by(GoodsImportRow.number)
        .limit(limit)
    ).all()


def open_import(
    session: Session, producer_id: int, sent: Sent, *, actor: Actor, now: datetime
) -> GoodsImport:
    """Write down a sheet that waits for its columns to be looked at."""
    found = GoodsImport(
        producer_id=producer_id,
        file_key=sent.file_key,
        file_name=sent.file_name,
        pictures_key=sent.pictures_key,
        headings_at=sent.headings_at,
        columns=list(sent.columns),
        language=language(),
        rows=sent.rows,
        made_by_id=actor.user_id,
        made_by_name=actor.name,
        on_behalf_of=actor.on_behalf_of,
        created_at=now,
    )
    session.add(found)
    session.flush()
    return found


def check(
    session: Session, sheet: GoodsImport, columns: Sequence[str | None], *, now: datetime
) -> None:
    """Take these columns and look every row through in the background; nothing is written.

    Raises NoNameColumn, SameColumnTwice or NotSoNow.
    """
    wanted = [name if name in COLUMNS else None for name in columns][: len(sheet.columns)]
    named = [name for name in wanted if name]
    if "name" not in named:
        raise NoNameColumn(_("Choose which column holds the name of the goods."), field="columns")
    for position, name in enumerate(wanted):
        if name and name in wanted[:position]:
            raise SameColumnTwice(
                _("Two columns are “%(name)s”. Leave one of them out.", name=COLUMNS[name].title),
                field=f"column-{position}",
            )
    states = {ImportState.COLUMNS, ImportState.CHECKED, ImportState.FAILED}
    _move(session, sheet, states, ImportState.CHECKING, columns=wanted, why=None)
    _begin(session, sheet, now=now)


def write(session: Session, sheet: GoodsImport, *, actor: Actor, now: datetime) -> None:
    """Write every row that can be taken, in the background; raises NotSoNow."""
    _move(session, sheet, {ImportState.CHECKED}, ImportState.WRITING)
    _begin(session, sheet, now=now)
    record(
        session, actor, "goods.imported", f"goods_import:{sheet.id}", now=now, file=sheet.file_name
    )


def cancel(session: Session, sheet: GoodsImport, *, actor: Actor, now: datetime) -> None:
    """Go no further: rows written already stay, the others are left. Raises NotSoNow."""
    states = {ImportState.COLUMNS, ImportState.CHECKED, *_MOVING}
    _move(session, sheet, states, ImportState.CANCELLED, finished_at=now)
    record(session, actor, "goods.import_cancelled", f"goods_import:{sheet.id}", now=now)


def _begin(session: Session, sheet: GoodsImport, *, now: datetime) -> None:
    """Count from the first row again and leave the work to the background."""
    for row in list_rows(session, sheet.id):
        session.delete(row)
    session.execute(
        update(GoodsImport)
        .where(GoodsImport.id == sheet.id)
        .values(rows_done=0, added=0, changed=0, same=0, refused=0, finished_at=None)
    )
    session.expire(sheet)
    tasks.enqueue(
        session,
        WORK,
        {"import_id": sheet.id, "state": sheet.state.value},
        now=now,
        key=f"{WORK}:{sheet.id}:{now.timestamp():.6f}",
    )


def _move(
    session: Session,
    sheet: GoodsImport,
    before: set[ImportState],
    after: ImportState,
    **values: object,
) -> None:
    moved = session.scalar(
        update(GoodsImport)
        .where(GoodsImport.id == sheet.id, GoodsImport.state.in_(before))
        .values(state=after, **values)
        .returning(GoodsImport.id)
        .execution_options(synchronize_session=False)
    )
    session.expire(sheet)
    if moved is None:
        raise NotSoNow(_("This sheet has moved on meanwhile. Look at it again."))
