"""A VietQR of ours is what the banks publish, byte for byte; a damaged one is never read."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from shop.payments.vietqr import (
    InvalidTransfer,
    InvalidVietQr,
    Reason,
    Service,
    VietQr,
    _crc,
    build,
    decode,
)

GOLDEN = json.loads((Path(__file__).parent.parent / "data" / "vietqr-golden.json").read_text())
VALID = [row for row in GOLDEN if row["expect"] == "valid"]
REASONS = {
    "malformed_tlv (crc ok)": Reason.MALFORMED,
    "bad_crc": Reason.BAD_CRC,
    "wrong_format_indicator": Reason.WRONG_FORMAT,
}

DIGITS_AND_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BINS = st.text("0123456789", min_size=6, max_size=6)
ACCOUNTS = st.text(DIGITS_AND_LETTERS, min_size=6, max_size=19)
AMOUNTS = st.none() | st.integers(1, 9_999_999_999_999).map(Money)
MEMOS = st.none() | st.text(DIGITS_AND_LETTERS + " ", min_size=1, max_size=25)


def named(row: dict[str, Any]) -> str:
    return str(row["name"])


def sealed(body: str) -> str:
    """Complete a hand-made payload with a true checksum: only its other fault may refuse it."""
    return body + "6304" + _crc(body + "6304")


@pytest.mark.parametrize("row", VALID, ids=named)
def test_a_published_payload_is_read_as_published(row: dict[str, Any]) -> None:
    read = decode(row["payload"])

    expected = row["decoded"]
    more = expected["add"] or {}
    assert read.to_json() == {
        "bin": expected["bin"],
        "account": expected["acc"],
        "service": expected["svc"],
        "dynamic": expected["init"] == "12",
        "amount": int(expected["amount"]) if expected["amount"] else None,
        "currency": "VND",
        "memo": more.get("08"),
        "bill_number": more.get("01"),
        "reference": more.get("05"),
        "merchant_name": None,
        "merchant_city": None,
    }


@pytest.mark.parametrize("row", VALID, ids=named)
def test_a_published_payload_is_built_byte_for_byte(row: dict[str, Any]) -> None:
    read = decode(row["payload"])

    built = rebuilt(read)

    momos_own_field = "8003046"
    assert built[:-4] == row["payload"][:-4].replace(momos_own_field, "")
    assert momos_own_field in row["payload"] or built == row["payload"]


@pytest.mark.parametrize("row", [row for row in GOLDEN if row not in VALID], ids=named)
def test_a_published_payload_with_a_fault_is_refused_with_the_reason(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidVietQr) as refused:
        decode(row["payload"])

    assert refused.value.reason == REASONS[row["expect"]]


def test_napas_first_example_reads_right_once_its_length_is_mended() -> None:
    printed = next(row["payload"] for row in GOLDEN if "6.1.1" in row["name"])

    mended = sealed(printed[:-8].replace("0112", "0113"))

    assert mended.endswith("63049E6F")
    assert decode(mended).account == "0011012345678"


@given(BINS, ACCOUNTS, AMOUNTS, MEMOS, st.sampled_from(Service))
def test_what_is_built_is_read_back(
    bank: str, account: str, amount: Money | None, memo: str | None, service: Service
) -> None:
    payload = build(bank, account, amount=amount, memo=memo, service=service)

    read = decode(payload)
    assert (read.bin, read.account, read.amount, read.memo) == (bank, account, amount, memo)
    assert read.service == service
    assert read.dynamic == (amount is not None)
    assert rebuilt(read) == payload


@given(ACCOUNTS, AMOUNTS, MEMOS, st.data())
def test_any_one_changed_character_is_refused(
    account: str, amount: Money | None, memo: str | None, data: st.DataObject
) -> None:
    payload = build("970403", account, amount=amount, memo=memo)
    position = data.draw(st.integers(0, len(payload) - 1))
    other = data.draw(st.characters().filter(lambda c: c != payload[position]))

    with pytest.raises(InvalidVietQr):
        decode(payload[:position] + other + payload[position + 1 :])


@given(ACCOUNTS, AMOUNTS, MEMOS, st.data())
def test_a_payload_cut_short_is_refused(
    account: str, amount: Money | None, memo: str | None, data: st.DataObject
) -> None:
    payload = build("970403", account, amount=amount, memo=memo)
    end = data.draw(st.integers(0, len(payload) - 1))

    with pytest.raises(InvalidVietQr):
        decode(payload[:end])


@given(st.text())
def test_no_text_at_all_is_anything_but_read_or_refused(text: str) -> None:
    for attempt in (text, sealed(text) if text.isascii() else text):
        with contextlib.suppress(InvalidVietQr):
            decode(attempt)


HEAD = "000201010211"
ACCOUNT = "38570010A00000072701270006970403011300110123456780208QRIBFTTA"
TAIL = "53037045802VN"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (HEAD + ACCOUNT + "5303704" + "54010" + "5802VN", Reason.BAD_AMOUNT),
        (HEAD + ACCOUNT + "5303704" + "540850000.00" + "5802VN", Reason.BAD_AMOUNT),
        (HEAD + ACCOUNT + "5303704" + "540650 000" + "5802VN", Reason.BAD_AMOUNT),
        (HEAD + ACCOUNT + "5303704" + "5405-5000" + "5802VN", Reason.BAD_AMOUNT),
        (HEAD + ACCOUNT + "5303704" + "541410000000000000" + "5802VN", Reason.BAD_FIELD),
        (HEAD + ACCOUNT + "5303840" + "5802VN", Reason.BAD_FIELD),
        (HEAD + ACCOUNT + "5303704" + "5802US", Reason.BAD_FIELD),
        (HEAD + ACCOUNT + TAIL + "5926" + "A" * 26, Reason.BAD_FIELD),
        (HEAD + ACCOUNT + TAIL + "62300826" + "A" * 26, Reason.BAD_FIELD),
        (HEAD.replace("0211", "0213") + ACCOUNT + TAIL, Reason.BAD_FIELD),
        (HEAD + TAIL, Reason.NOT_A_TRANSFER),
        (HEAD + ACCOUNT.replace("727", "728") + TAIL, Reason.NOT_A_TRANSFER),
        (HEAD + ACCOUNT.replace("QRIBFTTA", "QRPUSHXX") + TAIL, Reason.NOT_A_TRANSFER),
        (HEAD + ACCOUNT.replace("970403", "97040A") + TAIL, Reason.BAD_FIELD),
        (HEAD + ACCOUNT.replace("0113", "0114") + TAIL, Reason.MALFORMED),
        (HEAD + ACCOUNT.replace("0113", "0100") + TAIL, Reason.MALFORMED),
        (HEAD + ACCOUNT + ACCOUNT + TAIL, Reason.MALFORMED),
        (HEAD + ACCOUNT + TAIL + "6203080", Reason.MALFORMED),
        (HEAD + ACCOUNT + TAIL + "5", Reason.MALFORMED),
        (HEAD[6:] + HEAD[:6] + ACCOUNT + TAIL, Reason.WRONG_FORMAT),
        (ACCOUNT + TAIL, Reason.WRONG_FORMAT),
    ],
)
def test_a_fault_behind_a_true_checksum_is_refused_with_the_reason(
    body: str, reason: Reason
) -> None:
    with pytest.raises(InvalidVietQr) as refused:
        decode(sealed(body))

    assert refused.value.reason == reason


def test_a_trailing_point_after_the_amount_is_allowed_by_the_format() -> None:
    assert decode(sealed(HEAD + ACCOUNT + "5303704540650000.5802VN")).amount == Money(50_000)


def test_unknown_root_fields_and_the_makers_name_are_accepted() -> None:
    read = decode(sealed(HEAD + ACCOUNT + TAIL + "5905HTX A6006HA NOI80030465303"[:-4]))

    assert (read.merchant_name, read.merchant_city) == ("HTX A", "HA NOI")


@pytest.mark.parametrize("amount", [0, -1, 10_000_000_000_000])
def test_an_amount_no_bank_takes_is_refused(amount: int) -> None:
    with pytest.raises(InvalidTransfer) as refused:
        build("970403", "0011012345678", amount=Money(amount))

    assert refused.value.field == "amount"


@pytest.mark.parametrize("memo", ["", "Đơn hàng", "don-hang", "a" * 26, "x\n"])
def test_a_memo_some_bank_would_change_is_refused(memo: str) -> None:
    with pytest.raises(InvalidTransfer) as refused:
        build("970403", "0011012345678", memo=memo)

    assert refused.value.field == "memo"


@pytest.mark.parametrize(
    "account", ["", "12345", "1" * 20, "0011 0123", "００１１０１２３", "001.1012"]
)
def test_an_account_that_is_none_is_refused(account: str) -> None:
    with pytest.raises(InvalidTransfer) as refused:
        build("970403", account)

    assert refused.value.field == "account"


@pytest.mark.parametrize("bank", ["", "97040", "9704031", "97040A", "９７０４０３"])
def test_a_bank_without_six_digits_is_refused(bank: str) -> None:
    with pytest.raises(InvalidTransfer) as refused:
        build(bank, "0011012345678")

    assert refused.value.field == "bin"


def rebuilt(read: VietQr) -> str:
    return build(
        read.bin,
        read.account,
        amount=read.amount,
        memo=read.memo,
        bill_number=read.bill_number,
        reference=read.reference,
        service=read.service,
        dynamic=read.dynamic,
    )
