"""Meta's catalogue feed: one pure function, item → row and problems (Meta template of Dec 2024)."""

import re
from dataclasses import dataclass
from datetime import datetime

from catalog.alcohol import is_alcohol
from catalog.gtin import is_valid_gtin
from catalog.products import OcopGroup
from core.clock import VIETNAM
from core.i18n import mark
from core.sizes import CHANNEL, key_of
from livestream.feeds.categories import google_category
from livestream.feeds.items import FeedItem
from livestream.feeds.problems import Problem, Severity
from livestream.feeds.wording import (
    has_contact,
    has_promotion,
    is_shouting,
    plain,
    without_star_sentences,
    without_star_words,
)

COLUMNS = (
    "id",
    "title",
    "description",
    "availability",
    "condition",
    "price",
    "link",
    "image_link",
    "brand",
    "google_product_category",
    "product_type",
    "quantity_to_sell_on_facebook",
    "item_group_id",
    "size",
    "shipping_weight",
    "gtin",
    "status",
    "custom_label_0",
    "custom_label_1",
    "custom_label_2",
    "custom_label_3",
    "custom_label_4",
    "product_tags[0]",
    "sale_price",
    "sale_price_effective_date",
)
GROUP_WORDS = {
    OcopGroup.FOOD: "Thực phẩm",
    OcopGroup.BEVERAGE: "Đồ uống",
    OcopGroup.HERBAL: "Dược liệu",
    OcopGroup.HANDICRAFT: "Thủ công mỹ nghệ",
    OcopGroup.ORNAMENTAL: "Sinh vật cảnh",
    OcopGroup.TOURISM: "Du lịch cộng đồng",
}
ALCOHOL = {"417", "421"}
GOOD_ID = re.compile(r"[A-Za-z0-9_-]{1,50}")
SMALLEST_PICTURE = 500
LONGEST_TITLE = 150
LONGEST_DESCRIPTION = 5_000
LONGEST_BRAND = 70
DEAREST = 180_000_000
MOST = 99_999

Row = dict[str, str]


