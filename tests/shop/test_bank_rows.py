"""Every đồng on an account finds its order by the memo, or waits for a person; none twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.codes import new_code
from core.db import Database
from core.money import ZERO, Money
from shop import bank_audit, cancellations, moves
from shop.audit import find_faults
from shop.codes import MEMO
from shop.order_states import SellerOrderState
from shop.payments import bank_desk, bank_rows, bank_transfer, payments, refunds
from shop.payments.bank_rows import AlreadyGiven, BankState, BankTxn, NoSuchPayment, Why
from shop.payments.notices import Direction
from shop.payments.payments import Payment, PaymentState
from tests.conftest import NOON
from tests.factories import a_producer, a_product, a_variant, later
from tests.shop.bank_money import a_row, an_unpaid, bring
from tests.shop.selling import SELLER, at_once

S = SellerOrderState


def no_faults(session: Session) -> None:
    assert find_faults(session) == []
    assert bank_audit.find_faults(session) == []


# How twelve banks and wallets hand on what the buyer typed.
MANGLED: list[Callable[[str], str]] = [
    lambda m: m,
    lambda m: m.lower(),
    lambda m: f"MBVCB.3278907687.{m}.CT tu 0011001234567 NGUYEN THI AN toi 0011012345678",
    lambda m: f"{m}-CHUYEN TIEN-OQCH0001Zgk2-MOMO",
    lambda m: f"IBFT {m[:5]} {m[5:]}",
    lambda m: f"CT DEN:629412340987 {m} FT26329123456789",
    lambda m: f"NGUYEN THI AN chuyen khoan {m[:2]}-{m[2:6]}-{m[6:]}",
    lambda m: f"ZP5G7K2 {m} ZALOPAY",
    lambda m: f"QR - {m}.",
    lambda m: f"thanh toán đơn hàng {m} cảm ơn",
    lambda m: f"REM Tfr Ac: 1234567 {m}",
    lambda m: f"{m[:4]}.{m[4:8]}.{m[8:]}/TKP VPB",
]


@pytest.mark.parametrize("mangle", MANGLED)
def test_money_finds_its_order_however_the_bank_wrote_the_memo(
    session: Session, mangle: Callable[[str], str]
) -> None:
    order, part, payment = an_unpaid(session)

    txn = bring(session, a_row(mangle(str(payment.memo))), part)

    assert txn is not None
    assert (txn.state, txn.payment_id) == (BankState.MATCHED, payment.id)
    assert part.state is S.TO_CONFIRM
    assert order.payment_status == "paid"
    no_faults(session)


def test_one_dong_less_waits_for_the_rest(session: Session) -> None:
    _order, part, payment = an_unpaid(session)

    txn = bring(session, a_row(str(payment.memo), 164_999), part)

    assert txn is not None
    assert txn.state is BankState.SHORT
    assert (part.state, payment.state) == (S.PENDING, PaymentState.PARTIAL)
    assert payment.missing == Money(1)
    no_faults(session)


def test_the_rest_completes_what_was_short(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    first = bring(session, a_row(str(payment.memo), 100_000), part)

    second = bring(session, a_row(str(payment.memo), 65_000, number="2"), part)

    assert first is not None
    assert second is not None
    assert (first.state, second.state) == (BankState.MATCHED, BankState.MATCHED)
    assert (part.state, payment.captured) == (S.TO_CONFIRM, Money(165_000))
    no_faults(session)


def test_one_dong_more_is_owed_back(session: Session) -> None:
    _order, part, payment = an_unpaid(session)

    txn = bring(session, a_row(str(payment.memo), 165_001), part)

    assert txn is not None
    assert txn.state is BankState.OVER
    assert (part.state, payment.refund_due) == (S.TO_CONFIRM, Money(1))
    no_faults(session)


def test_a_second_transfer_is_owed_back_whole(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    bring(session, a_row(str(payment.memo)), part)

    again = bring(session, a_row(str(payment.memo), number="2"), part)

    assert again is not None
    assert again.state is BankState.OVER
    assert payment.refund_due == Money(165_000)
    no_faults(session)


def test_late_money_revives_what_can_still_be_sent(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    cancellations.expire(session, part, now=later(hours=3))

    txn = bring(session, a_row(str(payment.memo)), part, now=later(hours=4))

    assert txn is not None
    assert (txn.state, part.state) == (BankState.LATE, S.TO_CONFIRM)
    no_faults(session)


def test_late_money_for_goods_that_are_gone_is_owed_back(session: Session) -> None:
    variant = a_variant(session, in_stock=1)
    _order, part, payment = an_unpaid(session, variant=variant)
    cancellations.expire(session, part, now=later(hours=3))
    an_unpaid(session, variant=variant, phone="0987654321")

    txn = bring(session, a_row(str(payment.memo)), part, now=later(hours=4))

    assert txn is not None
    assert (txn.state, part.state) == (BankState.LATE, S.CANCELLED)
    assert payment.refund_due == Money(165_000)
    no_faults(session)


def test_money_for_a_cancelled_order_never_brings_it_back(session: Session) -> None:
    order, part, payment = an_unpaid(session)
    cancellations.cancel(session, order, actor=SELLER, now=NOON)

    txn = bring(session, a_row(str(payment.memo)), part)

    assert txn is not None
    assert (txn.state, part.state) == (BankState.LATE, S.CANCELLED)
    assert payment.refund_due == Money(165_000)
    no_faults(session)


def test_a_memo_with_a_slip_in_it_waits(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    memo = str(payment.memo)
    slipped = memo[:-1] + ("2" if memo[-1] != "2" else "3")

    txn = bring(session, a_row(slipped), part)

    assert txn is not None
    assert (txn.state, txn.why) == (BankState.UNMATCHED, Why.NO_CODE)
    assert part.state is S.PENDING
    no_faults(session)


def test_two_codes_in_one_memo_wait(session: Session) -> None:
    _order, part, payment = an_unpaid(session)

    txn = bring(session, a_row(f"{payment.memo} {new_code(MEMO)}"), part)

    assert txn is not None
    assert (txn.state, txn.why) == (BankState.AMBIGUOUS, Why.TWO_CODES)
    assert part.state is S.PENDING
    no_faults(session)


def test_one_code_written_twice_is_one_code(session: Session) -> None:
    _order, part, payment = an_unpaid(session)

    txn = bring(session, a_row(f"{payment.memo} {payment.memo}"), part)

    assert txn is not None
    assert txn.state is BankState.MATCHED


def test_money_on_another_account_waits(session: Session) -> None:
    _order, part, payment = an_unpaid(session)

    txn = bring(session, a_row(str(payment.memo), account="999988887777"), part)

    assert txn is not None
    assert (txn.state, txn.why) == (BankState.UNMATCHED, Why.WRONG_ACCOUNT)
    assert part.state is S.PENDING
    no_faults(session)


def test_money_through_a_virtual_account_in_front_counts(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    row = a_row(str(payment.memo), account="8888", sub_account="0011 0123.45678")

    txn = bring(session, row, part)

    assert txn is not None
    assert txn.state is BankState.MATCHED


def test_one_producers_connection_pays_no_other_producers_order(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    other = a_producer(session)

    txn = bank_rows.take(session, a_row(str(payment.memo)), producer_id=other.id, now=NOON)

    assert txn is not None
    assert (txn.state, txn.why) == (BankState.UNMATCHED, Why.UNKNOWN_CODE)
    assert part.state is S.PENDING
    with pytest.raises(NoSuchPayment):
        bank_rows.get_payment(session, str(payment.memo), other.id)
    no_faults(session)


def test_money_that_left_the_account_is_kept_and_asks_nobody(session: Session) -> None:
    _order, part, payment = an_unpaid(session)

    txn = bring(session, a_row(str(payment.memo), direction=Direction.OUT), part)

    assert txn is not None
    assert (txn.state, txn.why) == (BankState.RESOLVED, Why.OUTGOING)
    assert part.state is S.PENDING
    no_faults(session)


def test_what_is_told_again_is_one_movement(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    row = a_row(str(payment.memo))
    bring(session, row, part)

    assert bring(session, row, part) is None
    assert bring(session, a_row(str(payment.memo), 1, number="1"), part) is None
    by_reference = a_row(str(payment.memo), number="99", provider="casso", reference="FT1")
    assert bring(session, by_reference, part) is None
    assert payment.captured == Money(165_000)
    no_faults(session)


def test_another_tellers_word_for_word_repeat_is_put_to_the_first(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    first = bring(session, a_row(f"CK {payment.memo}"), part)

    repeat = bring(
        session,
        a_row(f"ck.{payment.memo}", number="x", provider="statement", reference="5078"),
        part,
    )

    assert first is not None
    assert repeat is not None
    assert (repeat.state, repeat.repeats_id) == (BankState.RESOLVED, first.id)
    assert payment.captured == Money(165_000)
    no_faults(session)


def test_another_tellers_likely_repeat_waits_for_a_person(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    bring(session, a_row(str(payment.memo)), part)

    row = a_row(
        f"khac {payment.memo}", number="x", provider="casso", reference=None,
        at=NOON + timedelta(days=1),
    )  # fmt: skip
    txn = bring(session, row, part)

    assert txn is not None
    assert (txn.state, txn.why) == (BankState.AMBIGUOUS, Why.MAYBE_REPEATED)
    assert payment.captured == Money(165_000)


def test_equal_movements_of_one_teller_are_as_many_as_it_tells(session: Session) -> None:
    part = an_unpaid(session)[1]
    for number in ("1", "2"):
        bring(session, a_row("chuyen tien", number=number), part)
    for number in ("a", "b", "c"):
        bring(session, a_row("chuyen tien", number=number, provider="statement"), part)

    waiting = session.scalar(
        select(func.count()).select_from(BankTxn).where(BankTxn.state == BankState.UNMATCHED)
    )

    assert waiting == 3
    no_faults(session)


def test_what_a_person_confirmed_before_is_not_counted_again(session: Session) -> None:
    order, part, payment = an_unpaid(session)
    bank_transfer.confirm_by_hand(
        session, order, part, evidence="xem trên app", actor=SELLER, now=NOON
    )

    txn = bring(session, a_row(str(payment.memo)), part)

    assert txn is not None
    assert (txn.state, txn.why) == (BankState.MATCHED, Why.CONFIRMED_BEFORE)
    assert (payment.captured, payment.refund_due) == (Money(165_000), ZERO)
    no_faults(session)


def test_more_than_a_person_confirmed_counts_only_beyond_it(session: Session) -> None:
    order, part, payment = an_unpaid(session)
    bank_transfer.confirm_by_hand(session, order, part, evidence="app", actor=SELLER, now=NOON)

    bring(session, a_row(str(payment.memo), 200_000), part)

    assert (payment.captured, payment.refund_due) == (Money(200_000), Money(35_000))
    no_faults(session)


def test_a_person_gives_money_without_a_memo_to_its_order(session: Session) -> None:
    order, part, payment = an_unpaid(session)
    txn = bring(session, a_row("tien mat ong"), part)
    assert txn is not None
    assert (txn.state, txn.why) == (BankState.UNMATCHED, Why.NO_CODE)

    found = bank_rows.get_payment(session, order.code.lower(), part.producer_id)
    bank_rows.assign(session, txn, found, actor=SELLER, now=NOON)

    assert found.id == payment.id
    assert (txn.state, txn.handled_by) == (BankState.MATCHED, "Chị Hoa")
    assert part.state is S.TO_CONFIRM
    no_faults(session)
    with pytest.raises(AlreadyGiven):
        bank_rows.assign(session, txn, payment, actor=SELLER, now=NOON)
    with pytest.raises(AlreadyGiven):
        bank_desk.set_aside(session, txn, actor=SELLER, now=NOON)


def test_money_that_left_can_be_given_to_no_order(session: Session) -> None:
    _order, part, payment = an_unpaid(session)
    txn = bring(session, a_row("x", direction=Direction.OUT), part)
    assert txn is not None

    with pytest.raises(AlreadyGiven):
        bank_rows.assign(session, txn, payment, actor=SELLER, now=NOON)


def test_money_without_an_order_is_suggested_the_awaited_transfers_of_its_amount(
    session: Session,
) -> None:
    _order, part, payment = an_unpaid(session)
    an_unpaid(session, phone="0987654321")  # another producer's
    txn = bring(session, a_row("mua hang"), part)
    other = bring(session, a_row("mua hang", 1_000, number="2"), part)
    assert txn is not None
    assert other is not None

    found = bank_desk.suggest(session, [txn, other])

    assert [one.payment.id for one in found[txn.id]] == [payment.id]
    assert found[other.id] == []


def test_money_for_no_order_is_put_aside_and_may_be_taken_up_again(session: Session) -> None:
    part = an_unpaid(session)[1]
    txn = bring(session, a_row("luong thang 11"), part)
    assert txn is not None

    bank_desk.set_aside(session, txn, actor=SELLER, now=NOON)
    assert (txn.state, txn.why) == (BankState.RESOLVED, Why.SET_ASIDE)
    no_faults(session)
    bank_desk.undo(session, txn, actor=SELLER, now=NOON)

    assert (txn.state, txn.unallocated) == (BankState.UNMATCHED, Money(165_000))
    no_faults(session)
    with pytest.raises(AlreadyGiven):
        bank_desk.undo(session, txn, actor=SELLER, now=NOON)


def test_money_sent_back_is_known_by_the_banks_reference(session: Session) -> None:
    part = an_unpaid(session)[1]
    txn = bring(session, a_row("chuyen nham"), part)
    assert txn is not None

    bank_desk.owe_back(session, txn, actor=SELLER, now=NOON)
    assert (txn.return_due, txn.unallocated) == (Money(165_000), ZERO)
    with pytest.raises(bank_desk.NoReference):
        bank_desk.send_back(session, txn, reference="  ", actor=SELLER, now=NOON)
    bank_desk.send_back(session, txn, reference="FT777", actor=SELLER, now=NOON)

    assert (txn.returned, txn.return_due, txn.return_reference) == (Money(165_000), ZERO, "FT777")
    no_faults(session)
    for act in (bank_desk.undo, bank_desk.owe_back, bank_desk.set_aside):
        with pytest.raises(AlreadyGiven):
            act(session, txn, actor=SELLER, now=NOON)


def test_the_database_itself_counts_every_dong(session: Session) -> None:
    part = an_unpaid(session)[1]
    txn = bring(session, a_row("x"), part)
    assert txn is not None

    txn.unallocated = Money(164_999)

    with pytest.raises(IntegrityError):
        session.flush()


def test_of_24_that_tell_the_same_at_once_one_is_kept(database: Database) -> None:
    with database.transaction() as session:
        _order, part, payment = an_unpaid(session)
        row, producer_id, payment_id = a_row(str(payment.memo)), part.producer_id, payment.id

    def tell(session: Session) -> object:
        txn = bank_rows.take(session, row, producer_id=producer_id, now=NOON)
        return txn is not None

    results = at_once(database, [tell] * 24)

    with database.reading() as session:
        payment = session.get_one(Payment, payment_id)
        assert results.count(True) == 1, results
        assert (payment.captured, payment.state) == (Money(165_000), PaymentState.SUCCEEDED)
        no_faults(session)


def test_two_tellers_at_once_pay_once(database: Database) -> None:
    for number in range(6):
        with database.transaction() as session:
            _order, part, payment = an_unpaid(session, phone=f"091234567{number}")
            memo, producer_id, payment_id = str(payment.memo), part.producer_id, payment.id

        def tell(
            session: Session, provider: str, memo: str = memo, producer_id: int = producer_id
        ) -> object:
            row = a_row(memo, number=f"{provider}-{memo}", provider=provider, reference=None)
            return bank_rows.take(session, row, producer_id=producer_id, now=NOON) is not None

        at_once(database, [lambda s: tell(s, "sepay"), lambda s: tell(s, "casso")])

        with database.reading() as session:
            assert session.get_one(Payment, payment_id).captured == Money(165_000)
            no_faults(session)


def test_two_people_cannot_give_one_movement_to_two_orders(database: Database) -> None:
    with database.transaction() as session:
        producer = a_producer(session)
        variant = a_variant(session, product=a_product(session, producer=producer), in_stock=5)
        first = an_unpaid(session, variant=variant)[2].id
        second = an_unpaid(session, variant=variant, phone="0987654321")[2].id
        txn = bank_rows.take(session, a_row("x"), producer_id=producer.id, now=NOON)
        assert txn is not None
        txn_id = txn.id

    def give(session: Session, payment_id: int) -> object:
        row, payment = session.get_one(BankTxn, txn_id), session.get_one(Payment, payment_id)
        return bank_rows.assign(session, row, payment, actor=SELLER, now=NOON).payment_id

    results = at_once(database, [lambda s: give(s, first), lambda s: give(s, second)])

    assert sum(isinstance(result, AlreadyGiven) for result in results) == 1, results
    with database.reading() as session:
        captured = {session.get_one(Payment, one).captured for one in (first, second)}
        assert captured == {ZERO, Money(165_000)}
        no_faults(session)


def test_movements_out_of_order_end_the_same(session: Session) -> None:
    for order_of in ((60_000, 105_000), (105_000, 60_000)):
        _order, part, payment = an_unpaid(session, phone=f"0912{order_of[0]:06d}")
        for amount in order_of:
            at = NOON + timedelta(seconds=amount)
            bring(session, a_row(str(payment.memo), amount, f"{payment.id}-{amount}", at=at), part)

        assert (part.state, payment.captured) == (S.TO_CONFIRM, Money(165_000))
    no_faults(session)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    amounts=st.lists(st.integers(1, 400_000), min_size=1, max_size=5),
    repeats=st.integers(1, 3),
    expires=st.booleans(),
)
def test_every_dong_that_came_in_is_accounted_for(
    session: Session,
    amounts: list[int],
    repeats: int,
    expires: bool,  # noqa: FBT001 - hypothesis gives it by name
) -> None:
    with session.begin_nested() as savepoint:
        _order, part, payment = an_unpaid(session)
        for _time in range(repeats):
            for number, amount in enumerate(amounts):
                if expires and number == 1 and part.state is S.PENDING:
                    cancellations.expire(session, part, now=later(hours=3))
                bring(session, a_row(str(payment.memo), amount, number=str(number)), part)
        moves.lock(session, payment.order_id)

        kept = payment.captured - payment.refund_due - payment.refunded
        assert payment.captured == Money(sum(amounts))
        assert kept == payment.amount if part.state is S.TO_CONFIRM else True
        no_faults(session)
        savepoint.rollback()


def test_what_a_part_owes_back_after_over_is_a_refund_of_its_producer(session: Session) -> None:
    _order, part, payment = an_unpaid(session)

    bring(session, a_row(str(payment.memo), 200_000), part)

    [refund] = refunds.due_of(session, part)
    assert refund.amount == Money(35_000)
    assert payments.list_paid_parts(session, payment) == [part]
