"""A code survives being read aloud: every single slip of the pen is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes import CodeSpec, check_character, is_well_formed, new_code, normalise, random_code

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SPEC = CodeSpec(ALPHABET, length=10, readings={"O": "0", "I": "1", "L": "1"})
PREFIXED = CodeSpec("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", length=7, prefix="OC")
BODIES = st.text(ALPHABET, min_size=10, max_size=10)


@given(BODIES, st.integers(0, 10), st.sampled_from(ALPHABET))
def test_any_one_wrong_character_is_found(body: str, position: int, wrong: str) -> None:
    code = body + check_character(ALPHABET, body)

    slipped = code[:position] + wrong + code[position + 1 :]

    assert is_well_formed(SPEC, slipped) == (slipped == code)


@given(BODIES, st.integers(0, 10), st.integers(0, 10))
def test_any_two_characters_that_changed_places_are_found(body: str, one: int, two: int) -> None:
    code = body + check_character(ALPHABET, body)

    swapped = list(code)
    swapped[one], swapped[two] = swapped[two], swapped[one]

    assert is_well_formed(SPEC, "".join(swapped)) == ("".join(swapped) == code)


@pytest.mark.parametrize("spec", [SPEC, PREFIXED])
def test_a_new_code_is_well_formed_and_means_itself(spec: CodeSpec) -> None:
    code = new_code(spec)

    assert is_well_formed(spec, code)
    assert normalise(spec, code) == code


def test_new_codes_differ() -> None:
    assert len({new_code(SPEC) for _ in range(1000)}) == 1000


def test_a_random_code_uses_the_whole_alphabet_and_nothing_else() -> None:
    assert set(random_code(ALPHABET, 5000)) == set(ALPHABET)


def test_a_code_may_be_typed_in_small_letters_with_spaces_and_dashes() -> None:
    code = new_code(SPEC)

    typed = f" {code[:4].lower()} {code[4:8]}\u2013{code[8:].lower()}\n"

    assert normalise(SPEC, typed) == code


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    assert normalise(SPEC, "oOiIlL") == "001111"


def test_the_prefix_is_not_read_as_digits() -> None:
    spec = CodeSpec(ALPHABET, length=7, prefix="OL", readings={"O": "0", "L": "1"})

    assert normalise(spec, "ol-olab") == "OL01AB"


def test_full_width_characters_of_a_keyboard_are_read() -> None:
    assert normalise(SPEC, "７Ｋ３Ｑ") == "7K3Q"


@pytest.mark.parametrize("text", ["", "OC", "OC2222222", "oc22222222", "OC222222222", "XX22222222"])
def test_another_length_case_or_prefix_is_not_a_code(text: str) -> None:
    assert not is_well_formed(PREFIXED, text)


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    assert is_well_formed(SPEC, normalise(SPEC, text)) in (True, False)


@pytest.mark.parametrize(("alphabet", "length"), [("ABC", 5), ("A" * 32, 5), (ALPHABET, 31)])
def test_a_shape_that_could_miss_a_slip_is_refused(alphabet: str, length: int) -> None:
    with pytest.raises(ValueError, match="has"):
        CodeSpec(alphabet, length)
