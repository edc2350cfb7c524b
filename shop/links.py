"""Links that open an order or name a cart: 128-bit marks nobody can make without the secret key.

An order keeps only the hash of its mark. The mark itself follows from the cart and the key, so a
repeated request and the look-up lead to the very same link, and a link that was sent keeps working
when the key is changed.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shop.orders import Order

MARK_BYTES = 16
LONGEST_ID = 18


@dataclass(frozen=True, slots=True)
class CartMark:
    """What the checkout form carries: its cart, the dearer prices it agrees to and what it showed.

    `prices` and `goods` are digests of a quote; `fees` is what stood beside each way of delivery,
    «producer:way» → đồng.
    """

    cart_id: int
    prices: str
    goods: str
    fees: Mapping[str, int]


def order_mark(secret: str, cart_id: int) -> str:
    """Return the mark of the order that this cart became or becomes."""
    return _mark(secret, f"order:{cart_id}")


def mark_hash(mark: str) -> str:
    """Return what is kept of a mark."""
    return sha256(mark.encode("utf-8", "replace")).hexdigest()


def opens(order: Order, mark: str, secrets: Sequence[str]) -> bool:
    """Say whether `mark` is the order's own, under this key, an older one or as it was kept."""
    fits = hmac.compare_digest(mark_hash(mark), order.token_hash)
    for secret in secrets:
        fits |= hmac.compare_digest(mark.encode(), order_mark(secret, order.cart_id).encode())
    return fits


def write_cart_mark(
    secret: str,
    cart_id: int,
    *,
    prices: str = "",
    goods: str = "",
    fees: Mapping[str, int] | None = None,
) -> str:
    """Return the hidden `cart_token` of a checkout form."""
    shown = "_".join(f"{way}:{dong}" for way, dong in (fees or {}).items())
    body = f"{cart_id}.{prices}.{goods}.{shown}"
    return f"{body}.{_mark(secret, 'cart:' + body)}"


def read_cart_mark(text: str, secrets: Sequence[str]) -> CartMark | None:
    """Return what a `cart_token` says, or None when it was not made here."""
    cart_id, _dot, rest = text.partition(".")
    shown, _dot, mark = rest.rpartition(".")
    prices, _dot, more = shown.partition(".")
    goods, _dot, fees = more.partition(".")
    if not cart_id.isascii() or not cart_id.isdigit() or len(cart_id) > LONGEST_ID:
        return None
    for secret in secrets:
        right = _mark(secret, f"cart:{cart_id}.{shown}")
        if hmac.compare_digest(mark.encode(), right.encode()):
            return CartMark(int(cart_id), prices, goods, _read_fees(fees))
    return None


def _read_fees(text: str) -> dict[str, int]:
    """Return the fees of a mark whose signature was right."""
    pairs = (pair.rpartition(":") for pair in text.split("_") if pair)
    return {way: int(dong) for way, _colon, dong in pairs}


def _mark(secret: str, text: str) -> str:
    digest = hmac.new(secret.encode(), text.encode("utf-8", "replace"), sha256).digest()
    return urlsafe_b64encode(digest[:MARK_BYTES]).decode().rstrip("=")