class PictureAddress:
    """Where the channel picture of goods lies: absolute, its name carries its content."""

    def __init__(self, public_url: str, names: dict[str, str]) -> None:
        """Take the shop's address and the names of the built static files."""
        self._public_url = public_url
        self._names = names

    def of_photo(self, name: str) -> str:
        """Return the square JPEG, 1200 px at most, of a photo of the goods."""
        return f"{self._public_url}/media/{key_of(name, CHANNEL, 'jpg')}"

    def of(self, motif: str) -> str | None:
        """Return the 1200×1200 JPEG of `motif`, None when there is none."""
        name = self._names.get(f"tranh/{motif}-1200.jpg")
        return f"{self._public_url}/static/{name}" if name else None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every row of one build shares."""

    public_url: str
    picture_url: PictureAddress
    now: datetime


def row(item: FeedItem, around: Surroundings) -> tuple[Row | None, list[Problem]]:
    """Return the item's row, None when an error keeps it out, and what is to be mended.

    Prices are written `250000 VND`; stock is what can be sold now; the same numbers stand on the
    product page at this moment (rules 1-22 of feeds.md §5 as far as Meta asks for them).
    """
    told = _Told(item.sku)
    title = _title(item, told)
    description = _description(item, title, told)
    pictures = around.picture_url
    picture = pictures.of_photo(item.picture) if item.picture else pictures.of(item.motif)
    _check_id(item, told)
    _check_price(item, told)
    if picture is None:
        told.error(11, "image_link", "EMPTY_IMAGE_URL", mark("Add a picture of the goods."))
    elif (item.picture_side or SMALLEST_PICTURE) < SMALLEST_PICTURE:
        told.error(
            11,
            "image_link",
            "IMAGE_RESOLUTION_LOW",
            mark("The photo is smaller than 500 px. Take it again, or cut less away."),
        )
    if item.food_paper_expired and item.group in {OcopGroup.FOOD, OcopGroup.BEVERAGE}:
        told.error(
            18,
            "certificate",
            "PRODUCT_EXPIRED",
            mark("The food-safety paper has run out. Upload the new one and the item comes back."),
        )
    category = google_category(item.product_name, item.group)
    if category is None:
        told.warn(
            15,
            "google_product_category",
            "PROPERTY_VALUE_MISSING",
            mark("Choose the OCOP group so that the channel files the goods correctly."),
        )
    if category in ALCOHOL or is_alcohol(item.product_name, item.motif, item.abv_tenths):
        told.error(
            15,
            "google_product_category",
            "RESTRICTED_PRODUCT",
            mark("Strong drink may not be advertised (Law on Advertising, Article 7)."),
        )
    gtin = item.gtin if item.gtin and is_valid_gtin(item.gtin) else ""
    if item.gtin and not gtin:
        told.warn(
            16,
            "gtin",
            "PROPERTY_VALUE_FORMAT",
            mark("The barcode's check digit is wrong; it was left out. Type it again."),
        )
    if item.group is OcopGroup.TOURISM:
        told.error(
            15,
            "google_product_category",
            "PROPERTY_VALUE_MISSING",
            mark("Stays and tours are not goods; channels do not take them."),
        )
    if told.has_error or item.price is None:
        return None, told.problems
    free = min(item.free, MOST)
    values = {
        "id": item.sku,
        "title": title,
        "description": description,
        "availability": "in stock" if free else "out of stock",
        "condition": "new",
        "price": f"{(item.was or item.price).dong} VND",
        "link": f"{around.public_url}/san-pham/{item.slug}?loai={item.sku}",
        "image_link": picture or "",
        "brand": plain(item.producer or "", LONGEST_BRAND),
        "google_product_category": category or "",
        "product_type": _product_type(item),
        "quantity_to_sell_on_facebook": str(free) if free else "",
        "item_group_id": f"P{item.product_id}" if item.siblings > 1 else "",
        "size": plain(item.variant_name, 200),
        "shipping_weight": f"{item.weight_g} g" if item.weight_g else "",
        "gtin": gtin,
        "status": "active",
        "custom_label_0": f"ocop-{item.stars}" if item.stars else "",
        "custom_label_1": item.producer_slug or "",
        "custom_label_2": item.group.value if item.group else "",
        "custom_label_3": plain(item.place or "", 100),
        "custom_label_4": "minh-hoa" if item.price_is_sample else "",
        "product_tags[0]": f"ocop-{item.stars}-sao" if item.stars else "",
        "sale_price": f"{item.price.dong} VND" if item.was else "",
        "sale_price_effective_date": _sale_time(item) if item.was else "",
    }
    return values, told.problems


def _sale_time(item: FeedItem) -> str:
    """Return beginning and end of the sale as clocks in Vietnam show them."""
    edges = [moment.astimezone(VIETNAM) for moment in (item.on_from, item.on_until) if moment]
    return "/".join(edge.isoformat(timespec="minutes") for edge in edges)


def twice(item: FeedItem) -> Problem:
    """Return the problem of an item whose code another item of this file already has."""
    return Problem(
        1,
        Severity.ERROR,
        item.sku,
        "id",
        "Non-Unique Value: id",
        mark("Two items have the same code. Give one of them another."),
    )


def _title(item: FeedItem, told: "_Told") -> str:
    name = (
        f"{item.product_name} {item.variant_name}".strip()
        if item.siblings == 1
        else (item.product_name)
    )
    title = plain(without_star_words(name, item.stars), LONGEST_TITLE)
    if not title:
        told.error(3, "title", "EMPTY_TITLE", mark("Give the goods a name."))
    elif is_shouting(title):
        told.warn(
            4,
            "title",
            "PROPERTY_VALUE_UPPERCASE",
            mark("Write the name in small letters; channels refuse ALL CAPITALS."),
        )
        title = title.capitalize()
    if has_contact(title) or has_promotion(title):
        told.warn(
            4,
            "title",
            "PROPERTY_VALUE_DESCRIPTION_CONTAINS_OFF_PLATFORM_LINK",
            mark("Take phone numbers, addresses and promotion words out of the name."),
        )
    return title


def _description(item: FeedItem, title: str, told: "_Told") -> str:
    said = plain(item.description or "", LONGEST_DESCRIPTION)
    text = without_star_sentences(said, item.stars)
    if text != said:
        told.warn(
            5,
            "description",
            "STARS_WITHOUT_CERTIFICATE",
            mark("No certificate gives these stars today: the words about them were left out."),
        )
    elif not text or text == title:
        told.warn(
            5,
            "description",
            "EMPTY_DESCRIPTION",
            mark("Tell in two sentences what it is and how it is made."),
        )
    if not text or text == title:
        text = ", ".join(
            part for part in (title, item.producer, item.place, f"{item.unit}") if part
        )
    if has_contact(text):
        told.warn(
            4,
            "description",
            "PROPERTY_VALUE_DESCRIPTION_CONTAINS_OFF_PLATFORM_LINK",
            mark("Take phone numbers and addresses out of the description."),
        )
    return text


def _check_id(item: FeedItem, told: "_Told") -> None:
    if not GOOD_ID.fullmatch(item.sku):
        told.error(
            1,
            "id",
            "PROPERTY_VALUE_FORMAT",
            mark("The item code may hold letters without marks, digits, - and _, 50 at most."),
        )


def _check_price(item: FeedItem, told: "_Told") -> None:
    if item.price is None:
        told.error(6, "price", "EMPTY_PRICE", mark("Set a price."))
    elif not 0 < item.price.dong <= DEAREST:
        told.error(
            6,
            "price",
            "PROPERTY_PRICE_TOO_HIGH",
            mark("The price must lie between 1 ₫ and 180,000,000 ₫."),
        )


def _product_type(item: FeedItem) -> str:
    return GROUP_WORDS[item.group] if item.group else ""


class _Told:
    """Collects the problems of one item."""

    def __init__(self, item_id: str) -> None:
        self._item_id = item_id
        self.problems: list[Problem] = []

    @property
    def has_error(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def error(self, rule: int, field: str, says: str, mend: str) -> None:
        self.problems.append(Problem(rule, Severity.ERROR, self._item_id, field, says, mend))

    def warn(self, rule: int, field: str, says: str, mend: str) -> None:
        self.problems.append(Problem(rule, Severity.WARNING, self._item_id, field, says, mend))
