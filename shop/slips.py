"""What is printed for a parcel: an A5 packing slip to go inside, an A6 label to stick on it.

Always in Vietnamese: the postman reads it. The buyer's own note is printed; what the desk wrote
for itself never is.
"""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.phones import show_phone
from catalog import places
from catalog.picking import Pick
from catalog.producers import Producer
from catalog.products import Product
from core.errors import Conflict
from core.i18n import lazy as _
from core.i18n import show_day, show_moment, speaking
from core.paper import A5, A6, Paper
from core.words import amount_in_words
from shop import orders, shipments
from shop.order_states import SellerOrderState
from shop.orders import Order, OrderLine, SellerOrder
from shop.payments import payments
from shop.payments.payments import Payment, PaymentMethod, PaymentState

_S = SellerOrderState
PRINTABLE = frozenset(
    {_S.TO_CONFIRM, _S.PREPARING, _S.READY, _S.SHIPPED, _S.DELIVERY_FAILED, _S.DELIVERED}
)
AT_ONCE = 20
LONGEST_CODE = 12
# Millimetres: the code's side, the box to tick, what stands right of it, room for the sums.
CODE_SIDE, TICK, INDENT, SUMS = 26, 3.2, 5.5, 40


class Form(enum.StrEnum):
    """What is printed; the values stand in addresses and forms."""

    SLIP = "phieu"
    LABEL = "nhan"


class NotToBePrinted(Conflict):
    """The order is not paid yet or has ended: no parcel of it goes out."""


@dataclass(frozen=True, slots=True)
class Slip:
    """All that is printed of one part of an order."""

    order: Order
    part: SellerOrder
    payment: Payment
    producer: Producer
    place: str
    lines: list[OrderLine]
    lots: dict[int, list[Pick]]
    samples: frozenset[int]
    waybill: str | None

    @property
    def cash_due(self) -> bool:
        """Say whether the one who hands the parcel over takes money."""
        return self.payment.method is PaymentMethod.COD and self.payment.state is PaymentState.DUE


def print_parts(
    session: Session,
    part_ids: Sequence[int],
    forms: Collection[Form],
    *,
    now: datetime,
    left_out: Sequence[str] = (),
) -> bytes:
    """Return one PDF with the wanted forms of these parts, in the order given.

    Parts are read a few at a time: what is held in memory is the file and no more. A last page
    names the orders `left_out`. Raises NotToBePrinted naming the first that may not go out.
    """
    paper = Paper(A5, title=str(_("Packing slips")))
    with speaking("vi"):
        for slip in _read(session, part_ids):
            if slip.part.state not in PRINTABLE:
                raise NotToBePrinted(
                    _("Order %(code)s is not to be sent: nothing to print.", code=slip.order.code)
                )
            if Form.SLIP in forms:
                _slip(paper, slip, now=now)
            if Form.LABEL in forms:
                _label(paper, slip)
        if left_out or not part_ids:
            paper.begin_page(A5)
            paper.text(str(_("Not printed")), size=15, bold=True)
            paper.text(str(_("These orders are not paid yet, have ended or are unknown:")))
            paper.text(", ".join(one[:LONGEST_CODE] for one in left_out), size=11, bold=True)
    return paper.finish()


def _read(session: Session, part_ids: Sequence[int]) -> Iterator[Slip]:
    for start in range(0, len(part_ids), AT_ONCE):
        yield from _read_some(session, part_ids[start : start + AT_ONCE])
        session.expunge_all()


