"""Public codes and serials: one each, unguessable, for ever."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from catalog.lots import Lot
from core.codes import is_well_formed
from core.db import Database
from core.errors import Invalid
from tests.conftest import NOON
from tests.factories import a_lot, a_variant
from traceability import serials, trace_codes
from traceability.codes import TRACE_CODE


def test_a_lot_and_its_product_have_one_code_each(session: Session) -> None:
    variant = a_variant(session)
    lot = a_lot(session, variant)

    first = trace_codes.ensure_lot_code(session, lot, now=NOON)
    again = trace_codes.ensure_lot_code(session, lot, now=NOON)
    product = trace_codes.ensure_product_code(session, variant.product_id, now=NOON)

    assert first == again != product
    assert is_well_formed(TRACE_CODE, first)
    found = trace_codes.find_code(session, first)
    assert found is not None
    assert (found.kind, found.lot_id) == (trace_codes.CodeKind.LOT, lot.id)


def test_two_who_ask_at_once_get_the_same_code(database: Database) -> None:
    with database.transaction() as session:
        lot_id = a_lot(session, a_variant(session)).id

    def ask(_number: int) -> str:
        with database.transaction() as session:
            lot = session.get_one(Lot, lot_id)
            return trace_codes.ensure_lot_code(session, lot, now=NOON)

    with ThreadPoolExecutor(4) as pool:
        codes = set(pool.map(ask, range(8)))

    assert len(codes) == 1


def test_serials_are_many_and_tell_nothing_of_each_other(session: Session) -> None:
    lot = a_lot(session, a_variant(session))

    made = serials.make(session, lot, 2_500, now=NOON)

    assert len(set(made)) == 2_500
    assert all(is_well_formed(TRACE_CODE, serial) for serial in made)
    assert len({serial[:3] for serial in made}) > 1_000
    found = serials.find(session, made[0])
    assert found is not None
    assert found.activated_at is None


@pytest.mark.parametrize("count", [0, -1, serials.MOST_AT_ONCE + 1])
def test_so_many_serials_are_refused(session: Session, count: int) -> None:
    with pytest.raises(Invalid):
        serials.make(session, a_lot(session, a_variant(session)), count, now=NOON)
