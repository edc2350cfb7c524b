"""Reading live comments: orders, cancels, questions, and what only a person can tell.

A package of pure functions: text and the codes of a show in, one reading out.
"""

from livestream.parsing.codes import Product, ShowCodes
from livestream.parsing.parsed import Intent, Item, Lane, Parsed, Reason, Span
from livestream.parsing.parser import parse

__all__ = [
    "Intent",
    "Item",
    "Lane",
    "Parsed",
    "Product",
    "Reason",
    "ShowCodes",
    "Span",
    "parse",
]
