"""Each rule of what happens after a sale finds the fault it is for, and nothing in a right shop."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.money import Money
from shop import fulfilment, orders, return_answers, returns, reviews
from shop.aftersale_audit import CHECKS, find_faults
from shop.order_states import SellerOrderState
from shop.orders import OrderLine, SellerOrder
from shop.returns import ReturnReason, ReturnRequest
from tests.conftest import NOON
from tests.factories import a_variant
from tests.shop.selling import BUYER, SELLER, an_order, only_part

PLANTED: dict[str, Callable[[Session], object]] = {
    "pieces come back once": lambda s: s.execute(update(OrderLine).values(quantity_returned=2)),
    "returns are refunds": lambda s: s.execute(update(ReturnRequest).values(amount=Money(1))),
    "reviews are of received goods": lambda s: s.execute(
        update(SellerOrder).values(state=SellerOrderState.SHIPPED)
    ),
}


def a_returned_and_reviewed_order(session: Session) -> None:
    order = an_order(session, (a_variant(session), 3))
    part = only_part(session, order)
    fulfilment.accept(session, order, part, called_buyer=True, actor=SELLER, now=NOON)
    fulfilment.pack(session, order, part, actor=SELLER, now=NOON)
    fulfilment.ship(session, order, part, actor=SELLER, now=NOON)
    fulfilment.deliver(session, order, part, actor=SELLER, now=NOON)
    [line] = orders.list_lines(session, [part.id])
    reviews.write(session, order, line.id, stars=5, words="", photo_keys=[], now=NOON)
    request = returns.ask(
        session, order, part.id, reason=ReturnReason.BROKEN, words="vỡ", pieces={line.id: 1},
        photo_keys=[], pay_to="", actor=BUYER, now=NOON,
    )  # fmt: skip
    asked = returns.get(session, request.id)
    return_answers.approve(session, asked, goods_back=False, actor=SELLER, now=NOON)


def test_a_right_shop_has_no_fault(session: Session) -> None:
    a_returned_and_reviewed_order(session)

    assert find_faults(session) == []
    assert PLANTED.keys() == CHECKS.keys()


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found_by_its_rule(session: Session, rule: str) -> None:
    a_returned_and_reviewed_order(session)

    PLANTED[rule](session)
    session.expire_all()

    assert rule in {fault.rule for fault in find_faults(session)}
