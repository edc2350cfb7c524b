"""A walk over everything that can happen to orders, with every rule of the audit after each step.

The same verbs the pages call, by chance, on any part, in any state: what the shop refuses must
change nothing, what it does must leave stock, money, orders and accounts in agreement.
"""

# ruff: noqa: D102, FBT001 - a rule's name says what is done; hypothesis draws the rest

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog import sales
from catalog.products import OcopGroup
from catalog.stock import StockItem
from catalog.variants import Variant
from core import events
from core.db import Database
from core.errors import Refusal
from shop import (
    cancellations,
    completion,
    cuts,
    deliveries,
    freezing,
    fulfilment,
    orders,
    repayment,
    return_answers,
    returns,
)
from shop.deliveries import Back
from shop.order_states import MOVES, TERMINAL, SellerOrderState
from shop.orders import Order, OrderEvent, SellerOrder
from shop.payments import bank_rows, bank_transfer, payments
from shop.payments.payments import PaymentMethod
from shop.returns import Fate, ReturnReason, ReturnRequest
from shop.selling import Account, Selling, SellingMode
from shop.vouchers import Funder
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_user, a_variant
from tests.shop.bank_money import ACCOUNT, a_row
from tests.shop.promoting import a_voucher
from tests.shop.selling import BUYER, a_cart, a_way, place
from wsgi import AUDITS, SUBSCRIPTIONS, named

INTERMEDIARY = Selling(SellingMode.INTERMEDIARY)
DIRECT = Selling(SellingMode.DIRECT, Account("970403", ACCOUNT, "CHO PHIEN"))
Verb = Callable[[Session, Order, SellerOrder], object]
ANY = st.integers(min_value=0, max_value=1_000)
PATH = st.lists(ANY, min_size=0, max_size=8)
HOURS = st.sampled_from((1, 3, 25, 60, 200))

_S = SellerOrderState
NEXT: dict[SellerOrderState, tuple[str, ...]] = {
    _S.PENDING: ("money",),
    _S.TO_CONFIRM: ("accept", "accept", "accept", "cut", "decline"),
    _S.PREPARING: ("pack", "pack", "pack", "cut", "decline"),
    _S.READY: ("ship", "ship", "ship", "decline"),
    _S.SHIPPED: ("deliver", "deliver", "fail_delivery", "lose"),
    _S.DELIVERY_FAILED: ("redeliver", "send_back"),
    _S.RETURNING: ("receive_back", "receive_back", "lose"),
    _S.DELIVERED: ("complete", "ask_return"),
    _S.COMPLETED: ("ask_return", "pay_back"),
}


