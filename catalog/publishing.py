"""From draft to the shelf: what is still missing, staff's look, and off the shelf again.

An intermediary looks at goods before buyers see them (Law on e-commerce 122/2025, article 17);
who sells everything in its own name needs no second look at its own goods. Goods that were looked
at before come back without another look unless they were changed since.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from catalog import labelling, pictures, products, variants
from catalog.duties import Duty
from catalog.pictures import PictureState
from catalog.producers import Producer
from catalog.products import Product, ProductState
from core.errors import Conflict, Invalid
from core.i18n import lazy as _
from core.i18n import mark
from core.text import clean

SHORTEST_NAME = 3
LONGEST_NOTE = 500
# What was on the shelf before anybody looked counts as looked at as it was written first.
AS_FIRST_WRITTEN = 1

describe(
    {
        "product.submitted": _("handed goods in to be shown"),
        "product.published": _("put goods on sale"),
        "product.sent_back": _("sent goods back to be mended"),
        "product.withdrawn": _("took goods off sale"),
    }
)


class NotReady(Invalid):
    """Something is missing before buyers may see the goods; `missing` says what and where."""

    def __init__(self, missing: Sequence[tuple[str, object]]) -> None:
        super().__init__(_("Something is still missing."), field=missing[0][0])
        self.missing = list(missing)


class NotSoNow(Conflict):
    """The goods are not in the state that this needs."""


class NoNote(Invalid):
    """Who sends goods back says what is to be mended."""


def missing(session: Session, product: Product) -> list[tuple[str, object]]:
    """Return (field, sentence) for everything that keeps the goods from buyers, photos first."""
    told: list[tuple[str, object]] = []
    hung = pictures.list_of(session, product.id)
    if not any(picture.state is not PictureState.BROKEN for picture in hung):
        told.append(("photos", _("Add a photo of the goods.")))
    if len(product.name) < SHORTEST_NAME:
        told.append(("name", _("Write the name of the goods.")))
    if product.group is None:
        told.append(("group", _("Choose one of the six groups.")))
    sold = [one for one in variants.list_of(session, [product.id]) if one.price is not None]
    if not sold:
        told.append(("price", _("Write the price.")))
    if any(not one.unit for one in sold) or not sold:
        told.append(("unit", _("Write what it is sold by: jar, bag, kilogram.")))
    return told + labelling.missing(product)


def submit(
    session: Session, product: Product, *, looked_at: bool, actor: Actor, now: datetime
) -> ProductState:
    """Put the goods on sale, or hand them to staff where those look first (`looked_at` False).

    Raises NotReady with all that is missing.
    """
    _lock(session, product)
    lacking = missing(session, product)
    if lacking:
        raise NotReady(lacking)
    if looked_at or _is_known(product):
        _show(session, product, actor=actor, now=now)
    elif product.state is not ProductState.REVIEW:
        products.hand_in(session, product, now=now)
        record(session, actor, "product.submitted", f"product:{product.id}", now=now)
    return product.state


def approve(session: Session, product: Product, *, actor: Actor, now: datetime) -> None:
    """Show goods to buyers as staff saw them just now; for live ones: say that they are seen."""
    _lock(session, product)
    if product.state not in {ProductState.REVIEW, ProductState.LIVE}:
        raise NotSoNow(_("These goods do not wait for a look any more."))
    _show(session, product, actor=actor, now=now)


def send_back(
    session: Session, product: Product, note: str, *, actor: Actor, now: datetime
) -> None:
    """Give goods back to be mended, with what is wrong; buyers do not see them meanwhile."""
    said = clean(note)
    if not 0 < len(said) <= LONGEST_NOTE:
        raise NoNote(
            _("Write what is to be mended, in 1 to %(most)s letters.", most=LONGEST_NOTE),
            field="note",
        )
    _lock(session, product)
    if product.state not in {ProductState.REVIEW, ProductState.LIVE}:
        raise NotSoNow(_("These goods do not wait for a look any more."))
    products.take_back(session, product, now=now)
    product.review_note = said
    session.flush()
    record(session, actor, "product.sent_back", f"product:{product.id}", now=now, note=said)


def withdraw(session: Session, product: Product, *, actor: Actor, now: datetime) -> None:
    """Take goods off sale, or put a draft away; both can be undone."""
    _lock(session, product)
    if product.state is ProductState.WITHDRAWN:
        return
    if product.state is ProductState.LIVE and product.reviewed_version is None:
        product.reviewed_version = AS_FIRST_WRITTEN
    products.withdraw(session, product, now=now)
    record(session, actor, "product.withdrawn", f"product:{product.id}", now=now)


def take_up_again(
    session: Session, product: Product, *, as_it_was: bool, actor: Actor, now: datetime
) -> None:
    """Make goods that were put away a draft again, or put them where they were.

    As they were means on sale, where buyers saw them exactly like this.
    """
    _lock(session, product)
    if product.state is not ProductState.WITHDRAWN:
        return
    if as_it_was and _is_known(product):
        _show(session, product, actor=actor, now=now)
    else:
        products.take_back(session, product, now=now)


def list_for_staff(
    session: Session, *, after: int, limit: int
) -> list[tuple[Product, Producer | None]]:
    """Return goods that wait for a look, and live ones that were changed since, by id."""
    rows = session.execute(
        select(Product, Producer)
        .outerjoin(Producer, Producer.id == Product.producer_id)
        .where(Product.id > after, _to_look_at())
        .order_by(Product.id)
        .limit(limit)
    )
    return [(product, producer) for product, producer in rows]


def count_for_staff(session: Session) -> int:
    """Return how many goods wait for a look."""
    return session.scalar(select(func.count()).select_from(Product).where(_to_look_at())) or 0


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Tell a producer of goods that came back to be mended."""
    back = session.scalar(
        select(func.count()).where(
            Product.producer_id == producer_id,
            Product.state == ProductState.DRAFT,
            Product.review_note.is_not(None),
        )
    )
    sentence = mark("%(count)s goods came back to be mended")
    return [Duty("desk_goods.index", (), "sua", sentence, back)] if back else []


def _to_look_at() -> ColumnElement[bool]:
    reviewed = func.coalesce(Product.reviewed_version, AS_FIRST_WRITTEN)
    changed = or_(reviewed < Product.version, Product.photos_changed)
    live = Product.state == ProductState.LIVE
    return or_(Product.state == ProductState.REVIEW, live & changed)


def _is_known(product: Product) -> bool:
    """Say whether staff have looked at the goods exactly as they are now."""
    return product.reviewed_version == product.version and not product.photos_changed


def _lock(session: Session, product: Product) -> None:
    session.refresh(product, with_for_update=True)


def _show(session: Session, product: Product, *, actor: Actor, now: datetime) -> None:
    products.publish(session, product, now=now)
    product.reviewed_version, product.photos_changed = product.version, False
    product.review_note = None
    product.submitted_at = product.submitted_at or now
    session.flush()
    record(session, actor, "product.published", f"product:{product.id}", now=now)
