"""«Nhắc khi có vụ mới»: who wants to hear, once, when goods that are sold out are there again.

An e-mail address is written to only after its owner pressed the link we sent; a phone number goes
on the producer's own list, to be written to on Zalo. Being told ends the wish.
"""

import enum
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from accounts.phones import parse_phone
from catalog import stock
from catalog.arrivals import GoodsArrived
from catalog.duties import Duty
from catalog.producers import Producer, ProducerState
from catalog.products import NoSuchProduct, Product, ProductState
from catalog.variants import Variant
from core import tasks
from core.clock import utc_now
from core.db import Base, word
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from core.i18n import mark, speaking
from core.mail import checked_address, queue_mail
from core.tasks import Work
from core.text import clean

describe({"season.told": _("told a buyer that goods are there again")})

TELL = "season.tell"
CONFIRM = "season.confirm"
AT_ONCE = 200
PAGE = 50
MARK_BYTES = 16


class CallState(enum.StrEnum):
    """asked → (the mail's link) → waiting → told; stopped by its owner at any time."""

    ASKED = "asked"
    WAITING = "waiting"
    TOLD = "told"
    STOPPED = "stopped"


class NoSuchCall(NotFound):
    """This link is not one of ours."""


class NoWayToTell(Invalid):
    """Neither an e-mail address nor a phone number was given."""


