"""Barcode numbers: the right check digit, nobody else's, and a certificate for 893."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from catalog import barcodes
from catalog.barcodes import NumberTaken
from catalog.certificates import Certificate, PaperKind, PaperState
from catalog.gtin import InvalidGtin, check_digit
from catalog.producers import Producer
from catalog.variants import NoSuchVariant, Variant
from core.clock import vietnam_day
from core.db import Database
from tests.catalog.test_desk import a_member
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_variant, later
from tests.visits import browser_of, send

VIETNAMESE = "893123456789" + check_digit("893123456789")
FOREIGN = "400638133393" + check_digit("400638133393")
EXAMPLE = "952123400001" + check_digit("952123400001")


@pytest.fixture
def house(session: Session) -> Producer:
    """A producer."""
    return a_producer(session)


@pytest.fixture
def jar(session: Session, house: Producer) -> Variant:
    """Goods of it."""
    return a_variant(session, product=a_product(session, producer=house))


def give(session: Session, house: Producer, jar: Variant, typed: str, **more: object) -> None:
    """Type a number."""
    values = {"actor": SYSTEM, "now": NOON, **more}
    barcodes.give(session, house.id, jar.id, typed, **values)  # type: ignore[arg-type]


def certify(
    session: Session, jar: Variant, state: PaperState = PaperState.IN_FORCE, *, days: int = 100
) -> None:
    """Put a certificate of GS1 Vietnam there that ends in so many days."""
    session.add(
        Certificate(
            product_id=jar.product_id,
            kind=PaperKind.GTIN,
            state=state,
            issued_on=date(2026, 1, 1),
            expires_on=vietnam_day(NOON) + timedelta(days=days),
        )
    )
    session.flush()


def test_a_number_is_kept_in_fourteen_digits_and_can_be_taken_off(
    session: Session, house: Producer, jar: Variant
) -> None:
    give(session, house, jar, f" {FOREIGN[:6]} {FOREIGN[6:]} ")
    assert jar.gtin == f"0{FOREIGN}"

    give(session, house, jar, "")

    assert jar.gtin is None


@pytest.mark.parametrize("typed", ["4006381333930", "123", "abc", "2001234567893", EXAMPLE])
def test_a_wrong_number_is_refused(
    session: Session, house: Producer, jar: Variant, typed: str
) -> None:
    with pytest.raises(InvalidGtin):
        give(session, house, jar, typed)


def test_893_needs_a_certificate_that_counts_today(
    session: Session, house: Producer, jar: Variant
) -> None:
    certify(session, jar, PaperState.WAITING)
    with pytest.raises(InvalidGtin):
        give(session, house, jar, VIETNAMESE)
    certify(session, jar)
    with pytest.raises(InvalidGtin):
        give(session, house, jar, VIETNAMESE, now=later(days=101))

    give(session, house, jar, VIETNAMESE)

    assert jar.gtin == f"0{VIETNAMESE}"


def test_one_number_names_one_thing(session: Session, house: Producer, jar: Variant) -> None:
    other = a_variant(session, product=a_product(session, producer=house), gtin=f"0{FOREIGN}")

    with pytest.raises(NumberTaken):
        give(session, house, jar, FOREIGN)

    give(session, house, other, FOREIGN)
    assert other.gtin == f"0{FOREIGN}"


def test_nobody_numbers_the_goods_of_others(session: Session, jar: Variant) -> None:
    with pytest.raises(NoSuchVariant):
        give(session, a_producer(session), jar, FOREIGN)


def test_the_desk_says_what_is_wrong_and_saves_what_is_right(
    app: Flask, database: Database
) -> None:
    with database.transaction() as session:
        house = a_producer(session, name="HTX Mật")
        jar = a_variant(session, product=a_product(session, producer=house))
        person = a_member(session, house)
    owner = browser_of(app, database, person)
    page = "/ban-hang/htx-mat/giay-to/ma-vach"

    wrong = send(owner, f"{page}/{jar.id}", page=page, gtin=VIETNAMESE)
    right = send(owner, f"{page}/{jar.id}", page=page, gtin=FOREIGN)

    assert wrong.status_code == 422
    assert "893" in wrong.text
    assert right.status_code == 303
    assert f"0{FOREIGN}" in owner.get(page).text
