"""Bare Flask applications that answer pages of the same size: what a page must cost at least."""

from flask import Flask, render_template
from jinja2 import DictLoader
from sqlalchemy import select

from catalog.producers import Producer
from catalog.products import Product
from core.db import Database

# One escaped value for each hundred bytes, as in our own pages.
PIECE = "x" * 70
PAGE = """<!doctype html><html lang="vi"><head><title>{{ product.name }}</title></head>
<body><h1>{{ product.name }}</h1>
{% for piece in pieces %}<p class="hang">{{ piece }}</p><hr>
{% endfor %}<p>{{ rest }}</p></body></html>
"""
LIST = """<!doctype html><html lang="vi"><head><title>List</title></head><body><ul>
{% for product, producer in rows %}<li><a href="/san-pham/{{ product.slug }}">{{ product.name }}</a>
<p>{{ product.place_text or "" }} {{ producer or "" }}</p><b>{{ product.list_price }}</b></li>
{% endfor %}</ul>
{% for piece in pieces %}<p class="hang">{{ piece }}</p><hr>
{% endfor %}<p>{{ rest }}</p></body></html>
"""
PER_PAGE = 24


class _Filler:
    """Fills a page up to its size; measured once, so that rendering does nothing but render."""

    def __init__(self, app: Flask, template: str, size: int, **given: object) -> None:
        self._pieces: list[str] = []
        self._rest = ""
        with app.app_context():
            missing = size - len(render_template(template, **given, **self.values).encode())
            one = len(f'<p class="hang">{PIECE}</p><hr>\n')
            count, rest = divmod(max(missing, 0), one)
        self._pieces = [PIECE] * count
        self._rest = "x" * rest

    @property
    def values(self) -> dict[str, object]:
        return {"pieces": self._pieces, "rest": self._rest}


def _bare() -> Flask:
    app = Flask("floor")
    app.jinja_loader = DictLoader({"page": PAGE, "list": LIST})
    return app


def product_page(database: Database, size: int, slug: str) -> Flask:
    """Return an application that reads one product by its slug and renders `size` bytes."""
    app = _bare()
    with database.reading() as session:
        sample = session.scalars(select(Product).where(Product.slug == slug)).one()
    filler = _Filler(app, "page", size, product=sample)

    @app.get("/san-pham/<slug>")
    def product(slug: str) -> str:
        with database.reading() as session:
            found = session.scalars(select(Product).where(Product.slug == slug)).one()
        return render_template("page", product=found, **filler.values)

    return app


def list_page(database: Database, size: int) -> Flask:
    """Return an application that reads the 24 newest products and renders `size` bytes."""
    app = _bare()
    query = (
        select(Product, Producer.name)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .order_by(Product.id.desc())
        .limit(PER_PAGE)
    )
    with database.reading() as session:
        filler = _Filler(app, "list", size, rows=session.execute(query).all())

    @app.get("/san-pham")
    def products() -> str:
        with database.reading() as session:
            rows = session.execute(query).all()
        return render_template("list", rows=rows, **filler.values)

    return app


def rendered_page(size: int) -> Flask:
    """Return an application that renders `size` bytes and asks no database."""
    app = _bare()
    named = {"name": "Phiên"}
    filler = _Filler(app, "page", size, product=named)

    @app.get("/", defaults={"path": ""})
    @app.get("/<path:path>")
    def page(path: str) -> str:  # noqa: ARG001 - every address gives the same page
        return render_template("page", product=named, **filler.values)

    return app
