"""A co-operative with honey, a lot of it and somebody at its desk, for claims about codes."""

from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_user, a_variant
from tests.visits import browser_of, send
from traceability import trace_codes

GTIN = "09520123456788"


@dataclass
class House:
    """The co-operative HTX Thử, and the browser of one of its people."""

    owner: FlaskClient
    producer_id: int
    product_id: int
    variant_id: int
    lot_id: int
    product_code: str
    lot_code: str
    address: str = "/ban-hang/htx-thu"

    @property
    def labels(self) -> str:
        """Where the labels of the lot are kept."""
        return f"{self.address}/so-lo/{self.lot_id}/tem"

    def sends(self, path: str, **form: str) -> TestResponse:
        """Send a form of the desk."""
        return send(self.owner, self.address + path, page=self.address + "/trang-cua-ma", **form)


def a_house(app: Flask, database: Database, *, gtin: str | None = GTIN) -> House:
    """Open the co-operative with a lot MAT-01 of honey."""
    with database.transaction() as session:
        producer = a_producer(session, name="HTX Thử", slug="htx-thu")
        user = a_user(session, role=Role.PRODUCER, name="Chị Hoa")
        members.add(session, producer, user, actor=SYSTEM, now=NOON)
        product = a_product(session, producer=producer, name="Mật ong", slug="mat-ong")
        variant = a_variant(session, product=product, gtin=gtin, in_stock=0)
        lot = a_lot(session, variant, code="MAT-01", in_stock=3)
        house = House(
            browser_of(app, database, None),
            producer.id,
            product.id,
            variant.id,
            lot.id,
            trace_codes.ensure_product_code(session, product.id, now=NOON),
            trace_codes.ensure_lot_code(session, lot, now=NOON),
        )
    house.owner = browser_of(app, database, user)
    return house
