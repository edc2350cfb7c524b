"""The producers' bank: buyers transfer, and a signed message tells of it until it is answered."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from core.clock import utc_now
from core.db import Database
from demo.standins.banks import Movement, signed_call
from drill.goods import ACCOUNT, BANK_KEY, Goods
from drill.notes import Act, Notes
from drill.talking import Browser, insist
from shop.orders import Order, SellerOrder
from shop.payments.payments import Payment, PaymentMethod

HANGS_UP = 0.15
TELLS_AGAIN = 0.4
OK = 200


def pays_by_bank(number: int) -> bool:
    """Say whether the transfer of this wish is told by the bank; the others a person sees."""
    return number % 2 == 0


@dataclass
class Bank:
    """Transfers what every second buyer owes, once each, and tells of it."""

    seed: int
    port: int
    goods: Goods
    database: Database
    notes: Notes
    over: Callable[[], bool]

    def run(self) -> None:
        """Look for orders that wait for a transfer, and transfer."""
        chance = random.Random(f"bank/{self.seed}")
        paid: set[str] = set()
        number = 0
        while not self.over():
            wishes = [
                wish
                for seller in self.goods.sellers
                for wish in self.notes.placed(seller.slug)
                if wish.form["payment_method"] == "bank_transfer" and pays_by_bank(wish.number)
            ]
            codes = [code for wish in wishes for code in sorted(wish.codes) if code not in paid]
            if not codes:
                time.sleep(0.1)
                continue
            paid.add(codes[0])
            for slug, memo, amount in self._asked_for(codes[0]):
                number += 1
                self._transfer(codes[0], slug, memo, amount, number, chance)

    def _asked_for(self, code: str) -> list[tuple[str, str, int]]:
        """Return what the order's page asks to be transferred: whose account, memo, đồng."""
        slugs = {seller.producer_id: seller.slug for seller in self.goods.sellers}
        while not self.over():
            try:
                with self.database.reading() as session:
                    rows = session.execute(
                        select(SellerOrder.producer_id, Payment.memo, Payment.amount)
                        .join(Payment, Payment.seller_order_id == SellerOrder.id)
                        .join(Order, Order.id == SellerOrder.order_id)
                        .where(Order.code == code, Payment.method == PaymentMethod.BANK_TRANSFER)
                    ).all()
            except DBAPIError:
                # The database is still mending itself from a blow.
                time.sleep(0.1)
                continue
            return [(slugs[owner], memo or "", amount.dong) for owner, memo, amount in rows]
        return []

    def _transfer(
        self, code: str, slug: str, memo: str, amount: int, number: int, chance: random.Random
    ) -> None:
        token = next(one.hook for one in self.goods.sellers if one.slug == slug)
        movement = Movement(number, ACCOUNT, amount, f"CT DEN {memo}", f"FT{number}", utc_now())
        browser = Browser(self.port, chance, self.notes, hangs_up=HANGS_UP)

        def tell() -> bool:
            body, headers = signed_call(movement, by="sepay", key=BANK_KEY)
            page = insist(
                lambda: browser.call(f"/webhooks/sepay/{token}", body, headers), until=self.over
            )
            if page is not None and page.status != OK:
                self.notes.fault(f"the bank's message of {code} was answered {page.status}")
            return page is not None

        if tell():
            self.notes.did(Act(code, slug, "money"))
            self.notes.count("told by the bank")
            if chance.random() < TELLS_AGAIN:
                tell()
                self.notes.count("told again by the bank")
