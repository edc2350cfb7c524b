"""Whatever is sent, the shop answers calmly: no 5xx, nothing reflected as markup, no way out."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from werkzeug.routing import Rule

from accounts import passwords
from core.db import Database
from tests.conftest import NOON
from tests.filled_shop import fill
from tests.hostile import (
    BODIES,
    CORPUS,
    MARKUP,
    ROLES,
    UNREADABLE,
    Attacker,
    Target,
    headers_of,
    sensible,
)

ALONE = 5


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def target(app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The filled shop; passwords are hashed cheaply, for hundreds are sent."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(1, 8, 1))
    target = Target(app, fill(app, now=NOON))
    target.listen()
    return target


@pytest.mark.parametrize("audience", ROLES)
def test_no_query_upsets_the_shop(target: Target, audience: str) -> None:
    plain = sensible(target.shop)
    attacker = Attacker(target, audience)

    for rule in target.rules(audience, "GET"):
        path = target.path_of(rule)
        attacker.asks(path, plain).close()
        for fields, name, value in _attacks(target, rule, "GET"):
            answer = attacker.asks(path, plain | dict.fromkeys(fields, value))
            target.look(answer, f"GET {path} {fields} = {name}")

    assert target.troubles == [], "\n".join(target.troubles)


@pytest.mark.parametrize("audience", ROLES)
def test_no_form_upsets_the_shop(target: Target, audience: str) -> None:
    plain = sensible(target.shop)
    attacker = Attacker(target, audience)

    for rule in target.rules(audience, "POST"):
        path = f"{target.path_of(rule)}?t={target.shop.order_mark}"
        attacker.sends(path, plain)
        for fields, name, value in _attacks(target, rule, "POST"):
            answer = attacker.sends(path, plain | dict.fromkeys(fields, value))
            target.look(answer, f"POST {path} {fields} = {name}")

    assert target.troubles == [], "\n".join(target.troubles)


def _attacks(target: Target, rule: Rule, method: str) -> Iterator[tuple[list[str], str, bytes]]:
    """Give all fields each hostile value at once, then each field some of them alone.

    A view that asks for nothing gets the first values under a name it does not know.
    """
    corpus = list(CORPUS.items())
    fields = target.fields_of(rule, method)
    for name, value in corpus if fields else corpus[:ALONE]:
        yield [*target.fields_of(rule, method), "nguy"], name, value
    for number, field in enumerate(target.fields_of(rule, method)):
        for step in range(ALONE):
            name, value = corpus[(number * 5 + step * 7) % len(corpus)]
            yield [field], name, value


@pytest.mark.parametrize("audience", ROLES)
def test_no_address_upsets_the_shop(target: Target, audience: str) -> None:
    attacker = Attacker(target, audience)
    corpus = list(CORPUS.items())

    for method in ("GET", "POST"):
        for number, rule in enumerate(target.rules(audience, method)):
            for part in rule.arguments:
                # A third of the corpus for each address: every kind of part meets all of it.
                for name, value in corpus[number % 3 :: 3]:
                    path = target.path_of(rule, **{part: value})
                    answer = (
                        attacker.asks(path, {}) if method == "GET" else attacker.sends(path, {})
                    )
                    target.look(answer, f"{method} {rule} {part} = {name}")

    assert target.troubles == [], "\n".join(target.troubles)


@pytest.mark.parametrize("path", ["//nguy.example/", "/\\nguy.example", "/en//nguy.example/"])
def test_no_page_that_is_not_there_links_to_another_site(target: Target, path: str) -> None:
    answer = Attacker(target, "public").asks(path, {})

    target.look(answer, f"GET {path}")
    assert target.troubles == [], "\n".join(target.troubles)


def test_unreadable_text_is_refused_at_the_edge_by_the_name_of_its_field(target: Target) -> None:
    attacker = Attacker(target, "public")

    for name, value in UNREADABLE.items():
        for rule in target.rules("public", "POST"):
            answer = attacker.sends(target.path_of(rule), {"street": value})
            if answer.status_code != 400 or "street" not in answer.text:
                target.troubles.append(f"POST {rule} street = {name}: {answer.status_code}")
        asked = attacker.asks("/gio-hang", {"street": value})
        if asked.status_code != 400 or "street" not in asked.text:
            target.troubles.append(f"GET /gio-hang street = {name}: {asked.status_code}")

    assert target.troubles == [], "\n".join(target.troubles)


def test_no_body_of_the_wrong_kind_upsets_the_shop(target: Target) -> None:
    for audience in ROLES:
        for rule in target.rules(audience, "POST"):
            path = target.path_of(rule)
            attacker = Attacker(target, audience)
            for kind, body in BODIES:
                answer = attacker.sends_bytes(path, body, kind)
                target.look(answer, f"POST {path} {kind} {body[:40]!r}")

    assert target.troubles == [], "\n".join(target.troubles)


def test_the_same_field_sent_twice_upsets_nothing(target: Target) -> None:
    for audience in ROLES:
        for rule in target.rules(audience, "POST"):
            path = target.path_of(rule)
            attacker = Attacker(target, audience)
            attacker.sends(path, sensible(target.shop))
            fields = target.fields_of(rule, "POST")
            twice = "&".join(f"{quote(one)}=1&{quote(one)}={quote(MARKUP)}" for one in fields)
            answer = attacker.sends_bytes(path, twice.encode())
            target.look(answer, f"POST {path} with every field twice")

    assert target.troubles == [], "\n".join(target.troubles)


def test_no_header_or_cookie_upsets_the_shop(target: Target) -> None:
    browser = target.app.test_client(use_cookies=False)

    for number, (name, value) in enumerate(CORPUS.items()):
        for audience in ROLES:
            # Each value at a quarter of the addresses: every address meets a dozen of them.
            for rule in target.rules(audience, "GET")[number % 4 :: 4]:
                path = target.path_of(rule)
                answer = browser.get(path, environ_overrides=headers_of(value))
                target.look(answer, f"GET {path} with headers of {name}")
        posted = browser.post("/gio-hang/them", data={"variant_id": "1"}, headers={"X-A": "1"})
        target.look(posted, f"POST /gio-hang/them with headers of {name}")

    assert target.troubles == [], "\n".join(target.troubles)


def test_markup_in_what_people_wrote_is_shown_as_letters(app: Flask, database: Database) -> None:
    target = Target(app, fill(app, now=NOON, text=MARKUP))
    shown = 0

    for audience in ROLES:
        attacker = Attacker(target, audience)
        for rule in target.rules(audience, "GET"):
            path = f"{target.path_of(rule)}?t={target.shop.order_mark}"
            answer = attacker.asks(path, {"q": MARKUP.encode()})
            shown += b"&lt;nguy" in answer.data
            target.look(answer, f"GET {path}")

    assert target.troubles == [], "\n".join(target.troubles)
    assert shown > 10, "the names were not even shown"
