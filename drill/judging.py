"""What is held against the shop at the end: its own tables, its own audit, the clients' notes."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.producers import Producer
from core.db import Database
from core.tasks import Task, TaskState
from drill.notes import Act, Notes, Wish
from drill.plan import TOLD, Fault
from drill.post import Letter
from shop.order_states import SellerOrderState
from shop.orders import Order, OrderEvent, OrderLine, SellerOrder
from shop.payments.payments import Payment, PaymentMethod

LONGEST_RECOVERY = 10.0
SLOWER = 3.0
LONGEST_ANSWER = 9.5
# What can happen to a part only once in its life.
ONCE = ("accept", "decline", "pack", "ship", "deliver")
# What the history calls it, where a desk's yes can mean more than one thing. Saying no to what has
# just ended otherwise is answered with yes: it is off, as was wished.
HAPPENS_AS = {
    "money": ("pay", "revive", "late_money"),
    "decline": ("decline", "cancel", "expire", "time_out"),
}
CODE = re.compile(r"\b[2-9A-HJ-NP-Z]{9}\b")
ENOUGH = {
    "orders": 10,
    "answers that did not come": 3,
    "orders found out by asking again": 1,
    "pressed twice at once": 1,
    "sent again after the answer": 1,
    "order answered 409": 1,
    "money": 1,
    "told by the bank": 1,
    "accept": 1,
    "asked to call an order off": 1,
    "orders that ran out unpaid": 1,
    "mails": 5,
}
ENOUGH_ON_A_SERVER = {"lost COMMIT answers": 1}


@dataclass
class Verdict:
    """What is wrong with the shop, and why the run may have been too weak to tell."""

    faults: list[str] = field(default_factory=list)
    too_weak: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> bool:
        """Say whether a run strong enough found nothing."""
        return not self.faults and not self.too_weak


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a verdict is made from."""

    notes: Notes
    letters: list[Letter]
    blows: Counter[Fault]
    planned: tuple[Fault, ...]
    commits_lost: int
    started_in: float
    recovered_in: float
    audit: str


def judge(database: Database, evidence: Evidence) -> Verdict:
    """Return the verdict on a run whose shop has come to rest."""
    notes = evidence.notes
    with database.reading() as session:
        faults = [
            *dict.fromkeys(notes.faults),
            *_orders(session, notes),
            *_acts(session, notes),
            *_money(session, notes),
            *_mails(session, evidence.letters),
            *_audit(evidence.audit),
        ]
        counted = _counted(session, evidence)
    # Where even the first start took longer, the machine is busy with other things.
    if evidence.recovered_in > max(LONGEST_RECOVERY, SLOWER * evidence.started_in):
        faults.append(f"the shop was back only after {evidence.recovered_in:.1f} s")
    if notes.longest > LONGEST_ANSWER:
        faults.append(f"one page held its visitor for {notes.longest:.1f} s")
    wanted = ENOUGH | (ENOUGH_ON_A_SERVER if Fault.COMMIT in evidence.planned else {})
    weak = [
        f"{what}: {counted[what]}, at least {least} are needed"
        for what, least in wanted.items()
        if counted[what] < least
    ]
    weak += [f"never happened: {TOLD[one]}" for one in evidence.planned if not evidence.blows[one]]
    return Verdict(faults, weak, counted)


def _orders(session: Session, notes: Notes) -> Iterator[str]:
    """Hold the orders there are against those that were told: all of them, once, no other."""
    codes = Counter(session.scalars(select(Order.code)))
    told = {code for wish in notes.wishes for code in wish.codes}
    for code in sorted(told - codes.keys()):
        yield f"order {code} was confirmed and is gone"
    for code in sorted(codes.keys() - told):
        yield f"order {code} stands, and nobody was told of it"
    carts = Counter(session.scalars(select(Order.buyer_phone)))
    for wish in notes.wishes:
        if len(wish.codes) > 1:
            yield f"one form became the orders {', '.join(sorted(wish.codes))}"
        elif carts[_kept_phone(wish)] > 1:
            yield f"one form became {carts[_kept_phone(wish)]} orders"
        elif wish.is_open:
            yield f"nobody can say what became of wish {wish.number}"


def _kept_phone(wish: Wish) -> str:
    return "+84" + wish.form["phone"].removeprefix("0")


