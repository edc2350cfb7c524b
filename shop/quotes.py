"""A quote: what lies in a cart, at today's prices and stock, one parcel for each producer."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from catalog import alcohol
from catalog.lots import Lot
from catalog.places import AdminUnit
from catalog.producers import Producer, ProducerState
from catalog.products import Product, ProductState
from catalog.variants import Variant, is_on_sale, pieces_left, price_at, struck_price_at
from core.money import ZERO, Money, total
from shop import carrier_fees, cart_sets, delivery, vouchers
from shop.carrier_fees import Question
from shop.carriers.carrier import To
from shop.carts import MOST_OF_ONE, Cart, CartLine, free_of_pieces
from shop.delivery import ASSUMED_WEIGHT_G, DeliveryKind, DeliveryMethod, Fee
from shop.selling import Account
from shop.set_prices import SetDeal, key_of
from shop.vouchers import Deal, NotUsable


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One line of a cart as it stands today; `price` is None when it cannot be bought any more.

    `sale_id` is the sale at whose price it goes, `was` what may be struck through beside it. Where
    more is wanted than `sale_left`, the regular price is asked.
    """

    variant_id: int
    lot_id: int | None
    lot_code: str | None
    product_id: int
    slug: str
    product_name: str
    variant_name: str
    unit: str
    look: str
    place: str | None
    quantity: int
    free: int
    seen_price: Money
    price: Money | None
    weight_g: int | None = None
    was: Money | None = None
    sale_id: int | None = None
    sale_left: int | None = None

    @property
    def name(self) -> str:
        """Name the product with its size."""
        return f"{self.product_name} {self.variant_name}".strip()

    @property
    def amount(self) -> Money:
        """Return what the line costs today."""
        return (self.price or self.seen_price) * self.quantity

    @property
    def most(self) -> int:
        """Return how many of it one cart may hold now."""
        return max(1, min(self.free, MOST_OF_ONE))

    @property
    def is_dearer(self) -> bool:
        """Say whether it costs more than when the buyer saw it."""
        return self.price is not None and self.price > self.seen_price

    @property
    def is_cheaper(self) -> bool:
        """Say whether it costs less than when the buyer saw it."""
        return self.price is not None and self.price < self.seen_price

    @property
    def is_short(self) -> bool:
        """Say whether fewer are left than the buyer wants."""
        return self.price is not None and self.free < self.quantity


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one producer sends, and the ways it can send it."""

    producer_id: int
    slug: str
    name: str
    place: str | None
    account: Account | None
    is_demo: bool
    lines: list[QuoteLine]
    methods: list[DeliveryMethod]
    to: To | None = None
    carrier_fees: Mapping[int, Fee] = field(default_factory=dict)

    @property
    def takes_transfers(self) -> bool:
        """Say whether the producer has a bank account to be paid on."""
        return self.account is not None

    @property
    def weight_g(self) -> int:
        """Return what the goods weigh; a piece nobody weighed counts half a kilogram."""
        return sum(
            (line.weight_g or ASSUMED_WEIGHT_G) * line.quantity
            for line in self.lines
            if line.price is not None
        )

    def fee(self, way: DeliveryMethod) -> Fee:
        """Return what this way costs to where the parcel goes, as far as that is known."""
        known = self.to or To("", "")
        own = way.quote(self.items_total, self.weight_g, known.province_code, known.commune_code)
        if way.kind is not DeliveryKind.GHN or own.amount is None or way.is_free(self.items_total):
            return own
        return self.carrier_fees.get(way.id, Fee(own.amount, exact=False))

    @property
    def items_total(self) -> Money:
        """Return what the goods cost, without carriage; unbuyable lines count nothing."""
        return total(line.amount for line in self.lines if line.price is not None)

    def method(self, chosen: str | None) -> DeliveryMethod | None:
        """Return the way with this id, None for a wrong id.

        When none was chosen it is the first way that goes there, or the first of all.
        """
        if not chosen:
            goes = (way for way in self.methods if self.fee(way).amount is not None)
            return next(goes, self.methods[0])
        return next((way for way in self.methods if str(way.id) == chosen), None)


@dataclass(frozen=True, slots=True)
class Quote:
    """The whole cart, re-priced; with the voucher typed, what it takes off or why it does not."""

    parcels: list[Parcel]
    deal: Deal | None = None
    sets: tuple[SetDeal, ...] = ()
    voucher: str = ""
    voucher_refused: str = ""

    @property
    def lines(self) -> list[QuoteLine]:
        """Return every line of every parcel."""
        return [line for parcel in self.parcels for line in parcel.lines]

    @property
    def count(self) -> int:
        """Return how many pieces lie in the cart."""
        return sum(line.quantity for line in self.lines)

    @property
    def gone(self) -> list[QuoteLine]:
        """Return the lines that cannot be bought any more."""
        return [line for line in self.lines if line.price is None]

    @property
    def short(self) -> list[QuoteLine]:
        """Return the lines of which fewer are left than wanted."""
        return [line for line in self.lines if line.is_short]

    @property
    def dearer(self) -> list[QuoteLine]:
        """Return the lines that cost more than the buyer saw."""
        return [line for line in self.lines if line.is_dearer]

    @property
    def cheaper(self) -> list[QuoteLine]:
        """Return the lines that cost less than the buyer saw."""
        return [line for line in self.lines if line.is_cheaper]

    @property
    def takes_transfers(self) -> bool:
        """Say whether every producer in the cart can be paid by bank transfer."""
        return all(parcel.takes_transfers for parcel in self.parcels)

    @property
    def prices(self) -> str:
        """Return a digest of what is dearer now: agreeing to it agrees to nothing else."""
        if not self.dearer:
            return ""
        return _digest(f"{line.variant_id}:{line.price}" for line in self.dearer)

    @property
    def goods(self) -> str:
        """Return a digest of what lies in the cart: a page shows these goods and no others.

        Whole gift sets belong to it with what they take off: nobody pays more than was shown.
        """
        lines = [f"{line.variant_id}:{line.lot_id}:{line.quantity}" for line in self.lines]
        return _digest([*lines, *(f"{one.set_id}={one.amount.dong}" for one in self.sets)])

    def total_with(self, chosen: dict[str, str]) -> Money:
        """Return goods and carriage together, with the ways `chosen` for the producers' slugs.

        Where a fee is not exact yet its least is counted; what does not go there counts nothing.
        """
        before = total(
            parcel.items_total + (fee.amount or ZERO)
            for parcel, fee in zip(self.parcels, self.fees_with(chosen), strict=True)
        )
        return before - self.discount_total

    @property
    def discount_total(self) -> Money:
        """Return what the voucher and gift sets take off together."""
        return total(one.amount for one in self.sets) + (self.deal.amount if self.deal else ZERO)

    def discount_of(self, line: QuoteLine) -> Money:
        """Return what the voucher, or the gift sets it is part of, take off this line."""
        by_sets = total(one.shares.get(key_of(line), ZERO) for one in self.sets)
        return by_sets + (self.deal.share_of(line) if self.deal else ZERO)

    def discount_on(self, parcel: Parcel) -> Money:
        """Return what is taken off this producer's goods."""
        return total(self.discount_of(line) for line in parcel.lines)

    def voucher_on(self, parcel: Parcel) -> Money:
        """Return what the voucher alone takes off this producer's goods."""
        if self.deal is None:
            return ZERO
        return total(self.deal.share_of(line) for line in parcel.lines)

    def set_name_of(self, line: QuoteLine) -> str | None:
        """Return the whole gift set this line is part of, if it is."""
        return next((one.name for one in self.sets if key_of(line) in one.keys), None)

    def fees_with(self, chosen: dict[str, str]) -> list[Fee]:
        """Return the carriage of each parcel with the ways `chosen` for the producers' slugs."""
        return [
            parcel.fee(parcel.method(chosen.get(parcel.slug)) or parcel.methods[0])
            for parcel in self.parcels
        ]

    def is_exact(self, chosen: dict[str, str]) -> bool:
        """Say whether the total stands, or the address may still add to it."""
        return all(fee.exact for fee in self.fees_with(chosen))

    @property
    def depends_on_commune(self) -> bool:
        """Say whether some way costs more in one commune than in another."""
        return any(
            way.zones or way.kind is DeliveryKind.GHN
            for parcel in self.parcels
            for way in parcel.methods
        )

    @property
    def fees(self) -> dict[str, int]:
        """Return what a page shows beside each way: «producer:way» → đồng."""
        return {
            f"{parcel.producer_id}:{way.id}": amount.dong
            for parcel in self.parcels
            for way in parcel.methods
            if (amount := parcel.fee(way).amount) is not None
        }


