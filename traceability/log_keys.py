"""The key the log is signed with: made on the first start, kept in a file beside the database.

Whoever restores a backup of the database alone cannot sign in the log's name. To change the key,
put the old public key into LOG_OLD_KEYS and remove var/log_key (docs/running.md).
"""

import binascii
import os
import tempfile
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.settings import ROOT, BadSetting, Settings
from traceability import notes
from traceability.notes import BadNote, Verifier

SEED_BYTES = 32
FILE = ROOT / "var" / "log_key"


def origin_of(settings: Settings) -> str:
    """Return the log's name: LOG_ORIGIN, else the host people type with /log behind it."""
    return settings.LOG_ORIGIN or f"{urlsplit(settings.PUBLIC_URL).netloc}/log"


def signing_key(settings: Settings, *, file: Path = FILE) -> Ed25519PrivateKey:
    """Return the key of LOG_KEY, else of the key file, which is made when it is not there.

    Raises BadSetting when the key cannot be read or kept.
    """
    text = settings.LOG_KEY or _kept(file)
    try:
        seed = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != SEED_BYTES:
        where = "LOG_KEY" if settings.LOG_KEY else str(file)
        raise BadSetting(f"{where} is not a key: 32 bytes in base64 are wanted")
    return Ed25519PrivateKey.from_private_bytes(seed)


def verifiers(settings: Settings, *, file: Path = FILE) -> list[Verifier]:
    """Return every public key the log was ever signed with, the one of today first."""
    today = notes.verifier_of(origin_of(settings), signing_key(settings, file=file))
    try:
        return [today, *(notes.read_vkey(text) for text in settings.LOG_OLD_KEYS)]
    except BadNote as error:
        raise BadSetting(f"LOG_OLD_KEYS: {error.message}") from error


def _kept(file: Path) -> str:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _keep_new(file)
        return file.read_text("ascii").strip()
    except OSError as error:
        raise BadSetting(f"{file} cannot be written or read: {error.strerror}") from error


def _keep_new(file: Path) -> None:
    # Written aside and linked: of two processes starting at once both read the same key.
    handle, draft = tempfile.mkstemp(prefix=".log", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as written:
            written.write(b64encode(os.urandom(SEED_BYTES)).decode())
            written.flush()
            os.fsync(written.fileno())
        with suppress(FileExistsError):
            file.hardlink_to(draft)
    finally:
        Path(draft).unlink()
