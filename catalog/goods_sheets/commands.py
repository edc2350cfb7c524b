"""`flask catalog import`: a sheet of goods from the command line, by the same way as the page."""

import json
from collections.abc import Sequence
from pathlib import Path
from time import sleep

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select

from accounts.audit import Actor
from catalog import producers
from catalog.goods_sheets import files, reading, runs
from catalog.goods_sheets.runs import WORK, GoodsImport, ImportState, Sent
from core import sheets
from core.clock import utc_now
from core.db import Database
from core.errors import Refusal
from core.storage import PRIVATE
from core.tasks import Task, TaskState
from core.web.background import runner_for

catalog = AppGroup("catalog", help="Goods from spreadsheets.")
COMMAND = Actor(None, "flask catalog import")
LOOK_AGAIN_SECONDS = 0.2


@catalog.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--producer", "slug", required=True, help="Address part of the producer's page.")
@click.option("--dry-run", is_flag=True, help="Look every row through, write nothing.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows with faults to this .xlsx, the fault in a last column.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON alone.")
def take(*, file: Path, slug: str, dry_run: bool, report: Path | None, as_json: bool) -> None:
    """Take in the goods of FILE (XLSX or CSV): rows are known by producer and code.

    Ends with 1 when a row was refused.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    database: Database = app.extensions["database"]
    data = file.read_bytes()
    try:
        read = reading.read(data)
        key = f"{PRIVATE}bang-tinh/lenh-{utc_now():%Y%m%d%H%M%S%f}{file.suffix.lower() or '.csv'}"
        app.extensions["storage"].put(key, data)
        sent = Sent(key, file.name, None, read.headings_at, read.columns, len(read.rows))
        with database.transaction() as session:
            place = producers.get_by_slug(session, slug)
            sheet = runs.open_import(session, place.id, sent, actor=COMMAND, now=utc_now())
            runs.check(session, sheet, read.columns, now=utc_now())
            import_id = sheet.id
        found = _work_off(app, database, import_id)
        if not dry_run and found.state is ImportState.CHECKED:
            with database.transaction() as session:
                sheet = session.get_one(GoodsImport, import_id)
                runs.write(session, sheet, actor=COMMAND, now=utc_now())
            found = _work_off(app, database, import_id)
    except Refusal as refusal:
        raise click.ClickException(str(refusal.message) or type(refusal).__name__) from refusal
    _tell(database, read, found, report, as_json=as_json)


def _work_off(app: Flask, database: Database, import_id: int) -> GoodsImport:
    """Do the background's part here, or wait for the worker that took it first."""
    runner = runner_for(app)
    try:
        while (sheet := _read(database, import_id)).is_moving:
            waiting = _waiting(database, import_id)
            if not any(runner.run_one_task(task_id) for task_id in waiting):
                sleep(LOOK_AGAIN_SECONDS)
        return sheet
    finally:
        runner.database.close()


def _read(database: Database, import_id: int) -> GoodsImport:
    with database.reading() as session:
        return session.get_one(GoodsImport, import_id)


def _waiting(database: Database, import_id: int) -> Sequence[int]:
    with database.reading() as session:
        return session.scalars(
            select(Task.id).where(
                Task.kind == WORK,
                Task.state == TaskState.DUE,
                Task.payload["import_id"].as_integer() == import_id,
            )
        ).all()


def _tell(
    database: Database,
    read: reading.ReadSheet,
    sheet: GoodsImport,
    report: Path | None,
    *,
    as_json: bool,
) -> None:
    with database.reading() as session:
        rows = runs.list_rows(session, sheet.id)
    told = {
        "state": sheet.state.value,
        "rows": sheet.rows,
        "added": sheet.added,
        "changed": sheet.changed,
        "same": sheet.same,
        "refused": sheet.refused,
    }
    if as_json:
        problems = [{"row": row.number, "told": row.told} for row in rows]
        click.echo(json.dumps({**told, "problems": problems}, ensure_ascii=False))
    else:
        click.echo(", ".join(f"{name} {value}" for name, value in told.items()))
        for row in rows:
            click.echo(f"row {row.number}: " + "; ".join(f"{c}: {words}" for c, words in row.told))
    if report is not None:
        with report.open("wb") as file:
            sheets.write_xlsx(files.with_faults(read, rows), file, name="loi")
    if sheet.refused or sheet.state is ImportState.FAILED:
        raise click.exceptions.Exit(1)
