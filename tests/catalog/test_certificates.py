"""A badge is there exactly while its certificate is, and never from what a source once claimed."""

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from catalog import certificates
from catalog.certificates import PaperKind, best_badge, months_after
from tests.factories import a_product

ISSUED = date(2023, 11, 25)


@pytest.mark.parametrize(
    ("day", "badge"),
    [
        (ISSUED - timedelta(days=1), False),
        (ISSUED, True),
        (date(2026, 11, 24), True),
        (date(2026, 11, 25), False),
    ],
)
def test_a_certificate_counts_for_thirty_six_months(
    session: Session,
    day: date,
    badge: bool,  # noqa: FBT001
) -> None:
    honey = a_product(session)
    certificates.add(session, honey.id, PaperKind.OCOP, stars=4, issued_on=ISSUED)

    stars = certificates.stars_today(session, [honey.id], day)

    assert stars == ({honey.id: 4} if badge else {})
    papers = certificates.list_papers(session, honey.id)
    assert (best_badge(papers, day) is not None) is badge


def test_a_year_alone_counts_from_the_first_of_january(session: Session) -> None:
    honey = a_product(session)
    certificates.add(
        session, honey.id, PaperKind.OCOP, stars=5, issued_on=date(2023, 1, 1), year_only=True
    )

    assert certificates.stars_today(session, [honey.id], date(2025, 12, 31)) == {honey.id: 5}
    assert certificates.stars_today(session, [honey.id], date(2026, 1, 1)) == {}


def test_the_highest_certificate_in_force_speaks(session: Session) -> None:
    honey = a_product(session)
    for stars, issued in ((5, date(2020, 1, 1)), (3, date(2025, 1, 1)), (4, date(2024, 6, 1))):
        certificates.add(session, honey.id, PaperKind.OCOP, stars=stars, issued_on=issued)

    assert certificates.stars_today(session, [honey.id], date(2026, 11, 25)) == {honey.id: 4}


def test_claims_and_other_papers_give_no_badge(session: Session) -> None:
    honey = a_product(session, claimed_stars=5, claimed_year=2026)
    certificates.add(session, honey.id, PaperKind.FOOD_SAFETY, issued_on=date(2026, 1, 1))

    assert certificates.stars_today(session, [honey.id], date(2026, 11, 25)) == {}


def test_months_end_on_the_last_day_there_is() -> None:
    assert months_after(date(2024, 2, 29), 36) == date(2027, 2, 28)
    assert months_after(date(2025, 12, 31), 2) == date(2026, 2, 28)
    assert months_after(date(2026, 3, 15), -36) == date(2023, 3, 15)
