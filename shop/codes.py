"""The codes of the shop: of an order, for people; of a payment, for the memo of a bank transfer."""

import re

from core.codes import CodeSpec, is_well_formed
from core.text import fold

# Without 0, 1, I and O: nobody mistakes one for another on paper or on the telephone.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

ORDER_CODE = CodeSpec(ALPHABET, length=8)
MEMO = CodeSpec(ALPHABET, length=7, prefix="OC")

_MEMO_SHAPE = re.compile(f"{MEMO.prefix}[{ALPHABET}]{{{MEMO.length + 1}}}")
_NOT_CODE = re.compile("[^0-9A-Z]+")


def find_memos(bank_text: str) -> list[str]:
    """Return the different payment memos in what a bank wrote, in order of appearance.

    Banks add words before and after, change the case, drop marks and put spaces or dots anywhere.
    A memo whose check character is wrong is not returned. Exactly one means a match; with none or
    several a person decides.
    """
    squeezed = _NOT_CODE.sub("", fold(bank_text).upper())
    found = (match.group() for match in _MEMO_SHAPE.finditer(squeezed))
    return list(dict.fromkeys(memo for memo in found if is_well_formed(MEMO, memo)))
