"""VietQR: the text inside a bank-transfer QR, built and read by NAPAS's format of September 2021.

Reading is strict at every level: a wrong length inside a template moves the account number, and a
reader that shrugs would send money elsewhere. NAPAS's own first example has that very slip.
"""

import binascii
import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.errors import Invalid
from core.i18n import lazy as _
from core.money import Money

GREATEST_AMOUNT = Money(9_999_999_999_999)
LONGEST_MEMO = 25

_GUID = "A000000727"
_FORMAT = "01"
_STATIC, _DYNAMIC = "11", "12"
_DONG, _VIETNAM = "704", "VN"
_ACCOUNT_TAG, _MORE_TAG, _CRC_TAG = "38", "62", "63"
_BILL, _REFERENCE, _PURPOSE = "01", "05", "08"

_ITEM_HEAD = re.compile("([0-9]{2})(0[1-9]|[1-9][0-9])")
_BIN = re.compile("[0-9]{6}")
_ACCOUNT = re.compile("[0-9A-Za-z]{6,19}")
_ANY_ACCOUNT = re.compile("[!-~]{1,19}")
_PLAIN = re.compile("[A-Za-z0-9 ]+")
_AMOUNT = re.compile(r"[0-9]+\.?")
_SHAPES = {
    "52": re.compile("[0-9]{4}"),
    "54": re.compile(".{1,13}"),
    "59": re.compile(".{1,25}"),
    "60": re.compile(".{1,15}"),
    "61": re.compile(".{1,10}"),
}


class Service(enum.StrEnum):
    """What the number in the QR is: a bank account or a card."""

    TO_ACCOUNT = "QRIBFTTA"
    TO_CARD = "QRIBFTTC"


class Reason(enum.StrEnum):
    """Why a text is not a VietQR of a transfer."""

    NOT_TEXT = "not_text"
    BAD_CRC = "bad_crc"
    MALFORMED = "malformed"
    WRONG_FORMAT = "wrong_format"
    NOT_A_TRANSFER = "not_a_transfer"
    BAD_AMOUNT = "bad_amount"
    BAD_FIELD = "bad_field"


_SENTENCES = {
    Reason.NOT_TEXT: _("This is not the text of a VietQR code"),
    Reason.BAD_CRC: _("This VietQR code was damaged or altered: its checksum does not match"),
    Reason.MALFORMED: _("This VietQR code is broken: its parts do not fit together"),
    Reason.WRONG_FORMAT: _("This VietQR code is of an unknown format"),
    Reason.NOT_A_TRANSFER: _("This QR code is not for a bank transfer"),
    Reason.BAD_AMOUNT: _("The amount in this VietQR code cannot be paid"),
    Reason.BAD_FIELD: _("This VietQR code holds something that the format does not allow"),
}