def _digest(facts: Iterable[str]) -> str:
    return sha256(",".join(facts).encode()).hexdigest()[:16]


def account_of(producer: Producer) -> Account | None:
    """Return the account a producer registered to be paid on, or None."""
    if not (producer.bank_bin and producer.bank_account and producer.bank_holder):
        return None
    return Account(producer.bank_bin, producer.bank_account, producer.bank_holder)


def quote(session: Session, cart: Cart | None, *, now: datetime, to: To | None = None) -> Quote:
    """Return the cart as it would be bought right now, in as many queries for 1 line as for 300.

    `to` is where it goes, as far as it is known; carriers' own fees are those they told lately.
    """
    if cart is None:
        return Quote([])
    seller_commune, goods_commune = aliased(AdminUnit), aliased(AdminUnit)
    rows = session.execute(
        select(CartLine, Variant, Product, Producer, Lot.code)
        .add_columns(seller_commune.name, goods_commune.name)
        .join(Variant, Variant.id == CartLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .outerjoin(Lot, Lot.id == CartLine.lot_id)
        .outerjoin(seller_commune, seller_commune.code == Producer.commune_code)
        .outerjoin(goods_commune, goods_commune.code == Product.commune_code)
        .where(CartLine.cart_id == cart.id)
        .order_by(CartLine.id)
    ).all()
    free = free_of_pieces(session, [(row[0].variant_id, row[0].lot_id) for row in rows], now=now)
    pieces: Counter[int] = Counter()
    for row in rows:
        pieces[row[0].variant_id] += row[0].quantity
    lines: dict[int, list[QuoteLine]] = defaultdict(list)
    sellers: dict[int, tuple[Producer, str | None]] = {}
    for line, variant, product, producer, lot_code, seller_place, goods_place in rows:
        wanted = pieces[variant.id]
        on_sale = (product.state, producer.state) == (ProductState.LIVE, ProducerState.APPROVED)
        lines[producer.id].append(
            QuoteLine(
                variant_id=variant.id,
                lot_id=line.lot_id,
                lot_code=lot_code,
                product_id=product.id,
                slug=product.slug,
                product_name=product.name,
                variant_name=variant.name,
                unit=variant.unit,
                weight_g=variant.weight_g,
                look=product.look,
                place=goods_place or product.place_text,
                quantity=line.quantity,
                free=free[line.variant_id, line.lot_id],
                seen_price=line.seen_price,
                price=price_at(variant, now, quantity=wanted) if on_sale else None,
                was=struck_price_at(variant, now, quantity=wanted),
                sale_id=variant.sale_id if is_on_sale(variant, now, quantity=wanted) else None,
                sale_left=pieces_left(variant, now),
            )
        )
        sellers[producer.id] = (producer, seller_place or producer.place_text)
    methods = delivery.list_of_producers(session, list(sellers)) if sellers else {}
    every_line = [line for of_producer in lines.values() for line in of_producer]
    quoted = Quote(
        sets=tuple(cart_sets.deals_of_cart(session, cart, every_line)),
        parcels=[
            Parcel(
                producer_id=producer.id,
                slug=producer.slug,
                name=producer.name,
                place=place,
                account=account_of(producer),
                is_demo=producer.is_demo,
                lines=lines[producer.id],
                methods=methods[producer.id],
                to=to,
            )
            for producer, place in sellers.values()
        ],
    )
    return _with_carrier_fees(session, quoted, now=now) if to and to.is_whole else quoted


def with_voucher(
    session: Session, quoted: Quote, typed: str, *, now: datetime, phone: str | None = None
) -> Quote:
    """Return the quote with what the code takes off, or with the reason why it takes nothing.

    Nothing is taken off strong drink: the law allows it no sales promotion; nor off the parts of a
    whole gift set, which has its own price.
    """
    if not typed.strip():
        return quoted
    strong = alcohol.never_promoted_among(session, {line.product_id for line in quoted.lines})
    goods = [
        (parcel.producer_id, line)
        for parcel in quoted.parcels
        for line in parcel.lines
        if line.price is not None
        and line.product_id not in strong
        and quoted.set_name_of(line) is None
    ]
    try:
        deal = vouchers.deal(session, typed, goods, now=now, phone=phone)
    except NotUsable as refusal:
        return replace(quoted, voucher=typed, voucher_refused=str(refusal.message))
    return replace(quoted, voucher=typed, deal=deal)


def _with_carrier_fees(session: Session, quoted: Quote, *, now: datetime) -> Quote:
    return replace(
        quoted,
        parcels=[
            replace(parcel, carrier_fees=carrier_fees.list_told(session, asked, now=now))
            if (asked := questions_of(parcel))
            else parcel
            for parcel in quoted.parcels
        ],
    )


def open_questions(quoted: Quote) -> list[Question]:
    """Return what carriers were not asked lately about these parcels."""
    return [
        question
        for parcel in quoted.parcels
        for question in questions_of(parcel)
        if question.method_id not in parcel.carrier_fees
    ]


def questions_of(parcel: Parcel) -> list[Question]:
    """Return what a carrier has to be asked before its fee for this parcel is known."""
    if parcel.to is None or not parcel.to.is_whole:
        return []
    return [
        Question(way.id, parcel.producer_id, parcel.to, parcel.weight_g, parcel.items_total)
        for way in parcel.methods
        if way.kind is DeliveryKind.GHN and not way.is_free(parcel.items_total)
    ]
