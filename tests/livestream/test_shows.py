"""A comment holds the shop's own stock, once, in the order of arrival, and nobody is forgotten."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members, stock
from catalog.stock import Reservation, StockItem, Wanted
from core.db import Database
from core.settings import ROOT
from livestream import claims, comments, ingest, replay, shows
from livestream.claims import Bag, Claim, ClaimState
from livestream.comments import Arrival, Comment, Lane
from livestream.console import read_console, without_numbers
from livestream.parsing import Reason
from livestream.shows import Show, ShowItem, ShowState
from livestream.why import BY_RULE, why
from tests.conftest import NOON, create_tables
from tests.factories import a_producer, a_show, a_user, a_variant, an_item, later
from tests.queries import counted
from tests.visits import browser_of, send

RECORDING = ROOT / "data" / "live" / "replay-S1.jsonl"
SESSIONS = ROOT / "data" / "live" / "sessions.json"
_ids = count(1)


def a_comment(text: str, *, user: str | None = "u1", at: datetime = NOON, **given: str) -> Arrival:
    return Arrival(
        platform=given.get("platform", "facebook"),
        external_id=given.get("external_id", f"c{next(_ids)}"),
        external_user=user,
        user_name="Hoa",
        text=text,
        author=given.get("author", "viewer"),
        created_at=at,
        received_at=at,
    )


def say(session: Session, show: Show, arrival: Arrival) -> Comment | None:
    items = shows.list_items(session, show.id)
    return ingest.take_comment(session, show, items, ingest.codes_of(items), arrival)


def held(session: Session, item: ShowItem) -> int:
    return int(session.scalars(select(ShowItem.held).where(ShowItem.id == item.id)).one())


def reserved(session: Session, item: ShowItem) -> int:
    query = select(StockItem.reserved).where(StockItem.variant_id == item.variant_id)
    return int(session.scalars(query).one())


def test_a_clear_comment_holds_the_shops_own_stock(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")

    comment = say(session, show, a_comment("chốt A1 2"))

    assert comment is not None
    assert (comment.lane, comment.outcome) == (Lane.AUTO, "held")
    assert (held(session, honey), reserved(session, honey)) == (2, 2)
    assert stock.free_of_variants(session, [honey.variant_id], now=NOON)[honey.variant_id] == 8


def test_a_comment_delivered_again_changes_nothing(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")
    arrival = a_comment("A1 2", external_id="same")
    say(session, show, arrival)

    again = say(session, show, arrival)

    assert again is None
    assert held(session, honey) == 2


def test_a_web_buyer_and_a_comment_compete_for_the_same_jar(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1", in_stock=1)
    stock.reserve(session, [Wanted(honey.variant_id, 1)], now=NOON, expires_at=None)

    comment = say(session, show, a_comment("chốt A1"))

    assert comment is not None
    assert comment.outcome == "waiting"
    assert (held(session, honey), reserved(session, honey)) == (0, 1)


def test_what_is_left_is_held_and_the_rest_waits_in_line(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1", in_stock=3)

    say(session, show, a_comment("A1 5"))

    states = dict(session.execute(select(Claim.state, Claim.quantity)).all())
    assert states == {ClaimState.HELD: 3, ClaimState.WAITING: 2}
    assert reserved(session, honey) == 3


def test_the_cap_bounds_the_show_not_the_shop(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1", in_stock=10, cap=4)

    say(session, show, a_comment("A1 6"))

    assert (held(session, honey), reserved(session, honey)) == (4, 4)


def test_a_cancelled_claim_goes_to_who_waits_longest(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1", in_stock=1)
    say(session, show, a_comment("A1", user="first"))
    say(session, show, a_comment("A1", user="second"))
    say(session, show, a_comment("A1", user="third"))

    say(session, show, a_comment("hủy A1", user="first", at=later(minutes=2)))

    rows = session.execute(
        select(Bag.external_user, Claim.state).join(Claim, Claim.bag_id == Bag.id)
    )
    assert {tuple(row) for row in rows} == {
        ("first", ClaimState.RELEASED),
        ("second", ClaimState.HELD),
        ("third", ClaimState.WAITING),
    }
    assert reserved(session, honey) == 1


def test_one_buyer_has_one_bag_in_one_show(session: Session) -> None:
    show = a_show(session)
    an_item(session, show, "A1")
    an_item(session, show, "B2")
    say(session, show, a_comment("A1"))
    say(session, show, a_comment("B2 2", at=later(minutes=3)))
    say(session, show, a_comment("A1", user="u2"))

    bags = session.execute(select(Bag.external_user, Bag.bag_no).order_by(Bag.bag_no)).all()

    assert [tuple(bag) for bag in bags] == [("u1", 1), ("u2", 2)]


def test_the_same_words_within_a_minute_are_a_nervous_repeat(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")
    say(session, show, a_comment("A1 2"))

    again = say(session, show, a_comment("A1 2", at=later(seconds=30)))

    assert again is not None
    assert again.outcome == "already"
    assert held(session, honey) == 2


@pytest.mark.parametrize(
    ("arrival", "reason"),
    [
        (a_comment("A1 2", user=None), "nobody"),
        (a_comment("A1 11"), "many"),
    ],
)
def test_a_person_decides_where_the_rules_may_not(
    session: Session, arrival: Arrival, reason: str
) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1", in_stock=30)

    comment = say(session, show, arrival)

    assert comment is not None
    assert comment.lane is Lane.REVIEW
    assert comment.outcome in {reason, ""}
    assert held(session, honey) == 0


def test_a_comment_after_the_end_waits_for_a_person(session: Session) -> None:
    show = a_show(session, state=ShowState.ENDED)
    an_item(session, show, "A1")

    comment = say(session, show, a_comment("A1"))

    assert comment is not None
    assert (comment.lane, comment.outcome) == (Lane.REVIEW, "late")


def test_the_hosts_own_words_order_nothing(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")

    say(session, show, a_comment("Comment A1 2 nhé cả nhà", author="page"))

    assert held(session, honey) == 0


def test_two_operators_accept_one_comment_once(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")
    comment = say(session, show, a_comment("A1 2", user=None))
    assert comment is not None
    ingest.accept(session, show, comment.id, code="A1", quantity=2, actor=SYSTEM, now=NOON)

    with pytest.raises(ingest.HandledMeanwhile):
        ingest.accept(session, show, comment.id, code="A1", quantity=2, actor=SYSTEM, now=NOON)

    assert held(session, honey) == 2


def test_two_nameless_buyers_are_never_one(session: Session) -> None:
    show = a_show(session)
    an_item(session, show, "A1")
    for _n in range(2):
        comment = say(session, show, a_comment("A1", user=None))
        assert comment is not None
        ingest.accept(session, show, comment.id, code="A1", quantity=1, actor=SYSTEM, now=NOON)

    assert session.scalar(select(func.count()).select_from(Bag)) == 2


def test_an_edited_comment_never_orders_again(session: Session) -> None:
    show = a_show(session)
    honey = an_item(session, show, "A1")
    say(session, show, a_comment("A1 2", external_id="e1"))

    comments.mark_edited(session, "facebook", "e1", "A1 9", now=NOON)

    waiting = comments.list_waiting(session, show.id)
    assert [comment.text for comment in waiting] == ["A1 9"]
    assert held(session, honey) == 2


def test_a_claim_held_too_long_is_let_go_once(database: Database) -> None:
    with database.transaction() as session:
        show = a_show(session)
        honey = an_item(session, show, "A1")
        say(session, show, a_comment("A1 3"))

    for _n in range(2):
        claims.expire_claims(database, later(hours=25))

    with database.reading() as session:
        assert (held(session, honey), reserved(session, honey)) == (0, 0)


def test_twenty_people_at_once_on_one_jar_give_one_winner(database: Database) -> None:
    with database.transaction() as session:
        show_id = a_show(session).id
        show = session.get_one(Show, show_id)
        item = an_item(session, show, "A1", in_stock=1)

    def type_it(number: int) -> None:
        with database.transaction() as session:
            say(session, session.get_one(Show, show_id), a_comment("A1", user=f"u{number}"))

    people = [threading.Thread(target=type_it, args=(n,)) for n in range(20)]
    for person in people:
        person.start()
    for person in people:
        person.join()

    with database.reading() as session:
        units = claims.units_by_state(session, show_id)
        assert units == {(item.id, ClaimState.HELD): 1, (item.id, ClaimState.WAITING): 19}
        assert (held(session, item), reserved(session, item)) == (1, 1)


def test_any_text_a_platform_sends_is_kept(session: Session) -> None:
    show = a_show(session)
    an_item(session, show, "A1")

    comment = say(session, show, a_comment("\x00A1\ud800 \u202e" + "x" * 9_000))

    assert comment is not None
    assert len(comment.text) <= comments.LONGEST_KEPT


def a_show_of_the_recording(database: Database) -> str:
    """A draft show with the goods of the recording, as many in stock as it announces."""
    goods = json.loads(SESSIONS.read_text("utf-8"))["S1"]["products"]
    start = json.loads(RECORDING.read_text("utf-8").splitlines()[0])
    with database.transaction() as session:
        show = a_show(session, state=ShowState.DRAFT, slug="phien-mau")
        for code, one in goods.items():
            shows.add_item(
                session,
                show,
                code=code,
                variant_id=a_variant(session, in_stock=start["stock"][code]).id,
                name=one["name"],
                unit=one["unit"],
                live_price=a_variant(session, in_stock=0).price,  # type: ignore[arg-type]
                cap=0,
                aliases=tuple(one["aliases"]),
                options=tuple(one["variants"]),
            )
    return "phien-mau"


def outcome(database: Database) -> list[tuple[object, ...]]:
    with database.reading() as session:
        rows = session.execute(
            select(Bag.bag_no, ShowItem.code, Claim.quantity, Claim.state, Claim.note)
            .join(Bag, Bag.id == Claim.bag_id)
            .join(ShowItem, ShowItem.id == Claim.item_id)
            .order_by(Claim.id)
        )
        return [tuple(row) for row in rows]


def test_a_recorded_show_never_sells_a_jar_twice(database: Database) -> None:
    slug = a_show_of_the_recording(database)

    played = replay.play(
        database, slug, replay.read_recording(RECORDING), speed=0, pause=_no_waiting
    )

    assert played.events == 1_097
    assert played.comments + played.repeated == 1_022
    assert played.repeated > 0
    with database.reading() as session:
        show = shows.get_show(session, slug)
        assert show.state is ShowState.ENDED
        for item in shows.list_items(session, show.id):
            assert 0 <= item.held <= item.cap
            assert reserved(session, item) == item.held
        open_units = session.scalar(
            select(func.sum(Reservation.quantity)).where(Reservation.state.in_(stock.OPEN))
        )
        assert open_units == session.scalar(
            select(func.sum(Claim.quantity)).where(Claim.state == ClaimState.HELD)
        )


def test_a_recording_played_in_pieces_and_twice_ends_the_same(
    database: Database, tmp_path: Path
) -> None:
    slug = a_show_of_the_recording(database)
    events = list(replay.read_recording(RECORDING))
    for piece in (events[:400], events[300:800], events[800:]):
        replay.play(database, slug, iter(piece), speed=0, pause=_no_waiting)
    in_pieces = outcome(database)
    whole = Database(f"sqlite:///{tmp_path}/whole.db")
    create_tables(whole)
    replay.play(whole, a_show_of_the_recording(whole), iter(events), speed=0, pause=_no_waiting)

    at_once = outcome(whole)
    whole.close()

    assert in_pieces == at_once


def test_a_broken_recording_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"t": 0, "type": "pin", "code": "A1"}\nnot json\n', "utf-8")

    with pytest.raises(replay.BrokenRecording, match="2"):
        list(replay.read_recording(path))


def test_speed_decides_the_waiting_not_the_outcome(database: Database) -> None:
    slug = a_show_of_the_recording(database)
    waits: list[float] = []

    def first_minute() -> Iterator[dict[str, object]]:
        return (event for event in replay.read_recording(RECORDING) if float(event["t"]) < 60)

    replay.play(database, slug, first_minute(), speed=60, pause=waits.append)

    assert 0.5 < sum(waits) < 1.0


def _no_waiting(seconds: float) -> None:
    message = f"speed 0 must not wait, but {seconds} s were asked for"
    raise AssertionError(message)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("A1 2 0912345678", "A1 2 •••678"),
        ("A1 0912 345 678 nhé", "A1 •••678 nhé"),
        ("lấy 2 A1", "lấy 2 A1"),
    ],
)
def test_no_screen_of_a_show_spells_out_a_number(typed: str, shown: str) -> None:
    assert without_numbers(typed) == shown


def test_the_console_is_for_the_producers_people_alone(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        slug = a_show(session, producer=producer).slug
        owner, stranger = a_user(session, role=Role.PRODUCER), a_user(session, role=Role.PRODUCER)
        members.add(session, producer, owner, actor=SYSTEM, now=NOON)

    mine = browser_of(app, database, owner).get(f"/live/{slug}/dieu-khien")
    theirs = browser_of(app, database, stranger).get(f"/live/{slug}/dieu-khien")
    nobodys = app.test_client().get(f"/live/{slug}/dieu-khien")

    assert (mine.status_code, theirs.status_code, nobodys.status_code) == (200, 404, 303)


def test_an_operator_reserves_what_the_rules_left_open(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        show = a_show(session, producer=producer)
        honey = an_item(session, show, "A1")
        owner = a_user(session, role=Role.PRODUCER)
        members.add(session, producer, owner, actor=SYSTEM, now=NOON)
        comment = say(session, show, a_comment("A1 2", user=None))
        assert comment is not None
        number, slug = comment.id, show.slug
    browser = browser_of(app, database, owner)

    answer = send(
        browser,
        f"/live/{slug}/dieu-khien",
        page=f"/live/{slug}/dieu-khien",
        **{"nut": f"chot:{number}", f"ma-{number}": "A1", f"so-{number}": "2"},
    )

    assert answer.status_code == 303
    with database.reading() as session:
        assert held(session, honey) == 2


def test_the_part_that_moves_is_a_slice_of_the_whole_console(
    app: Flask, database: Database
) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        show = a_show(session, producer=producer)
        an_item(session, show, "A1")
        say(session, show, a_comment("A1 2"))
        owner = a_user(session, role=Role.PRODUCER)
        members.add(session, producer, owner, actor=SYSTEM, now=NOON)
        slug = show.slug
    browser = browser_of(app, database, owner)

    whole = browser.get(f"/live/{slug}/dieu-khien").text
    part = browser.get(f"/live/{slug}/dieu-khien", headers={"HX-Request": "true"}).text

    assert part.strip() in whole
    assert "<html" not in part


def test_the_console_asks_as_often_for_many_comments_as_for_few(
    app: Flask, database: Database
) -> None:
    counts = []
    for comments_typed in (2, 60):
        with database.transaction() as session:
            producer = a_producer(session)
            show = a_show(session, producer=producer)
            an_item(session, show, "A1", in_stock=100)
            for number in range(comments_typed):
                say(session, show, a_comment("A1", user=f"u{number}"))
        with database.reading() as session, counted(database) as queries:
            read_console(session, session.get_one(Show, show.id), now=NOON)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 8


def test_a_number_typed_alone_goes_into_the_bag(session: Session) -> None:
    show = a_show(session)
    an_item(session, show, "A1")
    say(session, show, a_comment("A1"))

    say(session, show, a_comment("0912345678", at=later(seconds=20)))

    assert session.scalars(select(Bag.phone)).all() == ["0912345678"]


def test_a_waiting_comment_says_why_it_waits(session: Session) -> None:
    show = a_show(session)
    an_item(session, show, "A1")
    late = a_show(session, state=ShowState.ENDED)
    an_item(session, late, "A1")

    nameless = say(session, show, a_comment("A1", user=None))
    after = say(session, late, a_comment("A1"))

    assert nameless is not None
    assert after is not None
    assert why(nameless) == ["the platform hides who wrote it"]
    assert why(after) == ["came after the end"]


def test_every_reason_for_review_has_words() -> None:
    quiet = {"host", "empty", "phone_only", "remark", "past", "asked", "advert", "kept"}

    assert {reason.value for reason in BY_RULE} == {r.value for r in Reason} - quiet