def _acts(session: Session, notes: Notes) -> Iterator[str]:
    """Hold the history of each part against what its desk was told: once, not twice."""
    history = Counter(
        Act(code, slug, verb)
        for code, slug, verb in session.execute(
            select(Order.code, Producer.slug, OrderEvent.verb)
            .join(OrderEvent, OrderEvent.order_id == Order.id)
            .join(SellerOrder, SellerOrder.id == OrderEvent.seller_order_id)
            .join(Producer, Producer.id == SellerOrder.producer_id)
        )
    )
    for act in notes.acts:
        verbs = HAPPENS_AS.get(act.verb, (act.verb,))
        times = sum(history[Act(act.code, act.producer, verb)] for verb in verbs)
        if times == 0 or (times > 1 and act.verb == "money"):
            yield f"{act.verb} of order {act.code} was confirmed and happened {times} times"
    for act, times in history.items():
        if act.verb in ONCE and times > 1:
            yield f"{act.verb} of order {act.code} happened {times} times"


def _money(session: Session, notes: Notes) -> Iterator[str]:
    """Hold each transfer that was taken as arrived against what is kept of it."""
    paid = {(act.code, act.producer) for act in notes.acts if act.verb == "money"}
    for code, slug, amount, captured in session.execute(
        select(Order.code, Producer.slug, Payment.amount, Payment.captured)
        .join(Payment, Payment.order_id == Order.id)
        .join(SellerOrder, SellerOrder.id == Payment.seller_order_id)
        .join(Producer, Producer.id == SellerOrder.producer_id)
        .where(Payment.method == PaymentMethod.BANK_TRANSFER)
    ):
        if (code, slug) in paid and captured < amount:
            yield f"order {code}: {amount.dong} đ were confirmed, {captured.dong} đ are kept"
        if captured > amount:
            yield f"order {code}: {captured.dong} đ are kept of {amount.dong} đ"


def _mails(session: Session, letters: list[Letter]) -> Iterator[str]:
    """Hold mails against orders: none of what is not, none lost, a repeated one marked as such."""
    known = set(session.scalars(select(Order.code)))
    marks: dict[tuple[str, str], set[str]] = {}
    for letter in letters:
        marks.setdefault((letter.to, letter.subject), set()).add(letter.mark)
        for code in CODE.findall(letter.subject):
            if code not in known:
                yield f"a mail speaks of order {code}, which is not"
    queued: Counter[tuple[str, str]] = Counter()
    for payload, state in session.execute(
        select(Task.payload, Task.state).where(Task.kind == "mail.send")
    ):
        letter_is = payload["to"], payload["subject"]
        queued[letter_is] += 1
        if state is TaskState.DONE and letter_is not in marks:
            yield f"“{payload['subject']}” counts as sent and never came"
    for letter_is, different in marks.items():
        if len(different) > queued[letter_is]:
            yield f"“{letter_is[1]}” was sent as {len(different)} different mails"


def _audit(printed: str) -> Iterator[str]:
    try:
        told = json.loads(printed)
    except ValueError:
        yield f"flask audit did not run: {printed}"
        return
    for fault in told["faults"]:
        yield f"flask audit: {fault['rule']}: {fault['what']}"


def _counted(session: Session, evidence: Evidence) -> Counter[str]:
    notes = evidence.notes
    counted = Counter(notes.seen)
    counted["orders"] = session.scalar(select(func.count()).select_from(Order)) or 0
    counted["pieces ordered"] = session.scalar(select(func.sum(OrderLine.quantity))) or 0
    counted["answers that did not come"] = sum(wish.unanswered for wish in notes.wishes)
    placed_at = {row.code: row.placed_at for row in session.execute(_PLACED)}
    counted["orders found out by asking again"] = sum(
        1
        for wish in notes.wishes
        for code in wish.codes
        if wish.answered_from and code in placed_at and placed_at[code] < wish.answered_from
    )
    counted["orders that ran out unpaid"] = (
        session.scalar(
            select(func.count())
            .select_from(OrderEvent)
            .where(OrderEvent.verb == "expire", OrderEvent.to_state == SellerOrderState.CANCELLED)
        )
        or 0
    )
    counted["lost COMMIT answers"] = evidence.commits_lost
    counted["mails"] = len(evidence.letters)
    return counted


_PLACED = select(Order.code, Order.placed_at)
