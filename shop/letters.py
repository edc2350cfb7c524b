"""What is written to buyers and producers about an order: plain text, the way a shop would say it.

The same words go out as an e-mail and lie on the desk to be copied into Zalo.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.phones import show_phone
from core.i18n import lazy as _
from core.i18n import show_moment, show_money
from core.money import Money
from shop.order_states import Ended
from shop.orders import Order, OrderLine, SellerOrder

SIGNED = "Chợ Phiên"


class Template(enum.StrEnum):
    """Which letter: to the buyer, or to the people of the producer."""

    PAID = "paid"
    ACCEPTED = "accepted"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    NEW_ORDER = "new_order"
    ANSWER_SOON = "answer_soon"
    SHIP_SOON = "ship_soon"
    RETURN_ASKED = "return_asked"
    RETURN_ANSWERED = "return_answered"


TO_PRODUCER = frozenset(
    {Template.NEW_ORDER, Template.ANSWER_SOON, Template.SHIP_SOON, Template.RETURN_ASKED}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter speaks of: one part of an order, with its lines.

    `link` opens the order for the reader; `amount`, `words` and `agreed` belong to letters about
    money and returns.
    """

    order: Order
    part: SellerOrder
    lines: Sequence[OrderLine]
    link: str
    amount: Money | None = None
    words: str | None = None
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and a text without markup."""

    subject: str
    body: str


def write(template: Template, facts: Facts) -> Letter:
    """Return the letter in the language that is spoken now (`core.i18n.speaking`)."""
    subject, news = _news(template, facts)
    greeting = (
        str(_("Hello %(name)s,", name=facts.part.producer_name))
        if template in TO_PRODUCER
        else str(_("Hello %(name)s,", name=facts.order.buyer_name))
    )
    shown = [] if template is Template.REFUNDED else ["", *_goods(facts)]
    way = (
        _("Open the order: %(link)s", link=facts.link)
        if template in TO_PRODUCER
        else _("Follow the order: %(link)s", link=facts.link)
    )
    text = [greeting, "", *news, *shown, "", str(way), "", SIGNED]
    return Letter(subject, "\n".join(text) + "\n")


def short(template: Template, facts: Facts) -> str:
    """Return the same news in a few lines, to be pasted into Zalo by the producer."""
    _subject, news = _news(template, facts)
    greeting = str(_("Hello %(name)s,", name=facts.order.buyer_name))
    look = str(_("Look the order up: %(link)s", link=facts.link))
    return "\n".join([greeting, *news, *_goods(facts), look, facts.part.producer_name])


def asking(facts: Facts) -> str:
    """Return what a producer writes to a buyer before it accepts, to be sure somebody waits."""
    return "\n".join(
        [
            str(_("Hello %(name)s,", name=facts.order.buyer_name)),
            str(
                _(
                    "%(producer)s has the order %(code)s and asks whether it is right:",
                    producer=facts.part.producer_name,
                    code=facts.order.code,
                )
            ),
            *_goods(facts),
            str(_("Sent to: %(address)s", address=facts.order.address_text)),
            str(_("Answer «OK» and the goods will be packed.")),
        ]
    )


def _news(template: Template, facts: Facts) -> tuple[str, list[str]]:
    """Return the subject and the sentences of the news itself."""
    order, part = facts.order, facts.part
    code, producer = order.code, part.producer_name
    if template is Template.CANCELLED:
        return _cancelled(facts)
    if template in {Template.RETURN_ASKED, Template.RETURN_ANSWERED, Template.REFUNDED}:
        return _afterwards(template, facts)
    subjects = {
        Template.PAID: _("Order %(code)s: the money has arrived", code=code),
        Template.ACCEPTED: _("Order %(code)s was accepted", code=code),
        Template.SHIPPED: _("Order %(code)s is on its way", code=code),
        Template.DELIVERED: _("Order %(code)s was delivered", code=code),
        Template.NEW_ORDER: _("New order %(code)s: answer within 24 hours", code=code),
        Template.ANSWER_SOON: _("Order %(code)s still waits for an answer", code=code),
        Template.SHIP_SOON: _("Order %(code)s has not been sent yet", code=code),
    }
    until = show_moment(part.confirm_by) if part.confirm_by else ""
    buyer = f"{order.buyer_name}, {show_phone(order.buyer_phone)}"
    sentences = {
        Template.PAID: [
            _("%(producer)s has received the money for order %(code)s.",
              producer=producer, code=code),
            _("The producer answers within 24 hours."),
        ],
        Template.ACCEPTED: [
            _("%(producer)s has accepted order %(code)s and is packing it.",
              producer=producer, code=code),
        ],
        Template.SHIPPED: [
            _("%(producer)s has sent order %(code)s.", producer=producer, code=code),
            _("Keep the phone at hand: the carrier calls before it comes."),
        ],
        Template.DELIVERED: [
            _("Order %(code)s of %(producer)s was delivered.", producer=producer, code=code),
            _("Something wrong with the goods? Take a photo and tell it on the order's page. "
              "All well? A few words there help the next buyer."),
        ],
        Template.NEW_ORDER: [
            _("A new order %(code)s has come in.", code=code),
            _("Buyer: %(buyer)s", buyer=buyer),
            _("Answer before %(moment)s, or the order is called off by itself.", moment=until),
        ],
        Template.ANSWER_SOON: [
            _("Order %(code)s still waits.", code=code),
            _("Buyer: %(buyer)s", buyer=buyer),
            _("Answer before %(moment)s, or the order is called off by itself.", moment=until),
        ],
        Template.SHIP_SOON: [
            _("Order %(code)s was accepted two days ago and has not been sent.", code=code),
            _("Buyer: %(buyer)s", buyer=buyer),
        ],
    }  # fmt: skip
    return str(subjects[template]), [str(line) for line in sentences[template]]


def _cancelled(facts: Facts) -> tuple[str, list[str]]:
    code, part = facts.order.code, facts.part
    why = {
        Ended.EXPIRED: _("The money did not come in time, so the goods are back on the shelf."),
        Ended.DECLINED: _("The producer cannot send it."),
        Ended.TIMED_OUT: _("The producer did not answer within 24 hours."),
        Ended.CANCELLED: _("It was called off as asked."),
    }
    news = [
        str(
            _("The order %(code)s at %(producer)s was called off.",
              code=code, producer=part.producer_name)
        ),
    ]  # fmt: skip
    if part.ended is not None and part.ended in why:
        news.append(str(why[part.ended]))
    if part.ended_why:
        news.append(str(_("Reason: %(why)s", why=part.ended_why)))
    if facts.amount:
        news.append(
            str(_("%(amount)s that was paid will be sent back.", amount=show_money(facts.amount)))
        )
    return str(_("Order %(code)s was called off", code=code)), news


def _afterwards(template: Template, facts: Facts) -> tuple[str, list[str]]:
    code, producer = facts.order.code, facts.part.producer_name
    said = [str(_("Words: %(words)s", words=facts.words))] if facts.words else []
    if template is Template.RETURN_ASKED:
        return str(_("Order %(code)s: the buyer asks for a return", code=code)), [
            str(_("The buyer of order %(code)s asks to return goods.", code=code)),
            *said,
            str(_("Answer within 48 hours, or the shop's staff decide.")),
        ]
    if template is Template.RETURN_ANSWERED:
        answer = (
            _("%(producer)s agrees to take goods of order %(code)s back.",
              producer=producer, code=code)
            if facts.agreed
            else _("%(producer)s does not take the goods of order %(code)s back.",
                   producer=producer, code=code)
        )  # fmt: skip
        return str(_("Order %(code)s: answer about the return", code=code)), [str(answer), *said]
    amount = show_money(facts.amount) if facts.amount else ""
    news = [str(_("%(amount)s of order %(code)s was sent back.", amount=amount, code=code))]
    if facts.words:
        news.append(str(_("Bank reference: %(reference)s", reference=facts.words)))
    return str(_("Order %(code)s: money sent back", code=code)), news


def _goods(facts: Facts) -> list[str]:
    lines = [
        f"- {line.product_name} {line.variant_name}".rstrip()
        + f" × {line.wanted}: {show_money(line.amount)}"
        for line in facts.lines
        if line.wanted
    ]
    fee = facts.part.shipping_fee - facts.part.shipping_discount
    lines.append(f"- {facts.part.delivery_name}: {show_money(fee) if fee else _('free')}")
    if facts.part.discount_total:
        lines.append(f"- {_('Discount')}: −{show_money(facts.part.discount_total)}")
    lines.append(str(_("Total: %(total)s", total=show_money(facts.part.total))))
    return lines