class SeasonCall(Base):
    """One wish of one person for one product."""

    __tablename__ = "season_call"
    __table_args__ = (
        UniqueConstraint("product_id", "email"),
        UniqueConstraint("product_id", "phone"),
        Index("ix_season_call_waiting", "product_id", "state"),
        CheckConstraint("(email IS NULL) <> (phone IS NULL)", name="one_way"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    email: Mapped[str | None]
    phone: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="vi")
    state: Mapped[CallState] = mapped_column(word(CallState))
    confirmed_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    round: Mapped[int] = mapped_column(default=1)


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """One phone on the producer's list, with what it waits for."""

    call: SeasonCall
    product: Product
    is_there: bool


def ask(session: Session, product_id: int, *, way: str, language: str, now: datetime) -> SeasonCall:
    """Note that an e-mail address or a phone number wants to hear of a product again.

    A new address first gets a mail with a link to confirm; asked again after being told, an
    address that was confirmed waits at once. Raises NoSuchProduct or NoWayToTell.
    """
    known = session.scalar(
        select(Product.id)
        .join(Producer, Producer.id == Product.producer_id)
        .where(
            Product.id == product_id,
            Product.state == ProductState.LIVE,
            Producer.state == ProducerState.APPROVED,
        )
    )
    if known is None:
        raise NoSuchProduct
    email, phone = _way(way)
    call = _row(session, product_id, email, phone, language=language, now=now)
    if phone is not None:
        _move(session, call, {CallState.TOLD, CallState.STOPPED}, CallState.WAITING, asked_at=now)
    elif call.state is CallState.TOLD and call.confirmed_at is not None:
        _move(session, call, {CallState.TOLD}, CallState.WAITING, asked_at=now)
    elif call.state is not CallState.WAITING:
        _move(
            session, call, {CallState.ASKED, CallState.TOLD, CallState.STOPPED}, CallState.ASKED,
            asked_at=now,
        )  # fmt: skip
        # One mail a day at most: the form can be pressed by anyone.
        tasks.enqueue(
            session, CONFIRM, {"call_id": call.id}, now=now, key=f"{CONFIRM}:{call.id}:{now:%y%m%d}"
        )
    return call


def call_mark(secret: str, call_id: int) -> str:
    """Return the mark that confirms or ends this wish; nobody can make one without the key."""
    digest = hmac.new(secret.encode(), f"season:{call_id}".encode(), sha256).digest()
    return urlsafe_b64encode(digest[:MARK_BYTES]).decode().rstrip("=")


def get_call(
    session: Session, call_id: int, shown: str, secrets: Sequence[str]
) -> tuple[SeasonCall, Product]:
    """Return the wish its mark opens, with what is wished for, or raise NoSuchCall."""
    rights = [call_mark(secret, call_id) for secret in secrets]
    if not any(
        hmac.compare_digest(shown.encode("utf-8", "replace"), right.encode()) for right in rights
    ):
        raise NoSuchCall(_("This link is not one of ours."))
    row = session.execute(
        select(SeasonCall, Product)
        .join(Product, Product.id == SeasonCall.product_id)
        .where(SeasonCall.id == call_id)
    ).one_or_none()
    if row is None:
        raise NoSuchCall(_("This link is not one of ours."))
    return row[0], row[1]


def confirm(session: Session, call: SeasonCall, *, now: datetime) -> bool:
    """Take the address as its owner's: it is told from now on. Confirming twice is harmless."""
    return _move(
        session, call, {CallState.ASKED, CallState.STOPPED}, CallState.WAITING, confirmed_at=now
    )


def stop(session: Session, call: SeasonCall) -> bool:
    """Never write about this product again, whatever state the wish was in."""
    return _move(session, call, {*CallState} - {CallState.STOPPED}, CallState.STOPPED)


def on_arrival(session: Session, news: GoodsArrived) -> None:
    """Leave the work of telling, if anybody waits for these goods."""
    product_id = session.scalar(
        select(SeasonCall.product_id)
        .join(Variant, Variant.product_id == SeasonCall.product_id)
        .where(
            Variant.id == news.variant_id,
            SeasonCall.state == CallState.WAITING,
            SeasonCall.email.is_not(None),
        )
        .limit(1)
    )
    if product_id is not None:
        tasks.enqueue(session, TELL, {"product_id": product_id}, now=news.now)


def tell(work: Work) -> None:
    """Write to everyone who waits for these goods, each once, if they are there to be bought."""
    product_id = int(work.payload["product_id"])
    now = work.clock()
    with work.finishing() as session:
        if _free(session, product_id, now=now) == 0:
            return
        told = session.scalars(
            update(SeasonCall)
            .where(
                SeasonCall.id.in_(
                    select(SeasonCall.id)
                    .where(
                        SeasonCall.product_id == product_id,
                        SeasonCall.state == CallState.WAITING,
                        SeasonCall.email.is_not(None),
                    )
                    .limit(AT_ONCE)
                ),
                SeasonCall.state == CallState.WAITING,
            )
            .values(state=CallState.TOLD, told_at=now, round=SeasonCall.round + 1)
            .returning(SeasonCall)
            .execution_options(synchronize_session=False)
        ).all()
        product = session.get_one(Product, product_id)
        for call in told:
            _write(
                session, work, call, product,
                subject=_("%(name)s is there again", name=product.name),
                body=_HERE_AGAIN, key=f"told:{call.round}",
            )  # fmt: skip
        if len(told) == AT_ONCE:
            tasks.enqueue(session, TELL, work.payload, now=now)


def ask_to_confirm(work: Work) -> None:
    """Send the link by which the owner of an address says that the wish is theirs."""
    with work.finishing() as session:
        call = session.get_one(SeasonCall, int(work.payload["call_id"]))
        if call.state is CallState.ASKED:
            product = session.get_one(Product, call.product_id)
            _write(
                session, work, call, product,
                subject=_("Tell when %(name)s is there again?", name=product.name),
                body=_CONFIRM, key=f"confirm:{work.task_id}",
            )  # fmt: skip


def list_phones(
    session: Session, producer_id: int, *, before: int | None = None, now: datetime
) -> tuple[list[PhoneCall], int | None]:
    """Return the phones that wait for a producer's goods, the latest first."""
    question = (
        select(SeasonCall, Product)
        .join(Product, Product.id == SeasonCall.product_id)
        .where(_waiting_phones(producer_id))
    )
    if before is not None:
        question = question.where(SeasonCall.id < before)
    rows = session.execute(question.order_by(SeasonCall.id.desc()).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    there = {
        product_id: _free(session, product_id, now=now) > 0
        for product_id in {product.id for _call, product in shown}
    }
    found = [PhoneCall(call, product, there[product.id]) for call, product in shown]
    return found, found[-1].call.id if len(rows) > PAGE else None


def count_ready(session: Session, producer_id: int, *, now: datetime) -> int:
    """Return how many phones wait for goods of the producer that are there now."""
    waiting = session.execute(
        select(SeasonCall.product_id, func.count())
        .join(Product, Product.id == SeasonCall.product_id)
        .where(_waiting_phones(producer_id))
        .group_by(SeasonCall.product_id)
    ).all()
    return sum(count for product_id, count in waiting if _free(session, product_id, now=now))


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return the buyers to write to: goods they wait for are there."""
    ready = count_ready(session, producer_id, now=utc_now())
    sentence = mark("%(count)s buyers to tell of new goods")
    return [Duty("desk_seasons.index", (), "chuong", sentence, ready)] if ready else []


def mark_told(
    session: Session, call_id: int, producer_id: int, *, actor: Actor, now: datetime
) -> bool:
    """Note that the producer wrote to this phone; another producer's list does not exist here."""
    call = session.scalar(
        select(SeasonCall)
        .join(Product, Product.id == SeasonCall.product_id)
        .where(
            SeasonCall.id == call_id,
            SeasonCall.phone.is_not(None),
            Product.producer_id == producer_id,
        )
    )
    if call is None:
        raise NoSuchCall
    moved = _move(session, call, {CallState.WAITING}, CallState.TOLD, told_at=now)
    if moved:
        record(session, actor, "season.told", f"product:{call.product_id}", now=now)
    return moved


_CONFIRM = _(
    "Somebody, probably the owner of this address, wants to hear when %(name)s is there again.\n\n"
    "Press here to be told, once:\n%(confirm)s\n\n"
    "Who did not ask can leave this mail alone: nothing more is sent."
)
_HERE_AGAIN = _(
    "%(name)s is there again:\n%(page)s\n\n"
    "This is the only mail about it. To hear of the next season too, ask again on that page.\n"
    "Never write again: %(stop)s"
)


def _write(
    session: Session,
    work: Work,
    call: SeasonCall,
    product: Product,
    *,
    subject: Any,
    body: Any,
    key: str,
) -> None:
    base = work.settings.PUBLIC_URL + ("/en" if call.language == "en" else "")
    own = call_mark(work.settings.SECRET_KEY, call.id)
    links = {
        "name": product.name,
        "page": f"{base}/san-pham/{product.slug}",
        "confirm": f"{base}/nhac-vu-moi/{call.id}/{own}",
        "stop": f"{base}/nhac-vu-moi/{call.id}/{own}/thoi",
    }
    with speaking(call.language):
        queue_mail(
            session,
            to=call.email or "",
            subject=str(subject),
            body=str(body) % links,
            key=f"season:{call.id}:{key}",
            now=work.clock(),
        )


def _way(text: str) -> tuple[str | None, str | None]:
    typed = clean(text)
    if not typed:
        raise NoWayToTell(_("Write an e-mail address or a phone number."), field="way")
    if "@" in typed:
        return checked_address(typed.lower(), field="way"), None
    try:
        return None, parse_phone(typed)
    except Invalid as refusal:
        raise NoWayToTell(refusal.message, field="way") from refusal


def _row(
    session: Session,
    product_id: int,
    email: str | None,
    phone: str | None,
    *,
    language: str,
    now: datetime,
) -> SeasonCall:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(SeasonCall)
        .values(
            product_id=product_id,
            email=email,
            phone=phone,
            language=language,
            state=CallState.ASKED if email else CallState.WAITING,
            asked_at=now,
            round=1,
        )
        .on_conflict_do_nothing()
    )
    same = SeasonCall.email == email if email else SeasonCall.phone == phone
    return session.scalars(
        select(SeasonCall).where(SeasonCall.product_id == product_id, same)
    ).one()


def _move(
    session: Session,
    call: SeasonCall,
    before: set[CallState],
    to: CallState,
    **facts: object,
) -> bool:
    moved = session.scalar(
        update(SeasonCall)
        .where(SeasonCall.id == call.id, SeasonCall.state.in_(before))
        .values(state=to, **facts)
        .returning(SeasonCall.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(call)
    return moved is not None


def _waiting_phones(producer_id: int) -> Any:
    return (
        (Product.producer_id == producer_id)
        & (SeasonCall.state == CallState.WAITING)
        & SeasonCall.phone.is_not(None)
    )


def _free(session: Session, product_id: int, *, now: datetime) -> int:
    ids = list(
        session.scalars(
            select(Variant.id).where(Variant.product_id == product_id, Variant.price.is_not(None))
        )
    )
    return sum(stock.free_of_variants(session, ids, now=now).values())
