"""Placing an order: one cart, one transaction, one order, however often it is asked for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import certificates, sales, stock
from catalog.stock import OutOfStock, Wanted
from core.clock import vietnam_day
from core.codes import new_code
from core.errors import Conflict, Throttled
from core.i18n import lazy as _
from core.money import Money, total
from shop import (
    age,
    cart_sets,
    commissions,
    confirmations,
    links,
    moves,
    orders,
    quotes,
    vouchers,
    wishes,
)
from shop.carts import Cart, CartState
from shop.codes import ORDER_CODE
from shop.order_states import OrderState, PaymentStatus, SellerOrderState, Source, Verb
from shop.orders import LineHold, Order, OrderLine, SellerOrder
from shop.payments import asking, choices
from shop.payments.asking import HOLDS
from shop.payments.payments import PREPAID, PaymentMethod
from shop.payments.receipts import TIME_TO_CONFIRM
from shop.quotes import Parcel, Quote, QuoteLine
from shop.selling import INTERMEDIARY, Selling
from shop.vouchers import NotUsable
from shop.wishes import Mistyped, Wish

ORDERS_AN_HOUR = 10


class TooManyOrders(Throttled):
    """One phone ordered more often in an hour than people do."""


class EmptyCart(Conflict):
    """There is nothing to order."""


class CannotBePlaced(Conflict):
    """The cart is not what the buyer saw: the page is shown again, and nothing was ordered."""


class NoLongerSold(CannotBePlaced):
    """Something in the cart was taken off sale."""


class SoldOutMeanwhile(CannotBePlaced):
    """Fewer are left than wanted: someone else was quicker."""


class CartChanged(CannotBePlaced):
    """Other goods lie in the cart than the page showed: another tab was busy."""


class FeeRose(CannotBePlaced):
    """Delivery costs more than the page showed; it is only sold if they agree to today's fee."""


class PriceRose(CannotBePlaced):
    """Something costs more than the buyer saw; it is only sold if they agree to today's price."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who orders, in which language, and the mark that will open the order's page."""

    actor: Actor
    language: str
    mark: str
    source: Source = Source.WEB


def place(
    session: Session,
    cart_id: int,
    typed: Mapping[str, str],
    *,
    buyer: Buyer,
    agreed_prices: str,
    seen_goods: str | None = None,
    seen_fees: Mapping[str, int] | None = None,
    public_url: str,
    now: datetime,
    selling: Selling = INTERMEDIARY,
) -> Order:
    """Turn the cart into an order and hold its goods, or change nothing at all.

    A cart that was ordered already gives that same order, whatever is `typed` now. Raises
    EmptyCart, Mistyped, NoLongerSold, PriceRose (unless `agreed_prices` is the digest of exactly
    these higher prices), CartChanged (unless `seen_goods`, where given, is the digest of these
    goods), FeeRose (if delivery costs more than `seen_fees`, where given, say) and
    SoldOutMeanwhile.
    """
    cart = session.scalar(
        update(Cart)
        .where(Cart.id == cart_id, Cart.state == CartState.OPEN)
        .values(state=CartState.ORDERED, updated_at=now)
        .returning(Cart)
    )
    if cart is None:
        return _placed_before(session, cart_id)
    to = wishes.destination(session, typed)
    quote = quotes.quote(session, cart, now=now, to=to)
    if not quote.lines:
        raise EmptyCart(_("The cart is empty."))
    _refuse_changed(quote, agreed_prices)
    if seen_goods is not None and quote.goods != seen_goods:
        raise CartChanged(
            _("The cart has changed since this page was opened. Look at it, then order again.")
        )
    adults_only = age.asks(session, {line.product_id for line in quote.lines})
    wish = wishes.read(
        typed, quote, choices.offered(session, quote, selling), to=to,
        adults_only_on=vietnam_day(now) if adults_only else None,
    )  # fmt: skip
    code = typed.get("voucher", cart.voucher or "")
    quote = quotes.with_voucher(session, quote, code, now=now, phone=wish.phone)
    if quote.voucher_refused:
        raise Mistyped([("voucher", quote.voucher_refused)])
    _refuse_dearer_ways(quote, wish, seen_fees)
    _refuse_flood(session, wish.phone, now=now)
    _refuse_sold_out(quote.lines)
    _count_promotions(session, quote, wish, now=now)
    order = _order(session, cart, wish, quote, buyer=buyer, now=now)
    parts = _parts(session, order, wish, quote, now=now)
    lines = _lines(session, parts, quote, now=now)
    asking.ask(
        session, order, parts, method=wish.method, selling=selling, now=now,
        accounts={parcel.producer_id: parcel.account for parcel in quote.parcels},
    )  # fmt: skip
    cart_sets.note_sold(session, order.id, quote.sets)
    if quote.deal is not None:
        vouchers.note_use(session, quote.deal, order.id, phone=wish.phone, now=now)
    _note(session, parts, quote, wish, actor=buyer.actor, now=now)
    session.flush()
    confirmations.queue(
        session, order, link=f"{public_url}/don-hang/{order.code}?t={buyer.mark}", now=now
    )
    # Last of all: whoever wants the same goods waits from here until the end only.
    _hold(session, lines, quote.lines, method=wish.method, now=now)
    return order


