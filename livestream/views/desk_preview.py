"""How goods will look to buyers, on Facebook and on TikTok, and what each would refuse."""

from flask import Blueprint, current_app, render_template

from catalog import cards, editing, pictures, publishing
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.money import ZERO
from core.web.requests import reading
from livestream.feeds import items, jobs, meta, tiktok_shop

blueprint = Blueprint("desk_preview", __name__)
# Where each channel's field is written in the editor.
EDITED_AT = {
    "title": "name",
    "description": "description",
    "price": "price",
    "image_link": "photos",
    "google_product_category": "group",
    "weight_g": "weight_g",
    "abv": "abv",
    "group": "group",
    "options": "cac-loai",
}


@blueprint.get("/ban-hang/<producer>/hang/<int:product_id>/xem-truoc")
@desk_view
def preview(desk: Desk, product_id: int) -> str:
    """Show the goods as buyers, Facebook and TikTok will, each with what it would refuse."""
    now = utc_now()
    with reading() as session:
        product = editing.get_of_producer(session, desk.producer_id, product_id)
        found = items.of_product(session, product.id, now=now)
        photos = pictures.list_shown(session, product.id)
        missing = publishing.missing(session, product)
        offers = cards.offers_of(session, [product.id], now=now)[product.id]
    around = jobs.surroundings(current_app.config["SETTINGS"], now=now)
    rows = [(item, *meta.row(item, around)) for item in found]
    first = found[0] if found else None
    return render_template(
        "livestream/desk_preview.html",
        product=product,
        first=first,
        lowest=min(
            (one for one in offers if one.price), key=lambda one: one.price or ZERO, default=None
        ),
        missing=[(field, str(words)) for field, words in missing],
        meta_row=rows[0][1] if rows else None,
        meta_problems=list({problem.mend: problem for row in rows for problem in row[2]}.values()),
        tiktok=tiktok_shop.listing(first, photos=len(photos), options=len(product.option_names))
        if first
        else None,
        edited_at=EDITED_AT,
    )
