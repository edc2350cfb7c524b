"""`flask labels …`: sheets of labels as files."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.lots import Lot
from core.clock import utc_now
from core.db import Database
from core.errors import Refusal
from core.settings import Settings
from traceability import serials
from traceability.labels import content, files, runs
from traceability.labels.geometry import smallest_module
from traceability.labels.presets import PRESETS, get_preset
from traceability.labels.printing import LEVELS, Form, Print, title
from traceability.labels.runs import Wish

labels = AppGroup("labels", help="Labels with the QR of a lot or of each package.")
COMMAND = Actor(None, "flask labels sheet")
_as_json = click.option("--json", "as_json", is_flag=True, help="print JSON alone")


@labels.command("presets")
@_as_json
def presets(as_json: bool) -> None:
    """List the sheets and rolls that --preset names."""
    rows = [
        {
            "name": sheet.name,
            "labels": sheet.per_page,
            "width_mm": sheet.label_width,
            "height_mm": sheet.label_height,
            "dpi": sheet.dpi,
            "smallest_module_mm": round(smallest_module(sheet), 4),
        }
        for sheet in PRESETS.values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for sheet in PRESETS.values():
        click.echo(f"{sheet.name}: {title(sheet)}")


@labels.command("sheet")
@click.option("--lot", "typed", required=True, help="number, public code or code of the lot")
@click.option("--preset", default="a4-65", show_default=True, help="see `flask labels presets`")
@click.option("--count", type=int, help="how many labels; a whole page if not told")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.pdf, FILE.svg (several pages: FILE-2.svg …) or FILE.zpl",
)
@click.option("--serials", "with_serials", is_flag=True, help="a new serial for every label")
@click.option("--serial-run", type=int, help="print the serials of this run, made before")
@click.option("--level", type=click.Choice(LEVELS), default="M", help="Q for rough packs")
@click.option("--first", type=int, default=1, help="number of the first label on the first page")
@_as_json
def sheet(
    *,
    typed: str,
    preset: str,
    count: int | None,
    out: Path,
    with_serials: bool,
    serial_run: int | None,
    level: str,
    first: int,
    as_json: bool,
) -> None:
    """Write labels of a lot into a file. What cannot be printed well is refused, exit code 1."""
    try:
        form = _form(out)
        chosen = get_preset(preset)
        wish = Wish(
            chosen,
            form,
            chosen.per_page - first + 1 if count is None else count,
            "Q" if level == "Q" else "M",
            first - 1,
            with_serials,
            serial_run,
        )
        with _database().transaction() as session:
            lot = _lot(session, typed)
            job, run_id = _prepared(session, lot, wish)
        written = _write(job, form, out)
    except Refusal as refusal:
        _refuse(str(refusal.message), as_json=as_json)
    except OSError as error:
        _refuse(f"{out}: {error.strerror}", as_json=as_json)
    _tell(job, form, written, run_id, as_json=as_json)


def _form(out: Path) -> Form:
    try:
        return Form(out.suffix.lower().removeprefix("."))
    except ValueError:
        message = "the file's name ends with .pdf, .svg or .zpl"
        raise click.UsageError(message) from None


def _lot(session: Session, typed: str) -> Lot:
    found = content.find_lots(session, typed)
    if not found:
        raise content.NoSuchLotToLabel(f"there is no lot {typed}")
    named_by_number = typed.isdigit() and found[0] == int(typed)
    if len(found) > 1 and not named_by_number:
        message = (
            f"several lots are called {typed}: name one by its number, {found[0]} or {found[1]}"
        )
        raise content.NoSuchLotToLabel(message)
    return session.get_one(Lot, found[0])


def _prepared(session: Session, lot: Lot, wish: Wish) -> tuple[Print, int | None]:
    """Return the print with its real serials; those of a new run are made now."""
    now = utc_now()
    job = runs.check(
        session, lot.id, wish, base=_settings().PUBLIC_URL, now=now, others=list(PRESETS.values())
    )
    run_id = wish.serial_run_id
    if wish.with_serials and run_id is None:
        is_sample = job.content.is_sample
        made = serials.make(session, lot, job.count, now=now, actor=COMMAND, is_sample=is_sample)
        run_id = session.get_one(serials.Serial, made[0]).run_id
    if run_id is None:
        return job, None
    return replace(job, serials=serials.list_of_run(session, run_id)), run_id


def _write(job: Print, form: Form, out: Path) -> list[Path]:
    """Write the file, or a drawing a page; a file that could not be ended is not left behind."""
    parts = files.draw_parts(job, form)
    if form is not Form.SVG:
        aside = out.with_name(f".{out.name}.half")
        try:
            files.bind(job, form, parts, aside)
            aside.replace(out)
        finally:
            aside.unlink(missing_ok=True)
        return [out]
    written: list[Path] = []
    for number, part in enumerate(parts, start=1):
        path = out if number == 1 else out.with_stem(f"{out.stem}-{number}")
        path.write_bytes(part)
        written.append(path)
    return written


def _tell(
    job: Print, form: Form, written: list[Path], run_id: int | None, *, as_json: bool
) -> None:
    if as_json:
        facts: dict[str, Any] = {
            "ok": True,
            "files": [str(path) for path in written],
            "form": form.value,
            "preset": job.sheet.name,
            "count": job.count,
            "pages": job.pages,
            "level": job.level,
            "modules": job.layout.modules,
            "module_mm": round(job.layout.module, 4),
            "code_mm": round(job.layout.side, 2),
            "address": job.label(0).address,
            "serial_run": run_id,
            "stars": job.content.stars,
        }
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(
        f"{job.count} labels on {job.pages} pages, QR {job.layout.side:.1f} mm"
        f" (module {job.layout.module:.3f} mm): {', '.join(str(path) for path in written)}"
    )
    if run_id is not None:
        click.echo(f"serial run {run_id}")


def _refuse(sentence: str, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"ok": False, "error": sentence}, ensure_ascii=False))
    click.echo(sentence, err=True)
    sys.exit(1)


def _database() -> Database:
    found: Database = current_app.extensions["database"]
    return found


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found
