"""People who buy: they fill a cart, order, press twice, hang up, ask again, call off."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from core.clock import utc_now
from drill.goods import Goods
from drill.notes import Notes, Wish
from drill.talking import AWAY, TOO_OFTEN, Browser, NoAnswer, Page, insist
from tests.shop.selling import FORM

HANGS_UP = 0.10
PRESSES_TWICE = 0.15
SENDS_AGAIN = 0.15
CANCELS = 0.25
BY_TRANSFER = 0.5
WANTS_WHAT_ALL_WANT = 0.5
SEE_OTHER = 303


@dataclass
class Buyer:
    """One client that buys until the time is over."""

    number: int
    seed: int
    port: int
    goods: Goods
    notes: Notes
    over: Callable[[], bool]

    def run(self) -> None:
        """Buy, one cart after the other."""
        chance = random.Random(f"buyer/{self.seed}/{self.number}")
        while not self.over():
            wish = self._choose(chance)
            if wish is not None:
                self._order(wish, chance)

    def _browser(self, chance: random.Random, cookies: dict[str, str]) -> Browser:
        return Browser(self.port, chance, self.notes, dict(cookies), HANGS_UP)

    def _choose(self, chance: random.Random) -> Wish | None:
        """Fill a cart and read the checkout form; None when the time is over or all is sold out."""
        browser = self._browser(chance, {})
        sellers = chance.sample(self.goods.sellers, chance.choice((1, 1, 2)))
        for seller in sellers:
            hot = chance.random() < WANTS_WHAT_ALL_WANT
            form = {
                "variant_id": str(seller.hot if hot else seller.common),
                "quantity": str(chance.choice((1, 1, 2))),
            }
            insist(partial(browser.post, "/gio-hang/them", form), until=self.over)
        page = insist(lambda: browser.get("/dat-hang"), until=self.over)
        token = page.hidden("cart_token") if page else None
        mark = page.hidden("csrf_token") if page else None
        if token is None or mark is None:
            self.notes.count("found nothing to order")
            return None
        method = "bank_transfer" if chance.random() < BY_TRANSFER else "cod"
        form = {**FORM, "cart_token": token, "csrf_token": mark, "payment_method": method}
        wish = self.notes.wish(form, browser.cookies, [seller.slug for seller in sellers])
        form["phone"] = f"09{wish.number % 10**8:08d}"
        form["email"] = f"nguoi-{wish.number}@example.com"
        return wish

    def _order(self, wish: Wish, chance: random.Random) -> None:
        presses = 2 if chance.random() < PRESSES_TWICE else 1
        browsers = [
            self._browser(random.Random(chance.random()), wish.cookies) for _ in range(presses)
        ]
        threads = [
            threading.Thread(target=send, args=(browser, wish, self.notes, self.over))
            for browser in browsers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if presses > 1:
            self.notes.count("pressed twice at once")
        if chance.random() < SENDS_AGAIN:
            send(self._browser(chance, wish.cookies), wish, self.notes, self.over)
            self.notes.count("sent again after the answer")
        if wish.codes and chance.random() < CANCELS:
            self._cancel(wish, chance)

    def _cancel(self, wish: Wish, chance: random.Random) -> None:
        browser = self._browser(chance, wish.cookies)
        page = insist(lambda: browser.get(wish.address), until=self.over)
        mark = page.hidden("csrf_token") if page else None
        if mark is None:
            return
        path, query = urlsplit(wish.address).path, urlsplit(wish.address).query
        done = insist(
            lambda: browser.post(f"{path}/huy?{query}", {"csrf_token": mark}), until=self.over
        )
        if done is not None and done.status == SEE_OTHER:
            self.notes.count("asked to call an order off")


def send(browser: Browser, wish: Wish, notes: Notes, over: Callable[[], bool]) -> None:
    """Send one checkout form until it is answered, and keep what the answer said."""
    began = utc_now()

    def once() -> Page:
        nonlocal began
        began = utc_now()
        try:
            page = browser.post("/dat-hang", wish.form)
        except NoAnswer:
            with notes.lock:
                wish.unanswered += 1
            raise
        if page.status in {AWAY, TOO_OFTEN}:
            raise NoAnswer(f"answered {page.status}")
        return page

    page = insist(once, until=over)
    if page is not None:
        note_answer(page, wish, notes, began)


def note_answer(page: Page, wish: Wish, notes: Notes, began: datetime) -> None:
    """Keep what the shop said of a wish: this order, or a clear no."""
    place = urlsplit(page.location).path
    with notes.lock:
        if page.status == SEE_OTHER and place.startswith("/don-hang/"):
            wish.codes.add(place.removeprefix("/don-hang/"))
            wish.address = wish.address or page.location
            wish.answered_from = wish.answered_from or began
        else:
            wish.refused = True
            notes.seen[f"order answered {page.status}"] += 1
