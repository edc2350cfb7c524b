"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-proof), with Ed25519.

A note is text that ends in a newline, a blank line and signatures; a checkpoint is a note that
says: this log, so many entries, this root. Everything here is pure: keys and text in, text out.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.errors import Invalid
from traceability.merkle import HASH_BYTES

ED25519 = b"\x01"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
ID_BYTES = 4
KEY_BYTES = 32
SIGNATURE_BYTES = 64
MOST_SIGNATURES = 100
CHECKPOINT_LINES = 3
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class BadNote(Invalid):
    """The text is no note, its signature does not hold, or no known key signed it."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name; `vkey` is how it is handed out."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:ID_BYTES]

    @property
    def vkey(self) -> str:
        """Return the name, the key's id and the key, joined by plus signs."""
        key = b64encode(ED25519 + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log promises: so many entries with this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def read_vkey(text: str) -> Verifier:
    """Return the key of a `vkey`; BadNote when its id is not that of its key, or not Ed25519's."""
    name, _plus, rest = text.strip().partition("+")
    key_id, _plus, encoded = rest.partition("+")
    key = _decode(encoded)
    if not _NAME.fullmatch(name) or key[:1] != ED25519 or len(key) != 1 + KEY_BYTES:
        raise BadNote("the key is not an Ed25519 key with a name")
    verifier = Verifier(name, key[1:])
    if verifier.key_id.hex() != key_id.lower():
        raise BadNote("the key's id does not belong to the key")
    return verifier


def verifier_of(name: str, private_key: Ed25519PrivateKey) -> Verifier:
    """Return the public half of a private key, under `name`."""
    raw = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Verifier(name, raw)


def sign(text: str, name: str, private_key: Ed25519PrivateKey) -> str:
    """Return `text` as a note with one signature; BadNote when the text cannot be a note."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise BadNote("a note is text without control characters that ends in a newline")
    signature = private_key.sign(text.encode())
    token = b64encode(verifier_of(name, private_key).key_id + signature).decode()
    return f"{text}\n\u2014 {name} {token}\n"


def open_note(note: str, verifiers: Sequence[Verifier]) -> str:
    """Return the text of a note that at least one of `verifiers` signed, and none wrongly.

    Signatures of unknown keys are passed over. Raises BadNote with the reason.
    """
    if _CONTROL.search(note):
        raise BadNote("a note has no control characters")
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not text or not tail.endswith("\n"):
        raise BadNote("a note is text, a blank line and signatures")
    text += "\n"
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote("too many signatures")
    known = {(one.name, one.key_id): one for one in verifiers}
    held = False
    for line in lines:
        name, signature = _read_signature(line)
        verifier = known.get((name, signature[:ID_BYTES]))
        if verifier is not None:
            _check(verifier, text, signature[ID_BYTES:])
            held = True
    if not held:
        raise BadNote("no known key has signed this note")
    return text


def _read_signature(line: str) -> tuple[str, bytes]:
    dash, _space, rest = line.partition(" ")
    name, _space, token = rest.partition(" ")
    if dash != "\u2014" or not _NAME.fullmatch(name):
        raise BadNote("a signature line is a dash, a name and the signature")
    signature = _decode(token)
    if len(signature) <= ID_BYTES:
        raise BadNote("a signature is too short")
    return name, signature


def _check(verifier: Verifier, text: str, signature: bytes) -> None:
    try:
        key = Ed25519PublicKey.from_public_bytes(verifier.public_key)
        key.verify(signature, text.encode())
    except (InvalidSignature, ValueError) as error:
        raise BadNote(f"the signature of {verifier.name} does not hold") from error


def _decode(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("this is not base64") from error


def read_checkpoint(note: str, verifiers: Sequence[Verifier], *, origin: str) -> Checkpoint:
    """Return what a signed checkpoint of the log `origin` says, or raise BadNote."""
    said = _read_text(open_note(note, verifiers))
    if said.origin != origin:
        raise BadNote(f"this is a checkpoint of {said.origin}, not of {origin}")
    return said


def read_unsigned(note: str) -> Checkpoint:
    """Return what a checkpoint says, whoever signed it; BadNote when it cannot be read."""
    text, blank, _signatures = note.rpartition("\n\n")
    if not blank:
        raise BadNote("a note is text, a blank line and signatures")
    return _read_text(f"{text}\n")


def _read_text(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < CHECKPOINT_LINES + 1 or "" in lines[:-1]:
        raise BadNote("a checkpoint is three lines: the log, its size and its root")
    said, size, encoded = lines[:CHECKPOINT_LINES]
    root = _decode(encoded)
    if not _SIZE.fullmatch(size) or len(root) != HASH_BYTES:
        raise BadNote("the size or the root of the checkpoint cannot be read")
    return Checkpoint(said, int(size), root)


@dataclass(frozen=True, slots=True)
class Proof:
    """A tlog-proof: entry `index` is in the tree of `checkpoint`; `extra` is the entry's own."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    @property
    def text(self) -> str:
        """Return the proof as a file that can be checked without any network."""
        extra = f"extra {b64encode(self.extra).decode()}\n" if self.extra else ""
        path = "".join(f"{b64encode(one).decode()}\n" for one in self.path)
        return f"{PROOF_HEADER}\n{extra}index {self.index}\n{path}\n{self.checkpoint}"


def read_proof(text: str) -> Proof:
    """Return what a proof file says; whether it holds is checked apart. Raises BadNote."""
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != PROOF_HEADER or not lines:
        raise BadNote("this is not a proof file")
    extra = b""
    if lines[0].startswith("extra "):
        extra = _decode(lines.pop(0).removeprefix("extra "))
    word, _space, number = lines.pop(0).partition(" ") if lines else ("", "", "")
    if word != "index" or not _SIZE.fullmatch(number):
        raise BadNote("the proof does not say which entry it is about")
    path = tuple(_decode(line) for line in lines)
    if any(len(one) != HASH_BYTES for one in path):
        raise BadNote("a step of the proof is no hash")
    return Proof(int(number), path, checkpoint, extra)
