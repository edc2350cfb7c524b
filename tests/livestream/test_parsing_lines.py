"""JSON lines in, JSON lines out, in the same order; the first bad line is named."""

import io
import json

import pytest

from core.errors import Invalid
from livestream.parsing.lines import parse_lines

SESSIONS = {"S1": {"products": {"A1": {"name": "Mật ong", "unit": "chai"}}}}


def test_every_line_is_answered_in_order() -> None:
    source = ['{"id": "x", "session": "S1", "text": "A1 2"}\n', "\n"]
    source.append('{"id": 7, "session": "S1", "text": "A1 2", "author": "page"}')
    out = io.StringIO()

    count = parse_lines(source, out, SESSIONS)

    first, second = map(json.loads, out.getvalue().splitlines())
    assert count == 2
    assert (first["id"], first["items"]) == ("x", [{"code": "A1", "qty": 2, "note": ""}])
    assert (second["id"], second["intent"], second["lane"]) == (7, "other", "ignore")
    assert set(first) == {"id", "intent", "items", "phone", "lane", "reasons"}


def test_lines_are_answered_as_they_come() -> None:
    out = io.StringIO()

    def source() -> object:
        yield '{"id": 1, "session": "S1", "text": "A1"}'
        assert out.getvalue().count("\n") == 1

    parse_lines(source(), out, SESSIONS)  # type: ignore[arg-type]


def test_vietnamese_is_written_as_it_is() -> None:
    out = io.StringIO()
    sessions = {"S": {"products": {"A3": {"unit": "cái", "variants": ["đỏ"]}}}}

    parse_lines(['{"id": 1, "session": "S", "text": "A3 đỏ"}'], out, sessions)

    assert '"note": "đỏ"' in out.getvalue()


def test_an_id_with_half_a_letter_is_given_back() -> None:
    out = io.StringIO()

    parse_lines(['{"id": "\\ud800", "session": "S1", "text": "A1"}'], out, SESSIONS)

    assert json.loads(out.getvalue().encode())["id"] == "\ud800"


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        '{"id": 1, "session": "S1"}',
        '{"id": 1, "session": "S1", "text": 5}',
        '{"id": 1, "session": "S9", "text": "A1"}',
        '{"id": 1, "session": ["S1"], "text": "A1"}',
        '{"id": 1, "session": "S1", "text": "A1", "pinned": 3}',
    ],
)
def test_a_line_that_cannot_be_read_is_named(bad: str) -> None:
    good = '{"id": 1, "session": "S1", "text": "A1"}'

    with pytest.raises(Invalid, match="line 2"):
        parse_lines([good, bad], io.StringIO(), SESSIONS)
