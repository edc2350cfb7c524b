"""Search forgives missing marks and ranks what was typed with them, on both databases."""

import unicodedata

from sqlalchemy.orm import Session

from catalog import listing, products
from catalog.listing import Filters, Order
from catalog.search import typed_words
from tests.conftest import NOON
from tests.factories import a_commune, a_listed_product, a_producer

PAIRS = [
    ("che thai nguyen", "Chè Thái Nguyên"),
    ("nuoc mam", "Nước mắm cốt"),
    ("ruou ngo", "Rượu ngô men lá"),
    ("dong trung", "Đông trùng hạ thảo"),
    ("dan phuong", "Bưởi Đan Phượng"),
    ("dak lak", "Mắc ca Đắk Lắk"),
    ("dac san", "Đặc sản vùng cao"),
    ("dau phu", "Đậu phụ Bá Giang"),
    ("duong phen", "Đường phèn"),
    ("hoa binh", "Cam Hoà Bình"),
    ("hòa bình", "Cam Hòa Bình"),
    ("ca phe", "Cà phê phin"),
    ("mat ong", "Mật ong hoa nhãn"),
    ("banh chung", "Bánh chưng Tranh Khúc"),
    ("buoi tom vang", "Bưởi tôm vàng"),
    ("nem phung", "Nem Phùng"),
    ("mien dong", "Miến dong Côn Minh"),
    ("lua to tam", "Lụa tơ tằm Vạn Phúc"),
    ("gom su bat trang", "Gốm sứ Bát Tràng"),
    ("thit trau gac bep", "Thịt trâu gác bếp"),
    ("ĐƯỜNG", "Đường phèn"),
    ("kháu vài lèng", "Kháu Vài Lèng"),
]


def found(session: Session, query: str) -> list[str]:
    filters = Filters(query=query, order=Order.RELEVANT)
    rows, _next = listing.find_page(session, filters, after=None, now=NOON)
    return [row.name for row in rows]


def test_goods_are_found_without_marks(session: Session) -> None:
    elsewhere = a_producer(session, commune_code=None, province_code=None)
    for name in {name for _typed, name in PAIRS} | {"Quýt vàng"}:
        a_listed_product(session, name, producer=elsewhere)

    for typed, name in PAIRS:
        hits = found(session, typed)
        assert name in hits, typed
        assert "Quýt vàng" not in hits, typed


def test_decomposed_text_is_the_same_text(session: Session) -> None:
    a_listed_product(session, unicodedata.normalize("NFD", "Đường phèn Hoà Bình"))

    hits = found(session, unicodedata.normalize("NFD", "đường Hoà"))

    assert hits == ["Đường phèn Hoà Bình"]


def test_words_typed_with_marks_come_first(session: Session) -> None:
    a_listed_product(session, "Bún khô")
    a_listed_product(session, "Đất bùn khoáng")

    assert found(session, "bún") == ["Bún khô", "Đất bùn khoáng"]
    assert found(session, "bùn") == ["Đất bùn khoáng", "Bún khô"]


def test_a_name_that_says_it_comes_before_a_story_that_does(session: Session) -> None:
    a_listed_product(session, "Mật ong rừng")
    a_listed_product(session, "Bánh quy", description="Làm với mật ong")

    assert found(session, "mật ong") == ["Mật ong rừng", "Bánh quy"]


def test_the_beginning_of_a_word_is_enough(session: Session) -> None:
    a_listed_product(session, "Bưởi tôm vàng")

    assert found(session, "buo") == ["Bưởi tôm vàng"]
    assert found(session, "uoi") == []


def test_whole_words_come_before_beginnings(session: Session) -> None:
    a_listed_product(session, "Chè sạch Ba Trại")
    a_listed_product(session, "Đàn bầu khảm trai")

    assert found(session, "ba trai") == ["Chè sạch Ba Trại", "Đàn bầu khảm trai"]


def test_makers_and_places_are_found_too(session: Session) -> None:
    a_commune(session)
    maker = a_producer(session, name="HTX Sinh Phát")
    a_listed_product(session, "Nho hạ đen", producer=maker)

    assert found(session, "sinh phat") == ["Nho hạ đen"]
    assert found(session, "nho dan phuong ha noi") == ["Nho hạ đen"]


def test_every_word_must_be_there(session: Session) -> None:
    a_listed_product(session, "Chè xanh")
    a_listed_product(session, "Chè sen")

    assert found(session, "che sen") == ["Chè sen"]


def test_signs_mean_nothing(session: Session) -> None:
    a_listed_product(session, "Chè xanh")

    for query in ("%", "_", "\\", "100%", "'; DROP TABLE product; --", "a" * 500, "ch%", "c_e"):
        assert found(session, query) in ([], ["Chè xanh"]), query


def test_the_last_letters_of_the_alphabets_are_no_edge(session: Session) -> None:
    a_listed_product(session, "Zzz ỵỵ đđ 999")

    assert found(session, "zzz") == found(session, "ỵ") == found(session, "99") != []


def test_a_new_name_is_found_and_the_old_one_is_not(session: Session) -> None:
    product = a_listed_product(session, "Chè xanh")

    products.rename(session, product, "Trà lài", now=NOON)

    assert found(session, "tra lai") == ["Trà lài"]
    assert found(session, "che") == []


def test_nonsense_holds_no_word() -> None:
    assert typed_words("!!! … --- 中文") == []
