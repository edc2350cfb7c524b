"""GHN over the wire: every call has one time limit, and none runs inside a transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from core import outgoing
from core.money import Money
from core.outgoing import NoAnswer
from shop.carriers import ghn
from shop.carriers.carrier import CarrierRefused, Made, Parcel, TrackingEvent
from shop.carriers.ghn import NotGhn

T = TypeVar("T")
SERVICE = "ghn"
OURS_TO_MEND = range(400, 500)
TOO_MANY = 429
PATIENT = 10.0


@dataclass(frozen=True, slots=True)
class Ghn:
    """One producer's account at GHN. Every call raises NoAnswer when GHN does not answer well."""

    base: str
    token: str
    shop_id: str

    def quote(self, parcel: Parcel, *, seconds: float = 3.0) -> Money:
        """Return GHN's fee for a parcel that is not made yet, or raise CarrierRefused."""
        data = self._ask("/v2/shipping-order/preview", ghn.order_body(parcel), seconds=seconds)
        return self._read(ghn.read_fee, data)

    def create(self, parcel: Parcel) -> Made:
        """Let GHN take the parcel on; the same code again gives the same waybill."""
        data = self._ask("/v2/shipping-order/create", ghn.order_body(parcel))
        return self._read(ghn.read_made, data)

    def cancel(self, waybill: str) -> None:
        """Call the carriage off, or raise CarrierRefused; twice is harmless."""
        if self.track(waybill).raw_status == "cancel":
            return
        data = self._ask("/v2/switch-status/cancel", {"order_codes": [waybill]})
        told = data[0] if isinstance(data, list) and data else {}
        if not (isinstance(told, dict) and told.get("result") is True):
            said = str(told.get("message") or "") if isinstance(told, dict) else ""
            raise CarrierRefused(ghn.in_plain_words(said))

    def label(self, waybill: str) -> str:
        """Return the address of the A5 slip; it opens for about half an hour."""
        data = self._ask("/v2/a5/gen-token", {"order_codes": [waybill]}, seconds=3.0)
        token = data.get("token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token.replace("-", "").isalnum():
            raise NoAnswer(SERVICE, "its label has no token")
        return f"{self.base}/a5/public-api/printA5?token={token}"

    def track(self, waybill: str, *, seconds: float = PATIENT) -> TrackingEvent:
        """Return where the parcel is now; CarrierRefused when it is of another shop."""
        data = self._ask("/v2/shipping-order/detail", {"order_code": waybill}, seconds=seconds)
        event, shop_id = self._read(ghn.read_detail, data)
        if shop_id and shop_id != self.shop_id:
            raise CarrierRefused(ghn.in_plain_words("order of another shop"))
        return event

    def verify_webhook(
        self, _headers: Mapping[str, str], _query: Mapping[str, str], raw: bytes
    ) -> list[TrackingEvent]:
        """Return what a call says. GHN signs nothing: act only after asking `track`."""
        return ghn.tracking_events(raw, self.shop_id)

    def _ask(self, path: str, body: dict[str, Any], *, seconds: float = PATIENT) -> Any:
        answer = outgoing.request(
            SERVICE,
            "POST",
            f"{self.base}/shiip/public-api{path}",
            headers={"Token": self.token, "ShopId": self.shop_id},
            json=body,
            seconds=seconds,
        )
        if answer.status == TOO_MANY or (
            answer.status not in OURS_TO_MEND and answer.status != 200  # noqa: PLR2004
        ):
            raise NoAnswer(SERVICE, f"it says {answer.status}")
        return self._read(ghn.read_data, answer.body)

    @staticmethod
    def _read(read: Callable[[Any], T], data: Any) -> T:
        try:
            return read(data)
        except NotGhn:
            raise NoAnswer(SERVICE, "it talks garbage") from None
