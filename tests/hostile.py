"""Text that breaks shops, and an attacker that sends it exactly as it is.

The addresses come from the app's own map, and the names of fields from the views themselves: each
field a view asks for is written down, so that it can be attacked.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from typing import Any
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes, urlsplit

from flask import Flask, Request, request
from flask.testing import FlaskClient
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.conftest import NOON
from tests.filled_shop import FilledShop, a_visit, role_for

FORM = "application/x-www-form-urlencoded"
ROLES = ("public", "account", "producer", "staff")
FINE = {200, 204, 301, 302, 303, 304, 307, 308, *range(400, 500)}
MARKUP = "\"><nguy a=1>'<script nguy=1>x</script><img src=x nguy=1 onerror=alert(1)>"
UNREADABLE = {
    "a NUL": b"a\x00b",
    "control letters": b"\x1b[31m\x08",
    "broken UTF-8": b"a\xff\xfe",
    "an overlong slash": b"\xc0\xaf",
    "half a letter": b"\xe1\xba",
    "a lone surrogate": b"\xed\xa0\x80",
}
READABLE = {
    "markup": MARKUP,
    "an attribute": "x' nguy=1 onfocus=alert(1) autofocus '",
    "a template": "{{7*7}}{% raw %}${7*7}%(x)s%s%n",
    "3,000 letters": "ế" * 1_000,
    "a tower of marks": "a" + "\u0301" * 500,
    "a quote": "'",
    "SQL": "' OR 1=1; DROP TABLE product; --",
    "LIKE signs": "%_\\%",
    "nothing but a space": " ",
    "minus one": "-1",
    "zero": "0",
    "a huge number": "9" * 30,
    "past 32 bits": "2147483648",
    "past 64 bits": "9223372036854775808",
    "a very small number": "-9223372036854775809",
    "an exponent": "1e309",
    "not a number": "NaN",
    "a fraction": "1.5",
    "wide digits": "１２",
    "Arabic digits": "٣٤٥٦",
    "a superscript": "²",
    "digits with underscores": "1_0",
    "letters that turn": "\u202egnào\u2066",
    "letters of no width": "\u200b\ufeff\u2060",
    "letters beyond the plane": "𝟙🐝\U000e0001",
    "no letter at all": "\uffff\ufdd0",
    "another folder": "../../../../etc/passwd",
    "another site": "//nguy.example/",
    "another site with a backslash": "/\\nguy.example",
    "a script address": "javascript:alert(1)",
    "a line end": "a\r\nX-Nguy: 1\r\nSet-Cookie: nguy=1\r\n\r\n<nguy>",
    "a percent NUL": "%00%0d%0aX-Nguy:1",
    "JSON": '{"a":[1,{"$ne":null}]}',
    "a day that is none": "2026-02-31",
    "a time before all times": "0000-00-00T99:99",
    "the first day": "0001-01-01T00:00",
    "the last day": "9999-12-31T23:59",
    "a false cursor": "WzldfQ",
    "a cursor of the wrong kind": "W3sieCI6MX0sbnVsbCxbXV0",
    "a cursor of a huge number": "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTld",
}
CORPUS = {name: text.encode() for name, text in READABLE.items()} | UNREADABLE
BODIES = (
    ("application/json", b'{"name": "x", "quantity": [1, {"a": null}]}'),
    ("application/json", b"[" * 2_000),
    ("text/plain", b"name=x"),
    (FORM, b"&&=&%&=x&name&name=1&name=2&name[]=3&name[a]=4"),
    (f"{FORM}; charset=utf-7", b"name=+ADw-nguy+AD4-"),
    (FORM, b"%ff=1&%00=2"),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="na'),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="../\x00"\r\n\r\n.\r\n--x--',
    ),
    ("application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    ("\u0111", b"\xff"),
    ("", b"\x00"),
)
HEADERS = (
    *("HTTP_REFERER", "HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT", "HTTP_ORIGIN"),
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_RANGE", "HTTP_IF_NONE_MATCH"),
    *("HTTP_IF_MODIFIED_SINCE", "HTTP_HX_REQUEST", "HTTP_AUTHORIZATION", "HTTP_ACCEPT_ENCODING"),
    *("REMOTE_ADDR", "CONTENT_TYPE"),
)
COOKIES = ("sid", "cart", "khach", "may", "gio_so", "bao", "nguy")


@dataclass
class Target:
    """A shop under attack: which fields its views asked for, and what went wrong."""

    app: Flask
    shop: FilledShop
    asked: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    troubles: list[str] = field(default_factory=list)

    def rules(self, audience: str, method: str) -> list[Rule]:
        """Return the addresses of `audience` that take `method`; /readyz may say 503 on purpose."""
        views = self.app.view_functions
        return [
            rule
            for rule in self.app.url_map.iter_rules()
            if method in (rule.methods or set())
            and rule.endpoint != "health.ready"
            and getattr(views[rule.endpoint], "audience", None) == audience
        ]

    def path_of(self, rule: Rule, **other: bytes) -> str:
        """Return the address of `rule` filled with what exists, some parts with `other` bytes."""
        values = self.shop.values_for(rule)
        address = rule.rule
        while "<" in address:
            before, _open, rest = address.partition("<")
            inside, _close, after = rest.partition(">")
            name = inside.rpartition(":")[2]
            raw = other[name] if name in other else str(values[name]).encode()
            address = before + quote_from_bytes(raw, safe="") + after
        return address

    def fields_of(self, rule: Rule, method: str) -> list[str]:
        """Return every field the view has asked for until now."""
        return sorted(self.asked[rule.endpoint, method])

    def look(self, answer: TestResponse, what: str) -> None:
        """Note what is wrong with the answer to `what`."""
        self.troubles += [f"{what[:240]}: {trouble}" for trouble in _troubles(answer)]
        answer.close()

    def listen(self) -> None:
        """From now on, write down every field a view asks for."""

        def note(name: str) -> None:
            self.asked[request.endpoint or "", request.method].add(name)

        class Listening(ImmutableMultiDict[str, str]):
            def __getitem__(self, name: str) -> str:
                note(name)
                return super().__getitem__(name)

            def getlist(self, name: str, *rest: Any) -> list[Any]:
                note(name)
                return super().getlist(name, *rest)

            def __contains__(self, name: object) -> bool:
                note(str(name))
                return super().__contains__(name)

        class ListeningRequest(Request):
            parameter_storage_class = Listening

        self.app.request_class = ListeningRequest


class Attacker:
    """Someone whom a view is meant for, with the token of the shop's forms.

    Every request comes from another network, so that counters of tries do not end the attack.
    """

    def __init__(self, target: Target, audience: str) -> None:
        self._target = target
        self._role = role_for(audience)
        self._networks = count(1)
        self._begin()

    def _begin(self) -> None:
        target = self._target
        self._browser: FlaskClient = a_visit(target.app, target.shop, self._role, now=NOON)
        page = self._browser.get("/tra-cuu").text
        self._token = page.partition('name="csrf_token" value="')[2].partition('"')[0]

    def asks(self, path: str, fields: dict[str, bytes]) -> TestResponse:
        """Open an address with a query."""
        return self._send("GET", path, _written(fields), b"")

    def sends(self, path: str, fields: dict[str, bytes]) -> TestResponse:
        """Send a form."""
        return self._send("POST", path, "", _written(fields).encode())

    def sends_bytes(self, path: str, body: bytes, kind: str = FORM) -> TestResponse:
        """Send any body under the name of any kind."""
        return self._send("POST", path, "", body, kind=kind)

    def _send(
        self, method: str, path: str, query: str, body: bytes, *, kind: str = FORM
    ) -> TestResponse:
        # The test client would mend bytes that are no text; a server passes them on as they are.
        raw, _question, given = path.partition("?")
        query = "&".join(part for part in (given, query) if part)
        environ = {
            "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": f"{raw}?{query}",
            "REQUEST_URI": f"{raw}?{query}",
            "REMOTE_ADDR": "10.{}.{}.1".format(*divmod(next(self._networks), 256)),
        }
        if method == "POST":
            environ["CONTENT_TYPE"] = kind.encode().decode("latin-1")
        answer = self._browser.open(
            "/",
            method=method,
            data=body,
            headers={"X-CSRF-Token": self._token},
            environ_overrides=environ,
        )
        if self._role != "public" and "/dang-nhap" in answer.headers.get("Location", ""):
            # What was sent before has ended this log-in: what comes next needs a new one.
            self._begin()
        return answer


def sensible(shop: FilledShop) -> dict[str, bytes]:
    """Return what a sensible person writes into the forms of this shop."""
    written: dict[str, object] = {
        "variant_id": shop.variant.id,
        "quantity": 1,
        "lot": shop.lot.code,
        "name": "Chị Hoa",
        "phone": "0912345678",
        "email": "hoa@example.org",
        "login": "0912345678",
        "password": "bon mua bon mau la",
        "current_password": "bon mua bon mau la",
        "province_code": "01",
        "ward_code": "09784",
        "street": "Thôn 3",
        f"delivery_{shop.producer.slug}": "0",
        "payment_method": "cod",
        "code": "LO-2",
        "last4": "5678",
        "reason": "Hết hàng",
        "evidence": "sao kê",
        "produced_on": "2026-11-20",
        "expires_on": "2027-11-20",
        "kind": "harvest",
        "unit": "kg",
        "bank_bin": "970403",
        "bank_account": "0011012345678",
        "bank_holder": "HTX MOT",
        "commune_code": "09784",
        "t": shop.order_mark,
    }
    return {name: str(value).encode() for name, value in written.items()}


def headers_of(value: bytes) -> dict[str, str]:
    """Return an environ whose headers and cookies hold `value`, as far as servers let it."""
    text = value.decode("latin-1").translate(str.maketrans("\r\n\0", "   "))
    cookies = "; ".join(f"{name}={text.replace(';', '')}" for name in COOKIES)
    return {**dict.fromkeys(HEADERS, text), "HTTP_COOKIE": cookies}


def _written(fields: dict[str, bytes]) -> str:
    return "&".join(f"{quote(name)}={quote_from_bytes(value)}" for name, value in fields.items())


def _troubles(answer: TestResponse) -> Iterator[str]:
    if answer.status_code not in FINE:
        yield f"answers {answer.status_code}"
    if "X-Nguy" in answer.headers or "nguy" in str(answer.headers.getlist("Set-Cookie")):
        yield "splits the header"
    place = answer.headers.get("Location", "")
    if _leads_away(place) or urlsplit(place).netloc not in {"", "localhost"}:
        yield f"leads away to {place}"
    if answer.mimetype == "text/html" and b"nguy" in answer.data:
        planted = _Planted()
        planted.feed(answer.text)
        if planted.found:
            yield f"reflects markup: {planted.found}"


class _Planted(HTMLParser):
    """Finds whether planted text became markup."""

    found = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        addresses = [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        planted = tag == "nguy" or "nguy" in {name for name, _value in attrs}
        if planted or any(_leads_away(address) for address in addresses):
            self.found = str(self.get_starttag_text())


def _leads_away(address: str) -> bool:
    plain = "".join(address.split()).replace("\\", "/").lower()
    if plain.startswith(("javascript:", "//")):
        return True
    return "://" in plain and plain.split("://")[1].partition("/")[0].endswith("nguy.example")
