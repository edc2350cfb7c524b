"""What waits for a producer: each floor tells its own, the desk's home shows them all."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing to do, with the page to do it on. `sentence` is a msgid that names `count`."""

    endpoint: str
    values: tuple[tuple[str, str], ...]
    icon: str
    sentence: str
    count: int


# Gives the duties of the producer with this id, the most urgent first.
Teller = Callable[[Session, int], list[Duty]]


def list_duties(session: Session, producer_id: int, tellers: list[Teller]) -> list[Duty]:
    """Return what waits for this producer, in the order the floors are wired."""
    return [duty for tell in tellers for duty in tell(session, producer_id)]
