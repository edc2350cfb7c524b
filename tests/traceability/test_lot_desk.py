"""The producer's book of lots, kept by the producer's own people and by those who help."""

from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM, Act
from accounts.users import Role
from catalog import grants, members
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from catalog.stock import StockItem
from catalog.variants import Variant
from core.db import Database
from tests.conftest import NOON
from tests.factories import a_lot, a_producer, a_product, a_user, a_variant
from tests.visits import browser_of, csrf, send
from traceability import lot_book, trace_codes
from traceability.diary import Step, StepKind

DESK = "/ban-hang/htx-thu/so-lo"


@pytest.fixture
def honey(database: Database) -> int:
    """A variant of the co-operative HTX Thử."""
    with database.transaction() as session:
        producer = a_producer(session, name="HTX Thử", slug="htx-thu")
        product = a_product(session, producer=producer, name="Mật ong")
        return a_variant(session, product=product, in_stock=0, sku="MAT-500").id


@pytest.fixture
def owner(app: Flask, database: Database, honey: int) -> FlaskClient:
    """The browser of one of the co-operative's people."""
    with database.transaction() as session:
        user = a_user(session, role=Role.PRODUCER, name="Chị Hoa")

        place = session.scalars(select(Producer)).one()
        members.add(session, place, user, actor=SYSTEM, now=NOON)
    return browser_of(app, database, user)


@pytest.fixture
def helper(app: Flask, database: Database, honey: int) -> FlaskClient:
    """The browser of a helper of the commune."""
    with database.transaction() as session:
        user = a_user(session, role=Role.HELPER, name="Anh Minh")
        grants.give(session, user, "09784", actor=SYSTEM, now=NOON)
    return browser_of(app, database, user)


@pytest.fixture
def lot(database: Database, honey: int) -> int:
    """A lot of the co-operative."""
    with database.transaction() as session:
        variant = session.get_one(Variant, honey)
        return a_lot(session, variant, code="LO-1").id


def only_step(database: Database) -> Step:
    with database.reading() as session:
        return session.scalars(select(Step)).one()


def test_opening_a_lot_puts_its_goods_on_the_shelf_and_gives_it_a_code(
    owner: FlaskClient, database: Database, honey: int
) -> None:
    answer = send(
        owner,
        f"{DESK}/moi",
        page=f"{DESK}/moi",
        variant_id=str(honey),
        code="",
        produced_on="2026-11-20",
        expires_on="2027-11-20",
        quantity="40",
    )

    with database.reading() as session:
        lot = session.scalars(select(Lot)).one()
        on_hand = session.scalars(select(StockItem.on_hand)).one()
        code = trace_codes.find_lot_code(session, lot.id)
    assert answer.status_code == 303
    assert answer.location == f"{DESK}/{lot.id}"
    assert (lot.code, lot.quantity, on_hand) == ("MAT500-2611-01", 40, 40)
    page = owner.get(answer.location)
    assert f"/truy-xuat/{code}" in page.text
    assert "MAT500-2611-01" in owner.get(DESK).text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"code": "LÔ 1"}, "Chỉ dùng chữ A–Z"),
        ({"code": "LO-1"}, "Đã có lô LO-1."),
        ({"expires_on": "2026-01-01"}, "Hạn dùng sớm hơn ngày sản xuất."),
        ({"quantity": "0"}, "ít nhất là 1"),
        ({"quantity": "nhiều"}, "ít nhất là 1"),
        ({"variant_id": "999999"}, "Chọn mặt hàng của lô."),
        ({"produced_on": "2026-02-30"}, "Ngày này không có trong lịch."),
    ],
)
def test_a_lot_that_cannot_be_is_refused_at_its_field_and_nothing_is_kept(
    owner: FlaskClient,
    database: Database,
    honey: int,
    lot: int,
    given: dict[str, str],
    words: str,
) -> None:
    form = {
        "variant_id": str(honey),
        "code": "LO-2",
        "produced_on": "2026-11-20",
        "expires_on": "",
        "quantity": "7",
    }

    answer = send(owner, f"{DESK}/moi", page=f"{DESK}/moi", **{**form, **given})

    assert answer.status_code == 422
    assert answer.text.count(words) == 2
    with database.reading() as session:
        assert session.scalars(select(Lot.id)).all() == [lot]


def test_a_line_is_written_with_its_photo(
    owner: FlaskClient, database: Database, lot: int, visitor: FlaskClient
) -> None:
    photo = BytesIO()
    Image.new("RGB", (64, 48), "green").save(photo, "JPEG")
    photo.seek(0)

    answer = owner.post(
        f"{DESK}/{lot}/ghi",
        data={
            "csrf_token": csrf(owner, f"{DESK}/{lot}"),
            "kind": "harvest",
            "when": "yesterday",
            "place": "Đồi sau nhà",
            "quantity": "1.200,5",
            "unit": "kg",
            "note": "",
            "photo": (photo, "anh.jpg"),
        },
    )

    step = only_step(database)
    assert answer.status_code == 303
    assert (step.kind, step.place, str(step.quantity), step.unit) == (
        StepKind.HARVEST,
        "Đồi sau nhà",
        "1200.500",
        "kg",
    )
    assert timedelta(hours=23) < NOON - step.happened_at <= timedelta(days=1)
    assert (step.entered_by_name, step.on_behalf_of) == ("Chị Hoa", None)
    page = owner.get(f"{DESK}/{lot}")
    assert "1.200,5 kg" in page.text
    source = page.text.split('<img src="/media/')[1].split('"', maxsplit=1)[0]
    assert visitor.get(f"/media/{source}").mimetype == "image/webp"


