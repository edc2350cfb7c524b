"""An account holds what the shop owes its producer, to the đồng, whoever holds the money."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.producers import Producer
from catalog.variants import Variant
from core.db import Database
from core.money import ZERO, Money, total
from shop import cancellations, commissions, completion, ledger, orders
from shop.delivery import DeliveryKind
from shop.ledger import Kind, LedgerChangedError, LedgerEntry
from shop.ledger_audit import find_faults
from shop.orders import Order, OrderLine, SellerOrder
from shop.payments import payments, refunds
from shop.payments.payments import Custody, Payment
from shop.payments.refunds import RefundReason
from shop.selling import Account, Selling, SellingMode
from shop.vouchers import Funder, Voucher, VoucherRedemption
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_variant, later
from tests.shop.promoting import STAFF, a_sale, a_voucher, finish, following, pay, send
from tests.shop.selling import SELLER, a_cart, a_way, an_order, only_part, place

DIRECT = Selling(SellingMode.DIRECT, account=Account("970403", "0011012345678", "CHO PHIEN"))


@pytest.fixture(autouse=True)
def news() -> Iterator[None]:
    """Accounts hear of every move."""
    with following():
        yield


def goods(session: Session, *, price: int = 100_000, rate: int = 0) -> tuple[Producer, Variant]:
    """A variant of a producer whose sales cost so many basis points, brought for 20.000 ₫."""
    producer = a_producer(session)
    a_way(session, producer, kind=DeliveryKind.SELF, fee=Money(20_000), free_from=None)
    if rate:
        commissions.set_rate(session, producer, rate, valid_from=None, actor=STAFF, now=NOON)
    return producer, a_variant(session, product=a_product(session, producer=producer), price=price)


def posted(session: Session, part: SellerOrder) -> dict[str, int]:
    """What stands in the account for a part, by kind."""
    sums: dict[str, int] = {}
    for entry in ledger.list_of_part(session, part.id):
        sums[entry.kind.value] = sums.get(entry.kind.value, 0) + entry.amount.dong
    return sums


def refund(
    session: Session,
    part: SellerOrder,
    amount: int,
    *,
    reason: RefundReason = RefundReason.RETURNED,
    lines: dict[int, Money] | None = None,
) -> None:
    """So much of a part's money is owed back and goes out."""
    for one in refunds.request_of_part(
        session, part, Money(amount), reason=reason, actor=SELLER, now=NOON, lines=lines
    ):
        refunds.settle(session, one, reference="FT26", actor=SELLER, now=later(hours=1))


def test_cash_at_the_door_leaves_the_commission_owed(session: Session) -> None:
    producer, honey = goods(session, rate=500)

    [part] = finish(session, an_order(session, (honey, 2)))

    assert posted(session, part) == {
        "sale": 200_000,
        "shipping": 20_000,
        "commission": -10_000,
        "cod_custody_producer": -220_000,
    }
    assert ledger.balance_of(session, producer.id) == Money(-10_000)
    assert find_faults(session) == []


def test_a_transfer_to_the_producer_is_no_money_of_the_shop(session: Session) -> None:
    producer, honey = goods(session)
    order = an_order(session, (honey, 1), payment_method="bank_transfer")
    pay(session, only_part(session, order), custody=Custody.PRODUCER)

    [part] = finish(session, order)

    assert posted(session, part)["custody_producer"] == -120_000
    assert ledger.balance_of(session, producer.id) == ZERO
    assert find_faults(session) == []


def test_the_shop_s_own_voucher_is_owed_to_the_producer(session: Session) -> None:
    producer, honey = goods(session)
    a_voucher(session)

    [part] = finish(session, an_order(session, (honey, 1), voucher="TET50"))

    assert posted(session, part) == {
        "sale": 50_000,
        "shipping": 20_000,
        "discount_platform_funded": 50_000,
        "cod_custody_producer": -70_000,
    }
    assert ledger.balance_of(session, producer.id) == Money(50_000)
    assert find_faults(session) == []


def test_a_producer_s_own_voucher_lowers_the_commission(session: Session) -> None:
    producer, honey = goods(session, rate=1_000)
    a_voucher(session, funded_by=Funder.PRODUCER, producer_id=producer.id)

    [part] = finish(session, an_order(session, (honey, 1), voucher="TET50"))

    assert posted(session, part)["commission"] == -5_000
    assert ledger.balance_of(session, producer.id) == Money(-5_000)
    assert find_faults(session) == []


def direct_order(session: Session, *wanted: tuple[Variant, int], **typed: str) -> Order:
    """An order of one operator, paid to it in full."""
    order = place(
        session,
        a_cart(session, *wanted).id,
        selling=DIRECT,
        payment_method="bank_transfer",
        **typed,
    )
    pay(session, orders.list_parts(session, order.id)[0], custody=Custody.OPERATOR)
    return order


