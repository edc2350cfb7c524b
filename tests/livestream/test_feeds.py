"""The Meta feed: right rows, plain reasons, and never a file that empties a catalogue."""

import csv
import dataclasses
import gzip
import io
import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members
from catalog.certificates import Certificate, PaperKind
from catalog.products import OcopGroup, Product, ProductState
from catalog.variants import Variant
from core import assets
from core.db import Database
from core.money import Money
from core.tasks import Task
from livestream.feeds import building, feeds, jobs, meta
from livestream.feeds.categories import google_category
from livestream.feeds.feeds import Channel
from livestream.feeds.items import FeedItem, each_item
from livestream.feeds.meta import PictureAddress, Surroundings
from livestream.feeds.wording import plain, without_star_sentences, without_star_words
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_star, a_user, a_variant
from tests.visits import browser_of, send

AROUND = Surroundings(
    "https://cho.example",
    PictureAddress("https://cho.example", {"tranh/mat-ong-1200.jpg": "tranh/mat-ong-1200.abc.jpg"}),
    NOON,
)


def an_item(**given: object) -> FeedItem:
    values: dict[str, object] = {
        "variant_id": 1,
        "sku": "MAT-500",
        "product_id": 7,
        "slug": "mat-ong",
        "product_name": "Mật ong hoa nhãn",
        "variant_name": "500 ml",
        "unit": "chai",
        "weight_g": 750,
        "gtin": None,
        "price": Money(250_000),
        "price_is_sample": False,
        "description": "Mật ong hoa nhãn nguyên chất, thu hoạch tháng tư.",
        "group": OcopGroup.FOOD,
        "motif": "mat-ong",
        "producer": "HTX Mẫu",
        "producer_slug": "htx-mau",
        "place": "Xã Đan Phượng",
        "stars": 4,
        "food_paper_expired": False,
        "siblings": 1,
        "free": 40,
    }
    return FeedItem(**{**values, **given})  # type: ignore[arg-type]


def test_a_sound_item_is_written_as_meta_wants_it() -> None:
    row, problems = meta.row(an_item(), AROUND)

    assert problems == []
    assert row is not None
    assert row["price"] == "250000 VND"
    assert row["availability"] == "in stock"
    assert row["quantity_to_sell_on_facebook"] == "40"
    assert row["link"] == "https://cho.example/san-pham/mat-ong?loai=MAT-500"
    assert row["image_link"] == "https://cho.example/static/tranh/mat-ong-1200.abc.jpg"
    assert row["google_product_category"] == "4947"
    assert row["custom_label_0"] == "ocop-4"
    assert tuple(row) == meta.COLUMNS


def test_sold_out_goods_stay_in_the_file_as_out_of_stock() -> None:
    row, _problems = meta.row(an_item(free=0), AROUND)

    assert row is not None
    assert (row["availability"], row["quantity_to_sell_on_facebook"]) == ("out of stock", "")


def test_sample_prices_are_marked() -> None:
    row, _problems = meta.row(an_item(price_is_sample=True), AROUND)

    assert row is not None
    assert row["custom_label_4"] == "minh-hoa"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"sku": "có dấu"}, 1),
        ({"product_name": ""}, 3),
        ({"price": None}, 6),
        ({"price": Money(180_000_001)}, 6),
        ({"motif": "khong-co"}, 11),
        ({"food_paper_expired": True}, 18),
        ({"product_name": "Rượu nếp cái hoa vàng", "group": OcopGroup.BEVERAGE}, 15),
        ({"abv_tenths": 50}, 15),
        ({"group": OcopGroup.TOURISM}, 15),
    ],
)
def test_an_error_keeps_the_item_out_and_says_why(change: dict[str, object], rule: int) -> None:
    row, problems = meta.row(an_item(variant_name="", **change), AROUND)

    assert row is None
    assert rule in {problem.rule for problem in problems}


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"product_name": "MẬT ONG HOA NHÃN", "variant_name": ""}, 4, "title"),
        ({"product_name": "Mật ong giảm giá sốc"}, 4, "title"),
        ({"description": None}, 5, "description"),
        ({"description": "Gọi 0912 345 678 để mua"}, 4, "description"),
        ({"gtin": "08936000000001"}, 16, "gtin"),
    ],
)
def test_a_warning_exports_the_item_and_tells(
    change: dict[str, object], rule: int, field: str
) -> None:
    row, problems = meta.row(an_item(**change), AROUND)

    assert row is not None
    assert (rule, field) in {(problem.rule, problem.field) for problem in problems}