def _read_some(session: Session, part_ids: Sequence[int]) -> list[Slip]:
    rows = session.execute(
        select(SellerOrder, Order, Producer)
        .join(Order, Order.id == SellerOrder.order_id)
        .join(Producer, Producer.id == SellerOrder.producer_id)
        .where(SellerOrder.id.in_(part_ids))
    ).all()
    paid = payments.list_of_parts(session, part_ids)
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in orders.list_lines(session, part_ids):
        if line.wanted:
            lines[line.seller_order_id].append(line)
    of_all = [line for some in lines.values() for line in some]
    lots = orders.lots_of_lines(session, [line.id for line in of_all])
    samples = frozenset(
        session.scalars(
            select(Product.id).where(
                Product.id.in_({line.product_id for line in of_all}), Product.is_sample
            )
        )
    )
    makers = {maker.id: maker for _part, _order, maker in rows}
    names = {
        maker.id: places.place_name(session, maker.commune_code, maker.province_code)
        or maker.place_text
        or ""
        for maker in makers.values()
    }
    parcels = shipments.list_of_parts(session, part_ids)
    known = {
        part.id: Slip(
            order=order,
            part=part,
            payment=paid[part.id],
            producer=maker,
            place=names[maker.id],
            lines=lines[part.id],
            lots=lots,
            samples=samples,
            waybill=next((one.waybill for one in parcels[part.id][::-1] if one.waybill), None),
        )
        for part, order, maker in rows
    }
    return [known[part_id] for part_id in part_ids if part_id in known]


def _slip(paper: Paper, slip: Slip, *, now: datetime) -> None:
    """Draw the packing slip; a long order goes on to further pages."""
    paper.begin_page(A5)
    _head(paper, slip)
    paper.text(str(_("Packing slip")), size=15, bold=True, width=paper.inner - CODE_SIDE)
    paper.text(
        str(_("Ordered %(moment)s", moment=show_moment(slip.order.placed_at))),
        size=8,
        width=paper.inner - CODE_SIDE,
    )
    paper.y = max(paper.y, paper.margin + CODE_SIDE)
    paper.rule()
    paper.text(_sender(slip), bold=True)
    if slip.place:
        paper.text(slip.place)
    paper.y += 1
    receiver = f"{slip.order.buyer_name} · {show_phone(slip.order.buyer_phone)}"
    paper.text(str(_("To: %(receiver)s", receiver=receiver)), bold=True)
    paper.text(slip.order.address_text)
    if slip.order.note:
        paper.text(str(_("The buyer's note: %(note)s", note=slip.order.note)), most_lines=4)
    paper.rule(thick=True)
    for line in slip.lines:
        _line(paper, slip, line)
    _sums(paper, slip)
    paper.y += 2
    paper.text(str(_("Printed %(moment)s", moment=show_moment(now))), size=7, align="right")


def _head(paper: Paper, slip: Slip) -> None:
    x = paper.width - paper.margin - CODE_SIDE + 3
    paper.code(slip.order.code, x=x, y=paper.margin - 3, side=CODE_SIDE)
    paper.text(slip.order.code, size=17, bold=True, width=paper.inner - CODE_SIDE)


def _line(paper: Paper, slip: Slip, line: OrderLine) -> None:
    picks = slip.lots[line.id]
    if paper.left_over < 16 + 4 * len(picks):
        paper.begin_page()
        _head(paper, slip)
        paper.text(str(_("Packing slip, continued")), size=9)
        paper.y = max(paper.y, paper.margin + CODE_SIDE)
        paper.rule()
    name = f"{line.product_name} {line.variant_name}".strip()
    if line.product_id in slip.samples:
        name = str(_("%(name)s «sample»", name=name))
    paper.box(paper.margin, paper.y + 0.6, TICK, TICK)
    paper.pair(
        f"{line.wanted} × {name}", str(line.amount), size=9.5, bold=True, x=paper.margin + INDENT
    )
    paper.text(f"{line.unit_price} / {line.unit}", size=8, x=paper.margin + INDENT)
    for pick in picks:
        if pick.code is not None:
            paper.text(_lot_words(pick), size=8.5, x=paper.margin + INDENT)
    paper.y += 1


def _lot_words(pick: Pick) -> str:
    if pick.expires_on is None:
        return str(_("Lot %(code)s × %(count)s", code=pick.code, count=pick.quantity))
    return str(
        _(
            "Lot %(code)s × %(count)s, use by %(day)s",
            code=pick.code,
            count=pick.quantity,
            day=show_day(pick.expires_on),
        )
    )


