"""What the clients were told: the only truth against which the shop is judged at the end."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Wish:
    """One checkout form, sent as often as it takes until the shop has given a clear answer."""

    number: int
    form: dict[str, str]
    cookies: dict[str, str]
    producers: tuple[str, ...]
    codes: set[str] = field(default_factory=set)
    address: str = ""
    refused: bool = False
    unanswered: int = 0
    answered_from: datetime | None = None  # when the attempt began that was answered first

    @property
    def is_open(self) -> bool:
        """Say whether nobody knows yet what became of it.

        A refusal after an attempt without an answer settles nothing: that attempt may come later.
        """
        return not self.codes and (not self.refused or self.unanswered > 0)


@dataclass(frozen=True, slots=True)
class Act:
    """Something done at a producer's desk that the shop said yes to."""

    code: str
    producer: str
    verb: str


@dataclass(slots=True)
class Notes:
    """Everything the clients saw, kept under one lock."""

    wishes: list[Wish] = field(default_factory=list)
    acts: Counter[Act] = field(default_factory=Counter)
    cancelled: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    longest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wish(self, form: dict[str, str], cookies: dict[str, str], producers: list[str]) -> Wish:
        """Keep a new wish before it is sent for the first time."""
        with self.lock:
            wish = Wish(len(self.wishes), form, cookies, tuple(sorted(set(producers))))
            self.wishes.append(wish)
        return wish

    def count(self, what: str, number: int = 1) -> None:
        """Remember that something happened."""
        with self.lock:
            self.seen[what] += number

    def did(self, act: Act) -> None:
        """Remember that the shop said yes to this."""
        with self.lock:
            self.acts[act] += 1

    def took(self, seconds: float) -> None:
        """Remember the longest wait for an answer."""
        with self.lock:
            self.longest = max(self.longest, seconds)

    def fault(self, what: str) -> None:
        """Remember something that must never be."""
        with self.lock:
            self.faults.append(what)

    def placed(self, producer: str) -> list[Wish]:
        """Return the wishes for this producer that became orders, as far as told."""
        with self.lock:
            return [wish for wish in self.wishes if wish.codes and producer in wish.producers]
