"""A message of SePay, Casso or payOS is believed when its own key signed it, and never else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payos import PayOS

from core.money import Money
from shop.payments import casso, payos, sepay
from shop.payments.notices import BadNotice, Direction, moment_of, plain_account, whole_dong
from shop.webhooks import Forged, read_object
from tests.conftest import NOON

# The example Casso prints beside its rule.
CASSO_KEY = "mgExMrjj4i7a1p8Cs6LmFbpCd8lbw4sSX4LZXPag7TKazeIogtR90tvWYTkwQbvs"
CASSO_STAMP = "1727948258788"
CASSO_SIGNATURE = (
    "ed0a4bd2e826d5cb69988cdb141e6c1a080e21f3b57eb72cd78192220042b9e7"
    "dde0868fc667faea8e224900fa7904e7c88dfa098032fb2d6b6996856e8b7ff3"
)
CASSO_BODY: dict[str, Any] = {
    "error": 0,
    "data": {
        "id": 0,
        "reference": "MA_GIAO_DICH_THU_NGHIEM",
        "description": "giao dich thu nghiem",
        "amount": 599000,
        "runningBalance": 25000000,
        "transactionDateTime": "2024-10-03 15:06:37",
        "accountNumber": "88888888",
        "bankName": "VPBank",
        "bankAbbreviation": "VPB",
        "virtualAccountNumber": "",
        "virtualAccountName": "",
        "counterAccountName": "NGUYEN VAN A",
        "counterAccountNumber": "8888888888",
        "counterAccountBankId": "970415",
        "counterAccountBankName": "VietinBank",
    },
}
SEPAY_BODY: dict[str, Any] = {
    "id": 92704,
    "gateway": "Vietcombank",
    "transactionDate": "2026-11-25 11:59:30",
    "accountNumber": "0011012345678",
    "subAccount": None,
    "code": None,
    "content": "chuyen tien OC2345678",
    "transferType": "in",
    "transferAmount": 2277000,
    "accumulated": 19077000,
    "referenceCode": "MBVCB.3278907687",
    "description": "",
}
PAYOS_DATA: dict[str, Any] = {
    "orderCode": 123,
    "amount": 3000,
    "description": "VQRIO123",
    "accountNumber": "12345678",
    "reference": "TF230204212323",
    "transactionDateTime": "2026-02-04 18:25:00",
    "currency": "VND",
    "paymentLinkId": "124c33293c43417ab7879e14c8d9eb18",
    "code": "00",
    "desc": "Thành công",
    "counterAccountBankId": "",
    "counterAccountBankName": "",
    "counterAccountName": "",
    "counterAccountNumber": "",
    "virtualAccountName": "",
    "virtualAccountNumber": None,
}
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def casso_headers(signature: str = CASSO_SIGNATURE, stamp: str = CASSO_STAMP) -> dict[str, str]:
    return {"x-casso-signature": f"t={stamp},v1={signature}"}


def test_the_example_casso_publishes_is_genuine() -> None:
    keys = {"checksum_key": CASSO_KEY}

    assert casso.is_genuine(casso_headers(), CASSO_BODY, keys, now=LATER)


def test_cassos_body_may_come_in_another_order_of_keys() -> None:
    turned = {"data": dict(reversed(CASSO_BODY["data"].items())), "error": 0}

    assert casso.is_genuine(casso_headers(), turned, {"checksum_key": CASSO_KEY}, now=LATER)


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", 599001), ("accountNumber", "88888889"), ("id", 1), ("description", "OC2345678")],
)
def test_a_casso_body_changed_in_one_place_is_forged(field: str, value: object) -> None:
    changed = {"error": 0, "data": {**CASSO_BODY["data"], field: value}}

    assert not casso.is_genuine(casso_headers(), changed, {"checksum_key": CASSO_KEY}, now=LATER)


@pytest.mark.parametrize(
    "header",
    ["", "t=1,v1=", f"v1={CASSO_SIGNATURE}", f"t=1727948258789,v1={CASSO_SIGNATURE}", "đ" * 20],
)
def test_a_casso_header_that_does_not_fit_is_forged(header: str) -> None:
    keys = {"checksum_key": CASSO_KEY}

    assert not casso.is_genuine({"x-casso-signature": header}, CASSO_BODY, keys, now=LATER)


def test_casso_is_not_believed_under_another_key_or_none() -> None:
    assert not casso.is_genuine(casso_headers(), CASSO_BODY, {"checksum_key": "x"}, now=LATER)
    assert not casso.is_genuine(casso_headers(), CASSO_BODY, {}, now=LATER)


def test_the_plain_token_does_not_open_a_connection_that_has_a_key() -> None:
    keys = {"checksum_key": CASSO_KEY, "secure_token": "token"}

    assert not casso.is_genuine({"secure-token": "token"}, CASSO_BODY, keys, now=LATER)
    assert casso.is_genuine({"secure-token": "token"}, {}, {"secure_token": "token"}, now=LATER)
    assert not casso.is_genuine({"secure-token": "tok"}, {}, {"secure_token": "token"}, now=LATER)


def test_casso_from_the_future_is_refused() -> None:
    before = datetime(2024, 10, 3, 9, 0, tzinfo=UTC)

    assert not casso.is_genuine(
        casso_headers(), CASSO_BODY, {"checksum_key": CASSO_KEY}, now=before
    )


def test_casso_tells_of_one_movement_or_of_a_list() -> None:
    [row] = casso.rows_of(CASSO_BODY)
    old = {
        "id": 6789,
        "tid": "FT26329",
        "description": "OC2345678 mua mat ong",
        "amount": -20000,
        "cusum_balance": 1,
        "when": "2026-11-25 10:00:00",
        "bank_sub_acc_id": "0011012345678",
    }
    listed = casso.rows_of({"error": 0, "data": [old]})

    assert (row.amount, row.direction, row.account) == (Money(599_000), Direction.IN, "88888888")
    assert row.at == datetime(2024, 10, 3, 8, 6, 37, tzinfo=UTC)
    assert (listed[0].amount, listed[0].direction) == (Money(20_000), Direction.OUT)
    assert listed[0].reference == "FT26329"


def sepay_signed(body: bytes, *, at: datetime = NOON) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = sepay.sign("bí mật", body, stamp)
    return {"x-sepay-signature": f"sha256={signature}", "x-sepay-timestamp": stamp}


def test_sepay_is_believed_by_its_signature_over_the_very_bytes() -> None:
    body = json.dumps(SEPAY_BODY).encode()
    keys = {"hmac_secret": "bí mật"}
    headers = sepay_signed(body)

    assert sepay.is_genuine(headers, body, keys, now=NOON)
    assert sepay.is_genuine(headers, body, keys, now=NOON + timedelta(hours=4))
    assert not sepay.is_genuine(headers, body + b" ", keys, now=NOON)
    assert not sepay.is_genuine(headers, body, {"hmac_secret": "khác"}, now=NOON)
    assert not sepay.is_genuine({}, body, keys, now=NOON)


def test_sepay_from_the_future_is_refused() -> None:
    body = b"{}"

    for ahead, believed in ((timedelta(minutes=4), True), (timedelta(minutes=6), False)):
        headers = sepay_signed(body, at=NOON + ahead)
        assert sepay.is_genuine(headers, body, {"hmac_secret": "bí mật"}, now=NOON) is believed


def test_sepay_is_believed_by_its_api_key_where_no_hmac_was_agreed() -> None:
    right, keys = {"authorization": "Apikey K1"}, {"api_key": "K1"}

    assert sepay.is_genuine(right, b"{}", keys, now=NOON)
    for wrong in ("Apikey K2", "Bearer K1", "K1", "", "Apikey ký"):
        assert not sepay.is_genuine({"authorization": wrong}, b"{}", keys, now=NOON)
    assert not sepay.is_genuine(right, b"{}", {**keys, "hmac_secret": "x"}, now=NOON)
    assert not sepay.is_genuine({"authorization": "Apikey "}, b"{}", {}, now=NOON)


def test_sepay_tells_of_a_movement() -> None:
    row = sepay.row_of(SEPAY_BODY)

    assert (row.txn_id, row.account, row.reference) == (
        "92704",
        "0011012345678",
        "MBVCB.3278907687",
    )
    assert (row.amount, row.direction) == (Money(2_277_000), Direction.IN)
    assert row.at == datetime(2026, 11, 25, 4, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "changed",
    [
        {"transferAmount": 0},
        {"transferAmount": 10.5},
        {"transferAmount": "lots"},
        {"transferAmount": True},
        {"transferAmount": 10**14},
        {"transferType": "sideways"},
        {"transferType": None},
        {"accountNumber": ""},
        {"accountNumber": None},
        {"id": None},
        {"transactionDate": "yesterday"},
        {"transactionDate": ["2026"]},
    ],
)
def test_what_is_no_movement_is_told_apart(changed: dict[str, Any]) -> None:
    with pytest.raises(BadNotice):
        sepay.row_of({**SEPAY_BODY, **changed})


def test_sepays_list_tells_the_same_movement_under_the_same_number() -> None:
    listed = {
        "transactions": [
            {
                "id": "92704",
                "transaction_date": "2026-11-25 11:59:30",
                "account_number": "0011012345678",
                "amount_in": "2277000.00",
                "amount_out": "0.00",
                "transaction_content": "chuyen tien OC2345678",
                "reference_number": "MBVCB.3278907687",
            },
            {"id": "broken"},
            "no object",
        ]
    }

    assert list(sepay.rows_listed(listed)) == [sepay.row_of(SEPAY_BODY)]
    for garbage in ({}, [], None, {"transactions": 5}):
        assert list(sepay.rows_listed(garbage)) == []
        assert list(casso.rows_listed(garbage)) == []


def test_payos_own_library_accepts_what_we_sign_and_the_other_way_round() -> None:
    key = "payos-checksum-key"
    client = PayOS(client_id="c", api_key="a", checksum_key=key)
    body = {"code": "00", "desc": "success", "success": True, "data": PAYOS_DATA}
    ours = {**body, "signature": payos.sign(key, PAYOS_DATA)}

    theirs = client.crypto.create_signature_from_object(PAYOS_DATA, key)

    assert client.webhooks.verify(dict(ours)).amount == 3000
    assert payos.is_genuine({**body, "signature": theirs}, {"checksum_key": key})
    client.close()


@given(
    st.dictionaries(
        st.text("abcXYZ_", min_size=1, max_size=6),
        st.none()
        | st.booleans()
        | st.integers(-(10**12), 10**12)
        | st.text(max_size=8)
        | st.lists(st.dictionaries(st.text("ab", min_size=1), st.integers()) | st.integers()),
        max_size=6,
    )
)
def test_payos_signature_equals_its_librarys_for_any_data(data: dict[str, Any]) -> None:
    from payos._crypto.provider import CryptoProvider  # noqa: PLC0415

    theirs = CryptoProvider().create_signature_from_object(data, "key")

    assert payos.sign("key", data) == theirs


def test_a_payos_body_changed_or_signed_by_another_is_forged() -> None:
    signature = payos.sign("key", PAYOS_DATA)
    for data in ({**PAYOS_DATA, "amount": 3001}, {}, None, [], "data"):
        said = {"data": data, "signature": signature}
        assert not payos.is_genuine(said, {"checksum_key": "key"})
    said = {"data": PAYOS_DATA, "signature": signature}
    assert not payos.is_genuine(said, {"checksum_key": "other"})
    assert not payos.is_genuine(said, {})
    for broken in (None, 5, "", "đ", signature.upper()):
        assert not payos.is_genuine({**said, "signature": broken}, {"checksum_key": "key"})


def test_payos_tells_of_a_movement_only_when_it_was_paid() -> None:
    row = payos.row_of({"data": PAYOS_DATA})

    assert (row.amount, row.memo, row.account) == (Money(3_000), "VQRIO123", "12345678")
    for changed in ({"code": "01"}, {"currency": "USD"}, {"reference": ""}):
        with pytest.raises(BadNotice):
            payos.row_of({"data": {**PAYOS_DATA, **changed}})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"5",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
    ],
)
def test_a_body_that_is_no_plain_object_is_refused(body: bytes) -> None:
    with pytest.raises(Forged):
        read_object(body)


def test_amounts_moments_and_accounts_are_read_as_each_service_writes_them() -> None:
    assert [whole_dong(value) for value in (599000, 599000.0, "599000.00", "-5")] == [
        599_000,
        599_000,
        599_000,
        -5,
    ]
    assert moment_of("2026-11-25T05:00:00Z") == moment_of("2026-11-25 12:00:00") == NOON
    assert plain_account("0011 0123.45678") == "0011012345678"
