"""Passwords: long enough for the role, not among the first guesses, one hash for every try."""

import threading
import unicodedata

import pytest
from argon2 import PasswordHasher

from accounts import passwords
from accounts.passwords import WeakPassword
from accounts.users import Role

GOOD = "gà gáy ba hồi bên sông"


@pytest.mark.parametrize(
    ("role", "shortest"),
    [(Role.BUYER, 8), (Role.PRODUCER, 15), (Role.HELPER, 15), (Role.STAFF, 15)],
)
def test_every_role_has_its_shortest_password(role: Role, shortest: int) -> None:
    letters = "k3vx9q2dzm7wr5tj"

    passwords.check(letters[:shortest], role=role)
    with pytest.raises(WeakPassword):
        passwords.check(letters[: shortest - 1], role=role)


def test_128_letters_are_taken_whole_and_more_are_refused_not_cut() -> None:
    longest = ("gà gáy ba hồi bên sông quê " * 6)[:128]

    known = passwords.make(longest, role=Role.STAFF)

    assert passwords.matches(longest, known)
    assert not passwords.matches(longest[:-1], known)
    assert not passwords.matches(longest + "x", known)
    with pytest.raises(WeakPassword):
        passwords.check(longest + "x", role=Role.STAFF)


@pytest.mark.parametrize(
    "password",
    [
        "matkhau123",
        "Mật khẩu 123",
        "M@tkhau!2026",
        "ocop2026!",
        "danphuong1990",
        "đan phượng 1990",
        "anhyeuem",
        "Anh Yêu Em 123",
        "iloveyou2",
        "qwertyuiop",
        "qưẻtyuiop",
        "poiuytrewq",
        "1qaz2wsx3edc",
        "asdfghjkl;",
        "12345678",
        "87654321",
        "aaaaaaaa",
        "abcabcabc",
        "0912345678",
        "+84 912 345 678",
        "20111990",
        "19901120",
        "nguyễn văn an 1990",
        "an.nguyen.van.88",
        "password password password",
        "chophien-danphuong-2026",
        "123456789012345",
        "🐔🐔🐔🐔🐔🐔🐔🐔",
    ],
)
def test_first_guesses_are_refused(password: str) -> None:
    about = ["Nguyễn Văn An", "+84912345678", "an.nguyen.van.88"]

    assert passwords.is_guessable(password, about=about)


@pytest.mark.parametrize(
    "password", ["k3vx9q2d", "tre xanh ru mãi", GOOD, "ngõ nhỏ phố nhỏ nhà tôi", "        x7!kq%"]
)
def test_other_passwords_are_taken_whatever_letters_they_have(password: str) -> None:
    passwords.check(password, role=Role.BUYER, about=["Nguyễn Văn An"])


def test_both_spellings_of_vietnamese_marks_are_the_same_password() -> None:
    known = passwords.make(unicodedata.normalize("NFD", GOOD), role=Role.STAFF)

    assert passwords.matches(unicodedata.normalize("NFC", GOOD), known)


def test_the_hash_is_argon2id_with_the_values_of_the_baseline() -> None:
    known = passwords.make(GOOD, role=Role.STAFF)

    assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_nobodys_password_costs_one_hash_like_anybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    known = passwords.make(GOOD, role=Role.STAFF)
    passwords.matches("wrong", None)  # the hash of nobody is made once
    calls: list[str] = []
    verify = passwords._hasher.verify

    class Counting:
        def verify(self, stored: str, given: str) -> bool:
            calls.append(stored.split("$")[3])
            return verify(stored, given)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    results = [
        passwords.matches("wrong", known),
        passwords.matches("wrong", None),
        passwords.matches("nobody has this password", None),
        passwords.matches("x" * 100_000, known),
    ]

    assert results == [False, False, False, False]
    assert calls == ["m=19456,t=2,p=1"] * 4


def test_an_old_hash_is_renewed_and_a_present_one_is_not() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)

    better = passwords.renewed(GOOD, old)

    assert better is not None
    assert passwords.matches(GOOD, better)
    assert passwords.renewed(GOOD, better) is None


def test_at_most_two_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, busy, most = threading.Lock(), 0, 0
    waiting = threading.Barrier(2, timeout=10)

    class Slow:
        def verify(self, _stored: str, _given: str) -> bool:
            nonlocal busy, most
            with gate:
                busy += 1
                most = max(most, busy)
            waiting.wait()
            with gate:
                busy -= 1
            return True

    monkeypatch.setattr(passwords, "_hasher", Slow())
    crowd = [threading.Thread(target=passwords.matches, args=("x", "hash")) for _ in range(6)]

    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert most == 2
