"""What a person does in a browser, for tests: log in, send a form with its token."""

import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from accounts import passwords, sessions
from accounts.users import User
from core.clock import utc_now
from core.db import Database

PASSWORD = "gà gáy ba hồi bên sông"


def a_password(user: User, password: str = PASSWORD) -> User:
    """Give the person a password (cheap to call: the hash is made once)."""
    user.password_hash = _made.setdefault(password, passwords._hasher.hash(password))
    return user


_made: dict[str, str] = {}


def browser_of(app: Flask, database: Database, user: User | None) -> FlaskClient:
    """A browser in which this person is logged in already; without a person, nobody is."""
    browser = app.test_client()
    if user is not None:
        with database.transaction() as session:
            token = sessions.start(session, user, device="Firefox · Linux", now=utc_now())
        https = app.config["SETTINGS"].https
        browser.set_cookie("__Host-sid" if https else "sid", token, secure=https)
    return browser


def csrf(browser: FlaskClient, page: str = "/tai-khoan/dang-nhap") -> str:
    """The token of the first form on a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)
    assert found is not None, f"{page} holds no form"
    return found.group(1)


def send(
    browser: FlaskClient, address: str, *, page: str | None = None, **form: str
) -> TestResponse:
    """Send a form as its page would."""
    token = csrf(browser, page or "/tai-khoan/dang-nhap")
    return browser.post(address, data={"csrf_token": token, **form})


def log_in(browser: FlaskClient, login: str, password: str = PASSWORD, **more: str) -> TestResponse:
    """Log in through the page."""
    return send(browser, "/tai-khoan/dang-nhap", login=login, password=password, **more)
