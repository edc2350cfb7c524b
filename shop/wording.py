"""The shop's names for groups, orders of a list and makers, as people read them."""

from catalog.listing import Order
from catalog.producers import ProducerKind
from catalog.products import OcopGroup
from core.i18n import lazy as _

GROUP_NAMES = {
    OcopGroup.FOOD: _("Food"),
    OcopGroup.BEVERAGE: _("Drinks"),
    OcopGroup.HERBAL: _("Herbal goods"),
    OcopGroup.HANDICRAFT: _("Handicraft"),
    OcopGroup.ORNAMENTAL: _("Flowers and ornamental plants"),
    OcopGroup.TOURISM: _("Community tourism"),
}
GROUP_MOTIFS = {
    OcopGroup.FOOD: "gao",
    OcopGroup.BEVERAGE: "ruou",
    OcopGroup.HERBAL: "thao-duoc",
    OcopGroup.HANDICRAFT: "may-tre",
    OcopGroup.ORNAMENTAL: "hoa",
    OcopGroup.TOURISM: "nha-san",
}
ORDER_NAMES = {
    Order.NEW: _("Newest first"),
    Order.CHEAP_FIRST: _("Lowest price first"),
    Order.DEAR_FIRST: _("Highest price first"),
    Order.STARS: _("Most stars first"),
}
ORDER_RULES = {
    Order.NEW: _("By the moment of listing, the latest first."),
    Order.CHEAP_FIRST: _("By the lowest price of each product; goods without a price come last."),
    Order.DEAR_FIRST: _(
        "By the lowest price of each product, downwards; goods without a price come last."
    ),
    Order.STARS: _(
        "By the stars of the certificate in force today, then the newest; goods without a badge"
        " come last."
    ),
}
MAKER_KINDS = {
    ProducerKind.COOPERATIVE: _("Co-operative"),
    ProducerKind.COMPANY: _("Company"),
    ProducerKind.HOUSEHOLD: _("Household business"),
    ProducerKind.GROUP: _("Working group"),
}
