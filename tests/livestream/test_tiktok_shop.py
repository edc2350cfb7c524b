"""What TikTok Shop would make of goods before anything is sent there, and a photo too small."""

import pytest

from catalog.products import OcopGroup
from core.money import Money
from livestream.feeds import meta, tiktok_shop
from tests.livestream.test_feeds import AROUND, an_item

PHOTO = {"picture": "anh/0123", "picture_side": 1200}


def problems(photos: int = 5, options: int = 0, **given: object) -> set[str]:
    found = tiktok_shop.listing(an_item(**{**PHOTO, **given}), photos=photos, options=options)
    return {problem.field for problem in found.problems}


def test_sound_goods_have_nothing_to_mend_and_a_long_enough_name() -> None:
    listing = tiktok_shop.listing(an_item(**PHOTO), photos=5)

    assert listing.problems == []
    assert not listing.is_refused
    assert listing.title == "Mật ong hoa nhãn Xã Đan Phượng"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"product_name": "Mật", "place": None, "stars": None, "variant_name": ""}, "title"),
        ({"product_name": "MẬT ONG HOA NHÃN NGUYÊN CHẤT"}, "title"),
        ({"description": ""}, "description"),
        ({"description": "Gọi 0912345678 để đặt"}, "description"),
        ({"price": Money(200_000_000)}, "price"),
        ({"picture": None, "picture_side": None}, "image_link"),
        ({"picture_side": 299}, "image_link"),
        ({"photos": 1}, "image_link"),
        ({"free": 0}, "stock"),
        ({"options": 4}, "options"),
        ({"product_name": "Rượu nếp cái hoa vàng", "abv_tenths": 295}, "abv"),
        ({"group": OcopGroup.TOURISM}, "group"),
        ({"weight_g": None}, "weight_g"),
    ],
)
def test_each_rule_is_told_at_its_field(given: dict[str, object], field: str) -> None:
    assert problems(**given) == {field}  # type: ignore[arg-type]


def test_a_photo_stands_for_the_drawing_and_a_small_one_is_refused() -> None:
    row, _none = meta.row(an_item(**PHOTO), AROUND)
    small, told = meta.row(an_item(picture="anh/0123", picture_side=499), AROUND)

    assert row is not None
    assert row["image_link"].endswith("/media/anh/0123-1200.jpg")
    assert small is None
    assert [problem.rule for problem in told] == [11]
