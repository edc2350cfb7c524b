"""Giao Hàng Nhanh (GHN): its words, what is sent to it and what it answers. Nothing leaves here.

Addresses have two levels since July 2025: `is_new_to_address` with the names of province and
commune. `client_order_code` is our shipment code: GHN answers the same one with the same order.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from core.errors import Refusal
from core.i18n import lazy as _
from core.money import Money
from core.text import clean, fold
from shop.carriers.carrier import CarrierRefused, Made, Parcel, Stage, TrackingEvent

CARRIER = "ghn"
MOST_WEIGHT_G = 50_000
MOST_COD = Money(50_000_000)
MOST_INSURED = Money(5_000_000)
LIGHT_G = 20_000
LIGHT_SERVICE, HEAVY_SERVICE = 2, 5
SHOP_PAYS = 1
# The buyer may look before paying, not try: what sellers of food and crafts allow.
REQUIRED_NOTE = "CHOXEMHANGKHONGTHU"
# GHN wants the sizes of a box; nobody in a village measures one.
BOX_CM = {"length": 20, "width": 20, "height": 15}
LONGEST_CODE = 50
LONGEST_BODY = 64 * 1024
_CODE = re.compile(r"[A-Za-z0-9_-]{3,40}")

STAGES = {
    "ready_to_pick": Stage.CREATED,
    "picking": Stage.CREATED,
    "money_collect_picking": Stage.CREATED,
    "picked": Stage.PICKED_UP,
    "storing": Stage.IN_TRANSIT,
    "sorting": Stage.IN_TRANSIT,
    "transporting": Stage.IN_TRANSIT,
    "delivering": Stage.OUT_FOR_DELIVERY,
    "money_collect_delivering": Stage.OUT_FOR_DELIVERY,
    "delivered": Stage.DELIVERED,
    "delivery_fail": Stage.WAITING_REDELIVERY,
    "waiting_to_return": Stage.RETURNING,
    "return": Stage.RETURNING,
    "return_transporting": Stage.RETURNING,
    "return_sorting": Stage.RETURNING,
    "returning": Stage.RETURNING,
    "return_fail": Stage.RETURNING,
    "returned": Stage.RETURNED,
    "cancel": Stage.CANCELLED,
    "exception": Stage.PROBLEM,
    "damage": Stage.PROBLEM,
    "lost": Stage.PROBLEM,
}


class NotGhn(Refusal):
    """What came back is not what GHN says: as good as no answer."""


def refuse_unfit(parcel: Parcel) -> None:
    """Raise CarrierRefused for what GHN would not take on, before it is asked."""
    if parcel.weight_g > MOST_WEIGHT_G:
        raise CarrierRefused(_("GHN takes at most 50 kg. Split the parcel or send it otherwise."))
    if parcel.cod > MOST_COD:
        raise CarrierRefused(_("GHN collects at most %(most)s. Send it otherwise.", most=MOST_COD))
    if len(parcel.code) > LONGEST_CODE:
        raise CarrierRefused(_("The parcel's code is too long for GHN."))


def order_body(parcel: Parcel) -> dict[str, Any]:
    """Return what «create» and «preview» are told of a parcel."""
    refuse_unfit(parcel)
    weight = max(parcel.weight_g, 1)
    return {
        "payment_type_id": SHOP_PAYS,
        "required_note": REQUIRED_NOTE,
        "note": parcel.note[:500],
        "client_order_code": parcel.code,
        "to_name": parcel.to.name or "Người nhận",
        "to_phone": _domestic(parcel.to.phone),
        "to_address": parcel.to.street or parcel.to.commune,
        "to_ward_name": parcel.to.commune,
        "to_province_name": parcel.to.province,
        "is_new_to_address": True,
        "cod_amount": parcel.cod.dong,
        "insurance_value": min(parcel.value, MOST_INSURED).dong,
        "weight": weight,
        **BOX_CM,
        "service_type_id": LIGHT_SERVICE if weight < LIGHT_G else HEAVY_SERVICE,
        "items": [
            {
                "name": thing.name[:200],
                "quantity": thing.quantity,
                "price": thing.price.dong,
                "weight": thing.weight_g,
            }
            for thing in parcel.things
        ]
        or [{"name": "Hàng OCOP", "quantity": 1, "price": parcel.value.dong, "weight": weight}],
    }


def _domestic(phone: str) -> str:
    return "0" + phone.removeprefix("+84") if phone.startswith("+84") else phone or "0900000000"


def read_data(body: bytes) -> Any:
    """Return `data` of an answer, or raise CarrierRefused with GHN's own reason, NotGhn else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise NotGhn from None
    if not isinstance(answer, dict) or not isinstance(answer.get("code"), int):
        raise NotGhn
    if answer["code"] != 200:  # noqa: PLR2004 - GHN repeats the status of HTTP
        raise CarrierRefused(in_plain_words(str(answer.get("message") or "")))
    return answer.get("data")


