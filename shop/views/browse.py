"""The public shop: pages that are the same for everyone, so that anyone may keep them a minute."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    get_template_attribute,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from catalog import cards, labelling, listing, places, producers, villages
from catalog.cards import Card
from catalog.certificates import OCOP_MONTHS, PAPER_NAMES
from catalog.illustrations import alt_text
from catalog.places import Level, NoSuchUnit
from catalog.producers import NoSuchProducer, Producer, ProducerState
from catalog.products import KIND, NoSuchProduct
from catalog.slugs import find_new_slug
from catalog.wording import KEEPS_NAMES
from core.clock import utc_now, vietnam_day
from core.errors import NotFound
from core.i18n import language, show_money
from core.money import Money
from core.web.locale import PREFIX, canonical_url
from core.web.requests import error_page, public, reading
from shop import browsing, place_news, product_page, sharing, storefront, structured, wording
from shop.browsing import Browse
from shop.carts import MOST_OF_ONE
from shop.place_news import PlaceNews
from shop.product_page import NoLongerSold, ProductPage
from traceability.diary import KIND_NAMES

blueprint = Blueprint("browse", __name__)
KEEP = "public, max-age=60, stale-if-error=86400"


@blueprint.after_request
def keep_a_minute(response: Response) -> Response:
    """Let browsers and proxies keep what went well; refusals are never kept."""
    if response.status_code < 400 and "Cache-Control" not in response.headers:  # noqa: PLR2004
        response.headers["Cache-Control"] = KEEP
    return response


@blueprint.context_processor
def names() -> dict[str, object]:
    """Give the templates the shop's names for things."""
    return {
        "group_names": wording.GROUP_NAMES,
        "group_motifs": wording.GROUP_MOTIFS,
        "order_names": wording.ORDER_NAMES,
        "alt_text": alt_text,
        "tile": tile,
        "shelf": shelf,
    }


@lru_cache(maxsize=512)
def tile(look: str, eager: bool = False, small: bool = False) -> Markup:  # noqa: FBT001, FBT002
    """Return a card's picture: the same markup for every card of a look, so it is made once."""
    picture = get_template_attribute("parts.html", "picture")
    if small:
        return cast("Markup", picture(look, "", sizes="3.5rem", width=160))
    return cast("Markup", picture(look, "", eager=eager))


def shelf(goods: Sequence[Card], eager: int = 0) -> Markup:
    """Return the cards of `goods` as a list; the pictures of the first `eager` load at once."""
    root = request.script_root
    made = "".join(_card(item, root, number < eager) for number, item in enumerate(goods))
    return Markup(f'<ul class="luoi" role="list">{made}</ul>')  # noqa: S704 - cards are markup


@lru_cache(maxsize=4_096)
def _card(item: Card, root: str, eager: bool) -> Markup:  # noqa: FBT001
    # A card says nothing that is not in its key (the root tells the language): it is never stale.
    card = get_template_attribute("shop/_card.html", "card")
    return cast("Markup", card(item, tile, root, eager))


@blueprint.get("/")
@public
def home() -> Response:
    """Show what is in season, what is new, and where it comes from."""
    if _reads_english():
        answer = make_response(redirect(PREFIX, 302))
        answer.headers["Cache-Control"] = "no-store"
    else:
        with reading() as session:
            page = storefront.home(session, now=utc_now())
        answer = make_response(render_template("shop/home.html", page=page))
    answer.vary.add("Accept-Language")
    return answer


def _reads_english() -> bool:
    """Say whether a newcomer's browser prefers English; who comes from our pages has chosen."""
    if request.script_root.endswith(PREFIX) or request.query_string:
        return False
    if urlsplit(request.referrer or "").netloc == request.host:
        return False
    return request.accept_languages.best_match(["vi", "en"], "vi") == "en"


@blueprint.get("/san-pham")
@public
def products() -> str:
    """List goods: words, filters, an order, a page; what makes no sense is ignored."""
    now = utc_now()
    with reading() as session:
        browse = browsing.read(session, request.args)
        rows, mark = listing.find_page(
            session, browse.filters, after=request.args.get("sau"), now=now
        )
        goods = cards.cards_of(session, rows, now=now)
    return render_template(
        "shop/products.html",
        browse=browse,
        goods=goods,
        chips=_chips(browse),
        next_url=_list_url({**browse.kept, "sau": mark}) if mark else None,
    )


def _list_url(kept: dict[str, str]) -> str:
    return url_for("browse.products", **cast("dict[str, Any]", kept))


def _chips(browse: Browse) -> list[tuple[str, str]]:
    """Return a label and the address without it for each filter that is on."""
    filters = browse.filters
    by_code = {choice.value: choice.name for choice in (*browse.provinces, *browse.communes)}
    labels = {
        "tinh": by_code.get(filters.province or ""),
        "xa": by_code.get(filters.commune or ""),
        "lang": browse.village and browse.village.name,
        "nha-san-xuat": browse.producer and browse.producer.name,
        "nhom": filters.group and str(wording.GROUP_NAMES[filters.group]),
        "sao": filters.stars and _("OCOP %(stars)s stars", stars=filters.stars),
        "gia-tu": filters.price_from is not None
        and _("from %(price)s", price=show_money(Money(filters.price_from))),
        "gia-den": filters.price_to is not None
        and _("up to %(price)s", price=show_money(Money(filters.price_to))),
        "con-hang": filters.in_stock and _("In stock only"),
        "mua": filters.month and _("month %(month)s", month=filters.month),
    }
    kept = browse.kept
    return [
        (str(label), _list_url({name: value for name, value in kept.items() if name != taken}))
        for taken, label in labels.items()
        if label and taken in kept
    ]


