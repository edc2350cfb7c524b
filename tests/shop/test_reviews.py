"""Only who has the goods says how they are; stars are counted honestly; photos tell no place."""

import json
import re
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.users import Role
from core.db import Database
from shop import fulfilment, links, orders, reviews
from shop.orders import Order
from shop.reviews import (
    AlreadyAnswered,
    BadReview,
    NoSuchReview,
    NotReceived,
    Opinion,
    Review,
    TooLateToMend,
)
from tests.conftest import NOON, SECRET
from tests.factories import a_producer, a_product, a_user, a_variant, later
from tests.shop.selling import SELLER, a_member, an_order, at_once, hidden, log_in, only_part


def delivered(session: Session, *, phone: str = "0912345678", **given: object) -> tuple[Order, int]:
    """A delivered order of one thing; returns its line's id."""
    variant = a_variant(session, **given)  # type: ignore[arg-type]
    order = an_order(session, (variant, 1), phone=phone)
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
    fulfilment.ship(session, order, part, actor=SELLER, now=NOON)
    fulfilment.deliver(session, order, part, actor=SELLER, now=NOON)
    [line] = orders.list_lines(session, [part.id])
    return order, line.id


def say(session: Session, order: Order, line_id: int, **given: object) -> Review:
    values: dict[str, object] = {"stars": 5, "words": "Thơm", "photo_keys": [], "now": NOON}
    return reviews.write(session, order, line_id, **{**values, **given})  # type: ignore[arg-type]


def test_goods_that_have_not_arrived_cannot_be_reviewed(session: Session) -> None:
    order = an_order(session, (a_variant(session), 1))
    [line] = orders.list_lines(session, [only_part(session, order).id])

    with pytest.raises(NotReceived):
        say(session, order, line.id)


def test_another_order_s_line_does_not_exist_here(session: Session) -> None:
    order, _line = delivered(session)
    _other, line_id = delivered(session)

    with pytest.raises(NoSuchReview):
        say(session, order, line_id)


def test_one_line_has_one_review_that_can_be_mended_for_thirty_days(session: Session) -> None:
    order, line_id = delivered(session)
    say(session, order, line_id, stars=2, photo_keys=["danh-gia/a.webp"])

    mended = say(session, order, line_id, stars=4, words="Đổi ý", now=later(days=29))

    assert (mended.stars, mended.words, mended.photo_keys) == (4, "Đổi ý", ["danh-gia/a.webp"])
    with pytest.raises(TooLateToMend):
        say(session, order, line_id, now=later(days=30))


def test_two_taps_at_once_are_one_review(database: Database) -> None:
    with database.transaction() as session:
        order, line_id = delivered(session)
        order_id = order.id

    done = at_once(
        database, [lambda s: say(s, s.get_one(Order, order_id), line_id).id for _tap in range(4)]
    )

    assert len(set(done)) == 1
    assert isinstance(done[0], int)


@pytest.mark.parametrize(
    "wrong", [{"stars": 0}, {"stars": 6}, {"stars": None}, {"words": "x" * 1_001}]
)
def test_what_is_no_review_is_refused(session: Session, wrong: dict[str, object]) -> None:
    order, line_id = delivered(session)

    with pytest.raises(BadReview):
        say(session, order, line_id, **wrong)


@pytest.mark.parametrize(
    ("stars", "tenths"), [([5], 50), ([5, 4], 45), ([5, 4, 4], 43), ([1, 2, 2], 17), ([3, 4], 35)]
)
def test_the_mean_is_rounded_to_a_tenth(session: Session, stars: list[int], tenths: int) -> None:
    product = a_product(session)
    for count in stars:
        order, line_id = delivered(session, product=product)
        say(session, order, line_id, stars=count)

    assert reviews.of_product(session, product.id).opinion == Opinion(len(stars), tenths)


def test_a_hidden_review_counts_nowhere_until_it_is_shown_again(session: Session) -> None:
    product = a_product(session)
    order, line_id = delivered(session, product=product)
    review = say(session, order, line_id)

    reviews.hide(session, review.id, why="quảng cáo", actor=SELLER, now=NOON)

    assert reviews.of_product(session, product.id).opinion is None
    assert reviews.list_page(session, product.id) == ([], None)
    assert [one.review.id for one in reviews.list_to_check(session)[0]] == [review.id]
    reviews.show(session, review.id, actor=SELLER, now=NOON)
    assert reviews.of_product(session, product.id).opinion == Opinion(1, 50)
    with pytest.raises(BadReview):
        reviews.hide(session, review.id, why=" ", actor=SELLER, now=NOON)


def test_one_visitor_reports_once(session: Session) -> None:
    order, line_id = delivered(session)
    review = say(session, order, line_id)

    first = reviews.report(session, review.id, reporter="a", why="sai", now=NOON)
    second = reviews.report(session, review.id, reporter="a", why="sai", now=NOON)

    session.refresh(review)
    assert (first, second, review.reports) == (True, False, 1)


