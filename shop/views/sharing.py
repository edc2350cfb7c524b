"""The picture that a shared link shows, drawn of what the page says at that moment."""

from collections.abc import Callable

from flask import Blueprint, Response, current_app, make_response
from sqlalchemy.orm import Session

from catalog import places, producers, villages
from core import share_picture
from core.clock import utc_now
from core.errors import NotFound
from core.i18n import lazy as _
from core.web.media import storage
from core.web.requests import public, reading
from shop import product_page, sharing
from shop.sharing import Shared

blueprint = Blueprint("sharing", __name__)
FOR_EVER = "public, max-age=31536000, immutable"
A_MINUTE = "public, max-age=60"


@blueprint.get("/chia-se/<kind>/<name>-<version>.jpg")
@public
def picture(kind: str, name: str, version: str) -> Response:
    """Show the card of a page; the address of an older card gives today's."""
    reader = READERS.get(kind)
    if reader is None:
        raise NotFound(_("There is nothing at this address."))
    with reading() as session:
        shared = reader(session, name)
    response = make_response(share_picture.draw(shared.card, shared.picture(storage())))
    response.mimetype = "image/jpeg"
    response.headers["Cache-Control"] = FOR_EVER if version == shared.version else A_MINUTE
    # Whoever shows the link shows the picture.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _product(session: Session, slug: str) -> Shared:
    return sharing.of_product(product_page.read(session, slug, now=utc_now()), url="")


def _producer(session: Session, slug: str) -> Shared:
    found = producers.get_approved(session, slug)
    place = places.place_name(session, found.commune_code, found.province_code)
    return sharing.of_producer(found, place, url="")


def _village(session: Session, slug: str) -> Shared:
    found = villages.get_by_slug(session, slug)
    names = places.place_names(session, [found.commune_code])
    return sharing.of_village(found, names.get(found.commune_code or "", ""), url="")


def _commune(session: Session, code: str) -> Shared:
    names = places.place_names(session, [code])
    if code not in names:
        raise NotFound(_("There is nothing at this address."))
    return sharing.of_commune(names[code], url="")


READERS: dict[str, Callable[[Session, str], Shared]] = {
    "hang": _product,
    "nha": _producer,
    "lang": _village,
    "xa": _commune,
}


@blueprint.app_template_global()
def share_card(kind: str, name: str, shared: Shared) -> str:
    """Return the whole address of the card of a page."""
    base = current_app.config["SETTINGS"].PUBLIC_URL
    return f"{base}/chia-se/{kind}/{name}-{shared.version}.jpg"
