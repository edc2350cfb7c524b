"""News of fresh goods, for whoever waits for them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GoodsArrived:
    """News: fresh goods of this variant lie on the shelf."""

    variant_id: int
    now: datetime
