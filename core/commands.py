"""`flask worker`, `flask backup …` and `flask storage …`."""

import json
import signal
import threading
from dataclasses import asdict
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from core import backup, moving
from core.clock import utc_now
from core.web.background import runner_for, standalone_worker


@click.command("worker")
@click.option("--once", is_flag=True, help="Run what is due now, then end.")
@click.option("--threads", default=2, show_default=True, help="Tasks at the same time.")
@with_appcontext
def worker(*, once: bool, threads: int) -> None:
    """Run due background work until SIGTERM or Ctrl-C; any number of these may run."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if once:
        runner = runner_for(app)
        click.echo(f"ran {runner.run_due()}")
        runner.database.close()
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    running = standalone_worker(app, threads=threads)
    running.start()
    stopping.wait()
    running.stop()


backup_commands = AppGroup("backup", help="The whole shop in one file: database and media.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")


@backup_commands.command("create")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_as_json
def create(*, file: Path, as_json: bool) -> None:
    """Write a backup to FILE while the shop runs; FILE is replaced only by a complete one."""
    extensions = current_app.extensions
    report = backup.create(extensions["database"], extensions["storage"], file, now=utc_now())
    _show(report, as_json=as_json)


@backup_commands.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Overwrite a database that is not empty.")
@click.option("--digest", help="Refuse any file but the one with this digest.")
@_as_json
def restore(*, file: Path, replace: bool, digest: str | None, as_json: bool) -> None:
    """Bring back FILE, all of it or nothing, into an empty database (either kind)."""
    extensions = current_app.extensions
    try:
        report = backup.restore(
            extensions["database"], extensions["storage"], file, replace=replace, digest=digest
        )
    except backup.BackupRefused as refusal:
        raise click.ClickException(str(refusal)) from refusal
    _show(report, as_json=as_json)


storage_commands = AppGroup("storage", help="Where the shop's files lie.")


@storage_commands.command("move")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--forget", is_flag=True, help="Delete each file here once the bucket holds it.")
@_as_json
def move(*, folder: Path | None, forget: bool, as_json: bool) -> None:
    """Bring the files of FOLDER (by default STORAGE_DIR) into the bucket of S3_BUCKET.

    Stopped and started again it goes on where it was; the shop may run meanwhile.
    """
    settings = current_app.config["SETTINGS"]
    if not settings.S3_BUCKET:
        raise click.ClickException("set S3_BUCKET (and S3_ENDPOINT_URL) first")
    moved = moving.move(
        folder or Path(settings.STORAGE_DIR),
        current_app.extensions["storage"],
        forget=forget,
        tell=(lambda _key: None) if as_json else click.echo,
    )
    if as_json:
        click.echo(json.dumps(asdict(moved)))
        return
    click.echo(f"{moved.sent} files sent ({moved.size} bytes), {moved.there} were there already")


def _show(report: backup.Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    click.echo(f"{report.rows} rows and {report.files} files of {report.made_at}")
    click.echo(f"digest {report.digest}")
