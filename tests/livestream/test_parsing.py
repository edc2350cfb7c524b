"""Comments are read as people mean them; what is doubtful goes to a person."""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from livestream.parsing import Intent, Item, Lane, Parsed, Reason, ShowCodes, parse
from livestream.parsing.tokens import Token

LIVE = Path(__file__).parents[2] / "data" / "live"


@cache
def shows() -> dict[str, ShowCodes]:
    sessions = json.loads((LIVE / "sessions.json").read_text("utf-8"))
    return {name: ShowCodes.from_json(entry) for name, entry in sessions.items()}


@cache
def corpus(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(map(json.loads, (LIVE / name).read_text("utf-8").splitlines()))


def read(text: str, show: str = "S1", pinned: str | None = None, author: str = "viewer") -> Parsed:
    return parse(text, shows()[show], pinned=pinned, author=author)


def items(parsed: Parsed) -> list[tuple[str, int | None, str]]:
    return [(item.code, item.qty, item.note) for item in parsed.items]


# --- how well the corpora are read -----------------------------------------------------------


@dataclass
class Score:
    """What came of a corpus: counts over all lines and wrong lines by tag."""

    counts: Counter[str] = field(default_factory=Counter)
    lines_by_tag: Counter[str] = field(default_factory=Counter)
    wrong_by_tag: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def share(self, counted: str, of: str) -> float:
        """Return which part of one count another is."""
        return self.counts[counted] / max(self.counts[of], 1)

    def table(self) -> str:
        """Return the counts by tag and every wrong line, to be printed."""
        rows = [f"{'tag':<16}{'lines':>6}{'wrong':>6}"]
        rows += [
            f"{tag:<16}{count:>6}{self.wrong_by_tag[tag]:>6}"
            for tag, count in sorted(self.lines_by_tag.items())
        ]
        return "\n".join([*rows, str(dict(self.counts)), *self.wrong])


def score(lines: tuple[dict[str, Any], ...]) -> Score:
    """Read every line and print how it went, tag by tag."""
    told = Score()
    for line in lines:
        judge(line, told)
    print(told.table())
    return told


def judge(line: dict[str, Any], told: Score) -> None:
    expected = line["expected"]
    got = read(line["text"], line["session"], line["pinned"], line.get("author", "viewer"))
    answer = got.to_json()
    exact = all(answer[key] == expected[key] for key in ("intent", "items", "phone"))
    exact = exact and list(got.unknown_codes) == expected.get(
        "unknown_codes", list(got.unknown_codes)
    )
    auto_order = got.lane is Lane.AUTO and got.intent is Intent.ORDER
    told.counts["lines"] += 1
    if line["review"] and got.lane is Lane.AUTO:
        told.counts["acted alone"] += 1
    if expected["intent"] == "order":
        told.counts["orders"] += 1
        told.counts["orders for a person"] += got.lane is Lane.REVIEW
    if line["ambiguous"]:
        right = exact or got.lane is Lane.REVIEW or not got.items
        told.counts["ambiguous wrong"] += not right
    else:
        right = exact
        told.counts["clear"] += 1
        told.counts["exact"] += exact
        told.counts["clear orders"] += expected["intent"] == "order"
        told.counts["missed"] += expected["intent"] == "order" and got.intent is not Intent.ORDER
        told.counts["autos"] += auto_order
        told.counts["wrong autos"] += auto_order and not exact
    told.lines_by_tag.update(line["tags"])
    if not right:
        told.wrong_by_tag.update(line["tags"])
        told.wrong.append(f"{line['id']} {line['text']!r} {answer}")


@pytest.mark.parametrize("name", ["comments-dev.jsonl", "comments-own.jsonl"])
def test_the_corpora_are_read_within_the_promised_bounds(name: str) -> None:
    told = score(corpus(name))

    assert told.share("exact", "clear") >= 0.98
    assert told.share("wrong autos", "autos") <= 0.01
    assert told.share("missed", "clear orders") <= 0.01
    assert told.counts["acted alone"] == 0
    assert told.counts["ambiguous wrong"] == 0


PREFIXES = ["", "cho em ", "shop ơi ", "chốt ", "dạ ", "em đặt ", "mình lấy ", "ghi cho e ", "mua "]
GOODS = [
    "A1 2",
    "2 A1",
    "A1 x2",
    "A1 2 chai",
    "hai chai A1",
    "A1 sl 2",
    "2 chai mã A1",
    "A1, 2 chai",
]
SUFFIXES = ["", " ạ", " nhé shop", " với ạ", " giúp em", " ❤️", " luôn nha chị iu", " về 12 Tây Sơn"]


@pytest.mark.parametrize("goods", GOODS)
def test_an_order_stays_the_same_order_in_any_polite_wording(goods: str) -> None:
    for prefix in PREFIXES:
        for suffix in SUFFIXES:
            parsed = read(prefix + goods + suffix)

            assert (parsed.intent, items(parsed)) == (Intent.ORDER, [("A1", 2, "")])
            assert parsed.lane is Lane.AUTO


# --- single claims ---------------------------------------------------------------------------


def test_a_bare_code_orders_one() -> None:
    parsed = read("a1")

    assert parsed.items == (Item("A1", 1),)
    assert parsed.lane is Lane.AUTO


def test_the_host_never_orders() -> None:
    parsed = read("A1 2", author="page")

    assert (parsed.intent, parsed.lane, parsed.items) == (Intent.OTHER, Lane.IGNORE, ())
    assert parsed.reasons == (Reason.HOST,)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("đặt A1", Intent.ORDER),
        ("đắt A1 thế", Intent.OTHER),
        ("A1 ạ", Intent.ORDER),
        ("A1 à", Intent.QUESTION),
        ("bỏ A1", Intent.CANCEL),
        ("bố A1", Intent.ORDER),
        ("hủy A1", Intent.CANCEL),
        ("huỷ A1", Intent.CANCEL),
        ("đừng hủy A1", Intent.OTHER),
    ],
)
def test_marks_decide_what_a_word_means(text: str, intent: Intent) -> None:
    assert read(text).intent is intent


