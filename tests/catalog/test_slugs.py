"""An address once printed leads to the goods for ever."""

from sqlalchemy.orm import Session

from catalog import producers, products
from catalog.slugs import find_new_slug
from tests.conftest import NOON
from tests.factories import a_listed_product, a_producer


def test_every_old_address_leads_straight_to_todays(session: Session) -> None:
    tea = a_listed_product(session, "Chè một")
    products.rename(session, tea, "Chè hai", now=NOON)
    products.rename(session, tea, "Chè ba", now=NOON)

    assert find_new_slug(session, "product", "che-mot") == "che-ba"
    assert find_new_slug(session, "product", "che-hai") == "che-ba"


def test_going_back_to_an_old_name_makes_no_circle(session: Session) -> None:
    tea = a_listed_product(session, "Chè một")
    first = tea.slug
    products.rename(session, tea, "Chè hai", now=NOON)
    products.rename(session, tea, "Chè một", now=NOON)

    assert find_new_slug(session, "product", tea.slug) is None
    assert find_new_slug(session, "product", "che-hai") == tea.slug
    assert tea.slug in {first, "che-mot-2"}
    assert find_new_slug(session, "product", first) in {None, tea.slug}


def test_new_goods_never_take_an_address_that_leads_elsewhere(session: Session) -> None:
    tea = a_listed_product(session, "Chè một")
    products.rename(session, tea, "Chè hai", now=NOON)

    other = a_listed_product(session, "Chè một")

    assert other.slug != "che-mot"
    assert find_new_slug(session, "product", "che-mot") == "che-hai"


def test_namesakes_are_told_apart_by_their_maker(session: Session) -> None:
    maker = a_producer(session, name="HTX Ba Chữ")
    a_listed_product(session, "Cà chua")

    second = a_listed_product(session, "Cà chua", producer=maker)
    third = a_listed_product(session, "Cà chua", producer=maker)

    assert (second.slug, third.slug) == ("ca-chua-htx-ba-chu", "ca-chua-2")


def test_a_maker_keeps_its_old_address_too(session: Session) -> None:
    maker = a_producer(session, name="Tổ Một")
    producers.rename(session, maker, "HTX Hai", now=NOON)

    assert find_new_slug(session, "producer", "to-mot") == maker.slug == "htx-hai"
