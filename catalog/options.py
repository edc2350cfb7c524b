"""Kinds of the same goods: at most three options (size, taste, colour) make up the variants.

A variant that was sold has orders, lots and codes: it is never deleted, it only loses its price.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product as combinations

from sqlalchemy.orm import Session

from accounts.audit import Actor, describe, record
from catalog import editing, sales, typed_goods, variants
from catalog.products import Product
from catalog.typed_goods import BadValues
from catalog.variants import NoSuchVariant, Variant
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean, has_control_characters

MOST_OPTIONS = 3
MOST_VARIANTS = 50
LONGEST_NAME = 20
LONGEST_VALUE = 40
OF_ONE_KIND = ("unit", "price", "weight_g")
JOIN = " · "

describe({"product.options": _("changed the kinds of goods")})


class BadOptions(Invalid):
    """The options cannot make up variants; `field` says which."""


def read(rows: Sequence[tuple[str, str]]) -> tuple[list[str], list[list[str]]]:
    """Return names and values of what was typed: a name, and values with commas between.

    Rows with nothing in them count for none. Raises BadOptions.
    """
    names: list[str] = []
    values: list[list[str]] = []
    for number, (typed_name, typed_values) in enumerate(rows[:MOST_OPTIONS], start=1):
        name = clean(typed_name)
        given = list(dict.fromkeys(filter(None, map(clean, typed_values.split(",")))))
        if not name and not given:
            continue
        field = f"option_{number}"
        if has_control_characters(typed_name + typed_values):
            raise BadOptions(
                _("There are signs in it that cannot be stored. Type it again."), field=field
            )
        if not 0 < len(name) <= LONGEST_NAME or name in names:
            raise BadOptions(
                _("Give each option a name of its own, for example Size."), field=field
            )
        if not given or max(map(len, given)) > LONGEST_VALUE:
            raise BadOptions(
                _("Write its kinds with commas between, for example 200 g, 500 g."), field=field
            )
        names.append(name)
        values.append(given)
    return names, values


def set_options(
    session: Session,
    product: Product,
    rows: Sequence[tuple[str, str]],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Make the goods' variants the combinations of these options.

    What stands for a combination already keeps its code, price and stock; one that no combination
    stands for any more is not for sale. Without options there is one variant. Raises BadOptions.
    """
    names, values = read(rows)
    wanted = [list(one) for one in combinations(*values)] if names else [[]]
    if len(wanted) > MOST_VARIANTS:
        raise BadOptions(
            _("Together that is %(count)s kinds; %(most)s at most.", count=len(wanted),
              most=MOST_VARIANTS), field="option_1"
        )  # fmt: skip
    session.refresh(product, with_for_update=True)
    there = variants.list_of(session, [product.id])
    first = editing.first_variant(session, product)
    before = (product.option_names, [one.option_values for one in there if one.price])
    left = list(there)
    for position, combination in enumerate(wanted):
        variant = _same_kind(left, combination)
        if variant is None:
            variant = variants.add(
                session,
                product,
                sku=editing.free_sku(session, product),
                unit=first.unit,
                price=first.price,
                now=now,
            )
        else:
            left.remove(variant)
            if variant.price is None and first.price is not None:
                sales.change_price(session, variant, first.price, actor=actor, now=now)
        variant.option_values, variant.name = combination, JOIN.join(combination)
        variant.position = position
    for variant in left:
        if variant.price is not None:
            sales.change_price(session, variant, None, actor=actor, now=now)
        variant.position = MOST_VARIANTS
    product.option_names = names
    session.flush()
    if before != (names, wanted):
        product.version += 1
        product.edited_by_name, product.updated_at = actor.name, now
        session.flush()
        record(session, actor, "product.options", f"product:{product.id}", now=now, options=names)


def _same_kind(left: list[Variant], combination: list[str]) -> Variant | None:
    """Return the variant that goes on as this kind: the very same, or one told in less or more.

    Goods that were one thing, or had one option less, keep code, price and stock in the first kind.
    """
    same = [one for one in left if one.option_values == combination]
    told = [
        one
        for one in left
        if all(mine == theirs for mine, theirs in zip(one.option_values, combination, strict=False))
    ]
    return next(iter(same or told), None)


def change_kinds(
    session: Session,
    product: Product,
    typed: Mapping[int, Mapping[str, str]],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Change unit, price and weight of several variants, all or none; raises BadValues.

    Problems are told under `<field>_<variant id>`.
    """
    own = {one.id: one for one in variants.list_of(session, [product.id])}
    problems: dict[str, object] = {}
    for variant_id, values in typed.items():
        variant = own.get(variant_id)
        if variant is None:
            raise NoSuchVariant(_("These goods are no longer here."))
        try:
            found = typed_goods.read({name: values[name] for name in OF_ONE_KIND if name in values})
        except BadValues as wrong:
            problems |= {f"{name}_{variant_id}": why for name, why in wrong.problems.items()}
            continue
        if "price" in found:
            price = found.pop("price")
            if price != variant.price or (price and variant.price_is_sample):
                sales.change_price(session, variant, price, actor=actor, now=now)
        for name, value in found.items():
            setattr(variant, name, value)
    if problems:
        raise BadValues(problems)
    session.flush()


def list_sold(session: Session, product: Product) -> list[Variant]:
    """Return the variants that the options of today make up, in their order."""
    return [
        one
        for one in variants.list_of(session, [product.id])
        if len(one.option_values) == len(product.option_names) and one.position < MOST_VARIANTS
    ]
