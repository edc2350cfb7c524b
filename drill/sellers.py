"""Producers at their desks: each does whatever an order's page offers, and keeps what was done."""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from drill.bank import pays_by_bank
from drill.goods import Seller
from drill.notes import Act, Notes
from drill.talking import Browser, Page, insist

HANGS_UP = 0.10
OK = 200
SEE_OTHER = 303
CONFLICT = 409
# The last word of a form's address → what the order's history calls it, and how gladly it is done.
DONE = {
    "nhan": ("accept", 4),
    "khong-nhan": ("decline", 1),
    "da-nhan-tien": ("money", 4),
    "hoan-tien": ("pay_back", 6),
    "dong-goi": ("pack", 4),
    "gui": ("ship", 4),
    "da-giao": ("deliver", 4),
}


@dataclass
class Desk:
    """One producer's desk, worked at until the time is over."""

    seller: Seller
    seed: int
    port: int
    notes: Notes
    over: Callable[[], bool]

    def run(self) -> None:
        """Look at one order after the other and do one thing to each."""
        chance = random.Random(f"desk/{self.seed}/{self.seller.slug}")
        while not self.over():
            wishes = self.notes.placed(self.seller.slug)
            if wishes:
                # The newest are looked at most: there is something to do.
                wish = wishes[-1 - int(len(wishes) * chance.random() ** 2)]
                self._work(chance.choice(sorted(wish.codes)), wish.number, chance)
            else:
                time.sleep(0.1)

    def _work(self, code: str, number: int, chance: random.Random) -> None:
        browser = Browser(
            self.port, chance, self.notes, {"sid": self.seller.sid}, hangs_up=HANGS_UP
        )
        address = f"/ban-hang/{self.seller.slug}/don-hang/{code}"
        page = insist(lambda: browser.get(address), until=self.over)
        if page is None:
            return
        if page.status != OK:
            # What was sold out before it came into the cart is no part of the order.
            return
        offered = [word for word in _offered(page, address) if word in DONE]
        if pays_by_bank(number):
            # Else the same money would be seen by two.
            offered = [word for word in offered if word != "da-nhan-tien"]
        mark = page.hidden("csrf_token")
        if not offered or mark is None:
            return
        word = chance.choices(offered, [DONE[word][1] for word in offered])[0]
        form = {
            "csrf_token": mark,
            "called": "1",
            "reason": "hết hàng",
            "evidence": "thấy tiền trong tài khoản",
            "reference": f"FT{code}",
        }
        done = insist(lambda: browser.post(f"{address}/{word}", form), until=self.over)
        if done is None:
            return
        if done.status == SEE_OTHER:
            self.notes.did(Act(code, self.seller.slug, DONE[word][0]))
            self.notes.count(DONE[word][0])
        elif done.status != CONFLICT:
            self.notes.fault(f"{word} of order {code}: answered {done.status}")


def _offered(page: Page, address: str) -> list[str]:
    found = re.findall(r'<form\b[^>]*\baction="([^"]+)"', page.text)
    return sorted({one.rpartition("/")[2] for one in found if one.startswith(f"{address}/")})
