"""Passwords: which ones are good enough, and argon2id. No rule about kinds of letters."""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import update
from sqlalchemy.orm import Session

from accounts import audit, sessions, tokens
from accounts.audit import Actor
from accounts.users import Role, User
from core.errors import Invalid
from core.i18n import lazy as _
from core.settings import ROOT
from core.text import fold, nfc

PasswordHash = NewType("PasswordHash", str)

# A producer and a helper have no second factor here, so the long floor is theirs too.
SHORTEST = {Role.BUYER: 8, Role.PRODUCER: 15, Role.HELPER: 15, Role.STAFF: 15}
LONGEST = 128
LEAST_UNGUESSED = 4
SHORTEST_WALK = 3
COMMON = ROOT / "data" / "passwords" / "common.txt"

# Fingers along a keyboard, also as Telex turns them: w types ư, and s, f, r, x, j type tones.
WALKS = (
    "1234567890",
    "qwertyuiop",
    "quertyuiop",
    "asdfghjkl",
    "adfghjkl",
    "zxcvbnm",
    "azertyuiop",
    "abcdefghijklmnopqrstuvwxyz",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "147258369",
    "159357",
)
audit.describe({"password.changed": _("changed the password")})

_DATE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])(?:0?[1-9]|1[0-2])(?:19|20)\d\d"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d"
    r"|(?:19|20)\d\d"
)
_PHONE = re.compile(r"(?:84|0)\d{9}")
# Signs and digits that stand for letters: p@ssw0rd.
_SIGNS = str.maketrans("@$!", "asi")
_DIGITS = str.maketrans("013457", "oieast")
_REPEATED = re.compile(r"(.)\1{2,}")

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Two at once in this process: a flood of log-ins must not take the processors from the shop.
_places = BoundedSemaphore(2)


class WeakPassword(Invalid):
    """The password is too short, too long, or among the first that a thief would try."""


def make(password: str, *, role: Role, about: Iterable[str] = ()) -> PasswordHash:
    """Return the hash of a password that is good enough for `role`; else raise WeakPassword.

    `about` is what anyone knows of the person: name, phone, e-mail. Takes about 60 ms: call it
    outside a transaction.
    """
    check(password, role=role, about=about)
    with _places:
        return PasswordHash(_hasher.hash(nfc(password)))


def check(password: str, *, role: Role, about: Iterable[str] = ()) -> None:
    """Raise WeakPassword unless `password` is good enough for `role`."""
    length = len(nfc(password))
    if length < SHORTEST[role]:
        raise WeakPassword(
            _(
                "The password needs %(shortest)s letters or more; four words in a row are fine.",
                shortest=SHORTEST[role],
            ),
            field="password",
        )
    if length > LONGEST:
        raise WeakPassword(
            _("The password may have %(longest)s letters at most.", longest=LONGEST),
            field="password",
        )
    if is_guessable(password, about=about):
        raise WeakPassword(
            _("This password is among the first that are guessed. Choose other words."),
            field="password",
        )


def is_guessable(password: str, *, about: Iterable[str] = ()) -> bool:
    """Say whether hardly anything is left of `password` without common words, dates and walks."""
    plain = _letters(fold(password).translate(_SIGNS))
    if plain == "":
        # No letter or digit of ours in it: other scripts and signs are judged by variety.
        return len(set(password)) < LEAST_UNGUESSED
    known = [fold(text) for text in about]
    return any(
        spelling in _common()
        or len(set(spelling)) < LEAST_UNGUESSED
        or _unguessed(spelling, known) < LEAST_UNGUESSED
        for spelling in {plain, plain.translate(_DIGITS)}
    )


def _letters(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text)


def _unguessed(plain: str, about: list[str]) -> int:
    """Count the letters that no list explains.

    A listed word counts as one letter, what is said again or known of the person as none.
    """
    known = {word for text in about for word in re.split(r"[^0-9a-z]+", text)}
    known |= {_letters(text) for text in about}
    words = sorted((w for w in known | _common() if len(w) > 2), key=len, reverse=True)  # noqa: PLR2004 - a word
    rest = plain
    for pattern in (_PHONE, _DATE):
        rest = pattern.sub("·", rest)
    listed = 0
    for word in words:
        listed += word in rest and word not in known
        rest = rest.replace(word, "·")
    rest = _without_walks(rest)
    rest = _REPEATED.sub("·", rest).replace("·", "")
    return listed + len(re.sub(r"^(.+?)\1+$", r"\1", rest))


def _without_walks(text: str) -> str:
    """Replace every run of three or more neighbours on a keyboard, in either direction."""
    kept, start = "", 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _is_walk(text[start : end + 1]):
            end += 1
        kept += "·" if end - start >= SHORTEST_WALK else text[start]
        start = end if end - start >= SHORTEST_WALK else start + 1
    return kept


def _is_walk(run: str) -> bool:
    return any(run in walk or run[::-1] in walk for walk in WALKS)


@cache
def _common() -> frozenset[str]:
    lines = COMMON.read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def change(
    session: Session,
    user: User,
    password_hash: PasswordHash,
    *,
    now: datetime,
    keep: int | None = None,
) -> None:
    """Give `user` this password: every other log-in than `keep` ends, and every link for one.

    The act is on record.
    """
    user.password_hash = password_hash
    session.flush()
    sessions.end_all(session, user.id, but=keep)
    tokens.end_all(session, user.id)
    actor = Actor(user.id, user.name)
    audit.record(session, actor, "password.changed", f"user:{user.id}", now=now)


def matches(password: str, known: str | None) -> bool:
    """Say whether `password` belongs to the hash `known`.

    Exactly one hash is computed, also for nobody (None), so that the time says nothing.
    """
    with _places:
        try:
            _hasher.verify(known or _nobodys(), nfc(password)[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
    return known is not None


def renewed(password: str, known: str) -> PasswordHash | None:
    """Return a new hash if `known` was made with older values than today's, else None."""
    if not _hasher.check_needs_rehash(known):
        return None
    with _places:
        return PasswordHash(_hasher.hash(nfc(password)))


def still_has(session: Session, user: User, *, better: PasswordHash | None) -> bool:
    """Say whether the open account still has the password that was proved a moment ago.

    It keeps it until this transaction ends, so that a log-in and the end of all log-ins by a new
    password never pass each other. `better` takes the place of the same password's older hash.
    """
    held = session.scalar(
        update(User)
        .where(
            User.id == user.id,
            User.password_hash == user.password_hash,
            User.disabled_at.is_(None),
        )
        .values(password_hash=better or user.password_hash)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    return held is not None


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password")
