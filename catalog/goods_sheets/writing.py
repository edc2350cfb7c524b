"""Putting one line into the shop: goods are known by producer and code, so twice is as once."""

import enum
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import editing, options, stock, typed_goods, variants
from catalog.goods_sheets.lines import GoodsLine
from catalog.producers import Producer
from catalog.products import Product
from catalog.stock import Why
from catalog.variants import Variant

# The one option that a sheet can write; more are made on the goods' own page.
KIND = "Phân loại"


class Outcome(enum.StrEnum):
    """What became of a line."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


def put(
    session: Session, producer: Producer, line: GoodsLine, *, actor: Actor, now: datetime
) -> tuple[Outcome, Product]:
    """Add the goods as a draft, or change what differs; cells that are empty change nothing.

    Pieces are taken in only with goods that are new: a sheet that is sent again must not double
    what lies there. Raises the refusals of `catalog.editing`.
    """
    variant = _find(session, producer, line)
    if variant is not None:
        return _change(session, variant, line, actor=actor, now=now)
    product = _product_of(session, producer, line) if line.kind else None
    if product is None:
        sku = _free_sku(session, producer, line.sku)
        product = editing.add(session, producer, line.values, actor=actor, now=now, sku=sku)
        variant = editing.first_variant(session, product)
        if line.kind:
            product.option_names = [KIND]
            variant.option_values, variant.name = [line.kind], line.kind
    else:
        variant = _add_kind(session, producer, product, line, actor=actor, now=now)
    if line.stock:
        item = stock.item_for(session, variant.id, None)
        stock.move(session, item, line.stock, why=Why.RECEIVED, now=now, actor_id=actor.user_id)
    session.flush()
    return Outcome.ADDED, product


def foresee(session: Session, producer: Producer, lines: Sequence[GoodsLine]) -> list[Outcome]:
    """Say what `put` would do with each line, writing nothing; two questions for all of them."""
    codes = {
        code for line in lines if line.sku for code in (line.sku, _own_sku(producer, line.sku))
    }
    names = {line.name.strip().lower() for line in lines if not line.sku}
    rows = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(
            Product.producer_id == producer.id,
            or_(Variant.sku.in_(codes), Product.name_lower.in_(names)),
        )
        .order_by(Variant.id.desc())
    ).all()
    # The first of several that fit is the one `put` finds: it is written last here.
    by_code = {variant.sku: (variant, product) for variant, product in rows}
    by_name = {(product.name_lower, variant.name): (variant, product) for variant, product in rows}
    outcomes: list[Outcome] = []
    for line in lines:
        if not line.can_be_taken:
            outcomes.append(Outcome.REFUSED)
            continue
        if line.sku:
            found = by_code.get(line.sku) or by_code.get(_own_sku(producer, line.sku))
        else:
            found = by_name.get((line.name.strip().lower(), line.kind))
        outcomes.append(_difference(*found, line) if found else Outcome.ADDED)
    return outcomes


def _difference(variant: Variant, product: Product, line: GoodsLine) -> Outcome:
    stands = editing.values_with(product, variant)
    wanted = editing.as_texts(typed_goods.read(line.values))
    differs = any(stands[name] != text for name, text in wanted.items())
    return Outcome.CHANGED if differs else Outcome.SAME


def _change(
    session: Session, variant: Variant, line: GoodsLine, *, actor: Actor, now: datetime
) -> tuple[Outcome, Product]:
    product = session.get_one(Product, variant.product_id)
    values = dict(line.values)
    of_kind: dict[str, str] = {}
    if variant.id != editing.first_variant(session, product).id:
        for name, field in typed_goods.FIELDS.items():
            if field.of == "variant" and name in values:
                text = values.pop(name)
                if name in options.OF_ONE_KIND:
                    of_kind[name] = text
    changed = bool(editing.change(session, product, values, actor=actor, now=now))
    if of_kind:
        before = (variant.unit, variant.price, variant.weight_g)
        options.change_kinds(session, product, {variant.id: of_kind}, actor=actor, now=now)
        session.refresh(variant)
        changed = changed or before != (variant.unit, variant.price, variant.weight_g)
    return (Outcome.CHANGED if changed else Outcome.SAME), product


def _find(session: Session, producer: Producer, line: GoodsLine) -> Variant | None:
    own = (
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer.id)
        .order_by(Variant.id)
        .limit(1)
    )
    if line.sku:
        return session.scalar(own.where(Variant.sku.in_([line.sku, _own_sku(producer, line.sku)])))
    same_name = own.where(Product.name_lower == line.name.strip().lower())
    return session.scalar(same_name.where(Variant.name == line.kind))


def _product_of(session: Session, producer: Producer, line: GoodsLine) -> Product | None:
    """Return the goods of this name that come in kinds, of which this line is a new one."""
    found = session.scalars(
        select(Product)
        .where(
            Product.producer_id == producer.id,
            Product.name_lower == line.name.strip().lower(),
        )
        .order_by(Product.id)
    )
    return next((product for product in found if product.option_names == [KIND]), None)


def _add_kind(
    session: Session,
    producer: Producer,
    product: Product,
    line: GoodsLine,
    *,
    actor: Actor,
    now: datetime,
) -> Variant:
    there = variants.list_of(session, [product.id])
    variant = variants.add(
        session,
        product,
        sku=_free_sku(session, producer, line.sku) or editing.free_sku(session, product),
        unit="",
        price=None,
        now=now,
    )
    variant.option_values, variant.name = [line.kind], line.kind
    variant.position = max((one.position for one in there), default=0) + 1
    session.flush()
    typed = {name: line.values[name] for name in options.OF_ONE_KIND if name in line.values}
    options.change_kinds(session, product, {variant.id: typed}, actor=actor, now=now)
    return variant


def _free_sku(session: Session, producer: Producer, sku: str) -> str | None:
    """Return the code as it can be kept: another producer may have the same one."""
    if not sku:
        return None
    taken = session.scalar(select(Variant.id).where(Variant.sku == sku))
    return sku if taken is None else _own_sku(producer, sku)


def _own_sku(producer: Producer, sku: str) -> str:
    return f"{sku}-{producer.id}"
