"""The mail that repeats an order to its buyer; never needed to buy, pay or follow the order."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.i18n import lazy as _
from core.i18n import show_money
from core.mail import queue_mail
from shop import orders
from shop.orders import Order
from shop.payments.payments import PaymentMethod

KEY = "order-placed"


def queue(session: Session, order: Order, *, link: str, now: datetime) -> None:
    """Leave the confirmation in the outbox, once for each order; without an address do nothing."""
    if order.buyer_email is None:
        return
    queue_mail(
        session,
        to=order.buyer_email,
        subject=str(_("Order %(code)s at Chợ Phiên", code=order.code)),
        body=_body(session, order, link),
        key=f"{KEY}:{order.id}",
        now=now,
    )


def _body(session: Session, order: Order, link: str) -> str:
    parts = orders.list_parts(session, order.id)
    lines = orders.list_lines(session, [part.id for part in parts])
    text = [str(_("Order %(code)s has been received.", code=order.code)), ""]
    for part in parts:
        text.append(part.producer_name)
        text += [
            f"- {line.product_name} {line.variant_name}".rstrip()
            + f" × {line.quantity}: {show_money(line.unit_price * line.quantity)}"
            for line in lines
            if line.seller_order_id == part.id
        ]
        text += [f"- {part.delivery_name}: {show_money(part.shipping_fee)}", ""]
    text += [
        str(_("Total: %(total)s", total=show_money(order.total))),
        str(_("Deliver to: %(address)s", address=f"{order.buyer_name}, {order.address_text}")),
        "",
        str(
            _("Pay by bank transfer here:")
            if order.payment_method == PaymentMethod.BANK_TRANSFER
            else _("Pay on delivery. Follow the order here:")
        ),
        link,
    ]
    return "\n".join(text) + "\n"
