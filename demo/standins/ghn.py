"""A stand-in for Giao Hàng Nhanh: fees, orders, labels and the unsigned calls about them.

`python -m demo.standins.ghn PORT WEBHOOK` serves it; no parcel ever moves.
"""

import json
import random
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from core.clock import utc_now
from demo.standins.serving import Asked, Said, StandIn, page, until_true

ROOT = "/shiip/public-api/v2"
TOKEN = "token-of-the-ghn-stand-in"  # noqa: S105 - proves nothing but that demo and shop fit
SHOP = 81558
BASE_FEE, STEP_FEE, STEP_G, LIGHT_G = 22_000, 5_000, 500, 1_000
MOST = {"weight": 50_000, "cod_amount": 50_000_000, "insurance_value": 5_000_000}
LONGEST_SIDE = 200
NEEDED = ("to_name", "to_phone", "to_address", "to_ward_name", "to_province_name", "required_note")
NOTES = {"KHONGCHOXEMHANG", "CHOXEMHANGKHONGTHU", "CHOTHUHANG"}
# A house that does not stand in the ward it names.
CONFLICT = "số 404"
ENDED = {"delivered", "returned", "cancel", "lost"}
WAY = ("picking", "picked", "storing", "transporting", "sorting", "delivering", "delivered")


class Refused(Exception):  # noqa: N818 - what GHN says
    """The request is wrong."""


@dataclass(slots=True)
class Sending:
    """How calls go out: each so often, the newest first, or not at all."""

    duplicates: int = 1
    disorder: bool = False
    off: bool = False


@dataclass(slots=True)
class Kept:
    """Everything this stand-in remembers; `delivered` holds how each call was answered."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    delivered: list[int] = field(default_factory=list)


class GhnStandIn(StandIn):
    """GHN with one shop; `webhook` is where its calls go."""

    def __init__(self, port: int = 0, *, webhook: str = "", seed: int = 1) -> None:
        """Stand ready at `port`, or at a free one."""
        super().__init__(port)
        self.webhook = webhook
        self.kept = Kept()
        self.sending = Sending()
        self._moment = utc_now().replace(microsecond=0)
        self._chance = random.Random(seed)  # noqa: S311 - codes of a play

    def answer(self, asked: Asked) -> Said:
        """Answer as GHN does: its own code in the body repeats the status."""
        if asked.path.startswith("/a5/"):
            return page("GHN A5", "<p>Phiếu gửi thử, không có kiện hàng thật.</p>")
        doors: dict[str, Callable[[dict[str, Any]], Any]] = {
            f"{ROOT}/shipping-order/preview": self._preview,
            f"{ROOT}/shipping-order/create": self._create,
            f"{ROOT}/shipping-order/detail": self._detail,
            f"{ROOT}/switch-status/cancel": self._cancel,
            f"{ROOT}/a5/gen-token": self._label,
        }
        try:
            _let_in(asked, doors)
            with self.lock:
                data = doors[asked.path](json.loads(asked.body or b"{}"))
        except Refused as refusal:
            return Said({"code": 400, "message": str(refusal), "data": None}, 400)
        return Said({"code": 200, "message": "Success", "data": data})

    def is_api(self, path: str) -> bool:
        """Say whether programs call this address; people open the label."""
        return path.startswith("/shiip/")

    def _preview(self, wish: dict[str, Any]) -> dict[str, Any]:
        _check(wish)
        return {"order_code": "", "total_fee": _fee(wish)}

    def _create(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Make an order; the same code of the client again gives the same order."""
        _check(wish)
        ours = str(wish.get("client_order_code") or "")
        for order in self.kept.orders.values():
            if ours and order["client_order_code"] == ours:
                return _made(order)
        code = "L" + "".join(self._chance.choices("ABCDEFGHKLMNPQRTUVWXY346789", k=6))
        self.kept.orders[code] = {
            **wish,
            "order_code": code,
            "client_order_code": ours,
            "shop_id": SHOP,
            "status": "ready_to_pick",
            "total_fee": _fee(wish),
            "converted_weight": wish["weight"],
            "log": [],
        }
        self._log(self.kept.orders[code], "ready_to_pick")
        return _made(self.kept.orders[code])

    def _detail(self, wish: dict[str, Any]) -> dict[str, Any]:
        return dict(self._order(wish.get("order_code")))

    def _cancel(self, wish: dict[str, Any]) -> list[dict[str, Any]]:
        told = []
        for code in wish.get("order_codes") or []:
            order = self._order(code)
            fits = order["status"] in {"ready_to_pick", "picking", "cancel"}
            if fits and order["status"] != "cancel":
                self._log(order, "cancel")
            message = "OK" if fits else "Order can not be cancelled"
            told.append({"order_code": code, "result": fits, "message": message})
        return told

    def _label(self, wish: dict[str, Any]) -> dict[str, Any]:
        for code in wish.get("order_codes") or []:
            self._order(code)
        return {"token": f"{self._chance.randrange(16**12):012x}-label"}

    def _order(self, code: object) -> dict[str, Any]:
        if code not in self.kept.orders:
            raise Refused("Order not found")
        return self.kept.orders[str(code)]

    def _log(self, order: dict[str, Any], status: str, reason: str = "") -> datetime:
        self._moment += timedelta(minutes=1)
        order["status"] = status
        order["log"].append({"status": status, "updated_date": _text(self._moment)})
        order["reason"] = reason
        return self._moment

    def advance(self, code: str, *statuses: str, reason: str = "") -> list[dict[str, Any]]:
        """Let a parcel go through these stages; return the calls about them, unsent."""
        with self.lock:
            order = self._order(code)
            calls = []
            for status in statuses:
                moment = self._log(order, status, reason)
                calls.append(self.call_about(order, status, moment))
            return calls

    def call_about(
        self, order: dict[str, Any], status: str, moment: datetime, **other: Any
    ) -> dict[str, Any]:
        """Return what GHN tells of a parcel in one call."""
        return {
            "OrderCode": order["order_code"],
            "ClientOrderCode": order["client_order_code"],
            "ShopID": SHOP,
            "Type": "create" if status == "ready_to_pick" else "switch_status",
            "Status": status,
            "Time": _text(moment),
            "CODAmount": order["cod_amount"],
            "CODTransferDate": None,
            "ConvertedWeight": order["converted_weight"],
            "TotalFee": order["total_fee"],
            "IsPartialReturn": False,
            "Reason": order.get("reason", ""),
            "ReasonCode": "",
            "Description": "",
            **other,
        }

    def send(self, calls: Iterable[dict[str, Any]]) -> None:
        """Send calls as they are sent in real life: again, in any order, until they are taken."""
        waiting = [call for call in calls for _again in range(self.sending.duplicates)]
        if self.sending.disorder:
            self._chance.shuffle(waiting)
        for call in waiting:
            if not self.sending.off:
                until_true(lambda call=call: self.post(call) < 500, tries=5, pause=0.1)  # type: ignore[misc]

    def post(self, call: dict[str, Any] | bytes, *, to: str | None = None) -> int:
        """Send one call once; return how it was answered, 599 for not at all."""
        body = call if isinstance(call, bytes) else json.dumps(call).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(to or self.webhook, body, headers)  # noqa: S310 - an address of our own
        try:
            with urlopen(request, timeout=10) as response:  # noqa: S310
                status = int(response.status)
        except HTTPError as error:
            status = error.code
            error.close()
        except OSError:
            status = 599
        self.kept.delivered.append(status)
        return status

    def walk(self, *, pause: float) -> None:
        """Let every parcel take one step after the other, for a demo that looks alive."""
        while not threading.Event().wait(pause):
            for code, order in list(self.kept.orders.items()):
                if order["status"] not in ENDED:
                    here = WAY.index(order["status"]) if order["status"] in WAY else -1
                    self.send(self.advance(code, WAY[here + 1]))


