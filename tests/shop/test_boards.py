"""What is printed for walls and counters: codes that two readers read, in Vietnamese."""

from datetime import date

import pypdfium2
import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from pyzbar import pyzbar

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members, villages
from catalog.cards import Card
from core.db import Database
from shop import boards
from shop.boards import Board, Size
from tests.conftest import NOON
from tests.factories import a_commune, a_listed_product, a_producer, a_user
from tests.visits import browser_of

BASE = "https://cho.example"
NAME = "Bánh đa nem làng Chều gói nhỏ không phẩm màu"


def a_card(number: int) -> Card:
    return Card(
        id=number,
        slug=f"hang-{number}",
        name=f"{NAME} số {number}",
        look="chung",
        group=None,
        place="Xã Ô Diên",
        producer="HTX Một",
        price=None,
        was=None,
        unit="gói",
        several=False,
        price_is_sample=False,
        in_stock=True,
        stars=4,
        is_sample=True,
        is_synthetic=False,
    )


def printed(data: bytes, scale: float) -> Image.Image:
    document = pypdfium2.PdfDocument(data)
    assert len(document) == 1
    picture: Image.Image = document[0].render(scale=scale).to_pil()
    return picture.convert("L")


@pytest.mark.parametrize("size", Size)
def test_every_code_of_a_board_is_read_by_two_readers(size: Size) -> None:
    goods = [a_card(number) for number in range(30)]
    board = Board("Hàng của làng Hạ Mỗ", "Xã Ô Diên", f"{BASE}/lang/ha-mo", goods)

    picture = printed(boards.print_board(board, size, base=BASE, today=date(2026, 11, 25)), 2)

    one = {code.text for code in zxingcpp.read_barcodes(picture)}
    other = {code.data.decode() for code in pyzbar.decode(picture)}
    assert one == other == {f"{BASE}/lang/ha-mo"} | {f"{BASE}/san-pham/hang-{n}" for n in range(10)}


def test_a_counter_card_holds_one_code() -> None:
    board = Board(NAME * 2, "", f"{BASE}/nha-san-xuat/htx-mot", [])

    picture = printed(boards.print_counter_card(board), 2)

    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [board.url]


def test_pages_lead_to_their_boards_in_vietnamese(
    app: Flask, database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        commune = a_commune(session).code
        village = villages.add(session, "Hạ Mỗ", source="https://example.org", commune_code=commune)
        maker = a_producer(session, name="HTX Một", commune_code=commune, village_id=village.id)
        a_listed_product(session, NAME, price=20_000, producer=maker, village_id=village.id)
        owner = a_user(session, role=Role.PRODUCER)
        members.add(session, maker, owner, actor=SYSTEM, now=NOON)
        slug, maker_slug = village.slug, maker.slug

    desk = browser_of(app, database, owner).get(f"/ban-hang/{maker_slug}/in-an").text
    board = visitor.get(f"/lang/{slug}/bang-a4.pdf")

    for address in (
        f"/lang/{slug}/bang-a3.pdf",
        f"/xa/{commune}/bang-a4.pdf",
        f"/nha-san-xuat/{maker_slug}/ap-phich-a3.pdf",
        f"/nha-san-xuat/{maker_slug}/the-quay.pdf",
    ):
        assert address in desk
        assert visitor.get(address).mimetype == "application/pdf"
    words = pypdfium2.PdfDocument(board.data)[0].get_textpage().get_text_range()
    assert "Mở máy ảnh" in words
    assert "Bánh đa nem" in words
    assert visitor.get(f"/lang/{slug}/bang-a9.pdf").status_code == 404
