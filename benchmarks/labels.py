"""QR codes for labels, and the bare matrices they are made of."""

from collections.abc import Iterable, Iterator
from itertools import count

import qrcode
from qrcode.constants import ERROR_CORRECT_M

from benchmarks.measuring import Path, Side
from benchmarks.shops import PUBLIC_URL, Shop
from core import qr
from core.codes import new_code
from traceability.codes import TRACE_CODE

MASK = 2
READY = 200


def paths(shop: Shop) -> Iterator[Path]:
    """Give one label's code as SVG and as PNG; no database is asked."""
    del shop
    for name, draw in (("SVG", _svg), ("PNG", _png)):
        yield Path(
            f"label code, {name}",
            "labels/s",
            "bare qrcode matrix of the same text, fixed mask, nothing drawn",
            0.60,
            Side(_addresses, draw),
            Side(_addresses, _bare_matrix),
        )


def _addresses(_seconds: float) -> Iterable[str]:
    ready = [f"{PUBLIC_URL}/t/{new_code(TRACE_CODE)}" for _ in range(READY)]
    return (ready[number % READY] for number in count())


def _svg(text: str) -> int:
    qr.svg(text, mask=MASK)
    return 1


def _png(text: str) -> int:
    qr.png(text, mask=MASK)
    return 1


def _bare_matrix(text: str) -> int:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(text.encode("utf-8"))
    code.make(fit=True)
    return 1
