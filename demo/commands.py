"""`flask demo load`: the village in which everything can be tried."""

import json
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import exists, select

from catalog.products import Product
from core import migrations
from core.clock import utc_now
from core.db import Database
from core.settings import Settings
from demo import bulk, gifts, live, people, report, sample, village
from livestream.feeds import feeds, jobs
from livestream.feeds.feeds import Channel

demo = AppGroup("demo", help="The demo village: real goods, and one sample co-operative.")


@demo.command("load")
@click.option(
    "--products",
    default=0,
    type=click.IntRange(0, 1_000_000),
    metavar="N",
    help="Make the shop hold N generated products besides, marked synthetic.",
)
@click.option(
    "--if-empty",
    is_flag=True,
    help="Only into an empty shop on this machine; leave every other alone.",
)
@click.option("--upgrade", is_flag=True, help="Bring the schema to the newest migration first.")
@click.option("--json", "as_json", is_flag=True, help="Print addresses and log-ins as JSON.")
def load(products: int, *, if_empty: bool, upgrade: bool, as_json: bool) -> None:
    """Load the demo village; running it twice changes nothing."""
    settings: Settings = current_app.config["SETTINGS"]
    database = Database(settings.DATABASE_URL, role="job")
    try:
        if upgrade:
            migrations.upgrade(database)
        with database.reading() as session:
            loaded = village.is_loaded(session)
            own_shop = not loaded and session.scalar(select(exists().select_from(Product)))
        if if_empty and not loaded and (own_shop or not _for_trying(settings)):
            _print({}, as_json=as_json)
            return
        if not loaded:
            _load_village(database, settings.PUBLIC_URL)
        if products:
            with database.transaction() as session:
                bulk.add_synthetic(session, products, now=utc_now())
        with database.reading() as session:
            offers = report.describe(session, settings.PUBLIC_URL)
    finally:
        database.close()
    _print(offers, as_json=as_json)


def _for_trying(settings: Settings) -> bool:
    """Say whether this is a shop on somebody's own machine.

    The demo's passwords are printed in its source: they never open a shop that others reach.
    """
    return urlsplit(settings.PUBLIC_URL).hostname in {"127.0.0.1", "localhost", "::1"}


def _print(offers: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(offers, ensure_ascii=False))
        return
    for login in offers.get("logins", ()):
        click.echo(f"{login['role']:<10} {login['user']:<32} {login['password']}")


def _load_village(database: Database, base: str) -> None:
    hashes = people.hash_passwords()
    with database.transaction() as session:
        # Asked again under the write lock: of two loads at once, one must find the other's work.
        if village.is_loaded(session):
            return
        now = utc_now()
        village.load(session, now=now)
        producer = sample.load(session, base=base, now=now)
        live.load(session, producer, now=now)
        gifts.load(session, producer, now=now)
        people.add(session, hashes, producer=producer, commune_code=sample.COMMUNE, now=now)
        for channel in Channel:
            jobs.ask_for_build(session, feeds.ensure_feed(session, channel).id, now=now)
