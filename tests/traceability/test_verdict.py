"""The gravest thing that is true stands first on a scan page."""

from datetime import date, timedelta

import pytest

from catalog.lots import LotState
from traceability.scan import Verdict, readable, verdict

TODAY = date(2026, 11, 25)
YESTERDAY = TODAY - timedelta(days=1)
NEXT_YEAR = date(2027, 11, 1)


@pytest.mark.parametrize(
    ("state", "expires_on", "matched", "activated", "expected"),
    [
        (LotState.ACTIVE, NEXT_YEAR, True, True, Verdict.CIRCULATING),
        (LotState.ACTIVE, None, True, True, Verdict.CIRCULATING),
        (LotState.ACTIVE, TODAY, True, True, Verdict.CIRCULATING),
        (LotState.ACTIVE, YESTERDAY, True, True, Verdict.EXPIRED),
        (LotState.HELD, NEXT_YEAR, True, True, Verdict.HELD),
        (LotState.HELD, YESTERDAY, True, True, Verdict.EXPIRED),
        (LotState.RECALLED, NEXT_YEAR, True, True, Verdict.RECALLED),
        (LotState.RECALLED, YESTERDAY, True, True, Verdict.RECALLED),
        (LotState.RECALLED, YESTERDAY, False, False, Verdict.RECALLED),
        (LotState.ACTIVE, YESTERDAY, False, False, Verdict.EXPIRED),
        (LotState.HELD, NEXT_YEAR, False, False, Verdict.HELD),
        (LotState.ACTIVE, NEXT_YEAR, False, True, Verdict.UNKNOWN),
        (LotState.ACTIVE, NEXT_YEAR, False, False, Verdict.UNKNOWN),
        (LotState.ACTIVE, NEXT_YEAR, True, False, Verdict.NOT_ACTIVATED),
        (None, None, True, True, Verdict.PRODUCT),
        (None, None, False, True, Verdict.UNKNOWN),
    ],
)
def test_the_gravest_truth_is_the_verdict(
    *,
    state: LotState | None,
    expires_on: date | None,
    matched: bool,
    activated: bool,
    expected: Verdict,
) -> None:
    said = verdict(state, expires_on, today=TODAY, matched=matched, activated=activated)

    assert said is expected


@pytest.mark.parametrize("typed", ["LO-1", "ABC/12%", "a" * 28])
def test_what_gs1_allows_can_be_shown_back(typed: str) -> None:
    assert readable(typed) == typed


@pytest.mark.parametrize("typed", [None, "", "gọi ngay", "call 0900", "a" * 29, "x\ny"])
def test_no_sentence_can_be_put_into_our_mouth(typed: str | None) -> None:
    assert readable(typed) is None
