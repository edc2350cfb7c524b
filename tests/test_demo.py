"""The demo village: facts only, the same after a second load, every sample marked."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts import passwords, users
from accounts.users import User
from catalog import grants, places, producers
from catalog.certificates import Certificate, PaperKind, stars_today
from catalog.gtin import is_example
from catalog.lots import Lot, LotState
from catalog.producers import Producer
from catalog.products import Product, ProductState
from catalog.search import ProductWord
from catalog.stock import StockItem, StockMovement
from catalog.variants import Variant
from catalog.villages import Village
from core.db import Base, Database
from core.settings import Settings
from demo import bulk, people, sample, village
from demo.commands import demo
from tests.conftest import SECRET, create_tables
from traceability.serials import Serial
from wsgi import create_app

DAY = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def rows(session: Session) -> dict[str, int]:
    """Return how many rows every table has."""
    return {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


@pytest.fixture(scope="module")
def whole_village(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The village of `data/` without its log-ins, loaded once for every claim about its facts."""
    path = tmp_path_factory.mktemp("village") / "shop.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        village.load(session, now=DAY)
        sample.load(session, base="https://cho.example", now=DAY)
    yield database
    database.close()


@pytest.fixture
def loaded(whole_village: Database) -> Iterator[Session]:
    """The loaded village, to be read."""
    with whole_village.reading() as session:
        yield session


def of(session: Session, name: str) -> Product:
    return session.scalars(select(Product).where(Product.name == name)).one()


def test_every_row_of_the_sources_is_there(loaded: Session) -> None:
    real = Product.is_sample.is_(False)

    assert loaded.scalar(select(func.count()).where(real)) == 252
    assert loaded.scalar(select(func.count()).select_from(Village)) == 53
    states = loaded.scalars(select(Product.state).distinct()).all()
    assert states == [ProductState.LIVE]


def test_goods_without_a_maker_are_not_sold(loaded: Session) -> None:
    sold = select(Variant.product_id)
    nobodys = select(func.count()).where(Product.producer_id.is_(None))

    assert loaded.scalar(nobodys) == 73
    assert loaded.scalar(nobodys.where(Product.id.in_(sold))) == 0
    assert loaded.scalar(nobodys.where(Product.list_price.is_not(None))) == 0


def test_a_badge_needs_a_dated_paper(loaded: Session) -> None:
    stars = stars_today(loaded, [p.id for p in loaded.scalars(select(Product))], date(2026, 11, 25))
    with_badge = {
        product.name: stars[product.id]
        for product in loaded.scalars(select(Product).where(Product.is_sample.is_(False)))
        if product.id in stars
    }

    assert with_badge["Trà hoa vàng Ba Chẽ"] == 5
    assert "Hoa lan hồ điệp" not in with_badge  # claimed, but no date
    assert "Mật hoa dừa" not in with_badge  # 2023: over since 1 January 2026
    assert of(loaded, "Hoa lan hồ điệp").claimed_stars == 4
    assert len(with_badge) == 12


def test_potential_five_stars_are_no_stars(loaded: Session) -> None:
    for name in ("Hạt mắc ca Đắk Lắk cao cấp", "Đông trùng hạ thảo sấy đông khô"):
        product = of(loaded, name)
        assert product.claimed_stars is None
        assert (
            loaded.scalar(select(Certificate.id).where(Certificate.product_id == product.id))
            is None
        )


def test_a_date_inside_the_decision_is_the_day_of_issue(loaded: Session) -> None:
    product = of(loaded, "Măng chua thái sẵn")

    paper = loaded.scalars(select(Certificate).where(Certificate.product_id == product.id)).one()

    assert (paper.number, paper.issued_on) == ("377/QĐ-BNN-VPĐP", date(2025, 1, 17))
    assert (paper.expires_on, paper.year_only) == (date(2028, 1, 17), False)


def test_prices_no_source_gives_are_marked(loaded: Session) -> None:
    given = {
        name: price.dong
        for name, price in loaded.execute(
            select(Product.name, Variant.price)
            .join(Variant, Variant.product_id == Product.id)
            .where(Variant.price_is_sample.is_(False), Variant.price.is_not(None))
        )
    }

    assert given["Thịt trâu gác bếp Gia Phú"] == 900_000
    assert "Hoa đồng tiền Đồng Tháp" not in given  # the source gives a range
    assert len(given) < 10
    unmarked = select(func.count()).where(StockMovement.is_sample.is_(False))
    assert loaded.scalar(unmarked) == 0


def test_real_makers_carry_the_example_account_and_say_so(loaded: Session) -> None:
    accounts = loaded.execute(
        select(Producer.bank_bin, Producer.bank_account, Producer.bank_holder).distinct()
    ).all()

    assert accounts == [("970403", "0011012345678", "MINH HOA")]
    assert loaded.scalar(select(func.count()).where(Producer.is_demo.is_(False))) == 0