class InvalidVietQr(Invalid):
    """The text is not a VietQR one may pay; `reason` says why, `detail` where, for makers."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(_SENTENCES[reason], field="payload")
        self.reason = reason
        self.detail = detail


class InvalidTransfer(Invalid):
    """A VietQR cannot be made of this bank, account, amount or memo."""


@dataclass(frozen=True, slots=True)
class VietQr:
    """What a VietQR says: to whom, how much if told, and the words on the transfer."""

    bin: str
    account: str
    service: Service
    dynamic: bool
    amount: Money | None
    memo: str | None
    bill_number: str | None
    reference: str | None
    merchant_name: str | None
    merchant_city: str | None

    def to_json(self) -> dict[str, str | int | bool | None]:
        """Return the fields as JSON has them; the amount is whole đồng."""
        return {
            "bin": self.bin,
            "account": self.account,
            "service": self.service.value,
            "dynamic": self.dynamic,
            "amount": self.amount.dong if self.amount is not None else None,
            "currency": "VND",
            "memo": self.memo,
            "bill_number": self.bill_number,
            "reference": self.reference,
            "merchant_name": self.merchant_name,
            "merchant_city": self.merchant_city,
        }


def build(
    bin: str,  # noqa: A002 - the name every bank uses
    account: str,
    *,
    amount: Money | None = None,
    memo: str | None = None,
    bill_number: str | None = None,
    reference: str | None = None,
    service: Service = Service.TO_ACCOUNT,
    dynamic: bool | None = None,
) -> str:
    """Return the payload of a transfer to `account` at the bank of `bin`.

    `dynamic` (for one payment) follows from an amount being given, if not told. InvalidTransfer
    names the field that cannot stand in a VietQR; nothing is cut or rewritten to make it fit.
    """
    _demand(_BIN, bin, _("A bank is named by six digits"), field="bin")
    _demand(
        _ACCOUNT, account, _("An account number has 6 to 19 letters and digits"), field="account"
    )
    if amount is not None and not Money(1) <= amount <= GREATEST_AMOUNT:
        message = _("The amount is between 1 and 9,999,999,999,999 đồng")
        raise InvalidTransfer(message, field="amount")
    if dynamic is None:
        dynamic = amount is not None
    receiver = _item("00", bin) + _item("01", account)
    account_template = _item("00", _GUID) + _item("01", receiver) + _item("02", service.value)
    payload = (
        _item("00", _FORMAT)
        + _item("01", _DYNAMIC if dynamic else _STATIC)
        + _item(_ACCOUNT_TAG, account_template)
        + _item("53", _DONG)
        + (_item("54", str(amount.dong)) if amount is not None else "")
        + _item("58", _VIETNAM)
        + _more(((_BILL, bill_number), (_REFERENCE, reference), (_PURPOSE, memo)))
        + f"{_CRC_TAG}04"
    )
    return payload + _crc(payload)


def _more(texts: Iterable[tuple[str, str | None]]) -> str:
    items = ""
    for tag, text in texts:
        if text is None:
            continue
        message = _("The memo has 1 to 25 letters without marks, digits and spaces")
        _demand(_PLAIN, text, message, field="memo")
        if len(text) > LONGEST_MEMO:
            raise InvalidTransfer(message, field="memo")
        items += _item(tag, text)
    return _item(_MORE_TAG, items) if items else ""


def _demand(shape: re.Pattern[str], text: str, message: object, *, field: str) -> None:
    if not shape.fullmatch(text):
        raise InvalidTransfer(message, field=field)


def _item(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def _crc(payload: str) -> str:
    """CRC-16 with 0x1021 from 0xFFFF, four capital hexadecimal digits."""
    return f"{binascii.crc_hqx(payload.encode('ascii'), 0xFFFF):04X}"


def decode(payload: str) -> VietQr:
    """Return what `payload` says, or refuse with InvalidVietQr and the reason.

    Root fields we do not know are skipped (MoMo adds its own); inside the account template
    nothing unknown is accepted, for it says where the money goes.
    """
    if not payload.isascii() or not payload.isprintable():
        raise InvalidVietQr(Reason.NOT_TEXT, "only printable ASCII characters are allowed")
    # The sum first: after it, every other fault was made by whoever wrote the code.
    if payload[-8:-4] != f"{_CRC_TAG}04":
        raise InvalidVietQr(Reason.MALFORMED, "the checksum field 63 does not stand at the end")
    if payload[-4:] != _crc(payload[:-4]):
        raise InvalidVietQr(Reason.BAD_CRC, "the checksum does not match")
    fields = _read(payload, "payload")
    if next(iter(fields)) != "00" or fields["00"] != _FORMAT:
        raise InvalidVietQr(Reason.WRONG_FORMAT, "the format indicator 00 must come first, as 01")
    for tag, shape in _SHAPES.items():
        if tag in fields and not shape.fullmatch(fields[tag]):
            raise InvalidVietQr(Reason.BAD_FIELD, f"field {tag} is too long or not what it must be")
    _require(fields, "01", (_STATIC, _DYNAMIC))
    _require(fields, "53", (_DONG,))
    _require(fields, "58", (_VIETNAM,))
    bank, account, service = _receiver(fields)
    more = _read(fields[_MORE_TAG], "field 62") if _MORE_TAG in fields else {}
    if len(more.get(_PURPOSE, "")) > LONGEST_MEMO:
        raise InvalidVietQr(Reason.BAD_FIELD, f"the memo is longer than {LONGEST_MEMO} characters")
    return VietQr(
        bin=bank,
        account=account,
        service=service,
        dynamic=fields["01"] == _DYNAMIC,
        amount=_amount(fields.get("54")),
        memo=more.get(_PURPOSE),
        bill_number=more.get(_BILL),
        reference=more.get(_REFERENCE),
        merchant_name=fields.get("59"),
        merchant_city=fields.get("60"),
    )


def _receiver(fields: dict[str, str]) -> tuple[str, str, Service]:
    if _ACCOUNT_TAG not in fields:
        raise InvalidVietQr(Reason.NOT_A_TRANSFER, "there is no account field 38")
    template = _read(fields[_ACCOUNT_TAG], "field 38")
    if template.get("00") != _GUID:
        raise InvalidVietQr(Reason.NOT_A_TRANSFER, f"field 38 is not NAPAS's {_GUID}")
    if template.keys() != {"00", "01", "02"}:
        raise InvalidVietQr(Reason.MALFORMED, "field 38 must hold 00, 01 and 02, no more")
    try:
        service = Service(template["02"])
    except ValueError:
        raise InvalidVietQr(
            Reason.NOT_A_TRANSFER, f"service {template['02']} is not a transfer"
        ) from None
    receiver = _read(template["01"], "field 38-01")
    if receiver.keys() != {"00", "01"}:
        raise InvalidVietQr(Reason.MALFORMED, "field 38-01 must hold 00 and 01, no more")
    bank, account = receiver["00"], receiver["01"]
    if not _BIN.fullmatch(bank):
        raise InvalidVietQr(Reason.BAD_FIELD, "the bank is not six digits")
    if not _ANY_ACCOUNT.fullmatch(account):
        raise InvalidVietQr(Reason.BAD_FIELD, "the account is not 1 to 19 characters")
    return bank, account, service


def _amount(text: str | None) -> Money | None:
    if text is None:
        return None
    if not _AMOUNT.fullmatch(text):
        raise InvalidVietQr(Reason.BAD_AMOUNT, "the amount is not whole đồng")
    amount = Money(int(text.rstrip(".")))
    if not amount:
        raise InvalidVietQr(Reason.BAD_AMOUNT, "the amount is zero")
    return amount


def _require(fields: dict[str, str], tag: str, allowed: tuple[str, ...]) -> None:
    if fields.get(tag) not in allowed:
        raise InvalidVietQr(Reason.BAD_FIELD, f"field {tag} must be {' or '.join(allowed)}")


def _read(text: str, where: str) -> dict[str, str]:
    """Return the fields of one level in order; every character must belong to one of them."""
    fields: dict[str, str] = {}
    for tag, value in _items(text, where):
        if tag in fields:
            raise InvalidVietQr(Reason.MALFORMED, f"{where} holds {tag} twice")
        fields[tag] = value
    return fields


def _items(text: str, where: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        head = _ITEM_HEAD.match(text, position)
        if head is None:
            detail = f"{where} is broken at character {position + 1}"
            raise InvalidVietQr(Reason.MALFORMED, detail)
        start, end = head.end(), head.end() + int(head[2])
        if end > len(text):
            detail = f"{where}: the length of {head[1]} goes beyond the end"
            raise InvalidVietQr(Reason.MALFORMED, detail)
        yield head[1], text[start:end]
        position = end
