"""Notes and checkpoints are those of C2SP: others' tools can check ours, and we theirs."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from traceability import notes
from traceability.merkle import EMPTY_ROOT
from traceability.notes import BadNote, Checkpoint, Proof, Verifier

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "chophien.example/so"
MINE = notes.verifier_of(NAME, KEY)


def test_the_key_comes_back_from_its_vkey() -> None:
    assert notes.read_vkey(MINE.vkey) == MINE


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000+AQ==",
        MINE.vkey.replace("+", " ", 1),
        MINE.vkey.replace(MINE.key_id.hex(), "00000000"),
        MINE.vkey[:-4] + "!!!!",
        f"{NAME}+{MINE.key_id.hex()}+" + "AgAB",
    ],
)
def test_a_key_that_cannot_be_right_is_refused(vkey: str) -> None:
    with pytest.raises(BadNote):
        notes.read_vkey(vkey)


def test_a_signed_note_opens_for_its_key_only() -> None:
    note = notes.sign("một\n\nhai\n", NAME, KEY)

    assert notes.open_note(note, [MINE]) == "một\n\nhai\n"
    with pytest.raises(BadNote, match="no known key"):
        notes.open_note(note, [Verifier("other.example", MINE.public_key)])


def test_signatures_of_strangers_are_passed_over_but_never_enough() -> None:
    stranger = Ed25519PrivateKey.generate()
    note = notes.sign("a\n", NAME, KEY)
    theirs = notes.sign("a\n", "witness.example", stranger).split("\n\n")[1]

    assert notes.open_note(note + theirs, [MINE]) == "a\n"
    with pytest.raises(BadNote):
        notes.open_note("a\n\n" + theirs, [MINE])


def test_every_changed_byte_of_a_note_is_noticed() -> None:
    note = notes.sign("chophien.example/so\n3\nabc\n", NAME, KEY)
    for place, letter in enumerate(note):
        changed = note[:place] + ("x" if letter != "x" else "y") + note[place + 1 :]

        with pytest.raises(BadNote):
            notes.open_note(changed, [MINE])


@pytest.mark.parametrize("text", ["no newline", "bell\x07\n", "tab\t\n", "cr\r\n"])
def test_text_that_is_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        notes.sign(text, NAME, KEY)


def test_a_checkpoint_says_log_size_and_root() -> None:
    said = Checkpoint(NAME, 0, EMPTY_ROOT)

    read = notes.read_checkpoint(notes.sign(said.text, NAME, KEY), [MINE], origin=NAME)

    assert read == said
    assert said.text == f"{NAME}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n1\n",
        f"{NAME}\n01\n{'A' * 43}=\n",
        f"{NAME}\n-1\n{'A' * 43}=\n",
        f"{NAME}\n1\nAAAA\n",
        f"other.example\n1\n{'A' * 43}=\n",
        f"{NAME}\n1\n\n{'A' * 43}=\n",
    ],
)
def test_a_checkpoint_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        notes.read_checkpoint(notes.sign(text, NAME, KEY), [MINE], origin=NAME)


def test_a_proof_is_read_back_as_it_was_written() -> None:
    checkpoint = notes.sign(Checkpoint(NAME, 3, b"r" * 32).text, NAME, KEY)
    proof = Proof(2, (b"a" * 32, b"b" * 32), checkpoint, extra="sự kiện".encode())

    assert notes.read_proof(proof.text) == proof
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\nextra ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nx",
        "c2sp.org/tlog-proof@v1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nx",
        "c2sp.org/tlog-proof@v1\nextra AAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\n!\n\nx",
    ],
)
def test_a_proof_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        notes.read_proof(text)


# The worked example of C2SP's signed-note, and the key and note of Go's own checks of notes.
PUBLISHED = {
    "C2SP": (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        (
            "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6"
            "TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
        ),
    ),
    "Go": (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        (
            "If you think cryptography is the answer to your problem,\n"
            "then you don't know what your problem is.\n\n"
            "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd"
            "ngotpRZb6KE6RyyBwJnAM=\n"
        ),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_notes_open_and_no_changed_bit_of_them(name: str) -> None:
    vkey, note = PUBLISHED[name]
    verifier = notes.read_vkey(vkey)

    assert verifier.vkey == vkey
    assert notes.open_note(note, [verifier]) == note.rpartition("\n\n")[0] + "\n"
    for place in range(len(note)):
        changed = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        try:
            text = notes.open_note(changed, [verifier])
        except BadNote:
            continue
        # Base64 has bits at its end that say nothing; the text itself is the one that was signed.
        assert text == note.rpartition("\n\n")[0] + "\n"
        assert changed[-3] != note[-3]


def test_go_signs_as_we_do() -> None:
    vkey, note = PUBLISHED["Go"]
    # PRIVATE+KEY+PeterNeumann+c74f20a3+…, published with the note.
    seed = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    key = Ed25519PrivateKey.from_private_bytes(seed)

    assert notes.verifier_of("PeterNeumann", key).vkey == vkey
    assert notes.sign(note.rpartition("\n\n")[0] + "\n", "PeterNeumann", key) == note
