"""`flask feeds …` and `flask live …`."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from catalog import producers
from core.clock import utc_now
from core.errors import Refusal
from livestream import replay
from livestream.feeds import building, feeds, jobs
from livestream.feeds.feeds import Channel
from livestream.parsing import ShowCodes
from livestream.parsing.lines import parse_lines

feed_commands = AppGroup("feeds", help="Catalogue files for sales channels.")
live_commands = AppGroup("live", help="Live shows.")


@feed_commands.command("build")
@click.option("--channel", type=click.Choice([channel.value for channel in Channel]))
@click.option("--producer", help="only this producer's goods (slug)")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="write here instead")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON alone")
def build(channel: str | None, producer: str | None, out: Path | None, *, as_json: bool) -> None:
    """Build feed files: the served ones, or into a folder with --out."""
    del channel  # one channel so far; the option is part of the interface
    database = current_app.extensions["database"]
    settings = current_app.config["SETTINGS"]
    around = jobs.surroundings(settings, now=utc_now())
    if out is not None:
        with database.reading() as session:
            owner = _owner(session, producer)
            built = building.write_files(session, out, "meta", around=around, producer_id=owner)
        building.write_manifest(out, [built])
        _report(built.report.to_json(), as_json=as_json)
        return
    with database.transaction() as session:
        owner = _owner(session, producer)
        feed_id = feeds.ensure_feed(session, Channel.META, producer_id=owner).id
    try:
        placed = feeds.rebuild(database, feed_id, jobs.folder_of(settings), around=around)
    except Refusal as refusal:
        raise click.ClickException(str(refusal.message)) from refusal
    with database.reading() as session:
        feed = session.get_one(feeds.Feed, feed_id)
    if not placed:
        raise click.ClickException(str(feed.alarm))
    _report(feed.report, as_json=as_json)


def _owner(session: Session, slug: str | None) -> int | None:
    try:
        return producers.get_by_slug(session, slug).id if slug else None
    except Refusal as refusal:
        raise click.ClickException(f"{slug}: {refusal.message}") from refusal


@feed_commands.command("check")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON alone")
def check(*, as_json: bool) -> None:
    """Report what each feed left out and why, as of its last build."""
    with current_app.extensions["database"].reading() as session:
        found = feeds.list_feeds(session)
    if as_json:
        click.echo(json.dumps([feed.report for feed in found], ensure_ascii=False))
        return
    for feed in found:
        _report(feed.report, as_json=False)


def _report(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    if not report:
        click.echo("not built yet")
        return
    click.echo(
        f"{report['channel']}: {report['rows']} rows, {report['left_out']} left out, "
        f"{report['warned']} warned, {report['size']} bytes"
    )
    for rule, count in sorted(report["by_rule"].items()):
        click.echo(f"  {count:6} × {rule}")


@live_commands.command("parse")
@click.option("--sessions", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--in", "source", type=click.File("r", encoding="utf-8"), default="-")
@click.option("--out", "target", type=click.File("w", encoding="utf-8"), default="-")
def parse(sessions: Path, source: Any, target: Any) -> None:
    """Read comments as JSON lines; write for each what the shop understands, in the same order."""
    try:
        described = json.loads(sessions.read_text("utf-8"))
        codes = {name: ShowCodes.from_json(value) for name, value in described.items()}
    except (Refusal, ValueError, LookupError, TypeError, AttributeError) as error:
        message = f"{sessions}: not a description of shows ({error})"
        raise click.ClickException(message) from error
    try:
        parse_lines(source, target, codes)
    except Refusal as refusal:
        raise click.ClickException(str(refusal.message)) from refusal


@live_commands.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--show", "slug", required=True, help="address of the show")
@click.option("--speed", type=click.FloatRange(min=0), default=1, help="0: as fast as possible")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON alone")
def replay_file(file: Path, slug: str, speed: float, *, as_json: bool) -> None:
    """Play a recorded stream into a show."""
    database = current_app.extensions["database"]
    try:
        played = replay.play(
            database, slug, replay.read_recording(file), speed=speed, pause=time.sleep
        )
    except Refusal as refusal:
        raise click.ClickException(str(refusal.message)) from refusal
    result = {
        "events": played.events,
        "comments": played.comments,
        "repeated": played.repeated,
        "lanes": dict(played.by_lane),
    }
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else _sentence(result))
    sys.stdout.flush()


def _sentence(result: dict[str, Any]) -> str:
    lanes = ", ".join(f"{lane} {count}" for lane, count in sorted(result["lanes"].items()))
    return (
        f"{result['events']} events, {result['comments']} comments ({lanes}), "
        f"{result['repeated']} delivered again"
    )
