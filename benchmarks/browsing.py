"""Pages for guests: product, list first and deep, search, and what is repeated."""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from itertools import cycle
from statistics import median
from urllib.parse import quote_plus

from flask import Flask
from sqlalchemy import select

from benchmarks import floors
from benchmarks.calling import Environ, call, environ
from benchmarks.measuring import Path, Side
from benchmarks.shops import Shop
from catalog.products import Product, ProductState
from traceability.trace_codes import CodeKind, TraceCode

SAMPLES = 2_000
DEEP = 200
SEARCHES = (
    "mật ong", "mat ong", "che sach", "rượu nếp", "binh gom", "gạo hữu cơ", "nem", "khan lua",
    "nước mắm truyền thống", "tra thao duoc", "bưởi", "bun kho vu moi", "số 17", "ca phe",
)  # fmt: skip
NEXT = re.compile(r'<a\b[^>]*\brel="next"[^>]*>')
HREF = re.compile(r'href="([^"]+)"')


def paths(shop: Shop) -> Iterator[Path]:
    """Give the pages of this shop."""
    yield _product(shop)
    yield _list(shop)
    yield _search(shop)
    deep = _deep(shop)
    if deep is not None:
        yield deep
    yield _repeated(shop, "home, again", "/")
    scan = _scan_address(shop)
    if scan is not None:
        yield _repeated(shop, "scan page, again", scan)


def _product(shop: Shop) -> Path:
    with shop.database.reading() as session:
        slugs = list(
            session.scalars(
                select(Product.slug).where(
                    Product.state == ProductState.LIVE, Product.producer_id.is_not(None)
                )
            )
        )
    random.Random(1).shuffle(slugs)
    addresses = [f"/san-pham/{slug}" for slug in slugs[:SAMPLES]]
    floor = floors.product_page(shop.database, _size(shop, addresses[:20]), slugs[0])
    return Path(
        "product page",
        "pages/s",
        "bare Flask, one ORM SELECT by key, a rendered page of the same bytes",
        0.60,
        _first_visits(shop.app, addresses),
        _visits(floor, addresses),
    )


def _list(shop: Shop) -> Path:
    floor = floors.list_page(shop.database, _size(shop, ["/san-pham"]))
    return Path(
        "list, first page",
        "pages/s",
        "bare Flask, one SELECT of 24 rows, a rendered list of the same bytes",
        0.50,
        _first_visits(shop.app, ["/san-pham"]),
        _visits(floor, ["/san-pham"]),
        longest_tail=4,
    )


def _search(shop: Shop) -> Path:
    addresses = [f"/san-pham?q={quote_plus(words)}" for words in SEARCHES]
    floor = floors.list_page(shop.database, _size(shop, addresses))
    return Path(
        "search",
        "pages/s",
        "the floor of the list, with the bytes of a page of results",
        0.50,
        _first_visits(shop.app, addresses),
        _visits(floor, ["/san-pham"]),
        longest_tail=4,
    )


def _deep(shop: Shop) -> Path | None:
    """Return the list at its 200th page; None in a shop that has not so many."""
    address = "/san-pham"
    for _page in range(DEEP - 1):
        link = NEXT.search(call(shop.app, environ(address)).decode())
        if link is None:
            return None
        address = unescape(HREF.findall(link.group())[0])
    return Path(
        f"list, page {DEEP}",
        "pages/s",
        "our own first page",
        0.90,
        _first_visits(shop.app, [address]),
        _first_visits(shop.app, ["/san-pham"]),
    )


def _repeated(shop: Shop, name: str, address: str) -> Path:
    floor = floors.rendered_page(_size(shop, [address]))
    return Path(
        name,
        "pages/s",
        "bare Flask, a rendered page of the same bytes, no database",
        0.70,
        _visits(shop.app, [address]),
        _visits(floor, [address]),
    )


def _scan_address(shop: Shop) -> str | None:
    """Return the address behind the QR code of a lot of the sample co-operative."""
    with shop.database.reading() as session:
        code = session.scalar(
            select(TraceCode.code).where(TraceCode.kind == CodeKind.LOT).order_by(TraceCode.lot_id)
        )
    return f"/truy-xuat/{code}" if code else None


def _size(shop: Shop, addresses: list[str]) -> int:
    """Return the middle size of these pages in bytes."""
    return int(median(len(call(shop.app, environ(address))) for address in addresses))


def _first_visits(app: Flask, addresses: list[str]) -> Side:
    """Return the side that visits these addresses as if nobody had been there before."""
    kept = app.extensions["page_cache"]
    return _visits(app, addresses, before=kept.clear)


def _visits(app: Flask, addresses: list[str], before: Callable[[], None] | None = None) -> Side:
    """Return the side that visits these addresses in turn, for ever, going on where it was."""
    rounds = cycle([environ(address) for address in addresses])

    def jobs(_seconds: float) -> Iterable[Environ]:
        return rounds

    def do(given: Environ) -> int:
        if before is not None:
            before()
        call(app, given)
        return 1

    return Side(jobs, do)
