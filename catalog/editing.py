"""Writing down goods and changing them, by a person at the desk or from a sheet.

Two people may edit the same goods: who saves on top of something they have not seen is told what
the other wrote, field by field, and nothing is lost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, list_acts, record
from catalog import alcohol, products, sales, typed_goods, variants
from catalog.illustrations import motif_for
from catalog.pictures import ProductPicture
from catalog.producers import Producer
from catalog.products import KIND, NoSuchProduct, Product, ProductState
from catalog.slugs import free_slug
from catalog.typed_goods import BadValues
from catalog.variants import Variant
from core.errors import Conflict
from core.i18n import lazy as _
from core.text import slugify

UNNAMED = "hang-moi"
ACTS_LOOKED_AT = 50

describe({"product.added": _("wrote down goods"), "product.edited": _("changed goods")})


class ChangedMeanwhile(Conflict):
    """Somebody else saved these goods meanwhile; `theirs` is what stands there now, by field."""

    def __init__(self, product: Product, theirs: Mapping[str, str], *, who: str) -> None:
        super().__init__(_("%(who)s changed these goods meanwhile.", who=who))
        self.version = product.version
        self.who = who
        self.theirs = dict(theirs)


def get_of_producer(session: Session, producer_id: int, product_id: int) -> Product:
    """Return a producer's own goods in whatever state; another's do not exist here."""
    product = session.get(Product, product_id)
    if product is None or product.producer_id != producer_id:
        raise NoSuchProduct(_("These goods are no longer here."))
    return product


def find_blank(session: Session, producer_id: int) -> Product | None:
    """Return a draft of this producer that nobody has written or hung anything into."""
    return session.scalar(
        select(Product)
        .where(
            Product.producer_id == producer_id,
            Product.state == ProductState.DRAFT,
            Product.name == "",
            Product.version == 1,
            ~select(ProductPicture.id).where(ProductPicture.product_id == Product.id).exists(),
        )
        .limit(1)
    )


def first_variant(session: Session, product: Product) -> Variant:
    """Return the variant that the editor's own price, unit and weight are about.

    Goods that nobody could buy yet may have none: then one is made.
    """
    found = _first(session, product)
    if found is not None:
        return found
    sku = free_sku(session, product)
    return variants.add(session, product, sku=sku, unit="", price=None, now=product.updated_at)


def _first(session: Session, product: Product) -> Variant | None:
    found = variants.list_of(session, [product.id])
    return next((one for one in found if one.price is not None), next(iter(found), None))


def values_of(session: Session, product: Product) -> dict[str, str]:
    """Return every field as text, as `change` reads it."""
    return values_with(product, _first(session, product) or Variant(unit=""))


def values_with(product: Product, variant: Variant) -> dict[str, str]:
    """Return the fields of goods and of this kind of them as text."""
    values: dict[str, Any] = {
        "abv": _percent(product.abv_tenths),
        "is_health_food": "1" if product.is_health_food else "",
        "price": variant.price.dong if variant.price else None,
    }
    for name, field in typed_goods.FIELDS.items():
        short = name.partition("_")[2]
        if name in values:
            continue
        if field.of == "label":
            values[name] = product.label.get(short)
        elif field.of == "english":
            values[name] = product.english.get(short)
        else:
            values[name] = getattr(product if field.of == "product" else variant, name)
    return {name: "" if value is None else str(value) for name, value in values.items()}


def add(
    session: Session,
    producer: Producer,
    values: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
    sku: str | None = None,
) -> Product:
    """Write down goods of a producer as a draft with one variant, or raise BadValues.

    `values` are texts by field (`typed_goods.FIELDS`); what is not there stays empty. Without a
    `sku` one is made up.
    """
    found = typed_goods.read(values)
    name = found.get("name") or ""
    product = Product(
        slug=free_slug(session, KIND, Product.slug, name or UNNAMED, hints=[producer.name]),
        name=name,
        name_lower=name.lower(),
        state=ProductState.DRAFT,
        producer_id=producer.id,
        province_code=producer.province_code,
        commune_code=producer.commune_code,
        village_id=producer.village_id,
        motif=motif_for(name, found.get("group")),
        created_at=now,
        updated_at=now,
    )
    session.add(product)
    session.flush()  # gives the goods their id
    variants.add(
        session, product, sku=sku or free_sku(session, product), unit="", price=None, now=now
    )
    record(session, actor, "product.added", f"product:{product.id}", now=now, name=name)
    _write(session, product, found, actor=actor, now=now)
    return product


def change(
    session: Session,
    product: Product,
    values: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
    version: int | None = None,
    seen: Mapping[str, str] | None = None,
) -> list[str]:
    """Change the fields in `values`; return the names of those that are different now.

    Raises BadValues, and ChangedMeanwhile for fields that hold something else than what was `seen`
    in them; where nobody says what was seen in a field, when `version` is no longer the one that
    stands. Without either it overwrites whatever stands.
    """
    found = typed_goods.read(values)
    session.refresh(product, with_for_update=True)
    before = values_of(session, product)
    wanted = as_texts(found)
    changed = [name for name in found if before[name] != wanted[name]]
    if not changed:
        return []
    # A version alone would not do: saving one field must not pass for having seen the others.
    known = {name: _as_stored(name, text) for name, text in (seen or {}).items()}
    overtaken = version is not None and version != product.version
    theirs = [
        name for name in changed if (known[name] != before[name] if name in known else overtaken)
    ]
    if theirs:
        who = _who_changed(session, product, theirs)
        raise ChangedMeanwhile(product, {name: before[name] for name in theirs}, who=who)
    _write(session, product, {name: found[name] for name in changed}, actor=actor, now=now)
    product.version += 1
    product.edited_by_name, product.updated_at = actor.name, now
    session.flush()
    record(
        session, actor, "product.edited", f"product:{product.id}", now=now, fields=sorted(changed)
    )
    return changed


def free_sku(session: Session, product: Product, *, stem: str = "") -> str:
    """Return a code no variant has: what a channel keeps for ever, so it says little."""
    stem = stem or f"H{product.id}"
    taken = set(session.scalars(select(Variant.sku).where(Variant.sku.startswith(stem))))
    return next(
        code
        for number in range(1, len(taken) + 2)
        if (code := stem if number == 1 else f"{stem}-{number}") not in taken
    )


def _write(
    session: Session, product: Product, found: dict[str, Any], *, actor: Actor, now: datetime
) -> None:
    variant = first_variant(session, product)
    texts: dict[str, dict[str, str]] = {
        "label": dict(product.label or {}),
        "english": dict(product.english or {}),
    }
    for name, value in found.items():
        of = typed_goods.FIELDS[name].of
        if of in texts:
            texts[of][name.partition("_")[2]] = value or ""
        elif name == "abv":
            alcohol.declare(session, product, value, actor=actor, now=now)
        elif name == "price":
            sales.change_price(session, variant, value, actor=actor, now=now)
        elif name == "name":
            _rename(session, product, value, now=now)
        else:
            setattr(product if of == "product" else variant, name, value)
    product.label = {name: text for name, text in texts["label"].items() if text}
    product.english = {name: text for name, text in texts["english"].items() if text}
    if {"name", "group"} & found.keys():
        product.motif = motif_for(product.name, product.group)
    session.flush()
    products.refresh_words(session, product)


def _rename(session: Session, product: Product, name: str, *, now: datetime) -> None:
    if product.submitted_at is not None or product.state is not ProductState.DRAFT:
        products.rename(session, product, name, now=now)
        return
    # Nobody has seen the address yet: nothing needs to lead on from it.
    product.name, product.name_lower = name, name.lower()
    if slugify(name) != product.slug:
        producer = session.get_one(Producer, product.producer_id)
        product.slug = free_slug(
            session, KIND, Product.slug, name or UNNAMED, hints=[producer.name]
        )


def as_texts(found: Mapping[str, Any]) -> dict[str, str]:
    """Return fields that were read as the texts that `values_of` gives."""
    return {name: _as_text(name, value) for name, value in found.items()}


def _as_text(name: str, value: Any) -> str:
    if name == "abv":
        return _percent(value)
    if name == "is_health_food":
        return "1" if value else ""
    if name == "price":
        return str(value.dong) if value else ""
    return "" if value is None else str(value)


def _who_changed(session: Session, product: Product, fields: list[str]) -> str:
    """Return who wrote one of these fields last."""
    acts = list_acts(
        session, subject=f"product:{product.id}", verbs=["product.edited"], limit=ACTS_LOOKED_AT
    )
    names = (act.actor_name for act in acts if {*fields} & {*act.detail.get("fields", ())})
    return next(names, product.edited_by_name or "?")


def _as_stored(name: str, typed: str) -> str:
    """Return what stands in a field after somebody typed this into it."""
    try:
        return _as_text(name, typed_goods.read({name: typed}).get(name))
    except BadValues:
        return typed


def _percent(tenths: int | None) -> str:
    if tenths is None:
        return ""
    whole, rest = divmod(tenths, 10)
    return f"{whole},{rest}" if rest else str(whole)
