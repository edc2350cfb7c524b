"""An amount that is split over lines stays the same amount, whoever looks at the lines first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money, total
from shop.shares import part_of, split

COSTS = st.dictionaries(
    st.integers(1, 500), st.integers(1, 10**9).map(Money), min_size=1, max_size=30
)


@given(COSTS, st.integers(0, 1_000_000))
def test_shares_add_up_to_the_dong_and_none_exceeds_its_line(
    costs: dict[int, Money], per_million: int
) -> None:
    amount = Money(total(costs.values()).dong * per_million // 1_000_000)

    shares = split(amount, costs)

    assert total(shares.values()) == amount
    assert all(Money(0) <= shares[key] <= costs[key] for key in costs)


@given(COSTS, st.integers(0, 1_000_000), st.randoms())
def test_the_order_of_the_lines_changes_no_share(
    costs: dict[int, Money], per_million: int, luck: object
) -> None:
    amount = Money(total(costs.values()).dong * per_million // 1_000_000)
    keys = list(costs)
    luck.shuffle(keys)  # type: ignore[attr-defined]

    shuffled = split(amount, {key: costs[key] for key in keys})

    assert shuffled == split(amount, costs)


@given(COSTS)
def test_a_share_is_no_further_than_one_dong_from_its_exact_part(costs: dict[int, Money]) -> None:
    whole = total(costs.values()).dong
    amount = Money(whole // 3)

    shares = split(amount, costs)

    assert all(
        abs(shares[key].dong * whole - amount.dong * cost.dong) < whole
        for key, cost in costs.items()
    )


def test_more_than_everything_costs_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="cannot be shared"):
        split(Money(11), {1: Money(10)})


def test_nothing_is_nothing_for_everyone() -> None:
    assert split(Money(0), {1: Money(5), 2: Money(7)}) == {1: Money(0), 2: Money(0)}


@given(st.integers(0, 10**9), st.integers(1, 50))
def test_all_pieces_together_carry_the_whole_share(share: int, pieces: int) -> None:
    assert part_of(Money(share), pieces, pieces) == Money(share)
    assert all(
        part_of(Money(share), count, pieces) <= part_of(Money(share), count + 1, pieces)
        for count in range(pieces)
    )
