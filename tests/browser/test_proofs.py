"""The checking page in a real browser without network: right proofs hold, forged ones do not."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page

from core.settings import ROOT
from traceability import merkle, notes
from traceability.notes import Checkpoint, Proof

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "chophien.example/log"
VKEY = notes.verifier_of(NAME, KEY).vkey
ENTRIES = [
    f'{{"event":"ni:///sha-256;{number:064x}?ver=CBV2.0","ghi":"đảo tay"}}' for number in range(7)
]
WITHOUT_CRYPTO = "Object.defineProperty(globalThis, 'crypto', {value: undefined})"


def a_proof(index: int, *, with_entry: bool = True) -> str:
    leaves = [merkle.leaf_hash(entry.encode()) for entry in ENTRIES]
    frontier, made = merkle.grow((), 0, leaves)
    nodes = {(0, place): leaf for place, leaf in enumerate(leaves)}
    nodes |= {(level, number): node for level, number, node in made}
    said = Checkpoint(NAME, len(leaves), merkle.root_of(frontier))
    path = merkle.inclusion_proof(lambda level, number: nodes[level, number], index, len(leaves))
    extra = ENTRIES[index].encode() if with_entry else b""
    return Proof(index, tuple(path), notes.sign(said.text, NAME, KEY), extra).text


@pytest.fixture(params=["browser's own signatures", "our own signatures"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, opened from a file, with the network gone."""
    context = chromium.new_context(offline=True)
    if request.param.startswith("our"):
        context.add_init_script(WITHOUT_CRYPTO)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(Path(ROOT / "traceability" / "verify.html").as_uri())
    yield page
    assert wrong == []
    context.close()


def check(page: Page, proof: str, *, key: str = VKEY, entry: str = "") -> str:
    for field, value in (("proof", proof), ("key", key), ("entry", entry)):
        page.fill(f"#{field}", value)
    page.evaluate("document.getElementById('result').hidden = true")
    page.click("form button")
    page.wait_for_selector("#result:not([hidden])")
    return page.inner_text("#result")


def test_right_proofs_hold(page: Page) -> None:
    for index, entry in enumerate(ENTRIES):
        told = check(page, a_proof(index))

        assert told.startswith("Đúng: chưa bị sửa")
        assert f"Mục số {index} có trong sổ {NAME} khi sổ có 7 mục" in told
        assert entry in told
    assert check(page, a_proof(3, with_entry=False), entry=ENTRIES[3]).startswith("Đúng")


def test_forged_proofs_do_not(page: Page) -> None:
    proof = a_proof(2)
    head, _blank, note = proof.partition("\n\n")
    other = base64.b64encode(ENTRIES[1].encode()).decode()
    lines = head.split("\n")
    flipped = base64.b64encode(bytes(32)).decode()
    signature = note.rstrip("\n").rsplit(" ", 1)[1]
    raw = bytearray(base64.b64decode(signature))
    raw[40] ^= 1
    forged = {
        "another entry": "\n".join([lines[0], f"extra {other}", *lines[2:]]) + f"\n\n{note}",
        "another place": proof.replace("index 2", "index 3"),
        "another step": "\n".join([*lines[:3], flipped, *lines[4:]]) + f"\n\n{note}",
        "a step more": "\n".join([*lines, flipped]) + f"\n\n{note}",
        "another size": proof.replace("\n7\n", "\n8\n"),
        "another signature": proof.replace(signature, base64.b64encode(raw).decode()),
        "not a proof": "xin chào",
        "nothing": "",
    }
    for name, text in forged.items():
        assert check(page, text).startswith("Không khớp"), name
    assert check(page, proof, entry=ENTRIES[1]).startswith("Không khớp")
    stranger = notes.verifier_of(NAME, Ed25519PrivateKey.from_private_bytes(bytes(32))).vkey
    assert "không ký bằng khoá đó" in check(page, proof, key=stranger)
    assert "Khoá công khai không đúng" in check(page, proof, key=VKEY.replace("+", "+0", 1))


def test_it_speaks_english_too(page: Page) -> None:
    check(page, a_proof(0))

    page.click("#tongue")

    assert page.inner_text("#result").startswith("True: not changed")
    assert page.inner_text("h1") == "Check a proof of the transparency log"
