"""Who sits at which desk: the producer's own people, its helpers in the open, and nobody else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import AnyConverter, Rule

from accounts.audit import Act, Actor
from accounts.users import Role, User
from catalog import grants, members
from catalog.producers import Producer
from core.clock import utc_now
from core.db import Database
from core.tasks import Task
from tests.conftest import NOON
from tests.factories import a_commune, a_producer, a_user
from tests.visits import a_password, browser_of, csrf, send

STAFF = Actor(None, "Cán bộ")
BANK = {"bank_bin": "970436", "bank_account": "0123 456 789", "bank_holder": "Hợp tác xã Ô Diên"}


@pytest.fixture
def place(database: Database) -> Producer:
    """A producer in Đan Phượng."""
    with database.transaction() as session:
        return a_producer(session, name="HTX Bưởi")


def a_member(session: Session, place: Producer, **given: object) -> User:
    user = a_password(a_user(session, role=Role.PRODUCER, **given))
    members.add(session, place, user, actor=STAFF, now=NOON)
    return user


def a_helper(session: Session, commune: str = "09784", **given: object) -> User:
    helper = a_password(a_user(session, role=Role.HELPER, **given))
    a_commune(session, code=commune)
    grants.give(session, helper, commune, actor=STAFF, now=NOON)
    return helper


def an_ended_helper(session: Session, place: Producer) -> User:
    helper = a_helper(session)
    [(grant, _helper, _commune)] = grants.list_active(session, helper_id=helper.id)
    grants.end(session, grant, actor=STAFF, now=NOON)
    return helper


def a_refused_helper(session: Session, place: Producer) -> User:
    helper = a_helper(session)
    grants.refuse(session, place, helper.id, actor=Actor(None, "Bà chủ"), now=NOON)
    return helper


def a_former_helper(session: Session, place: Producer) -> User:
    helper = a_helper(session)
    helper.role = Role.BUYER
    return helper


STRANGERS: dict[str, Callable[[Session, Producer], User]] = {
    "a buyer": lambda session, _place: a_user(session),
    "another producer": lambda session, _place: a_member(session, a_producer(session)),
    "a helper of another commune": lambda session, _place: a_helper(session, "09787"),
    "a helper without a grant": lambda session, _place: a_user(session, role=Role.HELPER),
    "a helper whose grant ended": an_ended_helper,
    "a helper this producer refused": a_refused_helper,
    "a helper who is one no more": a_former_helper,
}


def desk_rules(app: Flask) -> list[Rule]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/ban-hang/<")]
    assert len(rules) > 6
    return rules


def address_of(app: Flask, rule: Rule, slug: str) -> str:
    values = dict.fromkeys(rule.arguments, "1") | {"producer": slug}
    for name, converter in rule._converters.items():
        if isinstance(converter, AnyConverter):
            values[name] = min(converter.items)
    with app.test_request_context():
        return app.url_for(rule.endpoint, **values)


@pytest.mark.parametrize("who", STRANGERS)
def test_to_strangers_no_page_of_a_desk_is_there(
    app: Flask, database: Database, place: Producer, who: str
) -> None:
    with database.transaction() as session:
        stranger = STRANGERS[who](session, session.get_one(Producer, place.id))
    browser = browser_of(app, database, stranger)
    token = csrf(browser, "/tai-khoan")
    answers = {}

    for rule in desk_rules(app):
        assert rule.methods is not None
        for method in rule.methods & {"GET", "POST", "PUT", "DELETE"}:
            for slug in (place.slug, "khong-co-nha-nay"):
                address = address_of(app, rule, slug)
                response = browser.open(address, method=method, data={"csrf_token": token})
                answers[method, rule.rule, slug] = (response.status_code, slug in response.text)

    wrong = {where: answer for where, answer in answers.items() if answer[0] != 404}
    assert not wrong


def test_every_page_of_a_desk_asks_who_is_there(app: Flask, place: Producer) -> None:
    visitor = app.test_client()

    for rule in desk_rules(app):
        view = app.view_functions[rule.endpoint]
        assert getattr(view, "audience", None) == "producer", rule.endpoint
        if "GET" in (rule.methods or ()):
            response = visitor.get(address_of(app, rule, place.slug))
            assert response.status_code == 303, rule.rule
            assert "/tai-khoan/dang-nhap?tiep=/ban-hang/" in response.location


def test_own_people_sit_in_their_own_name(app: Flask, database: Database, place: Producer) -> None:
    with database.transaction() as session:
        owner = a_member(session, place, name="Bà Chủ")
    browser = browser_of(app, database, owner)

    assert browser.get("/ban-hang").location == f"/ban-hang/{place.slug}"
    page = browser.get(f"/ban-hang/{place.slug}")
    assert page.status_code == 200
    assert "Đang làm thay mặt" not in page.text


@pytest.mark.parametrize("role", [Role.HELPER, Role.STAFF])
def test_helpers_and_staff_act_on_behalf_and_every_page_says_so(
    app: Flask, database: Database, place: Producer, role: Role
) -> None:
    with database.transaction() as session:
        person = (
            a_helper(session, name="Cô Tổ")
            if role is Role.HELPER
            else a_user(session, name="Cô Tổ", role=role)
        )
    browser = browser_of(app, database, person)

    for part in ("", "/giay-to", "/tai-khoan-ngan-hang", "/nhat-ky-viec"):
        page = browser.get(f"/ban-hang/{place.slug}{part}")
        assert page.status_code == 200, part
        assert "Đang làm thay mặt HTX Bưởi. Mọi việc đều ghi tên Cô Tổ." in page.text


def test_what_a_helper_does_is_recorded_with_both_names(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        a_member(session, place, email="chu@vidu.vn")
        helper = a_helper(session, name="Cô Tổ")
    browser = browser_of(app, database, helper)
    desk = f"/ban-hang/{place.slug}"

    saved = send(browser, f"{desk}/tai-khoan-ngan-hang", page="/tai-khoan", **BANK)

    assert saved.location == f"{desk}/tai-khoan-ngan-hang?xong=luu"
    with database.reading() as session:
        now = session.get_one(Producer, place.id)
        act = session.scalars(select(Act).where(Act.verb == "bank.changed")).one()
        mail = session.scalars(select(Task.payload)).one()
    assert (now.bank_bin, now.bank_account, now.bank_holder) == (
        "970436",
        "0123456789",
        "HOP TAC XA O DIEN",
    )
    assert (act.actor_name, act.on_behalf_of, act.actor_id) == ("Cô Tổ", "HTX Bưởi", helper.id)
    assert "0123456789" not in str(act.detail)
    assert mail["to"] == "chu@vidu.vn"
    for page in (f"{desk}/tai-khoan-ngan-hang", f"{desk}/nhat-ky-viec"):
        assert "thay mặt HTX Bưởi" in browser.get(page).text


def test_own_people_change_the_account_in_their_own_name(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        owner = a_member(session, place)
    browser = browser_of(app, database, owner)

    send(browser, f"/ban-hang/{place.slug}/tai-khoan-ngan-hang", page="/tai-khoan", **BANK)
    send(browser, f"/ban-hang/{place.slug}/tai-khoan-ngan-hang", page="/tai-khoan", **BANK)

    with database.reading() as session:
        [act] = session.scalars(select(Act).where(Act.verb == "bank.changed")).all()
    assert act.on_behalf_of is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bank_bin", "000000"),
        ("bank_bin", ""),
        ("bank_account", "12"),
        ("bank_account", "12345678901234567890123"),
        ("bank_holder", ""),
        ("bank_holder", "A; DROP"),
    ],
)
def test_a_wrong_account_is_not_saved_and_what_was_typed_stays(
    app: Flask, database: Database, place: Producer, field: str, value: str
) -> None:
    with database.transaction() as session:
        owner = a_member(session, place)
    browser = browser_of(app, database, owner)

    response = send(
        browser,
        f"/ban-hang/{place.slug}/tai-khoan-ngan-hang",
        page="/tai-khoan",
        **{**BANK, field: value},
    )

    assert response.status_code == 422
    assert f'id="{field}-loi"' in response.text
    with database.reading() as session:
        assert session.get_one(Producer, place.id).bank_account == place.bank_account


def test_the_bank_account_asks_for_the_password_again_after_ten_minutes(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        owner = a_member(session, place)
    browser = browser_of(app, database, owner)
    address = f"/ban-hang/{place.slug}/tai-khoan-ngan-hang"

    with time_machine.travel(utc_now() + timedelta(minutes=11)):
        look = browser.get(address)
        change = send(browser, address, page="/tai-khoan", **BANK)

    assert look.status_code == change.status_code == 303
    assert look.location == f"/tai-khoan/xac-nhan?tiep={address}"
    with database.reading() as session:
        assert session.get_one(Producer, place.id).bank_account == place.bank_account


def test_ending_a_grant_closes_the_desk_at_once(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        helper = a_helper(session)
    browser = browser_of(app, database, helper)
    before = browser.get(f"/ban-hang/{place.slug}").status_code

    with database.transaction() as session:
        [(grant, _helper, _commune)] = grants.list_active(session, helper_id=helper.id)
        grants.end(session, grant, actor=STAFF, now=utc_now())

    assert (before, browser.get(f"/ban-hang/{place.slug}").status_code) == (200, 404)


def test_a_producer_ends_a_helpers_acting_for_itself_only_and_takes_it_back(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        owner = a_member(session, place)
        other = a_producer(session)
        helper = a_helper(session)
    owners, helpers = browser_of(app, database, owner), browser_of(app, database, helper)
    desk = f"/ban-hang/{place.slug}"

    send(owners, f"{desk}/nguoi-giup/{helper.id}/dung", page=desk)
    refused = [helpers.get(f"/ban-hang/{p.slug}").status_code for p in (place, other)]
    send(owners, f"{desk}/nguoi-giup/{helper.id}/cho-lai", page=desk)
    welcomed = [helpers.get(f"/ban-hang/{p.slug}").status_code for p in (place, other)]

    assert refused == [404, 200]
    assert welcomed == [200, 200]


def test_a_helper_neither_sends_another_away_nor_brings_one_back(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        one, two, gone = a_helper(session), a_helper(session), a_helper(session)
        grants.refuse(session, place, gone.id, actor=Actor(None, "Bà chủ"), now=NOON)
    browser = browser_of(app, database, one)
    desk = f"/ban-hang/{place.slug}"

    away = send(browser, f"{desk}/nguoi-giup/{two.id}/dung", page="/tai-khoan")
    back = send(browser, f"{desk}/nguoi-giup/{gone.id}/cho-lai", page="/tai-khoan")
    leave = send(browser, f"{desk}/nguoi-giup/{one.id}/dung", page="/tai-khoan")

    assert (away.status_code, back.status_code, leave.status_code) == (403, 403, 303)


def test_a_helper_sees_communes_and_producers_to_help(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        helper = a_helper(session)
        nobody = a_user(session, role=Role.HELPER)

    page = browser_of(app, database, helper).get("/ban-hang").text
    empty = browser_of(app, database, nobody).get("/ban-hang").text

    assert "Xã Đan Phượng" in page
    assert "HTX Bưởi" in page
    assert "Chưa có nhà sản xuất nào để giúp" in empty


def test_acts_of_a_desk_go_on_from_page_to_page(
    app: Flask, database: Database, place: Producer
) -> None:
    with database.transaction() as session:
        owner = a_member(session, place)
        for n in range(60):
            session.add(
                Act(
                    at=NOON,
                    actor_name=f"Người-{n:02d}",
                    scope=f"producer:{place.id}",
                    verb="bank.changed",
                    subject="x",
                    detail={},
                )
            )
    browser = browser_of(app, database, owner)
    address = f"/ban-hang/{place.slug}/nhat-ky-viec"

    first = browser.get(address).text
    following = first.split('rel="next" href="')[1].split('"')[0]
    second = browser.get(following.replace("&amp;", "&")).text
    garbage = browser.get(f"{address}?sau=xyz")

    assert "Người-59" in first
    assert "Người-10" in first
    assert "Người-09" not in first
    assert "Người-09" in second
    assert garbage.status_code == 200


def test_a_grant_in_force_is_given_once(session: Session) -> None:
    helper = a_helper(session)

    again = grants.give(session, helper, "09784", actor=STAFF, now=NOON)

    assert [row[0].id for row in grants.list_active(session, helper_id=helper.id)] == [again.id]


@pytest.mark.parametrize("code", ["01", "99999", ""])
def test_a_grant_is_for_a_commune(session: Session, code: str) -> None:
    a_commune(session)
    helper = a_user(session, role=Role.HELPER)

    with pytest.raises(grants.NoSuchCommune):
        grants.give(session, helper, code, actor=STAFF, now=NOON)


@pytest.mark.parametrize("role", [Role.BUYER, Role.PRODUCER, Role.STAFF])
def test_a_grant_is_for_helpers(session: Session, role: Role) -> None:
    a_commune(session)

    with pytest.raises(grants.NotAHelper):
        grants.give(session, a_user(session, role=role), "09784", actor=STAFF, now=NOON)
