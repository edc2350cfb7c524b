"""What TikTok Shop (Vietnam) would show of goods, and what it would refuse: pure, item → listing.

Rules 3-6, 9, 11, 14, 15 and 17 of docs/feeds.md as far as TikTok Shop asks for them; what is sent
there is another module's matter.
"""

from dataclasses import dataclass

from catalog.alcohol import is_alcohol
from catalog.products import OcopGroup
from core.i18n import mark
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

SHORTEST_TITLE = 25
LONGEST_TITLE = 255
LONGEST_DESCRIPTION = 10_000
SMALLEST_PICTURE = 300
GOOD_PHOTOS = 5
DEAREST = 180_000_000
MOST_OPTIONS = 3
ERROR, WARNING = Severity.ERROR, Severity.WARNING
TELL_MORE = mark("TikTok wants 25 letters: tell in the name what it is, of what, how much.")
SPEAK_LOWER = mark("Write the name in small letters, without phone numbers or promotion words.")
DESCRIBE = mark("Tell in two sentences what it is and how it is made.")
NO_CONTACT = mark("Take phone numbers and addresses out of the description.")
ADD_PHOTO = mark("TikTok shows photos only, no drawings. Add a photo of the goods.")
LARGER_PHOTO = mark("The photo is smaller than 300 px. Take it again, or cut less away.")
MORE_PHOTOS = mark("TikTok shows goods with five photos or more to more people.")
OTHER_PRICE = mark("The price must lie between 1 ₫ and 180,000,000 ₫.")
FILL_STORE = mark("There is none in the store: write in what there is.")
FEWER_OPTIONS = mark("Three options at most.")
NO_DRINK = mark("Strong drink may not be advertised (Law on Advertising, Article 7).")
NO_STAYS = mark("Stays and tours are not goods; channels do not take them.")
WEIGH = mark("Write the weight: TikTok counts the delivery fee from it.")
# Whether it applies, the rule's number, how bad, the field, what the channel says, how to mend it.
_Rule = tuple[bool, int, Severity, str, str, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a buyer would read on TikTok Shop, and what stands in the way."""

    title: str
    description: str
    problems: list[Problem]

    @property
    def is_refused(self) -> bool:
        """Say whether TikTok Shop would not take it as it is."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


def listing(item: FeedItem, *, photos: int, options: int = 0) -> Listing:
    """Return how TikTok Shop would show the item; the title is built until it is long enough."""
    title, description = title_of(item), _description(item)
    told = [
        Problem(rule, severity, item.sku, field, says, mend)
        for applies, rule, severity, field, says, mend in (
            *_of_words(item, title, description),
            *_of_photos(item, photos),
            *_of_goods(item, options),
        )
        if applies
    ]
    return Listing(title, description, told)


def _of_words(item: FeedItem, title: str, description: str) -> list[_Rule]:
    loud = is_shouting(item.product_name) or has_contact(title) or has_promotion(title)
    return [
        (len(title) < SHORTEST_TITLE, 3, ERROR, "title", "title too short", TELL_MORE),
        (loud, 4, ERROR, "title", "title violates policy", SPEAK_LOWER),
        (not description, 5, ERROR, "description", "description missing", DESCRIBE),
        (has_contact(description), 4, ERROR, "description", "off-platform contact", NO_CONTACT),
    ]


def _of_photos(item: FeedItem, photos: int) -> list[_Rule]:
    small = 0 < (item.picture_side or 0) < SMALLEST_PICTURE
    few = bool(item.picture) and not small and photos < GOOD_PHOTOS
    return [
        (not item.picture, 11, ERROR, "image_link", "main image missing", ADD_PHOTO),
        (small, 11, ERROR, "image_link", "main image too small", LARGER_PHOTO),
        (few, 12, WARNING, "image_link", "few images", MORE_PHOTOS),
    ]


def _of_goods(item: FeedItem, options: int) -> list[_Rule]:
    drink = is_alcohol(item.product_name, item.motif, item.abv_tenths)
    priced = item.price is not None and 0 < item.price.dong <= DEAREST
    stay = item.group is OcopGroup.TOURISM
    return [
        (not priced, 6, ERROR, "price", "price out of range", OTHER_PRICE),
        (item.free < 1, 9, WARNING, "stock", "no stock", FILL_STORE),
        (options > MOST_OPTIONS, 14, ERROR, "options", "too many variations", FEWER_OPTIONS),
        (drink, 15, ERROR, "abv", "restricted product", NO_DRINK),
        (stay, 15, ERROR, "group", "not a product", NO_STAYS),
        (not item.weight_g, 17, ERROR, "weight_g", "package weight missing", WEIGH),
    ]


def title_of(item: FeedItem) -> str:
    """Return the name, made longer by place, stars and pack while TikTok finds it too short."""
    title = without_star_words(plain(item.product_name, LONGEST_TITLE), item.stars)
    stars = f"OCOP {item.stars} sao" if item.stars else ""
    for more in (item.place or "", stars, f"{item.variant_name} {item.unit}".strip()):
        if more and len(title) < SHORTEST_TITLE:
            title = f"{title} {more}"
    return plain(title, LONGEST_TITLE)


def _description(item: FeedItem) -> str:
    return without_star_sentences(plain(item.description or "", LONGEST_DESCRIPTION), item.stars)