def test_communes_are_todays_and_villages_are_linked(loaded: Session) -> None:
    wood = of(loaded, "Bình hoa sen gỗ mít")
    grapes = of(loaded, "Nho hạ đen")

    linked = loaded.get_one(Village, wood.village_id)
    assert linked.name == "Ngọc Than"
    assert grapes.commune_code is not None
    assert grapes.village_id is None


def test_the_sample_co_operative_has_what_no_source_gives(loaded: Session) -> None:
    maker = producers.get_by_slug(loaded, "htx-mau")
    goods = loaded.scalars(select(Product).where(Product.producer_id == maker.id)).all()
    papers = loaded.scalars(
        select(Certificate).where(
            Certificate.product_id.in_([p.id for p in goods]), Certificate.kind == PaperKind.OCOP
        )
    ).all()
    today = date(2026, 11, 25)
    ends = [paper.expires_on for paper in papers if paper.expires_on]
    gtins = loaded.scalars(select(Variant.gtin).where(Variant.gtin.is_not(None))).all()
    states = loaded.scalars(select(Lot.state)).all()

    assert maker.is_sample
    assert all(product.is_sample for product in goods)
    assert {paper.stars for paper in papers if paper.counts_on(today)} == {3, 4}
    assert any(today < end <= today + timedelta(days=90) for end in ends)
    assert any(end <= today for end in ends)
    assert len(gtins) >= 2
    assert all(is_example(gtin or "") for gtin in gtins)
    assert LotState.RECALLED in states
    assert loaded.scalar(select(func.count()).select_from(Serial)) > 2


def test_loading_twice_changes_nothing(database: Database, app: Flask) -> None:
    runner = app.test_cli_runner()

    first = runner.invoke(demo, ["load", "--products", "30", "--json"])
    with database.reading() as session:
        before = rows(session)
    second = runner.invoke(demo, ["load", "--products", "30", "--json"])

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert json.loads(first.output) == json.loads(second.output)
    with database.reading() as session:
        assert rows(session) == before
        assert session.scalar(select(func.count()).where(Product.is_synthetic)) == 30


def test_the_report_names_addresses_and_log_ins(database: Database, app: Flask) -> None:
    answer = app.test_cli_runner().invoke(demo, ["load", "--json"])

    said: dict[str, Any] = json.loads(answer.output)
    assert set(said) == {"digital_links", "trace_links", "feeds", "logins"}
    links = [*said["digital_links"], *said["trace_links"], *said["feeds"].values()]
    assert all(link == link.lower() and "?" not in link for link in links)
    assert all(link.startswith("http://localhost/") for link in links)
    assert any("/21/" in link for link in said["digital_links"])
    assert {login["role"] for login in said["logins"]} == {"staff", "producer", "helper", "buyer"}
    with database.reading() as session:
        for login in said["logins"]:
            user = users.find_by_login(session, login["user"])
            assert user is not None
            assert len(login["password"]) >= 15
            assert passwords.matches(login["password"], user.password_hash)
        helper = users.find_by_login(session, people.LOGINS[2].user)
        assert helper is not None
        maker = producers.get_by_slug(session, "htx-mau")
        assert maker in grants.list_producers(session, helper.id)


def test_more_synthetic_goods_are_added_to_those_there(session: Session) -> None:
    places.load_units(session, village.DATA / "units")

    assert bulk.add_synthetic(session, 20, now=DAY) == 20
    assert bulk.add_synthetic(session, 50, now=DAY) == 30
    assert bulk.add_synthetic(session, 10, now=DAY) == 0

    made = session.scalars(select(Product).where(Product.is_synthetic)).all()
    assert len({product.slug for product in made}) == 50
    words = select(func.count(ProductWord.product_id.distinct())).where(
        ProductWord.product_id.in_([product.id for product in made])
    )
    assert session.scalar(words) == 50
    _stock_is_what_was_moved(session)


def test_stock_is_what_its_movements_say(loaded: Session) -> None:
    _stock_is_what_was_moved(loaded)


def _stock_is_what_was_moved(session: Session) -> None:
    moved = dict(
        session.execute(
            select(StockMovement.stock_id, func.sum(StockMovement.delta)).group_by(
                StockMovement.stock_id
            )
        ).all()
    )
    on_hand = {item.id: item.on_hand for item in session.scalars(select(StockItem))}

    assert {key: value for key, value in on_hand.items() if value} == moved


def test_a_shop_that_others_reach_never_gets_the_demos_passwords(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    fresh = Database(url)
    create_tables(fresh)
    fresh.close()
    app = create_app(
        Settings(
            PUBLIC_URL="https://cho.example",
            DATABASE_URL=url,
            SECRET_KEY=SECRET,
            STORAGE_DIR=str(tmp_path / "storage"),
        )
    )

    printed = app.test_cli_runner().invoke(args=["demo", "load", "--if-empty", "--json"])

    assert printed.exit_code == 0
    assert printed.stdout.strip() == "{}"
    with app.extensions["database"].reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0
    app.extensions["database"].close()