def test_a_helpers_line_says_on_whose_behalf(
    helper: FlaskClient, database: Database, lot: int, visitor: FlaskClient
) -> None:
    page = f"{DESK}/{lot}"
    send(helper, f"{page}/ghi", page=page, kind="packing", when="today")
    with database.transaction() as session:
        code = trace_codes.ensure_lot_code(session, session.get_one(Lot, lot), now=NOON)
        acts = session.scalars(select(Act).where(Act.verb == "step.write")).all()

    assert "thay mặt HTX Thử" in helper.get(page).text
    assert "Anh Minh ghi, thay mặt HTX Thử" in visitor.get(f"/truy-xuat/{code}").text
    assert [act.on_behalf_of for act in acts] == ["HTX Thử"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": ""}, "Chọn việc đã làm."),
        ({"when": "day", "day": ""}, "Chọn ngày."),
        ({"when": "day", "day": "2026-12-01"}, "Thời điểm này chưa tới."),
        ({"quantity": "nhiều"}, "Ghi một số lớn hơn 0"),
        ({"quantity": "5", "unit": ""}, "Ghi đơn vị bên cạnh số"),
    ],
)
def test_a_line_with_a_mistake_keeps_what_was_typed(
    owner: FlaskClient, database: Database, lot: int, given: dict[str, str], words: str
) -> None:
    page = f"{DESK}/{lot}"
    form = {
        "kind": "harvest",
        "when": "today",
        "place": "Nhà nấm số 3",
        "quantity": "",
        "unit": "kg",
    }

    answer = send(owner, f"{page}/ghi", page=page, **{**form, **given})

    assert answer.status_code == 422
    assert answer.text.count(words) == 2
    assert 'value="Nhà nấm số 3"' in answer.text
    with database.reading() as session:
        assert session.scalars(select(Step)).all() == []


def test_the_next_line_begins_like_the_last(
    owner: FlaskClient, database: Database, lot: int
) -> None:
    page = f"{DESK}/{lot}"
    send(owner, f"{page}/ghi", page=page, kind="care", when="today", place="Vườn trên", unit="")

    text = owner.get(page).text

    assert 'name="kind" value="care">' in text.partition('id="dong-moi"')[0]
    assert 'value="Vườn trên"' in text


def test_the_printable_page_shows_the_qr_and_its_numbers(
    owner: FlaskClient, database: Database, lot: int
) -> None:
    page = owner.get(f"{DESK}/{lot}/ma")
    with database.reading() as session:
        code = trace_codes.find_lot_code(session, lot)

    assert f'src="/truy-xuat/{code}/qr.svg"' in page.text
    assert f"http://localhost/t/{code}" in page.text


def test_a_desk_is_closed_to_everyone_else(
    app: Flask, database: Database, owner: FlaskClient, honey: int, lot: int
) -> None:
    with database.transaction() as session:
        stranger = a_user(session, role=Role.PRODUCER)
        other = a_producer(session, name="HTX Khác", slug="htx-khac")
        members.add(session, other, stranger, actor=SYSTEM, now=NOON)
        foreign = a_lot(session, a_variant(session, product=a_product(session, producer=other))).id
    browser = browser_of(app, database, stranger)

    for path in ("", "/moi", f"/{lot}", f"/{lot}/ma"):
        assert browser.get(DESK + path).status_code == 404
        assert app.test_client().get(DESK + path).status_code == 303
    refused = send(
        browser, f"{DESK}/{lot}/ghi", page="/ban-hang/htx-khac/so-lo/moi", kind="care", when="today"
    )
    assert refused.status_code == 404
    assert owner.get(f"{DESK}/{foreign}").status_code == 404
    assert browser.get(f"/ban-hang/htx-khac/so-lo/{foreign}").status_code == 200


def test_older_lots_are_a_page_further(owner: FlaskClient, database: Database, honey: int) -> None:
    with database.transaction() as session:
        variant = session.get_one(Variant, honey)
        for number in range(32):
            a_lot(session, variant, code=f"SO-{number:02d}")

    first = owner.get(DESK).text
    following = first.split('href="' + DESK + "?sau=")[1].split('"', maxsplit=1)[0]
    second = owner.get(f"{DESK}?sau={following}").text

    assert "SO-31" in first
    assert "SO-01" not in first
    assert "SO-01" in second
    assert "SO-02" not in second


def test_a_double_tap_opens_one_lot(session: Session) -> None:
    honey = a_variant(session)
    producer_id = session.get_one(Product, honey.product_id).producer_id
    assert producer_id is not None
    form = {
        "variant_id": honey.id,
        "code": "",
        "produced_on": NOON.date(),
        "expires_on": None,
        "quantity": 12,
        "actor": SYSTEM,
    }

    first = lot_book.open_lot(session, producer_id, now=NOON, **form)  # type: ignore[arg-type]
    second = lot_book.open_lot(
        session,
        producer_id,
        now=NOON + timedelta(seconds=2),
        **form,  # type: ignore[arg-type]
    )
    third = lot_book.open_lot(
        session,
        producer_id,
        now=NOON + timedelta(minutes=2),
        **form,  # type: ignore[arg-type]
    )

    assert first.id == second.id
    assert third.id != first.id