@pytest.mark.parametrize("text", ["a1 dat", "huy a1", "bo a1", "hai a1", "a1 a", "doi a1 sang b1"])
def test_words_that_lost_their_marks_are_left_to_a_person(text: str) -> None:
    assert read(text).lane is Lane.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        "A1 0987654321",
        "A1 0987.654.321",
        "A1 +84 (0) 987-654-321",
        "A1 O98765432l",
        "A1 01687654321",
        "A1 không chín tám bảy sáu năm bốn ba hai một",
    ],
)
def test_a_phone_is_found_however_it_is_typed_and_is_no_quantity(text: str) -> None:
    parsed = read(text)

    assert parsed.phone in ("0987654321", "0387654321")
    assert items(parsed) == [("A1", 1, "")]


def test_a_broken_phone_is_neither_phone_nor_quantity() -> None:
    parsed = read("A1 098765432")

    assert (parsed.phone, items(parsed), parsed.lane) == (None, [("A1", 1, "")], Lane.REVIEW)


def test_a_code_is_never_found_inside_a_longer_one() -> None:
    parsed = read("A121", "S2")

    assert parsed.items == ()
    assert parsed.unknown_codes == ("A121",)


def test_a_product_called_by_name_beats_the_one_on_screen() -> None:
    assert items(read("2 hộp trà sen", "S4", pinned="NEM")) == [("TRASEN", 2, "")]


def test_goods_on_screen_are_taken_alone_only_when_the_unit_is_theirs() -> None:
    by_unit, by_number = read("2 gói", "S4", pinned="NEM"), read("lấy 2", "S4", pinned="NEM")

    assert (items(by_unit), by_unit.lane) == ([("NEM", 2, "")], Lane.AUTO)
    assert (items(by_number), by_number.lane) == ([("NEM", 2, "")], Lane.REVIEW)


def test_a_note_has_the_colour_before_the_size() -> None:
    assert items(read("A3 xl màu đỏ x2")) == [("A3", 2, "đỏ XL")]


def test_goods_with_sizes_are_ordered_before_a_size_is_named() -> None:
    plain, measured = read("A3 nha"), read("A3 1m6 50kg")

    assert (items(plain), plain.lane) == ([("A3", 1, "")], Lane.AUTO)
    assert (items(measured), measured.lane) == ([("A3", 1, "")], Lane.REVIEW)


