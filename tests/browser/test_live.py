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
    shop: RunningShop, village: dict[str, Any], open_window: OpenWindow, buyer: Buyer
) -> None:
    host = Host(open_window(DESKTOP))
    host.logs_in_as(village, "producer")
    host.opens_console(SHOW)
    assert host.claims() == []
    before = _most(buyer)

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
    assert _most(buyer) < before


def _most(buyer: Buyer) -> int:
    """Return how many of item A1 may still be ordered in the shop."""
    buyer.searches("mat ong hoa nhan")
    buyer.opens_card("Mật ong hoa nhãn")
    buyer.page.get_by_label("500 ml").check()
    return int(buyer.page.locator("[name=quantity]").get_attribute("max") or 0)