def _placed_before(session: Session, cart_id: int) -> Order:
    order = orders.find_by_cart(session, cart_id)
    if order is None:
        raise EmptyCart(_("The cart is empty."))
    return order


def _refuse_changed(quote: Quote, agreed_prices: str) -> None:
    for line in quote.gone:
        raise NoLongerSold(
            _("%(name)s is not for sale now. Take it out of the cart first.", name=line.name)
        )
    for line in quote.dearer:
        if quote.prices != agreed_prices:
            raise PriceRose(
                _(
                    "%(name)s now costs %(now)s, before it was %(before)s. "
                    "Look at the new total, then order again if it suits.",
                    name=line.name,
                    now=line.price,
                    before=line.seen_price,
                )
            )


def _refuse_dearer_ways(quote: Quote, wish: Wish, seen_fees: Mapping[str, int] | None) -> None:
    if seen_fees is None:
        return
    for parcel in quote.parcels:
        way, fee = wish.ways[parcel.producer_id], wish.fees[parcel.producer_id]
        seen = seen_fees.get(f"{parcel.producer_id}:{way.id}")
        # Without the carrier's word the page would show another fee than is charged.
        if seen is None or fee.dong > seen or not parcel.fee(way).exact:
            raise FeeRose(
                _(
                    "Delivery by %(producer)s costs %(fee)s to this address. "
                    "Look at the new total, then order again if it suits.",
                    producer=parcel.name,
                    fee=fee,
                )
            )


def _refuse_flood(session: Session, phone: str, *, now: datetime) -> None:
    hour = timedelta(hours=1)
    lately = session.scalar(
        select(func.count()).where(Order.buyer_phone == phone, Order.placed_at > now - hour)
    )
    if (lately or 0) >= ORDERS_AN_HOUR:
        raise TooManyOrders(
            _("This phone has ordered %(count)s times within the hour. Try again later.",
              count=ORDERS_AN_HOUR),
            retry_after=hour.seconds,
        )  # fmt: skip


def _refuse_sold_out(lines: Sequence[QuoteLine]) -> None:
    """Refuse early what is plainly not there; `_hold` has the last word."""
    for line in lines:
        if line.free < line.quantity:
            raise _sold_out(line.name, line.free)


def _sold_out(name: str, left: int) -> SoldOutMeanwhile:
    if left == 0:
        return SoldOutMeanwhile(_("%(name)s has just been sold out.", name=name))
    return SoldOutMeanwhile(_("Only %(left)s of %(name)s are left.", left=left, name=name))


def _hold(
    session: Session,
    lines: Sequence[OrderLine],
    quoted: Sequence[QuoteLine],
    *,
    method: PaymentMethod,
    now: datetime,
) -> None:
    """Hold the goods of every line: while money is awaited for its time, else for good."""
    wanted = [Wanted(line.variant_id, line.quantity, line.lot_id) for line in quoted]
    until = now + HOLDS[method] if method in PREPAID else None
    try:
        held = stock.reserve(session, wanted, now=now, expires_at=until)
    except OutOfStock as refusal:
        name = next(line.name for line in quoted if line.variant_id == refusal.variant_id)
        raise _sold_out(name, refusal.left) from refusal
    session.add_all(
        LineHold(reservation_id=hold.id, line_id=line.id)
        for line, holds in zip(lines, held, strict=True)
        for hold in holds
    )
    session.flush()


def _count_promotions(session: Session, quote: Quote, wish: Wish, *, now: datetime) -> None:
    """Count the voucher and the pieces at sale prices, or refuse: someone else was quicker."""
    if quote.deal is not None:
        try:
            vouchers.take(session, quote.deal, phone=wish.phone, now=now)
        except NotUsable as refusal:
            raise Mistyped([("voucher", str(refusal.message))]) from refusal
    pieces: Counter[int] = Counter()
    for line in quote.lines:
        if line.sale_id is not None:
            pieces[line.sale_id] += line.quantity
    ended = sales.take(session, pieces, now=now) if pieces else None
    if ended is not None:
        line = next(line for line in quote.lines if line.sale_id == ended)
        raise PriceRose(
            _("The sale of %(name)s has just ended. Look at the new total.", name=line.name)
        )


