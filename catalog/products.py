"""Products: what a page shows and a buyer chooses. Price, stock and stars live beside, not here."""

import enum
from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, Session, mapped_column

from catalog import places, search
from catalog.producers import Producer, ProducerState
from catalog.slugs import free_slug, remember_change
from catalog.villages import Village
from core.db import Base, word
from core.errors import NotFound
from core.i18n import lazy as _
from core.money import Money
from core.text import clean, slugify

KIND = "product"


class OcopGroup(enum.StrEnum):
    """The six groups of decision 148/QĐ-TTg (24/2/2023)."""

    FOOD = "food"
    BEVERAGE = "beverage"
    HERBAL = "herbal"
    HANDICRAFT = "handicraft"
    ORNAMENTAL = "ornamental"
    TOURISM = "tourism"


class ProductState(enum.StrEnum):
    """Only live products are seen by buyers; a withdrawn one's codes and orders live on."""

    DRAFT = "draft"
    REVIEW = "review"
    LIVE = "live"
    WITHDRAWN = "withdrawn"


class KeepsUnit(enum.StrEnum):
    """In what a use-by rule counts from the day of making."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class NoSuchProduct(NotFound):
    """No product that buyers may see has this address."""


class Product(Base):
    """One product of one commune; the village only where the source names it.

    `claimed_stars` is what a source once reported, kept as history: the badge is computed from a
    certificate valid today, never from here. `abv_tenths` is alcohol by volume in tenths of a
    percent, None where nobody declared it. `list_price` repeats the lowest variant price so
    that lists can sort by it; None means not for sale. `live_since` is when buyers began to see
    it, this time; None where nobody knows. `picture` begins the keys of its first photo's sizes and
    `picture_side` is that photo's side in pixels. `label` holds what the law wants said of goods of
    this group beyond the other fields, `english` the texts in English by field. `version` counts
    edits of words; `reviewed_version` is the one that staff looked at last, and `photos_changed`
    says whether photos were changed since.
    """

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("abv_tenths BETWEEN 0 AND 1000", name="abv"),
        CheckConstraint("keeps_for BETWEEN 1 AND 1000", name="keeps"),
        Index("ix_product_price", "state", "list_price", "id"),
        Index("ix_product_new", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_lower: Mapped[str]
    group: Mapped[OcopGroup | None] = mapped_column("ocop_group", word(OcopGroup), index=True)
    state: Mapped[ProductState] = mapped_column(word(ProductState))
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"), index=True)
    province_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    commune_code: Mapped[str | None] = mapped_column(ForeignKey("admin_unit.code"), index=True)
    village_id: Mapped[int | None] = mapped_column(ForeignKey("village.id"), index=True)
    place_text: Mapped[str | None]
    description: Mapped[str | None]
    ingredients: Mapped[str | None]
    storage_note: Mapped[str | None]
    usage_note: Mapped[str | None]
    motif: Mapped[str]
    picture: Mapped[str | None]
    picture_side: Mapped[int | None]
    option_names: Mapped[list[str]] = mapped_column(JSON, default=list)
    keeps_for: Mapped[int | None]
    keeps_unit: Mapped[KeepsUnit | None] = mapped_column(word(KeepsUnit))
    label: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    english: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    is_health_food: Mapped[bool] = mapped_column(default=False)
    ad_certificate: Mapped[str | None]
    season_months: Mapped[int] = mapped_column(default=0)
    abv_tenths: Mapped[int | None]
    claimed_stars: Mapped[int | None]
    claimed_year: Mapped[int | None]
    claimed_decision: Mapped[str | None]
    list_price: Mapped[Money | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    is_synthetic: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str | None]
    live_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    photos_changed: Mapped[bool] = mapped_column(default=False)
    edited_by_name: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    reviewed_version: Mapped[int | None]
    review_note: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @hybrid_property
    def look(self) -> str:
        """Return what stands for the goods in lists: its photo's name, else its drawing's."""
        return self.picture or self.motif

    @look.inplace.expression
    @classmethod
    def _look(cls) -> ColumnElement[str]:
        return func.coalesce(cls.picture, cls.motif)


def find_by_slug(session: Session, slug: str) -> Product | None:
    """Return the product at this address, in whatever state."""
    return session.scalar(select(Product).where(Product.slug == slug))


def get_by_slug(session: Session, slug: str) -> Product:
    """Return the product at this address in whatever state, or raise NoSuchProduct."""
    product = find_by_slug(session, slug)
    if product is None:
        raise NoSuchProduct(_("There are no goods at this address."))
    return product


def get(session: Session, product_id: int) -> Product:
    """Return the product, or raise NoSuchProduct."""
    product = session.get(Product, product_id)
    if product is None:
        raise NoSuchProduct(_("These goods are no longer here."))
    return product


def list_of_producer(session: Session, producer_id: int) -> list[Product]:
    """Return every product of a producer, newest first, in whatever state."""
    return list(
        session.scalars(
            select(Product).where(Product.producer_id == producer_id).order_by(Product.id.desc())
        )
    )


def list_at_desk(
    session: Session,
    producer_id: int,
    *,
    state: ProductState | None,
    before: int | None,
    limit: int,
) -> list[Product]:
    """Return a producer's products below the id `before`, newest first, all or of one state.

    Without a state those that were put away are left out.
    """
    wanted = Product.state != ProductState.WITHDRAWN if state is None else Product.state == state
    found = select(Product).where(Product.producer_id == producer_id, wanted)
    if before is not None:
        found = found.where(Product.id < before)
    return list(session.scalars(found.order_by(Product.id.desc()).limit(limit)))


def seen_by_buyers(*, look_up_state: bool = True) -> ColumnElement[bool]:
    """Return the condition under which buyers see a product (outer-joined to its producer).

    Goods without a producer are seen too, though nobody sells them yet. `look_up_state` False
    says the same in words no index of states can answer, for who has a better one.
    """
    live = Product.state == ProductState.LIVE
    not_hidden = Product.state.not_in(
        [state for state in ProductState if state is not ProductState.LIVE]
    )
    return (live if look_up_state else not_hidden) & or_(
        Product.producer_id.is_(None), Producer.state == ProducerState.APPROVED
    )


def add(
    session: Session,
    name: str,
    *,
    now: datetime,
    motif: str,
    group: OcopGroup | None = None,
    producer: Producer | None = None,
    province_code: str | None = None,
    commune_code: str | None = None,
    village_id: int | None = None,
    place_text: str | None = None,
    description: str | None = None,
    season_months: int = 0,
    claimed_stars: int | None = None,
    claimed_year: int | None = None,
    claimed_decision: str | None = None,
    is_sample: bool = False,
    source: str | None = None,
) -> Product:
    """Write down a product as a draft, findable by its words once it is published."""
    name = clean(name)
    hints = [producer.name if producer else "", place_text or ""]
    product = Product(
        slug=free_slug(session, KIND, Product.slug, name, hints=hints),
        name=name,
        name_lower=name.lower(),
        group=group,
        state=ProductState.DRAFT,
        producer_id=producer.id if producer else None,
        province_code=province_code,
        commune_code=commune_code,
        village_id=village_id,
        place_text=place_text,
        description=description,
        motif=motif,
        season_months=season_months,
        claimed_stars=claimed_stars,
        claimed_year=claimed_year,
        claimed_decision=claimed_decision,
        is_sample=is_sample,
        source=source,
        created_at=now,
        updated_at=now,
    )
    session.add(product)
    session.flush()  # gives the product its id
    refresh_words(session, product)
    return product


def publish(session: Session, product: Product, *, now: datetime) -> None:
    """Show the product to buyers; publishing a live one changes nothing."""
    _move(session, product, ProductState.LIVE, now=now)


def hand_in(session: Session, product: Product, *, now: datetime) -> None:
    """Let staff look at the product before buyers see it."""
    _move(session, product, ProductState.REVIEW, now=now)
    product.submitted_at, product.review_note = now, None
    session.flush()


def take_back(session: Session, product: Product, *, now: datetime) -> None:
    """Make the product a draft again: buyers do not see it."""
    _move(session, product, ProductState.DRAFT, now=now)


def withdraw(session: Session, product: Product, *, now: datetime) -> None:
    """Take the product off the shelf; its page says so, its codes and orders live on."""
    _move(session, product, ProductState.WITHDRAWN, now=now)


def _move(session: Session, product: Product, state: ProductState, *, now: datetime) -> None:
    session.execute(
        update(Product)
        .where(Product.id == product.id, Product.state != state)
        .values(
            state=state,
            updated_at=now,
            live_since=now if state is ProductState.LIVE else None,
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(product, ["state", "updated_at", "live_since"])


def rename(session: Session, product: Product, name: str, *, now: datetime) -> None:
    """Give the product a new name and address; every old address leads to it for ever."""
    name = clean(name)
    old = product.slug
    product.name, product.name_lower, product.updated_at = name, name.lower(), now
    if slugify(name) != old:
        product.slug = free_slug(session, KIND, Product.slug, name)
        remember_change(session, KIND, old, product.slug, now=now)
    session.flush()
    refresh_words(session, product)


def refresh_words(session: Session, product: Product) -> None:
    """Make the product findable by everything its page says: name, maker, place, story."""
    names = places.place_names(session, [product.commune_code, product.province_code])
    producer = session.get(Producer, product.producer_id) if product.producer_id else None
    village = session.get(Village, product.village_id) if product.village_id else None
    search.index(
        session,
        product.id,
        product.name,
        [
            producer.name if producer else None,
            village.name if village else None,
            *names.values(),
            product.place_text,
            product.description,
        ],
    )
