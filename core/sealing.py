"""Secrets of others at rest: sealed under a key that follows from SECRET_KEY, never kept open.

What was sealed under an older key still opens while that key stands in SECRET_KEY_FALLBACKS.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class CannotUnseal(Exception):  # noqa: N818 - what happened to the secret
    """It was sealed under a key that nobody has any more, or it was altered."""


def seal(text: str, secrets: Sequence[str]) -> str:
    """Return `text` sealed under the first of `secrets`, as letters a column can keep."""
    return _box(secrets[0]).encrypt(text.encode()).decode("ascii")


def unseal(token: str, secrets: Sequence[str]) -> str:
    """Return what was sealed under any of `secrets`, or raise CannotUnseal."""
    try:
        return MultiFernet([_box(secret) for secret in secrets]).decrypt(token).decode()
    except InvalidToken as error:
        raise CannotUnseal from error


@lru_cache(maxsize=16)
def _box(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"cho-phien sealing 1")
    return Fernet(urlsafe_b64encode(derived.derive(secret.encode())))