def test_variants_share_a_group_and_a_title() -> None:
    row, _problems = meta.row(an_item(siblings=2), AROUND)

    assert row is not None
    assert (row["item_group_id"], row["title"], row["size"]) == ("P7", "Mật ong hoa nhãn", "500 ml")


def test_text_is_cut_at_a_word_and_loses_markup() -> None:
    assert plain("<b>Mật&nbsp;ong</b>\x00 rừng", 40) == "Mật ong rừng"
    assert plain("một hai ba bốn", 9) == "một hai"
    assert len(plain("á" * 300, 150)) == 150


def test_stars_that_no_certificate_gives_are_not_said() -> None:
    claimed = "Làm thủ công. Đạt OCOP 4 sao năm 2023! Giao 25 sao ni."

    assert without_star_sentences(claimed, 4) == claimed
    assert without_star_sentences(claimed, None) == "Làm thủ công. Giao 25 sao ni."
    assert without_star_sentences(claimed, 3) == "Làm thủ công. Giao 25 sao ni."
    assert without_star_words("Mật ong (OCOP 4 sao) 500 ml", None) == "Mật ong 500 ml"
    assert without_star_words("Mật ong – ★★★★★", 4) == "Mật ong"
    assert without_star_words("Trà OCOP 5 sao", 5) == "Trà OCOP 5 sao"


@pytest.mark.parametrize(
    ("name", "google_id"),
    [
        ("Mật ong hoa nhãn", "4947"),
        ("Nước mắm Cát Hải", "5763"),
        ("Miến dong Tài Hoan", "434"),
        ("Trà sen Tây Hồ", "2073"),
        ("Nón lá làng Chuông", "173"),
    ],
)
def test_goods_find_their_google_category(name: str, google_id: str) -> None:
    assert google_category(name, None) == google_id


def test_only_what_is_sold_is_read(session: Session) -> None:
    sold = a_variant(session)
    a_variant(session, product=a_product(session, state=ProductState.WITHDRAWN))
    a_variant(session, price=None)
    a_star(session, _product_of(session, sold), 5)

    items = list(each_item(session, now=NOON))

    assert [(item.variant_id, item.stars, item.free) for item in items] == [(sold.id, 5, 10)]


def test_an_expired_food_paper_counts_only_when_no_newer_one_stands(session: Session) -> None:
    sold = a_variant(session)
    for year in (2024, 2025):
        session.add(
            Certificate(
                product_id=sold.product_id,
                kind=PaperKind.FOOD_SAFETY,
                issued_on=NOON.date().replace(year=year - 1),
                expires_on=NOON.date().replace(year=year),
            )
        )
    session.flush()

    [item] = each_item(session, now=NOON)

    assert item.food_paper_expired


