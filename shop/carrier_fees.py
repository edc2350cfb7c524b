"""What carriers lately said a parcel costs: asked between transactions, kept, then counted with.

A buyer sees a fee and is charged that fee: placing an order asks nobody, it reads what was kept.
Who gets no answer in time counts the producer's own fee and says so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Database
from core.money import Money
from core.outgoing import NoAnswer
from core.settings import Settings
from shop import connections
from shop.carriers import ghn
from shop.carriers.carrier import CarrierRefused, Parcel, To
from shop.carriers.ghn_client import Ghn
from shop.delivery import DeliveryMethod, Fee

KEPT = timedelta(minutes=30)
# A fee that stands in for a carrier's own is asked for again sooner.
KEPT_INSTEAD = timedelta(minutes=5)
SECONDS = 3.0
NO_ANSWER, REFUSED, NOT_CONNECTED = "no_answer", "refused", "not_connected"


@dataclass(frozen=True, slots=True)
class Question:
    """What one parcel costs on one way; the same goods to the same place ask the same."""

    method_id: int
    producer_id: int
    to: To
    weight_g: int
    value: Money

    @property
    def key(self) -> str:
        """Return what the answer is kept under."""
        place = f"{self.to.province_code}|{self.to.commune_code}"
        return f"{self.method_id}|{place}|{self.weight_g}|{self.value.dong}"


class CarrierFee(Base):
    """One answer; `said` tells why it is the producer's own fee instead of the carrier's."""

    __tablename__ = "carrier_fee"

    key: Mapped[str] = mapped_column(primary_key=True)
    method_id: Mapped[int] = mapped_column(ForeignKey("delivery_method.id"), index=True)
    amount: Mapped[Money | None]
    said: Mapped[str | None]
    kept_until: Mapped[datetime] = mapped_column(index=True)


def list_told(
    session: Session, questions: Collection[Question], *, now: datetime
) -> dict[int, Fee]:
    """Return the fresh answers to these questions, by way."""
    rows = session.execute(
        select(CarrierFee.method_id, CarrierFee.amount, CarrierFee.said).where(
            CarrierFee.key.in_([q.key for q in questions]), CarrierFee.kept_until > now
        )
    )
    return {method_id: Fee(amount, said=said) for method_id, amount, said in rows}


def learn(
    database: Database, questions: Sequence[Question], settings: Settings, *, now: datetime
) -> None:
    """Ask the carriers what was not told lately and keep it; all together take three seconds.

    Never raises for a carrier: the producer's own fee stands in. Opens its own transactions and
    may not be called inside one.
    """
    if not questions:
        return
    with database.reading() as session:
        told = list_told(session, questions, now=now)
        open_questions = [q for q in questions if q.method_id not in told]
        asked = [(q, *_prepared(session, q, settings)) for q in open_questions]
    deadline = monotonic() + SECONDS
    answers = [
        (question, _answer(question, own, account, seconds=deadline - monotonic()))
        for question, own, account in asked
    ]
    if answers:
        with database.transaction() as session:
            for question, fee in answers:
                _keep(session, question, fee, now=now)


def _prepared(session: Session, question: Question, settings: Settings) -> tuple[Fee, Ghn | None]:
    """Return the producer's own fee and its account at the carrier, if it has one."""
    method = session.get_one(DeliveryMethod, question.method_id)
    to = question.to
    own = method.quote(question.value, question.weight_g, to.province_code, to.commune_code)
    return own, account_of(session, question.producer_id, settings)


def account_of(session: Session, producer_id: int, settings: Settings) -> Ghn | None:
    """Return a producer's account at GHN, None while it has connected none."""
    connection = connections.find_open(session, producer_id, ghn.CARRIER)
    if connection is None:
        return None
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    token, shop_id = ghn.credentials_of(connections.credentials(connection, keys))
    return Ghn(settings.GHN_API_BASE, token, shop_id) if token and shop_id else None


def _answer(question: Question, own: Fee, account: Ghn | None, *, seconds: float) -> Fee:
    if account is None:
        return Fee(own.amount, said=NOT_CONNECTED)
    if seconds <= 0:
        return Fee(own.amount, said=NO_ANSWER)
    parcel = Parcel(code="", to=question.to, weight_g=question.weight_g, value=question.value)
    try:
        ghn.refuse_unfit(parcel)
    except CarrierRefused:
        return Fee(None)
    try:
        return Fee(account.quote(parcel, seconds=seconds))
    except NoAnswer:
        return Fee(own.amount, said=NO_ANSWER)
    except CarrierRefused:
        return Fee(own.amount, said=REFUSED)


def _keep(session: Session, question: Question, fee: Fee, *, now: datetime) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {
        "method_id": question.method_id,
        "amount": fee.amount,
        "said": fee.said,
        "kept_until": now + (KEPT_INSTEAD if fee.said else KEPT),
    }
    session.execute(
        insert(CarrierFee)
        .values(key=question.key, **values)
        .on_conflict_do_update(index_elements=["key"], set_=values)
    )


def forget(session: Session, method: DeliveryMethod) -> None:
    """Ask anew from now on: the producer changed what stands in for the carrier's fee."""
    session.execute(delete(CarrierFee).where(CarrierFee.method_id == method.id))


def forget_old(database: Database, now: datetime) -> None:
    """Delete answers nobody may count with any more."""
    with database.transaction() as session:
        session.execute(delete(CarrierFee).where(CarrierFee.kept_until <= now))
