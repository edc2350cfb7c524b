"""At the end of a certificate everything it proved goes by itself, at midnight in Vietnam."""

import csv
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.certificates import Certificate, PaperKind
from catalog.listing import Filters, Order, find_page
from catalog.variants import Variant
from core.clock import utc_now
from core.db import Database
from core.tasks import Task
from livestream.feeds import feeds, jobs
from livestream.feeds.building import write_files
from livestream.feeds.feeds import Channel
from tests.factories import a_listed_product, a_lot, a_star
from traceability import trace_codes
from traceability.labels import content

# The certificate of 25 November 2023 counts for 36 months: its last day is 24 November 2026.
MIDNIGHT = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
BEFORE, AFTER = MIDNIGHT - timedelta(seconds=10), MIDNIGHT + timedelta(seconds=10)


class Shelf:
    """One product with four stars and a lot, and every place that shows the stars."""

    def __init__(self, app: Flask, database: Database, folder: Path) -> None:
        self.app, self.database, self.folder = app, database, folder
        with database.transaction() as session:
            product = a_listed_product(session, "Mật ong bạc hà", price=165_000)
            product.description = "Mật của vùng núi đá. Đạt OCOP 4 sao năm 2023."
            a_star(session, product, stars=4, issued=date(2023, 11, 25))
            variant = session.scalars(select(Variant)).one()
            lot = a_lot(session, variant)
            # Not sold, so in no file; three stars that go on.
            other = a_listed_product(session, "Trà lài")
            a_star(session, other, stars=3, issued=date(2025, 11, 25))
            self.slug, self.product_id, self.lot_id = product.slug, product.id, lot.id
            self.code = trace_codes.ensure_lot_code(session, lot, now=BEFORE)

    def shows_stars(self, moment: datetime, visitor: FlaskClient) -> dict[str, bool]:
        """Say of each place whether it shows the stars at that moment."""
        with time_machine.travel(moment, tick=False):
            scan = visitor.get(f"/truy-xuat/{self.code}").text
            page = visitor.get(f"/san-pham/{self.slug}").text
            cards = visitor.get("/san-pham").text
            fed = self.fed()
            with self.database.transaction() as session:
                label = content.content_of(session, self.lot_id, now=moment)
                first = self.first_by_stars(session, moment)
            return {
                "product": 'class="sao"' in page,
                "JSON-LD": re.search(r'"award":\s*"OCOP 4 sao"', page) is not None,
                "cards": 'class="nhat">OCOP 4 sao' in cards,
                "filter": self.slug in visitor.get("/san-pham?sao=4").text,
                "ranking": first == self.product_id,
                "scan": 'class="sao"' in scan,
                "program": visitor.get(f"/api/v1/products/{self.slug}").get_json()["stars"] == 4,
                "tag": "ocop-4" in fed["product_tags[0]"],
                "channel's label": fed["custom_label_0"] == "ocop-4",
                "words": "4 sao" in fed["description"],
                "printed label": label.stars == 4,
            }

    def first_by_stars(self, session: Session, moment: datetime) -> int:
        """The first of all goods when those with most stars come first."""
        found, _more = find_page(session, Filters(order=Order.STARS), after=None, now=moment)
        return found[0].id

    def fed(self) -> dict[str, str]:
        """Build the channel's file now and return its row."""
        around = jobs.surroundings(self.app.config["SETTINGS"], now=utc_now())
        with self.app.test_request_context(), self.database.reading() as session:
            built = write_files(session, self.folder, "meta", around=around)
        [row] = csv.DictReader(StringIO(built.file.read_text("utf-8")))
        return row


@pytest.fixture
def shelf(app: Flask, database: Database, tmp_path: Path) -> Shelf:
    """The product."""
    return Shelf(app, database, tmp_path / "feeds")


def test_stars_go_everywhere_at_midnight_in_vietnam(shelf: Shelf, visitor: FlaskClient) -> None:
    before = shelf.shows_stars(BEFORE, visitor)
    after = shelf.shows_stars(AFTER, visitor)

    assert before == dict.fromkeys(before, True)
    assert after == dict.fromkeys(after, False)


def test_food_without_a_safety_paper_leaves_the_feed_at_midnight(
    shelf: Shelf, visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        session.add(
            Certificate(
                product_id=shelf.product_id,
                kind=PaperKind.FOOD_SAFETY,
                issued_on=date(2023, 11, 25),
                expires_on=date(2026, 11, 25),
            )
        )

    with time_machine.travel(BEFORE, tick=False):
        assert shelf.fed()["id"]
    with time_machine.travel(AFTER, tick=False), pytest.raises(ValueError, match="not enough"):
        shelf.fed()


def test_files_of_channels_are_built_once_right_after_midnight(
    shelf: Shelf, database: Database
) -> None:
    with database.transaction() as session:
        feeds.ensure_feed(session, Channel.META).built_at = BEFORE

    jobs.ask_on_new_day(database, BEFORE)
    for seconds in (0, 60):
        jobs.ask_on_new_day(database, AFTER + timedelta(seconds=seconds))

    with database.reading() as session:
        asked = session.scalars(select(Task).where(Task.kind == jobs.BUILD)).all()
    assert [one.run_at for one in asked] == [AFTER]
