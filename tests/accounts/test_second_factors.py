"""The log-in code: right once, for its moment; paper for a lost phone; staff cannot do without."""

import re
from base64 import b32encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts import second_factors
from accounts.audit import Act
from accounts.second_factors import SecondFactor
from accounts.users import Role, User
from core import sealing
from core.db import Database
from core.settings import Settings
from tests.conftest import SECRET
from tests.factories import a_user
from tests.visits import a_password, browser_of, log_in, send

PAGE = "/tai-khoan/ma-dang-nhap"
MORNING = datetime(2026, 11, 25, 1, 0, 10, tzinfo=UTC)


def test_codes_are_those_of_the_standard() -> None:
    # RFC 6238, appendix B, SHA-1, the last six of its eight digits.
    secret = b32encode(b"12345678901234567890").decode()

    for moment, code in [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")]:
        now = datetime.fromtimestamp(moment, UTC)
        assert second_factors._step_of(secret, code, now) == moment // 30
        assert second_factors._step_of(secret, code, now + timedelta(seconds=90)) is None


def secret_of(database: Database, user: User) -> str:
    with database.reading() as session:
        return sealing.unseal(session.get_one(SecondFactor, user.id).sealed, [SECRET])


def test_a_code_is_asked_for_after_the_password_and_works_once(
    app: Flask, visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        nam = a_password(a_user(session, name="Nam", role=Role.PRODUCER, phone="+84912345678"))
    with time_machine.travel(MORNING, tick=False) as clock:
        own = browser_of(app, database, nam)
        send(own, f"{PAGE}/bat-dau", page=PAGE)
        secret = secret_of(database, nam)
        code = pyotp.TOTP(secret).at(MORNING)
        assert own.get(f"{PAGE}/ma.svg").mimetype == "image/svg+xml"
        wrong = send(own, f"{PAGE}/xac-nhan", page=PAGE, code="000000")
        on = send(own, f"{PAGE}/xac-nhan", page=PAGE, code=f"{code[:3]} {code[3:]}")
        paper = re.findall(r"<li>([0-9a-f]{5}-[0-9a-f]{5})</li>", on.text)
        step = log_in(visitor, "0912345678")
        found = re.search(r'name="ticket" value="([^"]+)"', step.text)
        assert found is not None
        ticket = {"ticket": found.group(1), "login": "0912345678"}
        way = "/tai-khoan/dang-nhap/ma"
        replayed = send(visitor, way, code=code, **ticket)
        forged = send(visitor, way, code=code, ticket=ticket["ticket"][:-2] + "xx")
        shut = visitor.get("/tai-khoan").status_code
        clock.shift(30)
        entered = send(
            visitor, way, code=pyotp.TOTP(secret).at(MORNING + timedelta(seconds=30)), **ticket
        )
        lost, again = app.test_client(), app.test_client()
        by_paper = send(lost, way, code=paper[0].upper(), **ticket)
        used = send(again, way, code=paper[0], **ticket)
        clock.shift(600)
        late = send(again, way, code=paper[1], **ticket)

    assert wrong.status_code == 422
    assert len(paper) == second_factors.RECOVERY_CODES
    assert step.headers.get("Location") is None
    assert (replayed.status_code, shut) == (422, 303)
    assert "dang-nhap" in forged.request.path
    assert forged.headers.get("Location") is None
    assert (entered.status_code, entered.headers["Location"]) == (303, "/ban-hang")
    assert by_paper.status_code == 303
    assert used.status_code == 422
    assert late.headers.get("Location") is None
    with database.reading() as session:
        verbs = set(session.scalars(select(Act.verb)))
    assert {"second.on", "second.recovered"} <= verbs


def test_staff_of_a_shop_that_others_reach_set_the_code_up_first(
    app: Flask, settings: Settings, database: Database
) -> None:
    app.config["SETTINGS"] = replace(settings, PUBLIC_URL="http://localhost.cho.example")
    app.config["TRUSTED_HOSTS"] = None
    with database.transaction() as session:
        boss = a_password(a_user(session, name="Sếp", role=Role.STAFF))
        hoa = a_password(a_user(session, name="Hoa", role=Role.STAFF))
        session.add(SecondFactor(user_id=hoa.id, sealed=sealing.seal("A" * 32, [SECRET]),
                                 begun_at=MORNING, confirmed_at=MORNING))  # fmt: skip
    bare, fitted = browser_of(app, database, boss), browser_of(app, database, hoa)

    for page in ("/quan-tri", "/tai-khoan", "/ban-hang"):
        assert bare.get(page).headers["Location"].endswith(PAGE)
    assert "Nhân viên" in bare.get(PAGE).text
    assert fitted.get("/quan-tri").status_code == 200
    person = f"/quan-tri/nguoi-dung/{boss.id}"
    assert send(fitted, f"{PAGE}/tat", page=person).status_code == 303
    with database.reading() as session:
        assert second_factors.is_on(session, hoa.id)


def test_a_lost_code_is_taken_off_by_command(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        boss = a_user(session, role=Role.STAFF, phone="+84912345678")
        session.add(SecondFactor(user_id=boss.id, sealed="x", begun_at=MORNING,
                                 confirmed_at=MORNING))  # fmt: skip
    command = ["user", "code-off"]

    done = app.test_cli_runner().invoke(args=[*command, "0912 345 678"])
    nobody = app.test_cli_runner().invoke(args=[*command, "0912 345 679"])

    assert (done.exit_code, nobody.exit_code) == (0, 1)
    with database.reading() as session:
        assert not second_factors.is_on(session, boss.id)
