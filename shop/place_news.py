"""What is on soon at a place: upper floors tell, the pages of villages and makers show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class PlaceNews:
    """One thing that begins at a moment, with the page that tells more."""

    title: str
    endpoint: str
    values: tuple[tuple[str, str], ...]
    begins_at: datetime
    is_on: bool
    is_sample: bool


# Gives the news of these producers, the soonest first.
Teller = Callable[[Session, Sequence[int], datetime], list[PlaceNews]]


def list_news(
    session: Session, producer_ids: Sequence[int], tellers: Sequence[Teller], *, now: datetime
) -> list[PlaceNews]:
    """Return what is on at these producers' place, in the order the floors are wired."""
    if not producer_ids:
        return []
    return [news for tell in tellers for news in tell(session, producer_ids, now)]
