"""Vouchers: a code that takes something off, paid for by the producer or by the shop itself.

The counter moves by a conditional UPDATE in the order's own transaction: the last use is used
once. What was taken off is frozen on the order's lines and never computed again.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import CheckConstraint, CursorResult, ForeignKey, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, word
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from core.money import ZERO, Money, total
from core.text import fold
from shop.shares import split

LONGEST_CODE = 20
MOST_PERCENT = 90
HUNDRED = 100
_CODE = re.compile(rf"[A-Z0-9]{{3,{LONGEST_CODE}}}")


class Funder(enum.StrEnum):
    """Who pays for the discount: the shop gives the producer back what it took off, or not."""

    PLATFORM = "platform"
    PRODUCER = "producer"


class NoSuchVoucher(NotFound):
    """There is no such voucher at this desk."""


class NotUsable(Invalid):
    """The code takes nothing off this cart now; it is said why."""

    def __init__(self, message: object) -> None:
        super().__init__(message, field="voucher")


class Voucher(Base):
    """Either `percent` (of the goods, `most` at the most) or `amount`; goods alone, not carriage.

    `producer_id` names whose goods it is for (None: everyone's). `show` says in which live show
    it is told. Its terms never change: it is stopped and another one is made.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("(percent IS NULL) <> (amount IS NULL)", name="one_of_two"),
        CheckConstraint("percent IS NULL OR percent BETWEEN 1 AND 90", name="percent"),
        CheckConstraint("used >= 0", name="used_counts"),
        CheckConstraint("funded_by <> 'producer' OR producer_id IS NOT NULL", name="funder_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    percent: Mapped[int | None]
    amount: Mapped[Money | None]
    most: Mapped[Money | None]
    minimum: Mapped[Money] = mapped_column(default=ZERO)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    usage_limit: Mapped[int | None]
    phone_limit: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    funded_by: Mapped[Funder] = mapped_column(word(Funder))
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"), index=True)
    show: Mapped[str | None]
    stopped_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class VoucherRedemption(Base):
    """One order's use of a voucher.

    `given_back_at` says that the order ended and it counts no more; `over_limit` that it counts
    again though the voucher was full by then.
    """

    __tablename__ = "voucher_redemption"

    id: Mapped[int] = mapped_column(primary_key=True)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), unique=True)
    phone: Mapped[str] = mapped_column(index=True)
    amount: Mapped[Money]
    at: Mapped[datetime]
    given_back_at: Mapped[datetime | None]
    over_limit: Mapped[bool] = mapped_column(default=False)


class Bought(Protocol):
    """One line of goods a voucher may take something off."""

    @property
    def variant_id(self) -> int:
        """Return which goods."""

    @property
    def lot_id(self) -> int | None:
        """Return the lot that was chosen, if one was."""

    @property
    def amount(self) -> Money:
        """Return what all its pieces cost."""


Key = tuple[int, int]  # variant and lot; 0 stands for any lot


@dataclass(frozen=True, slots=True)
class Deal:
    """What a voucher takes off a cart: the whole, and each line's share of it."""

    voucher_id: int
    code: str
    funded_by: Funder
    amount: Money
    shares: dict[Key, Money]

    def share_of(self, line: Bought) -> Money:
        """Return what it takes off this line."""
        return self.shares.get(key_of(line), ZERO)


def key_of(line: Bought) -> Key:
    """Return what tells a line from every other one of its cart."""
    return line.variant_id, line.lot_id or 0


def canonical(typed: str) -> str:
    """Return a code as it is kept: 'tết 2026' → 'TET2026'."""
    return re.sub(r"[\s\-_.]+", "", fold(typed)).upper()


def is_code(text: str) -> bool:
    """Say whether a canonical code is one: 3 to 20 letters and digits."""
    return bool(_CODE.fullmatch(text))


def find(session: Session, typed: str) -> Voucher | None:
    """Return the voucher that was meant by what was typed."""
    code = canonical(typed)
    if not is_code(code):
        return None
    return session.scalar(select(Voucher).where(Voucher.code == code))


def get(session: Session, voucher_id: int, *, producer_id: int | None) -> Voucher:
    """Return a voucher of this desk (None: the shop's own); another's does not exist here."""
    voucher = session.get(Voucher, voucher_id)
    funder = Funder.PLATFORM if producer_id is None else Funder.PRODUCER
    theirs = voucher is not None and voucher.funded_by is funder
    if voucher is None or not theirs or (producer_id and voucher.producer_id != producer_id):
        raise NoSuchVoucher(_("There is no such voucher."))
    return voucher


def list_page(
    session: Session, *, producer_id: int | None, before: int | None, limit: int
) -> list[Voucher]:
    """Return the vouchers of this desk (None: the shop's own), the newest first."""
    if producer_id is None:
        query = select(Voucher).where(Voucher.funded_by == Funder.PLATFORM)
    else:
        query = select(Voucher).where(
            Voucher.funded_by == Funder.PRODUCER, Voucher.producer_id == producer_id
        )
    if before is not None:
        query = query.where(Voucher.id < before)
    return list(session.scalars(query.order_by(Voucher.id.desc()).limit(limit)))


