"""One's own name and e-mail, and the phone that staff made sure of."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import profile, sessions
from accounts.audit import Act, Actor
from accounts.profile import NoPhone
from accounts.users import BadLoginName, BadName, LoginNameTaken, Role, User
from core.clock import utc_now
from core.db import Database
from core.tasks import Task
from tests.conftest import NOON
from tests.factories import a_user, later
from tests.shop.selling import hidden

SELF = Actor(None, "Hoa")


def test_a_name_is_changed_and_cleaned(session: Session) -> None:
    user = a_user(session)

    profile.rename(session, user, "  Nguyễn   Thị  Hoa ")
    with pytest.raises(BadName):
        profile.rename(session, user, " ")

    assert user.name == "Nguyễn Thị Hoa"


def test_the_old_address_is_told_when_another_takes_its_place(session: Session) -> None:
    user = a_user(session, email="cu@vidu.vn")

    profile.change_email(session, user, " Moi@Vidu.VN ", actor=SELF, now=NOON)
    profile.change_email(session, user, "moi@vidu.vn", actor=SELF, now=NOON)
    session.flush()

    assert user.email == "moi@vidu.vn"
    [letter] = session.scalars(select(Task)).all()
    assert letter.payload["to"] == "cu@vidu.vn"
    assert session.scalars(select(Act.verb)).all() == ["user.email_changed"]


@pytest.mark.parametrize("typed", ["", "0912345678", "lan@", "a b@c.vn"])
def test_what_is_no_address_is_refused(session: Session, typed: str) -> None:
    user = a_user(session)

    with pytest.raises(BadLoginName) as refusal:
        profile.change_email(session, user, typed, actor=SELF, now=NOON)

    assert refusal.value.field == "email"


def test_somebody_elses_address_is_not_taken(session: Session) -> None:
    a_user(session, email="lan@vidu.vn")
    user = a_user(session, email="hoa@vidu.vn")

    with pytest.raises(LoginNameTaken):
        profile.change_email(session, user, "lan@vidu.vn", actor=SELF, now=NOON)

    assert user.email == "hoa@vidu.vn"


def test_a_phone_is_proved_once(session: Session) -> None:
    user = a_user(session)

    profile.prove_phone(session, user, actor=SELF, now=NOON)
    profile.prove_phone(session, user, actor=SELF, now=later(NOON, days=1))
    nobody = a_user(session, phone=None, email="x@vidu.vn")
    with pytest.raises(NoPhone):
        profile.prove_phone(session, nobody, actor=SELF, now=NOON)

    assert user.phone_proved_at == NOON
    assert session.scalars(select(Act.verb)).all() == ["user.phone_proved"]


def come_as(visitor: FlaskClient, database: Database, role: Role) -> int:
    now = utc_now()
    with database.transaction() as session:
        user = a_user(session, role=role)
        visitor.set_cookie("sid", sessions.start(session, user, device="test", now=now))
        return user.id


def test_the_pages_change_name_and_address(visitor: FlaskClient, database: Database) -> None:
    user_id = come_as(visitor, database, Role.BUYER)
    token = hidden(visitor.get("/tai-khoan/ho-so").text, "csrf_token")

    renamed = visitor.post("/tai-khoan/ho-so", data={"csrf_token": token, "name": "Hoa"})
    wrong = visitor.post("/tai-khoan/ho-so", data={"csrf_token": token, "name": ""})
    form = {"csrf_token": token, "email": "hoa@vidu.vn"}
    changed = visitor.post("/tai-khoan/ho-so/e-mail", data=form)

    assert [page.status_code for page in (renamed, wrong, changed)] == [303, 422, 303]
    with database.reading() as session:
        user = session.get_one(User, user_id)
        assert (user.name, user.email) == ("Hoa", "hoa@vidu.vn")


def test_staff_note_that_they_called(visitor: FlaskClient, database: Database) -> None:
    come_as(visitor, database, Role.STAFF)
    with database.transaction() as session:
        user_id = a_user(session).id
    page = f"/quan-tri/nguoi-dung/{user_id}"
    token = hidden(visitor.get(page).text, "csrf_token")

    told = visitor.post(f"{page}/dung-so", data={"csrf_token": token}, follow_redirects=True)

    assert "đã gọi, đúng số" in told.text