def _order(
    session: Session, cart: Cart, wish: Wish, quote: Quote, *, buyer: Buyer, now: datetime
) -> Order:
    awaits_money = wish.method in PREPAID
    order = Order(
        code=_free_code(session),
        token_hash=links.mark_hash(buyer.mark),
        cart_id=cart.id,
        user_id=buyer.actor.user_id,
        state=OrderState.PENDING_PAYMENT if awaits_money else OrderState.PLACED,
        payment_status=PaymentStatus.AWAITING if awaits_money else PaymentStatus.COD_DUE,
        payment_method=wish.method,
        buyer_name=wish.name,
        buyer_phone=wish.phone,
        buyer_email=wish.email,
        province_code=wish.province_code,
        commune_code=wish.commune_code,
        street=wish.street,
        address_text=wish.address_text,
        note=wish.note,
        discount_total=quote.discount_total,
        total=total(_total(quote, parcel, wish) for parcel in quote.parcels),
        source=buyer.source,
        adult=wish.adult,
        language=buyer.language,
        placed_at=now,
    )
    session.add(order)
    session.flush()  # gives the order its id
    return order


def _fee(parcel: Parcel, wish: Wish) -> Money:
    return wish.fees[parcel.producer_id]


def _total(quote: Quote, parcel: Parcel, wish: Wish) -> Money:
    return parcel.items_total - quote.discount_on(parcel) + _fee(parcel, wish)


def _parts(
    session: Session, order: Order, wish: Wish, quote: Quote, *, now: datetime
) -> list[SellerOrder]:
    awaits_money = wish.method in PREPAID
    parts = [
        SellerOrder(
            order_id=order.id,
            producer_id=parcel.producer_id,
            producer_name=parcel.name,
            state=SellerOrderState.PENDING if awaits_money else SellerOrderState.TO_CONFIRM,
            delivery_method_id=wish.ways[parcel.producer_id].id or None,
            delivery_kind=wish.ways[parcel.producer_id].kind,
            delivery_name=wish.ways[parcel.producer_id].full_name,
            weight_g=parcel.weight_g,
            items_total=parcel.items_total,
            discount_total=quote.discount_on(parcel),
            shipping_fee=_fee(parcel, wish),
            total=_total(quote, parcel, wish),
            hold_expires_at=now + HOLDS[wish.method] if awaits_money else None,
            confirm_by=None if awaits_money else now + TIME_TO_CONFIRM,
        )
        for parcel in quote.parcels
    ]
    session.add_all(parts)
    session.flush()  # gives the parts their ids
    return parts


def _lines(
    session: Session,
    parts: list[SellerOrder],
    quote: Quote,
    *,
    now: datetime,
) -> list[OrderLine]:
    stars = certificates.stars_today(
        session, {line.product_id for line in quote.lines}, vietnam_day(now)
    )
    rates = commissions.rates_at(session, [parcel.producer_id for parcel in quote.parcels], now=now)
    lines = [
        OrderLine(
            seller_order_id=part.id,
            variant_id=line.variant_id,
            product_id=line.product_id,
            lot_id=line.lot_id,
            product_name=line.product_name,
            variant_name=line.variant_name,
            unit=line.unit,
            weight_g=line.weight_g,
            list_price=line.was,
            unit_price=line.price,
            quantity=line.quantity,
            discount_share=quote.discount_of(line),
            commission_bp=rates[parcel.producer_id],
            sale_id=line.sale_id,
            set_name=quote.set_name_of(line),
            place=line.place,
            stars=stars.get(line.product_id),
        )
        for part, parcel in zip(parts, quote.parcels, strict=True)
        for line in parcel.lines
    ]
    session.add_all(lines)
    session.flush()  # gives the lines their ids
    return lines


def _free_code(session: Session) -> str:
    """Return an order code nobody has; the first try is almost always free."""
    code = new_code(ORDER_CODE)
    while session.scalar(select(Order.code).where(Order.code == code)) is not None:
        code = new_code(ORDER_CODE)
    return code


def _note(
    session: Session,
    parts: list[SellerOrder],
    quote: Quote,
    wish: Wish,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    for part, parcel in zip(parts, quote.parcels, strict=True):
        cheaper = [
            {"name": line.name, "before": line.seen_price.dong, "now": line.price.dong}
            for line in parcel.lines
            if line.is_cheaper and line.price is not None
        ]
        said = parcel.fee(wish.ways[part.producer_id]).said
        told = {"cheaper": cheaper, "own_fee_because": said}
        moves.note(
            session, part, Verb.PLACE, actor=actor, now=now, before=None,
            detail={name: value for name, value in told.items() if value},
        )  # fmt: skip