def find_redemption(session: Session, order_id: int) -> tuple[VoucherRedemption, Voucher] | None:
    """Return the use of a voucher by this order with the voucher."""
    row = session.execute(
        select(VoucherRedemption, Voucher)
        .join(Voucher, Voucher.id == VoucherRedemption.voucher_id)
        .where(VoucherRedemption.order_id == order_id)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def deal(
    session: Session,
    typed: str,
    lines: Sequence[tuple[int, Bought]],
    *,
    now: datetime,
    phone: str | None = None,
) -> Deal:
    """Return what the code takes off these lines (each with its producer), or raise NotUsable.

    Looks only; `redeem` counts. With a `phone` its own limit is looked at, too.
    """
    voucher = find(session, typed)
    if voucher is None:
        raise NotUsable(_("There is no voucher with this code. Look at the spelling."))
    _refuse_out_of_time(voucher, now)
    if voucher.usage_limit is not None and voucher.used >= voucher.usage_limit:
        raise _used_up()
    if phone:
        _refuse_phone(session, voucher, phone)
    meant = [line for producer_id, line in lines if voucher.producer_id in {None, producer_id}]
    if not meant:
        raise NotUsable(_("This voucher is for another producer's goods."))
    costs = {key_of(line): line.amount for line in meant}
    base = total(costs.values())
    if base < voucher.minimum:
        raise NotUsable(
            _(
                "This voucher needs goods for %(minimum)s; %(missing)s more and it counts.",
                minimum=voucher.minimum,
                missing=voucher.minimum - base,
            )
        )
    amount = worth(voucher, base)
    return Deal(voucher.id, voucher.code, voucher.funded_by, amount, split(amount, costs))


def worth(voucher: Voucher, base: Money) -> Money:
    """Return what a voucher takes off goods that cost `base`: never more than nine tenths.

    Something always stays to be paid, because a payment of nothing would never be confirmed.
    """
    if voucher.percent is not None:
        wanted = Money(base.dong * voucher.percent // HUNDRED)
        wanted = min(wanted, voucher.most) if voucher.most is not None else wanted
    else:
        wanted = voucher.amount or ZERO
    return min(wanted, Money(base.dong * MOST_PERCENT // HUNDRED))


def take(session: Session, deal: Deal, *, phone: str, now: datetime) -> None:
    """Count one use for an order about to be written, in its transaction, or raise NotUsable.

    Who comes second for the last use waits here for the first one, then is told. Comes before the
    goods are held: whatever moves both takes the voucher first.
    """
    counted = _write(
        session,
        update(Voucher)
        .where(
            Voucher.id == deal.voucher_id,
            Voucher.stopped_at.is_(None),
            Voucher.starts_at <= now,
            Voucher.ends_at > now,
            or_(Voucher.usage_limit.is_(None), Voucher.used < Voucher.usage_limit),
        )
        .values(used=Voucher.used + 1),
    )
    voucher = session.get_one(Voucher, deal.voucher_id, populate_existing=True)
    if counted == 0:
        _refuse_out_of_time(voucher, now)
        raise _used_up()
    # Whoever else uses this voucher waits for its row until we end: the count below stands.
    _refuse_phone(session, voucher, phone)


def note_use(session: Session, deal: Deal, order_id: int, *, phone: str, now: datetime) -> None:
    """Write down which order the use that `take` counted was for."""
    session.add(
        VoucherRedemption(
            voucher_id=deal.voucher_id, order_id=order_id, phone=phone, amount=deal.amount, at=now
        )
    )


def give_back(session: Session, order_id: int, *, now: datetime) -> bool:
    """Let an order that ended count no more; once, however often it is asked."""
    voucher_id = session.scalar(
        update(VoucherRedemption)
        .where(VoucherRedemption.order_id == order_id, VoucherRedemption.given_back_at.is_(None))
        .values(given_back_at=now, over_limit=False)
        .returning(VoucherRedemption.voucher_id)
        .execution_options(synchronize_session=False)
    )
    if voucher_id is None:
        return False
    _write(session, update(Voucher).where(Voucher.id == voucher_id).values(used=Voucher.used - 1))
    return True


def take_again(session: Session, order_id: int) -> bool:
    """Let an order that goes on after all count again: honoured even if the voucher is full."""
    voucher_id = session.scalar(
        update(VoucherRedemption)
        .where(VoucherRedemption.order_id == order_id, VoucherRedemption.given_back_at.is_not(None))
        .values(given_back_at=None)
        .returning(VoucherRedemption.voucher_id)
        .execution_options(synchronize_session=False)
    )
    if voucher_id is None:
        return False
    used, limit = session.execute(
        update(Voucher)
        .where(Voucher.id == voucher_id)
        .values(used=Voucher.used + 1)
        .returning(Voucher.used, Voucher.usage_limit)
        .execution_options(synchronize_session=False)
    ).one()
    if limit is not None and used > limit:
        _write(
            session,
            update(VoucherRedemption)
            .where(VoucherRedemption.order_id == order_id)
            .values(over_limit=True),
        )
    return True


def _refuse_out_of_time(voucher: Voucher, now: datetime) -> None:
    if voucher.stopped_at is not None or voucher.ends_at <= now:
        raise NotUsable(_("This voucher has ended."))
    if voucher.starts_at > now:
        raise NotUsable(_("This voucher does not count yet."))


def _refuse_phone(session: Session, voucher: Voucher, phone: str) -> None:
    if voucher.phone_limit is None:
        return
    used = session.scalar(
        select(func.count()).where(
            VoucherRedemption.voucher_id == voucher.id,
            VoucherRedemption.phone == phone,
            VoucherRedemption.given_back_at.is_(None),
        )
    )
    if (used or 0) >= voucher.phone_limit:
        raise NotUsable(_("This phone number has used this voucher already."))


def _used_up() -> NotUsable:
    return NotUsable(_("This voucher is used up."))


def _write(session: Session, statement: Any) -> int:
    statement = statement.execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
