"""Complaints: anybody files one, clocks run, producer and staff answer, only staff close."""

import re
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.audit import SYSTEM
from accounts.users import Role
from catalog import members
from core.db import Database
from core.tasks import Task
from shop import complaints
from shop.complaints import Complaint
from tests.conftest import NOON
from tests.factories import a_producer, a_user
from tests.visits import browser_of, send

FORM = {"about": "goods", "name": "Chị Hoa", "words": "Hũ mật nứt nắp", "contact": "hoa@example.vn"}


def test_seven_working_days_leave_weekends_out() -> None:
    wednesday = datetime(2026, 11, 25, 5, tzinfo=UTC)
    friday_night = datetime(2026, 11, 27, 18, tzinfo=UTC)  # Saturday in Vietnam

    assert complaints.settle_by(wednesday).isoformat() == "2026-12-04T23:59:59+07:00"
    assert complaints.settle_by(friday_night).isoformat() == "2026-12-08T23:59:59+07:00"


def test_a_complaint_is_answered_and_closed(
    app: Flask, visitor: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        place = a_producer(session, slug="htx-ong")
        other = a_producer(session, slug="htx-khac")
        maker, rival = (a_user(session, role=Role.PRODUCER, email=f"{n}@vd.vn") for n in "ab")
        staff = a_user(session, name="Cán Bộ", role=Role.STAFF)
        members.add(session, place, maker, actor=SYSTEM, now=NOON)
        members.add(session, other, rival, actor=SYSTEM, now=NOON)
    desk, office = browser_of(app, database, maker), browser_of(app, database, staff)

    wrong = [
        send(visitor, "/khieu-nai", **{**FORM, field: value})
        for field, value in [("about", "x"), ("contact", "12"), ("words", " "), ("name", "")]
    ]
    no_order = send(visitor, "/khieu-nai", order_code="ABCDEFGH", **FORM)
    filed = send(visitor, "/khieu-nai", producer="htx-ong", **FORM)
    throttled = send(visitor, "/khieu-nai", **FORM)

    assert [one.status_code for one in wrong] == [422] * 4
    assert (no_order.status_code, filed.status_code, throttled.status_code) == (422, 303, 429)
    link = filed.headers["Location"]
    code = re.search(r"KN\w+", link)
    assert code is not None
    page = visitor.get(link).text
    assert "Hũ mật nứt nắp" in page
    assert visitor.get(f"/khieu-nai/{code.group()}?t=khac").status_code == 404
    with database.reading() as session:
        number = session.scalars(select(Complaint.id)).one()
    at_desk = f"/ban-hang/htx-ong/khieu-nai/{number}"
    assert code.group() in desk.get("/ban-hang/htx-ong/khieu-nai").text
    assert "1 khiếu nại chờ trả lời" in desk.get("/ban-hang/htx-ong").text
    assert "hoa@example.vn" not in desk.get(at_desk).text
    rivals = browser_of(app, database, rival)
    assert rivals.get(f"/ban-hang/htx-khac/khieu-nai/{number}").status_code == 404

    answered = send(desk, at_desk, page=at_desk, words="Gửi đổi hũ khác ngay hôm nay")
    more = send(visitor, f"/khieu-nai/{code.group()}/them{link[link.index('?') :]}", words="Cảm ơn")
    at_office = f"/quan-tri/khieu-nai/{number}"
    closed = send(office, at_office, page=at_office, words="Đã đổi hàng", what="close")
    late = send(office, at_office, page="/quan-tri/nguoi-giup", words="Thêm")

    assert [one.status_code for one in (answered, more, closed, late)] == [200, 303, 200, 422]
    assert "Gửi đổi hũ khác" in visitor.get(link).text
    assert code.group() in office.get("/quan-tri/khieu-nai?xong=1").text
    with database.reading() as session:
        letters = [t.payload["to"] for t in session.scalars(select(Task).order_by(Task.id))]
    assert letters == ["hoa@example.vn", "a@vd.vn", "hoa@example.vn", "hoa@example.vn"]
