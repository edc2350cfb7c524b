"""Channels learn a sale price with its time, and never a former price that was not true."""

from datetime import timedelta

from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import prices, sales
from core.money import Money
from livestream.feeds.items import FeedItem, each_item
from livestream.feeds.meta import COLUMNS, row
from tests.conftest import NOON
from tests.factories import a_listed_product, a_variant
from tests.livestream.test_feeds import AROUND


def item_on_sale(session: Session, *, days: int) -> FeedItem:
    """Honey on sale for a day, that was sold for so many days before."""
    since = NOON - timedelta(days=days)
    product = a_listed_product(session, "Mật ong hoa nhãn", now=since)
    product.live_since = since
    honey = a_variant(session, product=product, price=200_000)
    prices.note(session, honey.id, Money(200_000), at=since)
    sales.set_sale(
        session,
        honey,
        price=Money(150_000),
        starts_at=None,
        ends_at=NOON + timedelta(days=1),
        cap=None,
        actor=Actor(None, "Chị Hoa"),
        now=NOON,
    )
    [item] = each_item(session, now=NOON)
    return item


def test_a_true_sale_has_both_prices_and_its_time(session: Session) -> None:
    written, _problems = row(item_on_sale(session, days=30), AROUND)

    assert written is not None
    assert {"sale_price", "sale_price_effective_date"} <= set(COLUMNS)
    assert (written["price"], written["sale_price"]) == ("200000 VND", "150000 VND")
    assert written["sale_price_effective_date"] == "2026-11-25T12:00+07:00/2026-11-26T12:00+07:00"


def test_without_a_true_former_price_the_sale_price_stands_alone(session: Session) -> None:
    written, _problems = row(item_on_sale(session, days=2), AROUND)

    assert written is not None
    assert (written["price"], written["sale_price"], written["sale_price_effective_date"]) == (
        "150000 VND",
        "",
        "",
    )