def test_money_with_the_operator_is_owed_to_each_producer(session: Session) -> None:
    first, honey = goods(session, rate=1_000)
    second, tea = goods(session, price=50_000)
    a_voucher(session, amount=Money(30_000))
    order = direct_order(session, (honey, 1), (tea, 1), voucher="TET50")

    finish(session, order)

    assert ledger.balance_of(session, first.id) == Money(100_000 + 20_000 - 10_000)
    assert ledger.balance_of(session, second.id) == Money(50_000 + 20_000)
    assert find_faults(session) == []


def test_cash_with_a_carrier_is_payable_when_it_was_handed_over(session: Session) -> None:
    producer, honey = goods(session)
    order = an_order(session, (honey, 1))
    part = only_part(session, order)
    payment = payments.list_of_parts(session, [part.id])[part.id]
    finish_with(session, order, part, payment, Custody.CARRIER)
    before = ledger.balance_of(session, producer.id)

    payment.custody = Custody.OPERATOR
    session.flush()
    first = ledger.post_remitted(session, payment, now=NOON)
    again = ledger.post_remitted(session, payment, now=NOON)

    assert (before, first, again) == (ZERO, True, False)
    assert ledger.balance_of(session, producer.id) == Money(120_000)
    assert find_faults(session) == []


def finish_with(
    session: Session, order: Order, part: SellerOrder, payment: Payment, custody: Custody
) -> None:
    """The part is handed over for cash that this one holds, and completed."""
    send(session, order, part)
    session.refresh(payment)
    payment.custody = custody
    session.flush()
    completion.complete(session, order, part, actor=SELLER, now=NOON)


def test_returned_goods_take_back_sale_commission_and_gift(session: Session) -> None:
    producer, honey = goods(session, rate=1_000)
    a_voucher(session)
    [part] = finish(session, an_order(session, (honey, 2), voucher="TET50"))
    [line] = orders.list_lines(session, [part.id])

    refund(session, part, 75_000, lines={line.id: Money(75_000)})

    assert posted(session, part) == {
        "sale": 150_000,
        "shipping": 20_000,
        "discount_platform_funded": 50_000 - 25_000,
        "commission": -20_000 + 10_000,
        "cod_custody_producer": -170_000 + 75_000,
        "refund": -75_000,
    }
    assert ledger.balance_of(session, producer.id) == Money(25_000 - 10_000)
    assert find_faults(session) == []


def test_money_the_operator_pays_back_is_the_producer_s_no_more(session: Session) -> None:
    producer, honey = goods(session)
    order = direct_order(session, (honey, 1))
    [part] = finish(session, order)
    [line] = orders.list_lines(session, [part.id])

    refund(session, part, 100_000, lines={line.id: Money(100_000)})

    assert ledger.balance_of(session, producer.id) == Money(20_000)
    assert find_faults(session) == []


def test_a_return_paid_back_before_completion_is_in_the_account(session: Session) -> None:
    producer, honey = goods(session, rate=1_000)
    order = an_order(session, (honey, 2))
    part = only_part(session, order)
    send(session, order, part)
    [line] = orders.list_lines(session, [part.id])
    refund(session, part, 100_000, lines={line.id: Money(100_000)})
    completion.complete(session, order, part, actor=SELLER, now=later(days=3))

    assert ledger.balance_of(session, producer.id) == Money(-10_000)
    assert find_faults(session) == []


def test_money_paid_twice_goes_back_past_the_account(session: Session) -> None:
    producer, honey = goods(session)
    order = an_order(session, (honey, 1), payment_method="bank_transfer")
    part = only_part(session, order)
    pay(session, part, custody=Custody.PRODUCER, amount=Money(150_000))
    finish(session, order)
    pay(session, part, custody=Custody.PRODUCER)
    for one in refunds.due_of(session, part):
        refunds.settle(session, one, reference="FT26", actor=SELLER, now=later(hours=1))

    assert ledger.balance_of(session, producer.id) == ZERO
    assert not session.scalars(select(LedgerEntry).where(LedgerEntry.kind == Kind.REFUND)).all()
    assert find_faults(session) == []


def test_posting_again_changes_nothing(session: Session) -> None:
    _producer, honey = goods(session, rate=500)
    order = an_order(session, (honey, 1))
    [part] = finish(session, order)
    refund(session, part, 50_000)
    before = posted(session, part)
    [one] = ledger.list_earned_back(session, part.id)

    again = ledger.post_completed(session, order, part, now=later(days=1))
    twice = ledger.post_refund(session, one, now=later(days=1))

    assert (again, twice, posted(session, part)) == (False, False, before)


