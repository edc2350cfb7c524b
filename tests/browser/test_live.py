"""A recorded stream is played into the sample show, and the shop feels it."""

import json
from typing import Any

from core.settings import ROOT
from tests.browser.conftest import OpenWindow
from tests.browser.people import Buyer, Host
from tests.browser.windows import DESKTOP
from tests.running import RunningShop

SHOW = "phien-mau"


def test_comments_of_a_show_take_goods_from_the_shelf(
    shop: RunningShop, village: dict[str, Any], open_window: OpenWindow
) -> None:
    host = Host(open_window(DESKTOP))
    host.logs_in_as(village, "producer")
    host.opens_console(SHOW)
    assert host.claims() == []
    before = _most(Buyer(open_window()))

    played = json.loads(
        shop.flask(
            "live",
            "replay",
            str(ROOT / "data/live/replay-S1.jsonl"),
            "--show",
            SHOW,
            "--speed",
            "0",
            "--json",
        )
    )

    assert played["comments"] > 0
    host.page.locator("[aria-labelledby=h-vua] li").first.wait_for()
    assert host.claims()
    # A public page may be five seconds old.
    host.page.wait_for_timeout(5_500)
    assert _most(Buyer(open_window())) < before


def _most(buyer: Buyer) -> int:
    """Return how many of item A2 may still be ordered in the shop."""
    buyer.searches("tra sen uop huong")
    buyer.opens_card("Trà sen ướp hương")
    field = buyer.page.locator("[name=quantity]")
    return int(field.get_attribute("max") or 0) if field.count() else 0
