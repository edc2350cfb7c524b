"""Making and stopping vouchers: what was typed at a desk, checked, with every mistake told."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from catalog import producers
from catalog.sales import vietnam_moment
from core.errors import Invalid
from core.i18n import lazy as _
from core.money import ZERO, Money, read_money
from core.text import clean
from shop import vouchers
from shop.vouchers import LONGEST_CODE, MOST_PERCENT, Funder, Voucher

LONGEST = timedelta(days=366)
LONGEST_SHOW = 60
MOST_USES = 1_000_000
DEAREST = 1_000_000_000
_CODE_TAKEN = _("This code exists already. Choose another.")

audit.describe(
    {"voucher.made": _("made a voucher"), "voucher.stopped": _("ended a voucher")},
)


class BadTerms(Invalid):
    """Some terms cannot be right; `mistakes` names each field once with what to do."""

    def __init__(self, mistakes: list[tuple[str, str]]) -> None:
        super().__init__(mistakes[0][1], field=mistakes[0][0])
        self.mistakes = mistakes


def make(
    session: Session,
    typed: Mapping[str, str],
    *,
    funded_by: Funder,
    producer_id: int | None,
    actor: Actor,
    now: datetime,
) -> Voucher:
    """Make a voucher from the form `typed`, or raise BadTerms with every mistake in it.

    A producer's is for its own goods; the shop's for everyone's, or for those of the producer whose
    slug was typed.
    """
    reader = _Reader(typed)
    code = reader.code(session)
    if funded_by is Funder.PLATFORM:
        producer_id = reader.producer(session)
    kind = typed.get("kind", "amount")
    percent = reader.number("percent", 1, MOST_PERCENT) if kind == "percent" else None
    amount = reader.number("amount", 1, DEAREST) if kind != "percent" else None
    most = reader.number("most", 1, DEAREST, needed=False) if kind == "percent" else None
    minimum = reader.number("minimum", 0, DEAREST, needed=False)
    starts_at = vietnam_moment(typed.get("from", "")) or now
    ends_at = reader.end(starts_at)
    usage_limit = reader.number("usage_limit", 1, MOST_USES, needed=False)
    phone_limit = reader.number("phone_limit", 1, MOST_USES, needed=False)
    if reader.mistakes:
        raise BadTerms(reader.mistakes)
    voucher = Voucher(
        code=code,
        percent=percent,
        amount=None if amount is None else Money(amount),
        most=None if most is None else Money(most),
        minimum=Money(minimum) if minimum else ZERO,
        starts_at=starts_at,
        ends_at=ends_at,
        usage_limit=usage_limit,
        phone_limit=phone_limit,
        used=0,
        funded_by=funded_by,
        producer_id=producer_id,
        show=clean(typed.get("show", ""))[:LONGEST_SHOW] or None,
        created_at=now,
        created_by=actor.user_id,
    )
    try:
        with session.begin_nested():
            session.add(voucher)
    except IntegrityError as twice:
        raise BadTerms([("code", str(_CODE_TAKEN))]) from twice
    audit.record(session, actor, "voucher.made", f"voucher:{voucher.id}", now=now, code=code)
    return voucher


def stop(session: Session, voucher: Voucher, *, actor: Actor, now: datetime) -> bool:
    """Let nobody use the voucher from now on; orders that used it keep what it took off."""
    stopped = session.scalar(
        update(Voucher)
        .where(Voucher.id == voucher.id, Voucher.stopped_at.is_(None))
        .values(stopped_at=now)
        .returning(Voucher.id)
        .execution_options(synchronize_session=False)
    )
    if stopped is None:
        return False
    audit.record(
        session, actor, "voucher.stopped", f"voucher:{voucher.id}", now=now, code=voucher.code
    )
    return True


class _Reader:
    """Reads one field after the other and remembers what was wrong."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self._typed = typed
        self.mistakes: list[tuple[str, str]] = []

    def code(self, session: Session) -> str:
        code = vouchers.canonical(self._typed.get("code", "")[:100])
        if not vouchers.is_code(code):
            self._wrong("code", _("Write 3 to %(most)s letters or digits.", most=LONGEST_CODE))
        elif vouchers.find(session, code) is not None:
            self._wrong("code", _CODE_TAKEN)
        return code

    def producer(self, session: Session) -> int | None:
        slug = self._typed.get("producer", "").strip()
        place = producers.find_by_slug(session, slug) if slug else None
        if slug and place is None:
            self._wrong("producer", _("There is no producer at this address."))
        return place.id if place else None

    def number(self, field: str, least: int, most: int, *, needed: bool = True) -> int | None:
        text = clean(self._typed.get(field, "")).removesuffix("%")
        if not text and not needed:
            return None
        amount = read_money(text)
        number = amount.dong if amount is not None else least - 1
        if not least <= number <= most:
            self._wrong(
                field, _("Write a number from %(least)s to %(most)s.", least=least, most=most)
            )
            return None
        return number

    def end(self, starts_at: datetime) -> datetime:
        ends_at = vietnam_moment(self._typed.get("until", ""), end=True)
        if ends_at is None or not timedelta() < ends_at - starts_at <= LONGEST:
            self._wrong("until", _("Choose a last day after the first, within one year."))
            return starts_at + LONGEST
        return ends_at

    def _wrong(self, field: str, message: object) -> None:
        self.mistakes.append((field, str(message)))