def test_a_house_number_after_the_phone_is_no_quantity() -> None:
    assert items(read("A1 0987654321 12 ngõ 5 Đan Phượng")) == [("A1", 1, "")]


@pytest.mark.parametrize(
    "text", ["A1 nhà B2 ngõ 5 Cầu Giấy", "A1 về thôn 3 xã Song Phượng", "A1 địa chỉ: 25 ngõ 3"]
)
def test_a_code_with_an_address_is_a_plain_order(text: str) -> None:
    parsed = read(text)

    assert (items(parsed), parsed.lane) == ([("A1", 1, "")], Lane.AUTO)


def test_a_cancel_without_a_number_takes_all() -> None:
    assert items(read("hủy A1 giúp em")) == [("A1", None, "")]


def test_decomposed_text_reads_as_composed_and_spans_point_into_what_was_sent() -> None:
    text = "cho\u0302\u0301t A1"

    parsed = read(text)

    assert items(parsed) == [("A1", 1, "")]
    assert [text[span.start : span.end] for span in parsed.spans] == ["cho\u0302\u0301t", "A1"]


def test_the_printed_reading_has_exactly_the_agreed_keys() -> None:
    assert list(read("A1").to_json()) == ["intent", "items", "phone", "lane", "reasons"]


# --- any text at all -------------------------------------------------------------------------

LIVELY = st.lists(
    st.sampled_from(
        [
            *(
                "A1",
                "a 1",
                "B1",
                "A3",
                "12",
                "2",
                "x2",
                "chai",
                "L",
                "đỏ",
                "mật ong",
                "chục",
                "mỗi thứ",
            ),
            *(
                "chốt",
                "lấy",
                "cho em",
                "hủy",
                "bỏ",
                "đổi",
                "sang",
                "không",
                "nữa",
                "đừng",
                "bớt",
                "thôi",
            ),
            *(
                "0987654321",
                "098 765",
                "200k",
                "8h",
                "12/10",
                "đ/c",
                "nhà",
                "ship về",
                "T7",
                "@Lan",
                "?",
            ),
            *(
                "à",
                "ạ",
                "ngon",
                "quá",
                "rồi",
                "hôm qua",
                "mọi người",
                "hay",
                "hoặc",
                "và",
                ",",
                "\n",
            ),
        ]
    ),
    max_size=14,
).map(" ".join)
ANY_TEXT = st.text(st.characters(categories=None), max_size=200) | LIVELY


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.sampled_from(["S1", "S2", "S3", "S4"]), st.sampled_from([None, "A1", "NEM"]))
@example("\x00\ud800\udfff", "S1", None)
@example("0 gói", "S4", "NEM")
def test_any_text_gets_a_sound_reading(text: str, show: str, pinned: str | None) -> None:
    parsed = read(text, show, pinned)

    assert parsed == read(text, show, pinned)
    assert all(0 <= s.start < s.end <= len(text) for s in parsed.spans)
    assert all(item.code in shows()[show].products for item in parsed.items)
    assert all(item.qty is None or item.qty > 0 for item in parsed.items)
    if parsed.lane is Lane.IGNORE or parsed.intent not in (Intent.ORDER, Intent.CANCEL):
        assert parsed.items == ()
    if parsed.lane is Lane.AUTO:
        assert parsed.items
    if parsed.intent is Intent.ORDER:
        assert all(item.qty for item in parsed.items)
    json.dumps(parsed.to_json())


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(categories=None), min_size=1, max_size=12))
@example("A1 ngon ")
@example("hủy à ")
@example("a\u0301\u0316\u0301")
def test_ten_thousand_letters_are_read_and_never_acted_on(piece: str) -> None:
    parsed = read((piece * 10_000)[:10_000])

    assert parsed.lane is not Lane.AUTO


def test_the_work_does_not_grow_with_the_square_of_the_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Counter[int]()

    cut = Token.__init__

    def counted(*given: Any) -> None:
        made[size] += 1
        cut(*given)

    monkeypatch.setattr(Token, "__init__", counted)
    for size in (10, 20, 40, 80):
        read("A1 2 " * size)

    assert 0 < made[80] <= 8 * made[10] + 8


# --- shows -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry", [{}, {"products": []}, {"products": {"A1": None}}, {"products": {"--": {}}}]
)
def test_a_show_that_makes_no_sense_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        ShowCodes.from_json(entry)