def _let_in(asked: Asked, doors: Collection[str]) -> None:
    if asked.headers.get("token") != TOKEN:
        raise Refused("Token is not valid!")
    if asked.headers.get("shopid") != str(SHOP):
        raise Refused("ShopID is not valid!")
    if asked.path not in doors:
        raise Refused("page not found")


def _check(wish: dict[str, Any]) -> None:
    for name in NEEDED:
        if not wish.get(name):
            raise Refused(f"{name} is required")
    if wish.get("is_new_to_address") is not True:
        raise Refused("to_district_id is required")
    if wish["required_note"] not in NOTES:
        raise Refused("required_note is not valid")
    for name, most in MOST.items():
        if not 0 <= int(wish.get(name) or 0) <= most:
            raise Refused(f"{name} must be at most {most}")
    if int(wish.get("weight") or 0) <= 0:
        raise Refused("weight is required")
    if any(not 0 < int(wish.get(side) or 0) <= LONGEST_SIDE for side in ("length", "width")):
        raise Refused("size is not valid")
    if CONFLICT in str(wish["to_address"]).lower():
        raise Refused("To address conflict")


def _fee(wish: dict[str, Any]) -> int:
    heavier = max(0, int(wish["weight"]) - LIGHT_G)
    return BASE_FEE + -(-heavier // STEP_G) * STEP_FEE


def _made(order: dict[str, Any]) -> dict[str, Any]:
    # GHN writes the fee as text here and as a number elsewhere.
    return {"order_code": order["order_code"], "total_fee": str(order["total_fee"])}


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    stand_in = GhnStandIn(int(sys.argv[1]), webhook=sys.argv[2])
    threading.Thread(target=stand_in.walk, kwargs={"pause": 20.0}, daemon=True).start()
    stand_in.serve()
