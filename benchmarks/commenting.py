"""Comments of a live show, played from the recorded stream: read, kept and acted on."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import select, update

from benchmarks.drivers import Driver
from benchmarks.measuring import Path, Side
from benchmarks.ordering import PLENTY, sold_variants
from benchmarks.shops import Shop
from catalog.producers import Producer
from catalog.products import Product
from catalog.stock import StockItem
from catalog.variants import Variant
from core.clock import utc_now
from core.money import Money
from core.settings import ROOT
from livestream import ingest, shows
from livestream.comments import Arrival
from livestream.parsing import ShowCodes
from livestream.shows import Show, ShowItem, ShowState

RECORDED = ROOT / "data" / "live" / "replay-S1.jsonl"
SESSIONS = ROOT / "data" / "live" / "sessions.json"
KEEP = """
INSERT INTO live_comment (show_id, platform, external_id, external_user, user_name, text,
    created_at, received_at, intent, lane, parsed, outcome)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'order', 'auto', '{}', 'held')
ON CONFLICT (platform, external_id) DO NOTHING
"""
HOLD = "UPDATE live_item SET held = held + 1 WHERE id = ? AND cap - held >= 1"


@dataclass(frozen=True, slots=True)
class Said:
    """One comment, and the show in which it was said."""

    show_id: int
    items: list[ShowItem]
    codes: ShowCodes
    arrival: Arrival


def paths(shop: Shop) -> Iterator[Path]:
    """Give the ingest of comments, one transaction each."""
    stream = Stream(shop)
    with closing(Driver(shop)) as driver:
        yield Path(
            "comment ingest",
            "comments/s",
            "bare INSERT of the comment and one conditional UPDATE of the item, one transaction",
            0.60,
            Side(stream.comments, taking(shop)),
            Side(stream.comments, bare_taking(driver)),
            around=shop.app.test_request_context,
        )


class Stream:
    """Plays the recorded comments, each turn into a new show with the recorded stock."""

    def __init__(self, shop: Shop) -> None:
        """Read the recording once."""
        self._shop = shop
        self._turns = count(1)
        events = [json.loads(line) for line in RECORDED.read_text("utf-8").splitlines() if line]
        self._events = [event for event in events if event["type"] == "comment"]
        self._stock: dict[str, int] = next(
            event["stock"] for event in events if event["type"] == "session.start"
        )
        self._goods: dict[str, dict[str, Any]] = json.loads(SESSIONS.read_text("utf-8"))["S1"][
            "products"
        ]
        self._variants = sold_variants(shop)[: len(self._goods)]

    def comments(self, _seconds: float) -> Iterable[Said]:
        """Open a new show and return its comments in the order they came."""
        turn = next(self._turns)
        show, items = self._open_show(turn)
        codes = ingest.codes_of(items)
        now = utc_now()
        return [
            Said(
                show.id,
                items,
                codes,
                Arrival(
                    platform=event["platform"],
                    external_id=f"{turn}-{event['ext_id']}",
                    external_user=event.get("user_id"),
                    user_name=event.get("user_name") or "",
                    text=event["text"],
                    author=event.get("author", "viewer"),
                    created_at=now + timedelta(seconds=event["t"]),
                    received_at=now + timedelta(seconds=event["t"]),
                ),
            )
            for event in self._events
        ]

    def _open_show(self, turn: int) -> tuple[Show, list[ShowItem]]:
        with self._shop.database.transaction() as session:
            session.execute(
                update(StockItem)
                .where(StockItem.variant_id.in_(self._variants))
                .values(on_hand=PLENTY)
            )
            producer_id = session.scalars(
                select(Producer.id)
                .join(Product, Product.producer_id == Producer.id)
                .join(Variant, Variant.product_id == Product.id)
                .where(Variant.id == self._variants[0])
            ).one()
            show = shows.plan(
                session,
                title=f"Phiên đo {turn}",
                producer_id=producer_id,
                starts_at=utc_now(),
                slug=f"do-{turn}",
            )
            show.state = ShowState.LIVE
            items = [
                shows.add_item(
                    session,
                    show,
                    code=code,
                    variant_id=variant,
                    name=goods["name"],
                    unit=goods["unit"],
                    live_price=Money(50_000),
                    cap=self._stock.get(code, 20),
                    aliases=tuple(goods["aliases"]),
                    options=tuple(goods["variants"]),
                )
                for (code, goods), variant in zip(self._goods.items(), self._variants, strict=True)
            ]
        return show, items


def taking(shop: Shop) -> Any:
    """Return the function that takes one comment as a connector does."""

    def do(said: Said) -> int:
        with shop.database.transaction() as session:
            show = session.get_one(Show, said.show_id)
            ingest.take_comment(session, show, said.items, said.codes, said.arrival)
        return 1

    return do


def bare_taking(driver: Driver) -> Any:
    """Return the function that keeps the comment and takes one piece, nothing else."""

    def do(said: Said) -> int:
        arrival = said.arrival
        driver.begin()
        driver.run(
            KEEP,
            (said.show_id, arrival.platform, arrival.external_id, arrival.external_user,
             arrival.user_name, arrival.text, driver.moment(arrival.created_at),
             driver.moment(arrival.received_at)),
        )  # fmt: skip
        driver.run(HOLD, (said.items[0].id,))
        driver.commit()
        return 1

    return do
