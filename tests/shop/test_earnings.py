"""What a part earns is its formula, and many refunds take what one would."""

from hypothesis import given
from hypothesis import strategies as st

from core.money import ZERO, Money, total
from shop import earnings
from shop.earnings import Sold


@st.composite
def sold(draw: st.DrawFn) -> Sold:
    amount = draw(st.integers(1, 10**9))
    return Sold(
        amount=Money(amount),
        discount=Money(draw(st.integers(0, amount * 9 // 10))),
        by_platform=draw(st.booleans()),
        commission_bp=draw(st.integers(0, 3_000)),
    )


LINES = st.lists(sold(), min_size=1, max_size=8)


@given(LINES, st.integers(0, 10**6))
def test_a_part_earns_what_was_paid_and_given_less_commission(
    lines: list[Sold], shipping: int
) -> None:
    earned = earnings.of_part(lines, Money(shipping))

    paid = total(line.amount - line.discount for line in lines)
    given_by_shop = total(line.discount for line in lines if line.by_platform)
    kept = sum(
        (line.amount.dong - (0 if line.by_platform else line.discount.dong))
        * line.commission_bp
        // 10_000
        for line in lines
    )
    assert earned.whole == paid + given_by_shop + Money(shipping - kept)


@given(LINES)
def test_without_a_rate_nothing_is_kept(lines: list[Sold]) -> None:
    free = [Sold(line.amount, line.discount, line.by_platform, 0) for line in lines]

    assert earnings.of_part(free, ZERO).commission == ZERO


@given(sold(), st.lists(st.integers(1, 10**8), min_size=1, max_size=6))
def test_many_refunds_take_what_one_would(line: Sold, pieces: list[int]) -> None:
    backs, left = [], line.paid.dong
    for piece in pieces:
        backs.append(min(piece, left))
        left -= backs[-1]

    step_by_step, gone = [], 0
    for back in backs:
        step_by_step.append(
            earnings.of_refund(Money(back), {1: line}, {1: Money(gone)}, {1: Money(back)}).whole
        )
        gone += back

    at_once = earnings.of_refund(Money(gone), {1: line}, {}, {1: Money(gone)})
    assert total(step_by_step) == at_once.whole


@given(LINES)
def test_all_goods_back_leaves_nothing_but_carriage(lines: list[Sold]) -> None:
    by_id = dict(enumerate(lines))
    backs = {line_id: line.paid for line_id, line in by_id.items()}

    earned = earnings.of_part(lines, Money(18_000))
    back = earnings.of_refund(total(backs.values()), by_id, {}, backs)

    assert earned.whole + back.whole == Money(18_000)


@given(sold(), st.integers(0, 10**9))
def test_a_refund_of_money_alone_touches_no_commission(line: Sold, amount: int) -> None:
    change = earnings.of_refund(Money(amount), {1: line}, {}, {})

    assert (change.whole, change.commission) == (Money(-amount), ZERO)