@blueprint.get("/san-pham/<slug>")
@public
def product(slug: str) -> Response | str:
    """Show one product: who makes it, which papers, which lot, and the way into the cart."""
    now = utc_now()
    with reading() as session:
        try:
            page = product_page.read(session, slug, now=now)
        except NoLongerSold as gone:
            return error_page(410, str(gone.message))
        except NoSuchProduct:
            return _moved(session, KIND, slug, "browse.product")
    if language() == "en":
        page = replace(page, product=page.product.in_english())
    lowest = min(page.sold, key=lambda offer: offer.price or Money(0), default=None)
    chosen = _chosen(page, request.args.get("loai", "")) or lowest
    return render_template(
        "shop/product.html",
        page=page,
        lowest=lowest,
        chosen=chosen,
        most=min(chosen.free, MOST_OF_ONE) if chosen else 0,
        history=_history(page),
        description=_description(page),
        today=vietnam_day(now),
        paper_names=PAPER_NAMES,
        step_names=KIND_NAMES,
        structured=structured.of_product(
            page, canonical_url, _picture(page.product.picture or page.product.motif)
        ),
        label=labelling.shown(page.product.group, page.product.label),
        keeps_names=KEEPS_NAMES,
        shared=sharing.of_product(page, url=canonical_url()),
    )


def _chosen(page: ProductPage, sku: str) -> cards.Offer | None:
    """Return the variant a feed's link names, else the cheapest that is there."""
    free = [offer for offer in page.sold if offer.free]
    named = [offer for offer in free if offer.sku == sku]
    return min(named or free, key=lambda offer: offer.price or Money(0), default=None)


def _history(page: ProductPage) -> str:
    """Say what a source once reported, and that no paper in force bears it out."""
    stars, year = page.product.claimed_stars, page.product.claimed_year
    if year is None:
        return str(_("recognised with %(stars)s stars, no certificate in force", stars=stars))
    return str(
        _(
            "recognised with %(stars)s stars (%(year)s), no certificate in force",
            stars=stars,
            year=year,
        )
    )


def _description(page: ProductPage) -> str:
    said = page.product.description or ""
    parts = [page.product.name, page.producer.name if page.producer else "", page.place, said]
    return " · ".join(part for part in parts if part)[:200]


def _moved(session: Session, kind: str, slug: str, endpoint: str) -> Response:
    """Send an address of old on to today's, for ever; else there is nothing here."""
    new = find_new_slug(session, kind, slug)
    if new is None:
        raise NotFound
    return cast("Response", redirect(url_for(endpoint, slug=new), 301))


def _picture(look: str) -> str:
    """Return the address of the large square that programs show of these goods."""
    if "/" in look:
        return f"{current_app.config['SETTINGS'].PUBLIC_URL}/media/{look}-1200.jpg"
    asset = cast("Callable[[str], str]", current_app.jinja_env.globals["asset"])
    return f"{current_app.config['SETTINGS'].PUBLIC_URL}{asset(f'tranh/{look}-1200.jpg')}"


def _news(session: Session, makers: Sequence[Producer], now: datetime) -> list[PlaceNews]:
    tellers = current_app.extensions["place_news"]
    return place_news.list_news(session, [maker.id for maker in makers], tellers, now=now)


@blueprint.get("/lang/<slug>")
@public
def village(slug: str) -> Response | str:
    """Show a village: its craft, what there is to see, its makers and goods."""
    with reading() as session:
        found = villages.find_by_slug(session, slug)
        if found is None:
            return _moved(session, "village", slug, "browse.village")
        now = utc_now()
        page = storefront.village(session, found, now=now)
        news = _news(session, page.makers, now)
    return render_template(
        "shop/village.html",
        village=found,
        page=page,
        news=news,
        shared=sharing.of_village(found, page.place, url=canonical_url()),
        structured=structured.of_village(found, page.place, canonical_url),
    )


@blueprint.get("/xa/<code>")
@public
def commune(code: str) -> str:
    """Show a commune: its goods, makers and villages."""
    with reading() as session:
        unit = places.get_unit(session, code[:10])
        if unit.level is not Level.COMMUNE:
            raise NoSuchUnit
        now = utc_now()
        page = storefront.commune(session, unit, now=now)
        news = _news(session, page.makers, now)
    return render_template(
        "shop/commune.html",
        unit=unit,
        page=page,
        news=news,
        shared=sharing.of_commune(page.place, url=canonical_url()),
    )


@blueprint.get("/nha-san-xuat/<slug>")
@public
def producer(slug: str) -> Response | str:
    """Show a maker and its goods."""
    with reading() as session:
        maker = producers.find_by_slug(session, slug)
        if maker is None:
            return _moved(session, "producer", slug, "browse.producer")
        if maker.state is not ProducerState.APPROVED:
            raise NoSuchProducer
        now = utc_now()
        page = storefront.producer(session, maker, now=now)
        news = _news(session, [maker], now)
    return render_template(
        "shop/producer.html",
        maker=maker,
        page=page,
        news=news,
        kind_names=wording.MAKER_KINDS,
        structured=structured.of_producer(maker, page.place, canonical_url),
        shared=sharing.of_producer(maker, page.place, url=canonical_url()),
    )


@blueprint.get("/cach-xep-thu-tu")
@public
def ranking() -> str:
    """Say by which rules goods are ranked, as the law asks."""
    return render_template(
        "shop/ranking.html", order_rules=wording.ORDER_RULES, ocop_months=OCOP_MONTHS
    )
