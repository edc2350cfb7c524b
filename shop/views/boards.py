"""Boards, posters and counter cards as PDF, and the desk's page that lists them."""

from flask import Blueprint, Response, current_app, make_response, render_template
from flask_babel import gettext as _

from catalog import places, producers, villages
from catalog.desk import Desk, desk_view
from catalog.places import Level, NoSuchUnit
from core.clock import utc_now, vietnam_day
from core.errors import NotFound
from core.i18n import lazy
from core.web.locale import canonical_url
from core.web.requests import public, reading
from shop import boards, storefront
from shop.boards import Board, Size

blueprint = Blueprint("boards", __name__)
desk = Blueprint("desk_boards", __name__)
KEEP = "public, max-age=600"


@blueprint.get("/lang/<slug>/bang-<size>.pdf")
@public
def village(slug: str, size: str) -> Response:
    """Give a village's board for the culture house."""
    now = utc_now()
    with reading() as session:
        found = villages.get_by_slug(session, slug)
        page = storefront.village(session, found, now=now)
    name = _("Goods of %(place)s", place=found.name)
    return _board(Board(name, page.place, _page(f"/lang/{slug}"), page.goods), size)


@blueprint.get("/xa/<code>/bang-<size>.pdf")
@public
def commune(code: str, size: str) -> Response:
    """Give a commune's board."""
    with reading() as session:
        unit = places.get_unit(session, code[:10])
        if unit.level is not Level.COMMUNE:
            raise NoSuchUnit
        page = storefront.commune(session, unit, now=utc_now())
    name = _("Goods of %(place)s", place=unit.name)
    return _board(Board(name, page.place, _page(f"/xa/{unit.code}"), page.goods), size)


@blueprint.get("/nha-san-xuat/<slug>/ap-phich-<size>.pdf")
@public
def poster(slug: str, size: str) -> Response:
    """Give a maker's poster."""
    return _board(_of_producer(slug), size)


@blueprint.get("/nha-san-xuat/<slug>/the-quay.pdf")
@public
def counter_card(slug: str) -> Response:
    """Give a maker's card for the counter."""
    return _pdf(boards.print_counter_card(_of_producer(slug)), "the-quay")


@desk.get("/ban-hang/<producer>/in-an")
@desk_view
def index(*, desk: Desk) -> str:
    """List what a maker can print."""
    with reading() as session:
        found = producers.get_by_slug(session, desk.slug)
        village = session.get(villages.Village, found.village_id) if found.village_id else None
    return render_template("shop/desk/boards.html", desk=desk, maker=found, village=village)


def _of_producer(slug: str) -> Board:
    with reading() as session:
        found = producers.get_approved(session, slug)
        page = storefront.producer(session, found, now=utc_now())
    return Board(found.name, page.place, _page(f"/nha-san-xuat/{slug}"), page.goods)


def _board(board: Board, size: str) -> Response:
    if size not in set(Size):
        raise NotFound(lazy("There is nothing at this address."))
    base = current_app.config["SETTINGS"].PUBLIC_URL
    today = vietnam_day(utc_now())
    return _pdf(boards.print_board(board, Size(size), base=base, today=today), f"bang-{size}")


def _page(path: str) -> str:
    return canonical_url(path, tongue="vi")


def _pdf(data: bytes, name: str) -> Response:
    response = make_response(data)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = KEEP
    return response