class OrderWalk(RuleBasedStateMachine):
    """Three producers, few goods, one voucher with few uses; time only goes forward."""

    database: ClassVar[Database]
    # What was refused and what was done over all walks, so that a weak walk is noticed.
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.variants: list[int] = []
        self.carts: dict[int, str] = {}
        self.told: list[tuple[Any, int | None]] = []
        self.seller = Actor(None, "Chị Hoa")
        self.selling = INTERMEDIARY
        self.unproved = True
        events.subscribe((named(news), named(handler)) for news, handler in SUBSCRIPTIONS)

    @initialize(direct=st.booleans(), far=st.lists(PATH, min_size=4, max_size=4))
    def open_the_shop(self, direct: bool, far: list[list[int]]) -> None:
        self.selling = DIRECT if direct else INTERMEDIARY
        with self.database.transaction() as session:
            self.seller = Actor(a_user(session).id, "Chị Hoa")
            for group in (OcopGroup.FOOD, OcopGroup.HANDICRAFT):
                producer = a_producer(session)
                a_way(session, producer)
                for price in (60_000, 165_000):
                    product = a_product(session, producer=producer, group=group)
                    variant = a_variant(session, product=product, price=price, in_stock=6)
                    self.variants.append(variant.id)
            a_voucher(session, "TET50", usage_limit=2, funded_by=Funder.PLATFORM, producer_id=None)
        self.order_goods([(0, 2), (2, 1)], "cod", "")
        self.order_goods([(1, 1), (3, 2)], "bank_transfer", "TET50")
        # Each walk finds orders that have come some way already.
        for which, path in enumerate(far):
            self.go_on(which, path)

    @rule(
        wanted=st.lists(st.tuples(ANY, st.integers(1, 3)), min_size=1, max_size=3),
        method=st.sampled_from(("cod", "bank_transfer")),
        voucher=st.sampled_from(("", "", "TET50")),
    )
    def order_goods(self, wanted: list[tuple[int, int]], method: str, voucher: str) -> None:
        goods = {self.variants[n % len(self.variants)]: many for n, many in wanted}
        typed = {"payment_method": method, "phone": f"09{len(self.carts):08d}"}
        with self.trying("order"):
            with self.database.transaction() as session:
                cart = a_cart(
                    session,
                    *((session.get_one(Variant, one), many) for one, many in goods.items()),
                    now=self.now,
                ).id
                order = place(
                    session, cart, now=self.now, selling=self.selling, voucher=voucher, **typed
                )
                self.carts[cart] = order.code

    @precondition(lambda self: self.carts)
    @rule(which=ANY)
    def send_the_form_again(self, which: int) -> None:
        cart = sorted(self.carts)[which % len(self.carts)]
        with self.database.transaction() as session:
            assert place(session, cart, now=self.now, selling=self.selling).code == self.carts[cart]

    @rule(which=ANY)
    def call_off(self, which: int) -> None:
        self.on_order(which, "call off", lambda session, order: cancellations.cancel(
            session, order, actor=BUYER, now=self.now))  # fmt: skip

    @rule(which=ANY, method=st.sampled_from((PaymentMethod.COD, PaymentMethod.BANK_TRANSFER)))
    def pay_otherwise(self, which: int, method: PaymentMethod) -> None:
        self.on_order(which, "pay otherwise", lambda session, order: repayment.pay_in(
            session, order, method, selling=self.selling, actor=BUYER, now=self.now))  # fmt: skip

    @rule(which=ANY, freeze=st.booleans())
    def dispute(self, which: int, freeze: bool) -> None:
        turn = freezing.freeze if freeze else freezing.unfreeze
        more = {"why": "khiếu nại"} if freeze else {}
        self.on_order(which, turn.__name__, lambda session, order: turn(
            session, order, actor=self.seller, now=self.now, **more))  # fmt: skip

    @rule(which=ANY, factor=st.sampled_from(("exact", "exact", "short", "over")))
    def money_arrives(self, which: int, factor: str) -> None:
        part_id = self.part(which)
        if part_id is None:
            return
        with self.database.reading() as session:
            payment = payments.list_of_parts(session, [part_id])[part_id]
            part = session.get_one(SellerOrder, part_id)
        amount = payment.amount.dong + {"exact": 0, "short": -1_000, "over": 1_000}[factor]
        number = str(len(self.told) + 1)
        row = a_row(payment.memo or f"KHONG MA {number}", amount, number, at=self.now)
        owner = part.producer_id if payment.seller_order_id is not None else None
        self.told.append((row, owner))
        self.hear(row, owner, f"money {factor}")

    @precondition(lambda self: self.told)
    @rule(which=ANY)
    def the_bank_tells_it_again(self, which: int) -> None:
        row, owner = self.told[which % len(self.told)]
        before = self.sums()
        self.hear(row, owner, "told again")

        assert self.sums() == before

    @rule(which=ANY)
    def see_money_by_hand(self, which: int) -> None:
        def see(session: Session, order: Order, part: SellerOrder) -> object:
            payment = payments.list_of_parts(session, [part.id])[part.id]
            by: dict[str, Any] = {
                "evidence": "thấy trong tài khoản",
                "actor": self.seller,
                "now": self.now,
            }
            if payment.seller_order_id is None:
                return bank_transfer.confirm_for_operator(session, order, payment, **by)
            return bank_transfer.confirm_by_hand(session, order, part, **by)

        self.on_part(which, "see money", see)

    def pay_back(self, which: int) -> None:
        self.simple(which, bank_transfer.pay_back, reference=f"FT{which}")

    # Rules are switched off by chance for whole walks; verbs that need each other share one.
    @rule(
        which=ANY,
        verb=st.sampled_from(
            (
                *("accept", "pack", "ship", "deliver", "complete", "decline", "cut"),
                *("fail_delivery", "redeliver", "send_back", "receive_back", "lose", "pay_back"),
            )
        ),
        more=ANY,
    )
    def at_the_desk(self, which: int, verb: str, more: int) -> None:
        if verb == "cut":
            self.cut(which, line=more, keep=more % 3)
        elif verb == "receive_back":
            fate = Back.RESTOCK if more % 2 else Back.WRITE_OFF
            self.receive_back(which, own_fault=more % 3 == 0, fate=fate)
        else:
            getattr(self, verb)(which)

    def accept(self, which: int) -> None:
        self.on_part(which, "accept", lambda session, order, part: fulfilment.accept(
            session, order, part, called_buyer=True, actor=self.seller, now=self.now))  # fmt: skip

    def decline(self, which: int) -> None:
        self.on_part(which, "decline", lambda session, order, part: cancellations.decline(
            session, order, part, reason="hết hàng", actor=self.seller, now=self.now))  # fmt: skip

    def cut(self, which: int, line: int, keep: int) -> None:
        def cut(session: Session, order: Order, part: SellerOrder) -> object:
            lines = orders.list_lines(session, [part.id])
            return cuts.cut(
                session, order, part, lines[line % len(lines)].id, keep=keep, reason="thiếu hàng",
                actor=self.seller, now=self.now,
            )  # fmt: skip

        self.on_part(which, "cut", cut)

    def pack(self, which: int) -> None:
        self.simple(which, fulfilment.pack)

    def ship(self, which: int) -> None:
        self.simple(which, fulfilment.ship)

    def deliver(self, which: int) -> None:
        self.simple(which, fulfilment.deliver)

    def fail_delivery(self, which: int) -> None:
        self.simple(which, deliveries.fail_delivery, why="không gặp")

    def redeliver(self, which: int) -> None:
        self.simple(which, deliveries.redeliver)

    def send_back(self, which: int) -> None:
        self.simple(which, deliveries.send_back, why="người mua không nhận")

    def receive_back(self, which: int, own_fault: bool, fate: Back) -> None:
        def receive(session: Session, order: Order, part: SellerOrder) -> object:
            lines = [one for one in orders.list_lines(session, [part.id]) if one.wanted]
            return deliveries.receive_back(
                session, order, part, back={one.id: fate for one in lines}, own_fault=own_fault,
                actor=self.seller, now=self.now,
            )  # fmt: skip

        self.on_part(which, "receive back", receive)

    def lose(self, which: int) -> None:
        self.simple(which, deliveries.lose, claim="đã báo bưu điện")

    def complete(self, which: int) -> None:
        self.simple(which, completion.complete)

    @rule(which=ANY, choices=st.lists(ANY, min_size=1, max_size=6))
    def go_on(self, which: int, choices: list[int]) -> None:
        """Do what the part's state allows, several times, so that walks come far."""
        part_id = self.part(which)
        for choice in choices if part_id is not None else ():
            with self.database.reading() as session:
                state = session.get_one(SellerOrder, part_id).state
            verbs = NEXT.get(state, ("pay_back",))
            verb = verbs[choice % len(verbs)]
            if verb == "money":
                self.money_arrives(which, "exact")
            elif verb == "ask_return":
                self.ask_return(which, choice, 1, list(ReturnReason)[choice % 6])
                self.answer_return(0, goods_back=choice % 2 == 0, by_staff=False, agree=True)
                self.take_back(0, Fate.RESTOCK)
            else:
                self.at_the_desk(which, verb, choice)

    @rule(which=ANY, line=ANY, many=st.integers(1, 2), reason=st.sampled_from(ReturnReason))
    def ask_return(self, which: int, line: int, many: int, reason: ReturnReason) -> None:
        def ask(session: Session, order: Order, part: SellerOrder) -> object:
            lines = orders.list_lines(session, [part.id])
            return returns.ask(
                session, order, part.id, reason=reason, words="vỡ hũ",
                pieces={lines[line % len(lines)].id: many}, photo_keys=[], pay_to="VCB 001",
                actor=BUYER, now=self.now,
            )  # fmt: skip

        self.on_part(which, "ask return", ask)

    @rule(which=ANY, goods_back=st.booleans(), by_staff=st.booleans(), agree=st.booleans())
    def answer_return(self, which: int, goods_back: bool, by_staff: bool, agree: bool) -> None:
        def answer(session: Session, asked: returns.Asked) -> object:
            by: dict[str, Any] = {"by_staff": by_staff, "actor": self.seller, "now": self.now}
            if agree:
                return return_answers.approve(session, asked, goods_back=goods_back, **by)
            return return_answers.reject(session, asked, words="không đúng", **by)

        self.on_return(which, "answer return", answer)

    @rule(which=ANY, fate=st.sampled_from(Fate))
    def take_back(self, which: int, fate: Fate) -> None:
        self.on_return(which, "take back", lambda session, asked: return_answers.take_back(
            session, asked, fates={piece.line.id: fate for piece in asked.pieces},
            actor=self.seller, now=self.now))  # fmt: skip

    @rule(hours=HOURS)
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.unproved = True
        for sweep in (
            cancellations.expire_due,
            cancellations.time_out_due,
            completion.complete_due,
            return_answers.close_due,
            sales.follow_the_clock,
        ):
            sweep(self.database, self.now)

    @invariant()
    def the_audit_is_silent(self) -> None:
        if not self.unproved:
            return
        self.unproved = False
        with self.database.reading() as session:
            told = [fault for path in AUDITS for fault in named(path)(session)]

        assert told == [], told

    @invariant()
    def what_ended_stays_ended(self) -> None:
        """I13: the table has no way out of its ends but late money; every other state has one."""
        assert {state for froms, _to in MOVES.values() for state in froms} >= (
            set(SellerOrderState) - TERMINAL
        )

    @contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """Let the shop refuse, and count what it did."""
        try:
            yield
        except Refusal:
            self.done[f"{what}: refused"] += 1
        else:
            self.done[what] += 1
            self.unproved = True

    def part_ids(self) -> list[int]:
        with self.database.reading() as session:
            return list(session.scalars(select(SellerOrder.id).order_by(SellerOrder.id)))

    def part(self, which: int) -> int | None:
        """Return a part, the newest more often; None in a shop without orders."""
        ids = self.part_ids()
        return ids[which % len(ids)] if ids else None

    def on_part(self, which: int, what: str, verb: Verb) -> None:
        part_id = self.part(which)
        if part_id is None:
            return
        with self.trying(what), self.database.transaction() as session:
            part = session.get_one(SellerOrder, part_id)
            verb(session, session.get_one(Order, part.order_id), part)

    def simple(self, which: int, verb: Callable[..., object], **more: str) -> None:
        self.on_part(which, verb.__name__, lambda session, order, part: verb(
            session, order, part, actor=self.seller, now=self.now, **more))  # fmt: skip

    def on_order(self, which: int, what: str, verb: Callable[[Session, Order], object]) -> None:
        self.on_part(which, what, lambda session, order, _part: verb(session, order))

    def on_return(
        self, which: int, what: str, verb: Callable[[Session, returns.Asked], object]
    ) -> None:
        with self.database.reading() as session:
            ids = list(session.scalars(select(ReturnRequest.id).order_by(ReturnRequest.id)))
        if not ids:
            return
        with self.trying(what), self.database.transaction() as session:
            verb(session, returns.get(session, ids[which % len(ids)]))

    def hear(self, row: Any, owner: int | None, what: str) -> None:
        with self.trying(what), self.database.transaction() as session:
            bank_rows.take(session, row, producer_id=owner, now=self.now)

    def sums(self) -> tuple[object, ...]:
        """Return what a repeated message of the bank must not change."""
        with self.database.reading() as session:
            return (
                session.execute(
                    select(SellerOrder.id, SellerOrder.state).order_by(SellerOrder.id)
                ).all(),
                session.execute(
                    select(
                        payments.Payment.id, payments.Payment.captured, payments.Payment.refund_due
                    ).order_by(payments.Payment.id)
                ).all(),
                session.execute(select(StockItem.reserved).order_by(StockItem.id)).all(),
                len(session.scalars(select(OrderEvent.id)).all()),
            )
