"""Goods as a producer writes them down: fields, kinds, photos, the way to the shelf, the store."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Act, Actor
from catalog import editing, options, pictures, products, publishing, stock_desk, typed_goods
from catalog.editing import ChangedMeanwhile
from catalog.options import BadOptions
from catalog.pictures import PictureState, ProductPicture
from catalog.products import OcopGroup, Product, ProductState
from catalog.publishing import NotReady
from catalog.stock import NotEnoughOnHand, StockChangedMeanwhile
from catalog.stock_desk import BadCount
from catalog.typed_goods import BadValues
from core import intake, tasks
from core.db import Database
from core.money import Money
from core.settings import Settings
from core.sizes import Crop
from core.storage import FolderStorage
from core.tasks import Work
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_user

HOA = Actor(None, "Chị Hoa")
TU = Actor(None, "Anh Tú")
HONEY = {
    "name": "Mật ong hoa nhãn",
    "group": "food",
    "price": "165.000 đ",
    "unit": "hũ",
    "weight_g": "1.200",
    "ingredients": "Mật ong nguyên chất",
    "storage_note": "Nơi khô mát",
    "keeps_for": "24",
    "keeps_unit": "month",
}


def test_what_was_typed_is_read_and_every_slip_is_told_at_once() -> None:
    read = typed_goods.read({**HONEY, "abv": "29,5 %", "is_health_food": "Không", "lạ": "x"})

    assert (read["price"], read["weight_g"], read["abv"]) == (Money(165_000), 1_200, 295)
    assert read["group"] is OcopGroup.FOOD
    assert read["is_health_food"] is False
    assert "lạ" not in read
    with pytest.raises(BadValues) as told:
        typed_goods.read(
            {"price": "rẻ", "group": "x", "weight_g": "-3", "abv": "101", "name": "a\x00"}
        )
    assert set(told.value.problems) == {"price", "group", "weight_g", "abv", "name"}


def test_two_people_edit_the_same_goods_and_nothing_is_lost(session: Session) -> None:
    honey = editing.add(session, a_producer(session), HONEY, actor=HOA, now=NOON)
    seen = editing.values_of(session, honey)

    first = editing.change(
        session, honey, {"description": "Thơm"}, version=1, seen=seen, actor=TU, now=NOON
    )
    other_field = editing.change(
        session, honey, {"unit": "chai"}, version=1, seen=seen, actor=HOA, now=NOON
    )

    assert (first, other_field, honey.version) == (["description"], ["unit"], 3)
    # Hoa has saved since, so she knows the version, but not what Tú wrote.
    for given in ({"seen": seen, "version": 1}, {"seen": seen, "version": 3}, {"version": 1}):
        with pytest.raises(ChangedMeanwhile) as news:
            editing.change(session, honey, {"description": "Ngọt"}, actor=HOA, now=NOON, **given)
        assert (news.value.theirs, news.value.version) == ({"description": "Thơm"}, 3)
        assert news.value.who == TU.name
    editing.change(session, honey, {"description": "Ngọt"}, version=3, actor=HOA, now=NOON)
    assert (honey.description, honey.version) == ("Ngọt", 4)
    assert editing.change(session, honey, {"description": "Ngọt"}, actor=HOA, now=NOON) == []
    typed = {"price": "170.000 ₫"}
    editing.change(session, honey, typed, seen={"price": "165.000"}, actor=HOA, now=NOON)
    again = editing.change(session, honey, {"price": "180000"}, seen=typed, actor=HOA, now=NOON)
    assert again == ["price"]


def test_a_draft_takes_the_address_of_its_name_and_goods_on_sale_lead_on(session: Session) -> None:
    honey = editing.add(session, a_producer(session), {}, actor=HOA, now=NOON)
    blank = editing.find_blank(session, honey.producer_id or 0)

    editing.change(session, honey, {"name": "Mật ong rừng"}, actor=HOA, now=NOON)

    assert blank is not None
    assert blank.id == honey.id
    assert (honey.slug, honey.motif) == ("mat-ong-rung", "mat-ong")
    products.publish(session, honey, now=NOON)
    editing.change(session, honey, {"name": "Mật ong bạc hà"}, actor=HOA, now=NOON)
    assert products.find_by_slug(session, "mat-ong-bac-ha") is not None
    assert editing.find_blank(session, honey.producer_id or 0) is None


def test_options_make_kinds_that_keep_what_they_were(session: Session) -> None:
    honey = editing.add(session, a_producer(session), HONEY, actor=HOA, now=NOON)
    code = editing.first_variant(session, honey).sku

    def make(*rows: tuple[str, str]) -> list[tuple[str, bool]]:
        options.set_options(session, honey, rows, actor=HOA, now=NOON)
        kinds = options.list_sold(session, honey)
        return [(one.name, one.sku == code) for one in kinds if one.price]

    assert make(("Cỡ", "200 g, 500 g")) == [("200 g", True), ("500 g", False)]
    assert make(("Cỡ", "200 g, 500 g"), ("Vị", "gừng, quế")) == [
        ("200 g · gừng", True),
        ("200 g · quế", False),
        ("500 g · gừng", False),
        ("500 g · quế", False),
    ]
    assert make(("Cỡ", "200 g")) == [("200 g", True)]
    kind = options.list_sold(session, honey)[0]
    options.change_kinds(
        session, honey, {kind.id: {"price": "99000", "unit": "gói"}}, actor=HOA, now=NOON
    )
    assert (kind.price, kind.unit) == (Money(99_000), "gói")
    with pytest.raises(BadValues) as told:
        options.change_kinds(session, honey, {kind.id: {"price": "x"}}, actor=HOA, now=NOON)
    assert set(told.value.problems) == {f"price_{kind.id}"}
    for rows, field in (
        ([("", "a")], "option_1"),
        ([("Cỡ", "a"), ("Cỡ", "b")], "option_2"),
        ([("Cỡ", ",".join(map(str, range(60))))], "option_1"),
    ):
        with pytest.raises(BadOptions) as refused:
            options.set_options(session, honey, rows, actor=HOA, now=NOON)
        assert refused.value.field == field


def a_jpeg(size: tuple[int, int] = (1600, 1200)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, (200, 160, 30)).save(file, "JPEG")
    return file.getvalue()


def hang(session: Session, storage: FolderStorage, product: Product, data: bytes) -> ProductPicture:
    kept = intake.keep_original(storage, data)
    return pictures.add(session, product, kept.key, size=None, actor=HOA, now=NOON)


def test_the_way_to_the_shelf_says_what_is_missing_and_staff_look_first(
    session: Session, tmp_path: Path
) -> None:
    storage = FolderStorage(tmp_path)
    wine = editing.add(session, a_producer(session), {}, actor=HOA, now=NOON)

    def missing() -> list[str]:
        return [field for field, _words in publishing.missing(session, wine)]

    assert missing() == ["photos", "name", "group", "price", "unit"]
    with pytest.raises(NotReady):
        publishing.submit(session, wine, looked_at=True, actor=HOA, now=NOON)
    values = {**HONEY, "name": "Rượu nếp cái hoa vàng", "group": "beverage", "ingredients": ""}
    editing.change(session, wine, values, actor=HOA, now=NOON)
    hang(session, storage, wine, a_jpeg())
    assert missing() == ["ingredients", "abv"]
    editing.change(session, wine, {"ingredients": "Nếp, men", "abv": "29,5"}, actor=HOA, now=NOON)

    def submit() -> ProductState:
        return publishing.submit(session, wine, looked_at=False, actor=HOA, now=NOON)

    assert submit() is ProductState.REVIEW
    publishing.send_back(session, wine, "Ảnh mờ", actor=TU, now=NOON)
    assert (wine.state, wine.review_note) == (ProductState.DRAFT, "Ảnh mờ")
    assert [duty.count for duty in publishing.tell_duties(session, wine.producer_id or 0)] == [1]
    assert submit() is ProductState.REVIEW
    publishing.approve(session, wine, actor=TU, now=NOON)
    assert publishing.count_for_staff(session) == 0
    publishing.withdraw(session, wine, actor=HOA, now=NOON)
    publishing.take_up_again(session, wine, as_it_was=True, actor=HOA, now=NOON)
    assert publishing.missing(session, wine) == []
    assert wine.state is submit() is ProductState.LIVE
    editing.change(session, wine, {"description": "Ủ ba năm"}, actor=HOA, now=NOON)
    assert publishing.count_for_staff(session) == 1
    publishing.approve(session, wine, actor=TU, now=NOON)
    assert publishing.count_for_staff(session) == 0
    hang(session, storage, wine, a_jpeg())
    assert publishing.count_for_staff(session) == 1


def test_photos_are_made_in_the_background_ordered_cropped_and_put_back(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    storage = FolderStorage(tmp_path)
    with database.transaction() as session:
        honey = editing.add(session, a_producer(session), HONEY, actor=HOA, now=NOON)
        ids = [
            hang(session, storage, honey, data).id
            for data in (a_jpeg(), a_jpeg((900, 1200)), a_jpeg()[:2000])
        ]

    def make_all() -> None:
        with database.transaction() as session:
            while task := tasks.claim(session, now=NOON):
                work = Work(
                    task.id, task.kind, task.payload, task.attempts, database, settings, storage,
                    clock=lambda: NOON,
                )  # fmt: skip
                works.append(work)
        while works:
            pictures.make(works.pop())

    works: list[Work] = []
    make_all()
    with database.transaction() as session:
        honey = session.get_one(Product, honey.id)
        first, second, broken = pictures.list_of(session, honey.id)
        assert [one.state for one in (first, second)] == [PictureState.READY] * 2
        assert (broken.state, broken.name) == (PictureState.BROKEN, None)
        assert (second.width, second.height, second.side) == (900, 1200, 900)
        assert honey.look == first.name
        pictures.shift(session, honey, second, -1, actor=HOA, now=NOON)
        assert (honey.id, pictures.list_of(session, honey.id)[0].id) == (honey.id, ids[1])
        pictures.remove(session, broken, actor=HOA, now=NOON)
        with pytest.raises(pictures.NotAllPictures):
            pictures.arrange(session, honey, ids, actor=HOA, now=NOON)
        pictures.crop(session, second, Crop(0, 0, 400), actor=HOA, now=NOON)
        before = second.name
    make_all()
    with database.transaction() as session:
        honey = session.get_one(Product, honey.id)
        second = session.get_one(ProductPicture, ids[1])
        assert (second.side, second.crop, second.name == before) == (360, Crop(0, 0, 400), False)
        assert (honey.picture, honey.picture_side) == (second.name, 360)
        pictures.put_back(session, session.get_one(ProductPicture, ids[2]), actor=HOA, now=NOON)
        assert len(pictures.list_of(session, honey.id)) == 3
        for _more in range(pictures.MOST - 3):
            hang(session, storage, honey, a_jpeg())
        with pytest.raises(pictures.TooManyPictures):
            hang(session, storage, honey, a_jpeg())


def test_stock_comes_in_is_lost_and_is_counted_lot_by_lot(session: Session) -> None:
    hoa = someone(session)
    honey = editing.add(session, a_producer(session), HONEY, actor=hoa, now=NOON)
    variant = editing.first_variant(session, honey)
    lot = a_lot(session, variant, in_stock=5)

    stock_desk.receive(session, variant, None, "+20", "", actor=hoa, now=NOON)
    stock_desk.lose(session, variant, lot.id, "−3", "vỡ", actor=hoa, now=NOON)
    stock_desk.count(session, variant, None, "19", expected_before=20, actor=hoa, now=NOON)

    assert [
        (one.lot_code, one.on_hand) for one in stock_desk.list_shelves(session, variant.id)
    ] == [
        (None, 19),
        (lot.code, 2),
    ]
    changes = stock_desk.list_changes(session, variant.id, limit=9)
    assert [(one.delta, one.after, one.note) for one in changes] == [
        (-1, 19, None),
        (-3, 2, "vỡ"),
        (20, 20, None),
        (5, 5, None),
    ]
    with pytest.raises(StockChangedMeanwhile) as news:
        stock_desk.count(session, variant, None, "7", expected_before=20, actor=hoa, now=NOON)
    assert "19" in str(news.value.message)
    with pytest.raises(NotEnoughOnHand):
        stock_desk.lose(session, variant, lot.id, "9", "", actor=hoa, now=NOON)
    for typed in ("", "x", "0", "1.5x"):
        with pytest.raises(BadCount):
            stock_desk.receive(session, variant, None, typed, "", actor=hoa, now=NOON)
    verbs = session.scalars(select(Act.verb).where(Act.verb.startswith("stock.")).order_by(Act.id))
    assert list(verbs) == ["stock.received", "stock.lost", "stock.counted"]


def someone(session: Session) -> Actor:
    """Someone with an account."""
    person = a_user(session)
    return Actor(person.id, person.name)