def in_plain_words(said: str) -> object:
    """Return what GHN's refusal means for the seller: what is wrong and how to mend it."""
    folded = fold(said)
    if "address conflict" in folded or ("convert" in folded and "address" in folded):
        return _(
            "GHN says the street and the ward do not belong together. "
            "Correct the ward, or leave the house number out."
        )
    if "token" in folded:
        return _("GHN does not accept the token. Copy it again under Connections.")
    if "phone" in folded:
        return _("GHN does not accept the receiver's phone number. Call the buyer for another.")
    if "ward" in folded or "province" in folded or "address" in folded:
        return _("GHN does not find this address. Check the commune and the province.")
    return _("GHN refused: %(said)s", said=clean(said)[:200] or "?")


def read_fee(data: Any) -> Money:
    """Return the fee of a «preview», or raise NotGhn."""
    fee = _amount(data.get("total_fee")) if isinstance(data, dict) else None
    if fee is None:
        raise NotGhn
    return fee


def read_made(data: Any) -> Made:
    """Return the order GHN made, or raise NotGhn."""
    code = data.get("order_code") if isinstance(data, dict) else None
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise NotGhn
    return Made(code, _amount(data.get("total_fee")))


def read_detail(data: Any) -> tuple[TrackingEvent, str]:
    """Return where a parcel is and the shop it is of, from «detail»; raise NotGhn else."""
    if isinstance(data, list):
        data = data[0] if data else None
    if not isinstance(data, dict) or not isinstance(data.get("status"), str):
        raise NotGhn
    log = data.get("log")
    last = log[-1] if isinstance(log, list) and log and isinstance(log[-1], dict) else {}
    event = TrackingEvent(
        carrier_code=str(data.get("order_code") or ""),
        our_ref=str(data.get("client_order_code") or ""),
        raw_status=data["status"][:60],
        stage=STAGES.get(data["status"]),
        at=_moment(last.get("updated_date") or data.get("updated_date")),
        kind="detail",
        cod=_amount(data.get("cod_amount")),
        fee=_amount(data.get("total_fee")),
        weight_g=_whole(data.get("converted_weight") or data.get("weight")),
    )
    return event, str(data.get("shop_id") or "")


def read_call(raw: bytes) -> tuple[TrackingEvent, str]:
    """Return what a webhook says and the ShopID it names; raise CarrierRefused for nonsense."""
    try:
        told = json.loads(raw) if len(raw) <= LONGEST_BODY else None
    except (ValueError, RecursionError):
        told = None
    code = told.get("OrderCode") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(code, str) or not _CODE.fullmatch(code):
        raise CarrierRefused(_("This is not what GHN sends."))
    status = str(told.get("Status") or "")[:60]
    kind, at = fold(str(told.get("Type") or ""))[:40], _moment(told.get("Time"))
    if at is None:
        kind = f"{kind}#{sha256(raw).hexdigest()[:12]}"
    event = TrackingEvent(
        carrier_code=code,
        our_ref=str(told.get("ClientOrderCode") or "")[:LONGEST_CODE],
        raw_status=status,
        stage=STAGES.get(status),
        at=at,
        kind=kind,
        reason=clean(str(told.get("Reason") or ""))[:300],
        cod=_amount(told.get("CODAmount")),
        fee=_amount(told.get("TotalFee")),
        weight_g=_whole(told.get("ConvertedWeight")),
        more={
            name: str(told[name])[:100]
            for name in ("ReasonCode", "CODTransferDate", "IsPartialReturn", "PartialReturnCode")
            if told.get(name)
        },
    )
    return event, str(told.get("ShopID") or "")


def _amount(value: object) -> Money | None:
    number = _whole(value)
    return Money(number) if number is not None else None


def _whole(value: object) -> int | None:
    """Return a number GHN may also write as text; what is none, or negative, counts as unsaid."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None  # noqa: PLR2004


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def tracking_events(raw: bytes, shop_id: str) -> list[TrackingEvent]:
    """Return what a call says if it names this shop, or raise CarrierRefused."""
    event, named = read_call(raw)
    if named != shop_id:
        raise CarrierRefused(_("This call is about another shop."))
    return [event]


def credentials_of(fields: Mapping[str, str]) -> tuple[str, str]:
    """Return token and shop number of a connection."""
    return fields.get("token", ""), fields.get("shop_id", "")
