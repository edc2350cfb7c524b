"""What is passed on: a card with the words of the page, and words for the village's group."""

import re
from io import BytesIO

from flask.testing import FlaskClient
from PIL import Image

from catalog import villages
from core import share_picture
from core.db import Database
from core.share_picture import ShareCard
from shop.sharing import PICTURES
from tests.factories import a_commune, a_listed_product, a_producer, a_star


def card_of(page: str) -> str:
    found = re.search(r'og:image" content="https?://[^/]+([^"]+)"', page)
    assert found is not None
    return found.group(1)


def test_a_product_is_passed_on_with_its_price_stars_and_address(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        maker = a_producer(session, name="HTX Ong Vàng")
        product = a_listed_product(session, "Mật ong nhãn", price=165_000, producer=maker)
        a_star(session, product, 4)
        slug = product.slug

    page = visitor.get(f"/san-pham/{slug}").text
    picture = visitor.get(card_of(page))

    words = re.search(r"<textarea[^>]*>([^<]*)</textarea>", page)
    assert words is not None
    assert "Mật ong nhãn – HTX Ong Vàng" in words.group(1)
    assert "OCOP 4 sao" in words.group(1)
    assert "Giá 165.000" in words.group(1)
    assert words.group(1).endswith(f"/san-pham/{slug}")
    assert Image.open(BytesIO(picture.data)).size == (1200, 630)
    assert "immutable" in picture.headers["Cache-Control"]


def test_a_card_of_yesterday_shows_todays_price_and_is_not_kept(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        slug = a_listed_product(session, "Chè lam", price=30_000).slug
    old = card_of(visitor.get(f"/san-pham/{slug}").text).replace(".jpg", "x.jpg")

    answer = visitor.get(old)

    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert "immutable" not in answer.headers["Cache-Control"]


def test_places_and_makers_have_cards_and_unknown_ones_none(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        commune = a_commune(session).code
        village = villages.add(
            session, "Hạ Mỗ", source="https://example.org", commune_code=commune, craft="Nghề ren"
        ).slug
        maker = a_producer(session, name="HTX Ong Vàng", commune_code=commune).slug

    cards = [
        visitor.get(card_of(visitor.get(page).text))
        for page in (f"/lang/{village}", f"/xa/{commune}", f"/nha-san-xuat/{maker}")
    ]

    assert {card.mimetype for card in cards} == {"image/jpeg"}
    assert visitor.get("/chia-se/hang/khong-co-abc.jpg").status_code == 404
    assert visitor.get("/chia-se/gi-do/khong-co-abc.jpg").status_code == 404
    assert "TouristAttraction" in visitor.get(f"/lang/{village}").text


def test_long_names_are_cut_and_never_leave_the_card() -> None:
    card = ShareCard("Bánh đa nem làng Chều " * 20, ("HTX " * 40, "x" * 200), "1.165.000 ₫", 5)

    picture = share_picture.draw(card, (PICTURES / "am-tra-1200.jpg").read_bytes())

    edge = Image.open(BytesIO(picture)).crop((1170, 0, 1200, 630)).convert("L")
    darkest = edge.histogram().index(next(filter(None, edge.histogram())))
    assert darkest > 200
