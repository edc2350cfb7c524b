"""What buyers are told when goods they bought are recalled: a letter, and words for Zalo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.phones import show_phone
from core.i18n import lazy as _
from shop.letters import SIGNED, Letter
from shop.orders import Order

# More in one message nobody reads; the lot number on the package tells.
MOST_LOTS = 20


@dataclass(frozen=True, slots=True)
class Bought:
    """So many pieces of one lot; `left` says that they have gone to the buyer."""

    name: str
    lot: str
    quantity: int
    unit: str
    left: bool


def letter(
    order: Order,
    producers: Sequence[str],
    goods: Sequence[Bought],
    *,
    reason: str,
    link: str,
    phone: str,
) -> Letter:
    """Return the letter about one order, in the language that is spoken now."""
    subject = _("Recall of goods in order %(code)s: please stop using them", code=order.code)
    out = [one for one in goods if one.left]
    waiting = [one for one in goods if not one.left]
    text = [
        str(_("Hello %(name)s,", name=order.buyer_name)),
        "",
        str(
            _(
                "%(producer)s recalls goods that are in order %(code)s.",
                producer=", ".join(dict.fromkeys(producers)),
                code=order.code,
            )
        ),
        str(_("Reason: %(why)s", why=reason)),
    ]
    if out:
        text += ["", str(_("Sent to the buyer:")), *map(_line, out), "", *what_to_do()]
    if waiting:
        text += ["", str(_("Still at the producer, will not be sent:")), *map(_line, waiting)]
    if phone:
        text += ["", str(_("Questions: %(phone)s", phone=show_phone(phone)))]
    text += ["", str(_("Look the order up: %(link)s", link=link)), "", SIGNED]
    return Letter(str(subject), "\n".join(text) + "\n")


def for_zalo(producer: str, goods: Mapping[str, Sequence[str]], *, reason: str, phone: str) -> str:
    """Return a few lines to be pasted into Zalo for every buyer alike.

    `goods` are those that buyers have, by name, each with the codes of its lots.
    """
    lines = [_recalled(producer, name, lots) for name, lots in goods.items()]
    lines += [str(_("Reason: %(why)s", why=reason)), *what_to_do()]
    if phone:
        lines.append(str(_("Questions: %(phone)s", phone=show_phone(phone))))
    return "\n".join(lines)


def _recalled(producer: str, name: str, lots: Sequence[str]) -> str:
    named = ", ".join(lots[:MOST_LOTS])
    if len(lots) > MOST_LOTS:
        named += " " + str(_("and %(count)s more lots", count=len(lots) - MOST_LOTS))
    return str(
        _("%(producer)s recalls %(name)s, lot %(lots)s.", producer=producer, name=name, lots=named)
    )


def what_to_do() -> list[str]:
    """Return the three things a buyer is asked to do."""
    return [
        str(_("1. Stop using these goods and do not pass them on.")),
        str(_("2. Keep the package with its label.")),
        str(_("3. Call the producer to give them back and be paid back.")),
    ]


def _line(one: Bought) -> str:
    of_lot = _("lot %(code)s", code=one.lot)
    return f"- {one.name} × {one.quantity} {one.unit}, {of_lot}"
