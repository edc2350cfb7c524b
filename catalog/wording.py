"""What states, groups and fields of goods are called on the desk."""

from catalog.products import KeepsUnit, OcopGroup, ProductState
from catalog.stock import Why
from core.i18n import lazy as _

GROUP_NAMES = {
    OcopGroup.FOOD: _("Food"),
    OcopGroup.BEVERAGE: _("Drinks"),
    OcopGroup.HERBAL: _("Herbal goods"),
    OcopGroup.HANDICRAFT: _("Handicraft"),
    OcopGroup.ORNAMENTAL: _("Flowers and ornamental plants"),
    OcopGroup.TOURISM: _("Community tourism"),
}
STATE_NAMES = {
    ProductState.DRAFT: _("draft"),
    ProductState.REVIEW: _("staff are looking at it"),
    ProductState.LIVE: _("on sale"),
    ProductState.WITHDRAWN: _("put away"),
}
KEEPS_NAMES = {
    KeepsUnit.DAY: _("days"),
    KeepsUnit.MONTH: _("months"),
    KeepsUnit.YEAR: _("years"),
}
WHY_NAMES = {
    Why.RECEIVED: _("came in"),
    Why.LOSS: _("lost"),
    Why.COUNTED: _("counted"),
    Why.SHIPPED: _("sent to buyers"),
    Why.RETURNED: _("came back"),
}
FIELD_NAMES = {
    "name": _("Name of the goods"),
    "group": _("OCOP group"),
    "price": _("Price in đồng"),
    "unit": _("Sold by"),
    "description": _("What it is, how it is made"),
    "ingredients": _("Ingredients"),
    "storage_note": _("How to keep"),
    "usage_note": _("How to use"),
    "keeps_for": _("Keeps for"),
    "keeps_unit": _("In days, months or years"),
    "weight_g": _("Weight in grams"),
    "length_cm": _("Length in cm"),
    "width_cm": _("Width in cm"),
    "height_cm": _("Height in cm"),
    "abv": _("Alcohol, percent"),
    "is_health_food": _("Health food"),
    "ad_certificate": _("Number of the advertising certificate"),
    "english_name": _("Name in English"),
    "english_description": _("What it is, in English"),
    "english_ingredients": _("Ingredients in English"),
    "english_storage_note": _("How to keep, in English"),
    "english_usage_note": _("How to use, in English"),
}
