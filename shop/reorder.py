"""«Mua lại»: the goods of an order once more into the cart, as far as they are still sold."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from core.errors import Conflict, NotFound
from core.money import Money
from shop import carts, orders
from shop.carts import Cart, Kept
from shop.orders import Order, OrderLine


@dataclass(slots=True)
class Reordered:
    """What came of it: pieces put in, fewer than last time, not to be had, and other prices."""

    added: int = 0
    fewer: list[Kept] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    prices: list[tuple[str, Money, Money]] = field(default_factory=list)


def reorder(session: Session, order: Order, cart: Cart, *, now: datetime) -> Reordered:
    """Put the goods of an order into the cart, from whatever lot is sold now.

    What lies in the cart already stays; of the same goods it then holds as many as last time, or
    more. Nothing is refused as a whole: what cannot be had is told.
    """
    part_ids = [part.id for part in orders.list_parts(session, order.id)]
    wanted: dict[int, list[OrderLine]] = {}
    for line in orders.list_lines(session, part_ids):
        wanted.setdefault(line.variant_id, []).append(line)
    come = Reordered()
    for variant_id, lines in wanted.items():
        _put(session, cart, variant_id, lines, come, now=now)
    session.flush()
    return come


def _put(
    session: Session,
    cart: Cart,
    variant_id: int,
    lines: list[OrderLine],
    come: Reordered,
    *,
    now: datetime,
) -> None:
    first, quantity = lines[0], sum(line.quantity for line in lines)
    name = f"{first.product_name} {first.variant_name}".strip()
    held = carts.find_line(session, cart, variant_id, None, now=now)
    before = held.quantity if held is not None else 0
    more = max(quantity - before, 0)
    if more == 0:
        return
    try:
        kept = carts.add(session, cart, variant_id, quantity=more, now=now)
    except (Conflict, NotFound):
        come.missing.append(name)
        return
    come.added += kept.quantity - before
    if kept.quantity < kept.wanted:
        come.fewer.append(kept)
    line = carts.find_line(session, cart, variant_id, None, now=now)
    if line is not None and line.seen_price != first.unit_price:
        come.prices.append((name, first.unit_price, line.seen_price))