def _sums(paper: Paper, slip: Slip) -> None:
    part = slip.part
    if paper.left_over < SUMS:
        paper.begin_page()
        _head(paper, slip)
        paper.y = max(paper.y, paper.margin + CODE_SIDE)
    paper.rule(thick=True)
    paper.pair(str(_("Goods")), str(part.items_total))
    if part.discount_total:
        paper.pair(str(_("Discount")), str(-part.discount_total))
    paper.pair(part.delivery_name, str(part.shipping_fee))
    if part.shipping_discount:
        paper.pair(str(_("Delivery discount")), str(-part.shipping_discount))
    paper.pair(str(_("Together")), str(part.total), size=11, bold=True)
    if slip.cash_due:
        paper.pair(str(_("Collect on delivery")), str(slip.payment.amount), size=13, bold=True)
        paper.text(str(_("In words: %(amount)s", amount=amount_in_words(slip.payment.amount))))
    else:
        paper.text(_paid_words(slip), size=11, bold=True)
    if slip.samples:
        paper.text(str(_("Goods marked «sample» stand for real ones and are not sold.")), size=8)


def _paid_words(slip: Slip) -> str:
    if slip.payment.missing:
        return str(_("Not paid in full yet: do not send."))
    return str(_("Paid. Collect nothing."))


def _label(paper: Paper, slip: Slip) -> None:
    """Draw the label: what the one who carries it needs, large, always on one page."""
    paper.begin_page(A6)
    side = 30.0
    x = paper.width - paper.margin - side + 3
    paper.code(slip.order.code, x=x, y=paper.margin - 3, side=side)
    beside = paper.inner - side + 2
    paper.fitted(slip.part.delivery_name, sizes=(9, 8), most_lines=1, width=beside, bold=True)
    paper.text(slip.order.code, size=17, bold=True, width=beside)
    if slip.waybill:
        paper.fitted(
            str(_("Waybill %(number)s", number=slip.waybill)),
            sizes=(9, 8, 7),
            most_lines=1,
            width=beside,
            bold=True,
        )
    paper.text(_contents(slip), size=8, width=beside, most_lines=2)
    paper.y = max(paper.y, paper.margin + side - 4)
    paper.rule()
    paper.fitted(_sender(slip), sizes=(8.5, 7.5), most_lines=2)
    if slip.place:
        paper.fitted(slip.place, sizes=(8.5, 7.5), most_lines=1)
    paper.rule()
    paper.text(str(_("To")), size=8)
    paper.fitted(slip.order.buyer_name, sizes=(15, 12, 10), most_lines=2, bold=True)
    paper.text(show_phone(slip.order.buyer_phone), size=15, bold=True)
    paper.fitted(slip.order.address_text, sizes=(12, 10.5, 9, 8), most_lines=4)
    if slip.order.note:
        note = str(_("The buyer's note: %(note)s", note=slip.order.note))
        paper.fitted(note, sizes=(8.5, 7.5), most_lines=2)
    _cash_box(paper, slip)


def _contents(slip: Slip) -> str:
    pieces = str(_("%(count)s pieces", count=sum(line.wanted for line in slip.lines)))
    grams = slip.part.weight_g
    weight = f" · {grams / 1000:.1f} kg".replace(".", ",") if grams else ""
    told = f"{pieces}{weight}"
    return str(_("%(name)s «sample»", name=f"{told} ·")) if slip.samples else told


def _cash_box(paper: Paper, slip: Slip) -> None:
    """Draw at the foot what is to be collected: the largest figure on the label, framed."""
    height = 25.0
    top = paper.height - paper.margin - height
    paper.box(paper.margin, top, paper.inner, height)
    inside = {"x": paper.margin + 2, "width": paper.inner - 4, "align": "centre"}
    paper.y = top + 1.5
    if not slip.cash_due:
        paper.y += 5
        paper.fitted(_paid_words(slip), sizes=(17, 14, 12), most_lines=1, bold=True, **inside)
        return
    paper.text(str(_("Collect on delivery")), size=9, align="centre")
    paper.text(str(slip.payment.amount), size=24, bold=True, align="centre")
    paper.fitted(amount_in_words(slip.payment.amount), sizes=(8, 7, 6), most_lines=1, **inside)


def _sender(slip: Slip) -> str:
    phone = f" · {show_phone(slip.producer.phone)}" if slip.producer.phone else ""
    return str(_("From: %(sender)s", sender=slip.part.producer_name + phone))
