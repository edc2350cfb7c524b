"""Claims side by side: nobody waits for each other, nobody overtakes, nothing is held twice."""

import random
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog import stock
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.variants import Variant
from core.db import Database
from livestream import claims, comments, ingest, shows
from livestream.claims import Bag, Claim, ClaimState
from livestream.console import list_lines
from livestream.shows import Show, ShowItem
from shop.audit import find_faults
from tests.conftest import NOON
from tests.factories import a_show, an_item, later
from tests.livestream.test_shows import a_comment, held, reserved, say
from tests.shop.selling import SELLER, at_once

WORDS = ("A1 2", "B2 2 A1 1", "A1 1 B2 3", "hủy A1", "bỏ 1 A1", "hủy B2")


def of_buyer(session: Session, user: str) -> dict[ClaimState, int]:
    """How many of all items one buyer holds and waits for."""
    rows = session.execute(
        select(Claim.state, func.sum(Claim.quantity))
        .join(Bag, Bag.id == Claim.bag_id)
        .where(Bag.external_user == user, Claim.state.in_([ClaimState.HELD, ClaimState.WAITING]))
        .group_by(Claim.state)
    )
    return {state: int(count) for state, count in rows}


def held_by_claims(session: Session, item: ShowItem) -> int:
    query = select(func.sum(Claim.quantity)).where(
        Claim.item_id == item.id, Claim.state == ClaimState.HELD
    )
    return int(session.scalar(query) or 0)


def test_many_hands_on_the_same_goods_never_wait_in_a_ring(database: Database) -> None:
    with database.transaction() as session:
        show = a_show(session)
        # The second item's stock row is the older one: the order of codes is not that of shelves.
        tea = an_item(session, show, "B2", in_stock=20)
        honey = an_item(session, show, "A1", in_stock=20)
        show_id = show.id

    def buyer(number: int, at: datetime) -> Callable[[Session], object]:
        chance = random.Random(f"{number} {at}")

        def talk(session: Session) -> object:
            words, user = chance.choice(WORDS), f"u{chance.randrange(4)}"
            return say(session, session.get_one(Show, show_id), a_comment(words, user=user, at=at))

        return talk

    came_out: list[object] = []
    for minute in range(0, 40, 2):
        jobs = [buyer(number, later(minutes=minute)) for number in range(6)]
        came_out += at_once(database, jobs)

    assert [one for one in came_out if isinstance(one, Exception)] == []
    with database.reading() as session:
        assert find_faults(session) == []
        for item in (tea, honey):
            assert held(session, item) == held_by_claims(session, item) == reserved(session, item)
        numbers = session.scalars(select(Bag.bag_no).order_by(Bag.bag_no)).all()
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_buyer_takes_one_back_and_keeps_the_rest(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")
    say(session, show, a_comment("A1 3"))

    comment = say(session, show, a_comment("bỏ 1 A1", at=later(minutes=2)))

    assert comment is not None
    assert comment.outcome == "released"
    assert (held(session, honey), reserved(session, honey)) == (2, 2)
    assert of_buyer(session, "u1") == {ClaimState.HELD: 2}


def test_what_waits_is_taken_back_before_what_is_held(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1", in_stock=3)
    say(session, show, a_comment("A1 5"))

    say(session, show, a_comment("bỏ 3 A1", at=later(minutes=2)))

    assert of_buyer(session, "u1") == {ClaimState.HELD: 2}
    assert (held(session, honey), reserved(session, honey)) == (2, 2)


def test_nobody_overtakes_who_waits_for_more(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1", in_stock=3)
    say(session, show, a_comment("A1 3", user="first"))
    say(session, show, a_comment("A1 5", user="second"))
    say(session, show, a_comment("bỏ 2 A1", user="first", at=later(minutes=1)))

    say(session, show, a_comment("A1", user="third", at=later(minutes=2)))

    assert of_buyer(session, "second") == {ClaimState.HELD: 2, ClaimState.WAITING: 3}
    assert of_buyer(session, "third") == {ClaimState.WAITING: 1}
    assert reserved(session, honey) == 3


def test_goods_that_the_shop_frees_go_to_who_waits(database: Database) -> None:
    with database.transaction() as session:
        show = a_show(session)
        honey = an_item(session, show, "A1", in_stock=2)
        wanted = [stock.Wanted(honey.variant_id, 2)]
        [web] = stock.reserve(session, wanted, now=NOON, expires_at=None)
        say(session, show, a_comment("A1"))
    with database.transaction() as session:
        stock.release(session, [hold.id for hold in web])

    claims.expire_claims(database, later(minutes=1))

    with database.reading() as session:
        assert of_buyer(session, "u1") == {ClaimState.HELD: 1}
        assert reserved(session, honey) == 1


def test_nobody_waits_for_a_show_long_gone(database: Database) -> None:
    with database.transaction() as session:
        show = a_show(session)
        honey = an_item(session, show, "A1", in_stock=0, cap=5)
        say(session, show, a_comment("A1"))
        shows.end(session, show, actor=SELLER, now=later(hours=2))
    with database.transaction() as session:
        item = stock.item_for(session, honey.variant_id, None)
        stock.move(session, item, 5, why=stock.Why.RECEIVED, now=NOON, actor_id=None)

    claims.expire_claims(database, later(hours=27))

    with database.reading() as session:
        assert of_buyer(session, "u1") == {}
        assert reserved(session, honey) == 0


def test_an_edited_comment_holds_what_its_new_words_say(session: Session) -> None:
    show = a_show(session)
    honey, tea = an_item(session, show, "A1"), an_item(session, show, "B2")
    say(session, show, a_comment("A1 2", external_id="e1"))
    comments.mark_edited(session, "facebook", "e1", "A1 3", now=NOON)
    [edited] = comments.list_waiting(session, show.id)

    ingest.accept(session, show, edited.id, code="A1", quantity=3, actor=SELLER, now=NOON)
    more = held(session, honey)
    comments.mark_edited(session, "facebook", "e1", "B2 1", now=NOON)
    ingest.accept(session, show, edited.id, code="B2", quantity=1, actor=SELLER, now=NOON)

    assert more == 3
    assert (held(session, honey), held(session, tea)) == (0, 1)
    assert (reserved(session, honey), reserved(session, tea)) == (0, 1)


@pytest.mark.parametrize("stopped", ["goods", "maker"])
def test_what_the_shop_took_down_is_not_held_in_a_show(session: Session, stopped: str) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")
    variant = session.get_one(Variant, honey.variant_id)
    product = session.get_one(Product, variant.product_id)
    if stopped == "goods":
        product.state = ProductState.WITHDRAWN
    else:
        session.get_one(Producer, product.producer_id).state = ProducerState.SUSPENDED

    say(session, show, a_comment("A1 2"))

    assert of_buyer(session, "u1") == {ClaimState.WAITING: 2}
    assert (held(session, honey), reserved(session, honey)) == (0, 0)
    [line] = list_lines(session, show.id, now=NOON)
    assert (line.left, line.sold) == (0, False)