def test_pages_are_read_by_id_without_a_gap(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livestream.feeds.items.PAGE", 3)
    product = a_product(session)
    wanted = [a_variant(session, product=product).id for _n in range(10)]

    assert [item.variant_id for item in each_item(session, now=NOON)] == wanted


def test_the_built_file_and_its_twin_say_the_same(session: Session, tmp_path: Path) -> None:
    a_variant(session)

    built = building.write_files(session, tmp_path, "meta", around=AROUND)

    content = built.file.read_bytes()
    assert gzip.decompress(built.twin.read_bytes()) == content
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
    assert len(rows) == built.report.rows == 1


def test_a_shop_without_https_is_told_once_for_the_whole_file(
    session: Session, tmp_path: Path
) -> None:
    a_variant(session)
    a_variant(session)
    plain_http = dataclasses.replace(AROUND, public_url="http://cho.example")

    report = building.write_files(session, tmp_path, "meta", around=plain_http).report

    assert (report.rows, report.by_rule["warning:10:link"]) == (2, 1)
    assert building.write_files(session, tmp_path, "meta", around=AROUND).report.problems == [
        problem for problem in report.problems if problem["rule"] != 10
    ]


def test_two_items_with_one_code_are_told_apart(session: Session, tmp_path: Path) -> None:
    a_variant(session, sku="MAT-1")
    a_variant(session, sku="mat-1")

    report = building.write_files(session, tmp_path, "meta", around=AROUND).report

    assert (report.rows, report.left_out) == (1, 1)
    assert report.problems[-1]["rule"] == 1


def test_an_empty_build_keeps_the_last_good_file_and_raises_the_alarm(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        variant = a_variant(session)
        product = _product_of(session, variant)
        feed_id = feeds.ensure_feed(session, Channel.META).id
    assert feeds.rebuild(database, feed_id, tmp_path, around=AROUND)
    with database.reading() as session:
        before = session.get_one(feeds.Feed, feed_id)
    with database.transaction() as session:
        session.get_one(type(product), product.id).state = ProductState.WITHDRAWN

    placed = feeds.rebuild(database, feed_id, tmp_path, around=AROUND)

    with database.reading() as session:
        after = session.get_one(feeds.Feed, feed_id)
    assert not placed
    assert after.alarm
    assert (after.file_name, after.etag) == (before.file_name, before.etag)
    assert (tmp_path / str(feed_id) / str(after.file_name)).exists()

    accepted = feeds.rebuild(database, feed_id, tmp_path, around=AROUND, even_if_smaller=True)

    with database.reading() as session:
        emptied = session.get_one(feeds.Feed, feed_id)
    assert accepted
    assert (emptied.rows, emptied.alarm) == (0, None)


def test_the_producer_says_that_the_goods_are_gone_indeed(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        owner = a_user(session, role=Role.PRODUCER)
        members.add(session, producer, owner, actor=SYSTEM, now=NOON)
        feed = feeds.ensure_feed(session, Channel.META, producer_id=producer.id)
        feed.alarm = "Tệp mới chỉ có 1 mặt hàng"
        slug = producer.slug
    browser, page = browser_of(app, database, owner), f"/ban-hang/{slug}/bang-hang"

    answer = send(browser, f"{page}/it-hang-hon", page=page)

    assert answer.status_code == 303
    with database.reading() as session:
        [asked] = session.scalars(select(Task).where(Task.kind == jobs.BUILD)).all()
    assert asked.payload["even_if_smaller"] is True


def test_a_channel_fetches_with_a_tag_a_range_and_gets_304(
    app: Flask, visitor: FlaskClient, database: Database
) -> None:
    token = _a_built_feed(app, database)

    first = fetch(visitor, f"/feeds/{token}/meta.csv")
    again = fetch(visitor, f"/feeds/{token}/meta.csv", {"If-None-Match": first.headers["ETag"]})
    part = fetch(visitor, f"/feeds/{token}/meta.csv", {"Range": "bytes=0-1"})
    packed = fetch(visitor, f"/feeds/{token}/meta.csv.gz")

    assert first.status_code == 200
    assert first.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert first.headers["X-Robots-Tag"] == "noindex"
    assert again.status_code == 304
    assert (part.status_code, part.data) == (206, b"id")
    assert gzip.decompress(packed.data) == first.data


def test_a_feed_that_was_never_built_asks_to_come_back(
    app: Flask, visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        token = feeds.ensure_feed(session, Channel.META).token

    answer = visitor.get(f"/feeds/{token}/meta.csv")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_a_file_that_was_lost_asks_to_come_back(
    app: Flask, visitor: FlaskClient, database: Database
) -> None:
    token = _a_built_feed(app, database)
    shutil.rmtree(jobs.folder_of(app.config["SETTINGS"]))

    answer = visitor.get(f"/feeds/{token}/meta.csv")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_a_guessed_address_is_not_found(visitor: FlaskClient) -> None:
    assert visitor.get("/feeds/khong-co/meta.csv").status_code == 404


def fetch(
    visitor: FlaskClient, address: str, headers: dict[str, str] | None = None
) -> TestResponse:
    """Fetch a file whole and let go of it, as a channel does."""
    with visitor.get(address, headers=headers) as answer:
        answer.get_data()
        return answer


def _a_built_feed(app: Flask, database: Database) -> str:
    with database.transaction() as session:
        a_variant(session)
        feed = feeds.ensure_feed(session, Channel.META)
    settings = app.config["SETTINGS"]
    names = assets.manifest()
    around = Surroundings(settings.PUBLIC_URL, PictureAddress(settings.PUBLIC_URL, names), NOON)
    feeds.rebuild(database, feed.id, jobs.folder_of(settings), around=around)
    return feed.token


def _product_of(session: Session, variant: Variant) -> Product:
    return session.get_one(Product, variant.product_id)
