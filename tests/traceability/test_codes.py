"""A public code cannot be guessed and can be typed from a wet label."""

import math

from core.codes import is_well_formed, new_code, normalise
from traceability.codes import TRACE_CODE


def test_a_trace_code_has_fifty_random_bits_and_a_check() -> None:
    code = new_code(TRACE_CODE)

    assert len(code) == 11
    assert TRACE_CODE.length * math.log2(len(TRACE_CODE.alphabet)) >= 50


def test_letters_that_look_like_digits_lead_to_the_same_code() -> None:
    code = "01" + new_code(TRACE_CODE)[2:]

    assert normalise(TRACE_CODE, "ol" + code[2:].lower()) == code


def test_the_letter_u_is_not_guessed() -> None:
    assert not is_well_formed(TRACE_CODE, normalise(TRACE_CODE, "U" * 11))