def test_a_later_rate_changes_no_past_order(session: Session) -> None:
    producer, honey = goods(session, rate=500)
    order = an_order(session, (honey, 1), now=later(minutes=1))
    commissions.set_rate(session, producer, 3_000, valid_from=None, actor=STAFF, now=later(hours=1))

    [part] = finish(session, order)

    assert posted(session, part)["commission"] == -5_000
    assert find_faults(session) == []


def test_orders_that_never_come_to_an_end_post_nothing(session: Session) -> None:
    _producer, honey = goods(session)
    order = an_order(session, (honey, 1))
    cancellations.cancel(session, order, actor=SELLER, now=NOON)

    assert session.scalars(select(LedgerEntry)).all() == []
    assert find_faults(session) == []


def test_an_entry_is_never_changed(session: Session) -> None:
    _producer, honey = goods(session)
    finish(session, an_order(session, (honey, 1)))
    entry = session.scalars(select(LedgerEntry)).first()
    assert entry is not None

    entry.amount = Money(1)

    with pytest.raises(LedgerChangedError):
        session.flush()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    wanted=st.lists(
        st.tuples(st.integers(1_000, 900_000), st.integers(1, 4)), min_size=1, max_size=3
    ),
    rate=st.integers(0, 3_000),
    off=st.integers(1, 300_000),
    by_platform=st.booleans(),
    direct=st.booleans(),
    back=st.integers(0, 100),
)
def test_every_order_in_both_modes_is_its_formula(
    database: Database,
    wanted: list[tuple[int, int]],
    rate: int,
    off: int,
    by_platform: bool,  # noqa: FBT001
    direct: bool,  # noqa: FBT001
    back: int,
) -> None:
    with database._writer() as session:
        session.begin()
        producer, _honey = goods(session, rate=rate)
        lines: list[Any] = [
            (a_variant(session, product=a_product(session, producer=producer), price=price), count)
            for price, count in wanted
        ]
        funder = Funder.PLATFORM if by_platform else Funder.PRODUCER
        a_voucher(session, amount=Money(off), funded_by=funder, producer_id=producer.id)
        order = (
            direct_order(session, *lines, voucher="TET50")
            if direct
            else an_order(session, *lines, voucher="TET50")
        )
        [part] = finish(session, order)
        first = orders.list_lines(session, [part.id])[0]
        amount = Money((first.amount - first.discount).dong * back // 100)
        if amount:
            refund(session, part, amount.dong, lines={first.id: amount})

        balance = ledger.balance_of(session, producer.id)

        fees = total(
            Money(entry.amount.dong)
            for entry in ledger.list_of_part(session, part.id)
            if entry.kind in {Kind.COMMISSION, Kind.DISCOUNT_PLATFORM_FUNDED}
        )
        assert balance == (part.total - amount + fees if direct else fees)
        assert find_faults(session) == []
        session.rollback()


def _lie(session: Session, table: Any, **values: Any) -> None:
    session.execute(update(table).values(**values).execution_options(synchronize_session=False))
    session.expire_all()


@pytest.mark.parametrize(
    ("table", "values", "rule"),
    [
        ("LedgerEntry", {"amount": Money(1)}, "completed parts post once, by the formula"),
        ("LedgerEntry", {"source": "part:0"}, "completed parts post once, by the formula"),
        ("OrderLine", {"discount_share": Money(1)}, "discounts add up"),
        ("OrderLine", {"commission_bp": 100}, "rates are those of the day"),
        ("OrderLine", {"unit_price": Money(1)}, "sales count their pieces"),
        ("VoucherRedemption", {"amount": Money(1)}, "shares are the voucher's discount"),
        ("VoucherRedemption", {"given_back_at": NOON}, "vouchers count their uses"),
        ("Voucher", {"used": 7}, "vouchers count their uses"),
        ("Voucher", {"usage_limit": 0}, "vouchers count their uses"),
        ("Variant", {"sale_sold": 9}, "sales count their pieces"),
    ],
)
def test_a_planted_fault_is_found(
    session: Session, table: str, values: dict[str, Any], rule: str
) -> None:
    _producer, honey = goods(session, rate=500)
    a_voucher(session, usage_limit=3)
    a_sale(session, honey, 90_000, cap=5)
    finish(session, an_order(session, (honey, 1), voucher="TET50"))
    assert find_faults(session) == []

    if values.get("source"):
        session.execute(update(LedgerEntry).where(LedgerEntry.kind == Kind.SALE).values(**values))
        session.execute(update(LedgerEntry).values(source=LedgerEntry.source + "x"))
        session.expire_all()
    else:
        tables = {
            "LedgerEntry": LedgerEntry,
            "OrderLine": OrderLine,
            "Voucher": Voucher,
            "VoucherRedemption": VoucherRedemption,
            "Variant": Variant,
        }
        _lie(session, tables[table], **values)

    assert rule in {finding.rule for finding in find_faults(session)}