def test_the_producer_answers_its_own_goods_once(session: Session) -> None:
    producer = a_producer(session)
    order, line_id = delivered(session, product=a_product(session, producer=producer))
    review = say(session, order, line_id)

    reviews.answer(session, review.id, producer.id, words="Cảm ơn", actor=SELLER, now=NOON)

    with pytest.raises(AlreadyAnswered):
        reviews.answer(session, review.id, producer.id, words="Nữa", actor=SELLER, now=NOON)
    with pytest.raises(NoSuchReview):
        reviews.answer(session, review.id, producer.id + 99, words="Lạ", actor=SELLER, now=NOON)


def test_pages_of_reviews_go_by_cursor_and_miss_none(session: Session) -> None:
    product = a_product(session)
    for number in range(reviews.PAGE + 1):
        order, line_id = delivered(session, product=product, phone=f"09123456{number:02d}")
        say(session, order, line_id)

    first, following = reviews.list_page(session, product.id)
    rest, end = reviews.list_page(session, product.id, before=following)

    assert (len(first), len(rest), end) == (reviews.PAGE, 1, None)
    assert not {one.id for one in first} & {one.id for one in rest}


def photo() -> BytesIO:
    picture, file = Image.new("RGB", (64, 48), "red"), BytesIO()
    exif = picture.getexif()
    exif[0x010E] = "nhà ở số 3"
    picture.save(file, "JPEG", exif=exif)
    file.seek(0)
    return file


def address_of(order: Order, line_id: int) -> str:
    mark = links.order_mark(SECRET, order.cart_id)
    return f"/don-hang/{order.code}/danh-gia/{line_id}?t={mark}"


def test_a_guest_reviews_through_the_signed_link_and_the_page_says_so(
    database: Database, visitor: FlaskClient
) -> None:
    with database.transaction() as session:
        product = a_product(session, slug="mat-ong", name="Mật ong")
        order, line_id = delivered(session, product=product)
        address = address_of(order, line_id)
    before = visitor.get("/san-pham/mat-ong").text
    token = hidden(visitor.get(address).text, "csrf_token")

    answer = visitor.post(
        address,
        data={
            "csrf_token": token,
            "stars": "4",
            "words": "<b>Thơm</b>",
            "photos": (photo(), "a.jpg"),
        },
    )

    page = visitor.get("/san-pham/mat-ong").text
    assert answer.status_code == 303
    assert "Người mua nói gì" not in before
    assert "aggregateRating" not in before
    assert "&lt;b&gt;Thơm&lt;/b&gt;" in page
    assert "<bdi>Ẩn</bdi>" in page
    assert "Nguyễn Thị" not in page
    found = re.search(r'ld\+json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    rating = json.loads(found.group(1))["@graph"][0]["aggregateRating"]
    assert (rating["ratingValue"], rating["reviewCount"]) == ("4.0", 1)
    key = re.search(r'href="(/media/danh-gia/[^"]+)"', page)
    assert key is not None
    assert b"nh\xc3\xa0" not in visitor.get(key.group(1)).data


def test_without_the_link_there_is_no_such_page(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        order, line_id = delivered(session)
        address = address_of(order, line_id).partition("?")[0]

    assert visitor.get(address).status_code == 404
    token = hidden(visitor.get("/tra-cuu").text, "csrf_token")
    assert visitor.post(address, data={"csrf_token": token, "stars": "5"}).status_code == 404


def test_no_stars_chosen_is_told_in_place(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        order, line_id = delivered(session)
        address = address_of(order, line_id)
    token = hidden(visitor.get(address).text, "csrf_token")

    answer = visitor.post(address, data={"csrf_token": token, "words": "Chưa chọn"})

    assert answer.status_code == 422
    assert "Chọn từ 1 đến 5 sao." in answer.text
    assert "Chưa chọn" in answer.text


def test_desk_and_staff_pages_list_what_was_said(database: Database, visitor: FlaskClient) -> None:
    with database.transaction() as session:
        producer = a_producer(session, slug="htx-rung")
        member, boss = a_member(session, producer), a_user(session, role=Role.STAFF).id
        order, line_id = delivered(session, product=a_product(session, producer=producer))
        review_id = say(session, order, line_id, stars=1, words="Vỡ hũ").id
    visitor.post(f"/danh-gia/{review_id}/bao", data={"why": "nói sai"})
    log_in(visitor, database, member)
    desk = visitor.get("/ban-hang/htx-rung/danh-gia").text
    visitor.post(
        f"/ban-hang/htx-rung/danh-gia/{review_id}",
        data={"csrf_token": hidden(desk, "csrf_token"), "answer": "Xin đổi hũ khác"},
    )
    log_in(visitor, database, boss)
    staff = visitor.get("/quan-tri/danh-gia").text
    visitor.post(
        f"/quan-tri/danh-gia/{review_id}/an",
        data={"csrf_token": hidden(staff, "csrf_token"), "why": "thử"},
    )

    assert "Vỡ hũ" in desk
    assert "Lời báo: nói sai" in staff
    assert "Xin đổi hũ khác" in staff
    with database.reading() as session:
        assert session.scalars(select(Review.state)).one() is reviews.ReviewState.HIDDEN
