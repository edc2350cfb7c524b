# ruff: noqa: E501 - the lines are the banks' own
"""A statement is read as its bank writes it; a bad row says why and stops nothing."""

from datetime import UTC, datetime

import pytest

from core import sheets
from core.money import Money
from shop.payments import statements
from shop.payments.notices import Direction
from shop.payments.statements import BadLine, NotAStatement, OtherAccount, Statement, read_amount
from tests.conftest import NOON
from tests.core.test_sheets import workbook

ACCOUNT = "0011012345678"
IN, OUT = Direction.IN, Direction.OUT
# How the big banks head their exports, with one row of money in and one of money out in each.
BANKS = {
    "Vietcombank": """
NGÂN HÀNG TMCP NGOẠI THƯƠNG VIỆT NAM;;;;;;
Số tài khoản/Account number: 0011012345678;;;;;;
;;;;;;
STT;Ngày giao dịch/ Transaction date;Số CT/ Doc No;Số tiền ghi nợ/ Debit;Số tiền ghi có/ Credit;Số dư/ Balance;Nội dung chi tiết/ Transactions in detail
1;25/11/2026;5078 - 41233;;165.000;1.165.000;MBVCB.5078.OC2345678.CT tu 0123 toi 0011012345678
2;25/11/2026;5078 - 41234;20.000;;1.145.000;Phi SMS
;Tổng cộng;;20.000;165.000;;
""",
    "BIDV": """
STT\tNgày hiệu lực\tNgày giao dịch\tSố tiền ghi nợ\tSố tiền ghi có\tSố dư\tDiễn giải\tSố REF
1\t25/11/2026 10:15:00\t25/11/2026 10:15:00\t0\t165,000\t1,165,000\tREM Tfr OC2345678\t0T26A1
2\t25/11/2026 11:00:00\t25/11/2026 11:00:00\t20,000\t0\t1,145,000\tPhi\t0T26A2
""",
    "VietinBank": """
Ngày/Date,Nội dung/Remarks,Nợ/Debit,Có/Credit,Số dư/Balance,Mã giao dịch/Transaction number,Tên tài khoản đối ứng,Số TK đối ứng
25-11-2026 10:15:00,CT DEN:629 OC2345678,,"165,000.00","1,165,000.00",629A,NGUYEN THI AN,10988
25-11-2026 11:00:00,Phi,"20,000.00",,"1,145,000.00",629B,,
""",
    "Agribank": """
Ngày giao dịch;Số bút toán;Ghi nợ;Ghi có;Số dư;Diễn giải
25/11/2026;1200A;;165000;1165000;OC2345678 chuyen tien
25/11/2026;1200B;20000;;1145000;Phi
""",
    "MB": """
STT;Ngày hạch toán/Posting Date;Ngày giao dịch/Transaction Date;Số bút toán/Reference No;Phát sinh nợ/Debit;Phát sinh có/Credit;Số dư khả dụng/Available balance;Diễn giải/Description;Tài khoản đối ứng
1;26/11/2026;25/11/2026 10:15;FT26329001;;+165.000;1.165.000;OC2345678;
2;26/11/2026;25/11/2026 11:00;FT26329002;-20.000;;1.145.000;Phi;
""",
    "Techcombank": """
Ngày giao dịch/ Transaction date,Đối tác/ Remitter,NH Đối tác/ Remitter Bank,Diễn giải/ Details,Số bút toán/ Transaction No.,Nợ TKTT/ Debit,Có TKTT/ Credit,Số dư/ Balance
25/11/2026,NGUYEN THI AN,VPBANK,OC2345678,FT26329\\1,,"165,000","1,165,000"
25/11/2026,,,Phi,FT26329\\2,"20,000",,"1,145,000"
""",
    "ACB": """
Ngày hiệu lực;Ngày GD;Số GD;Nội dung giao dịch;Số tiền rút;Số tiền gửi;Số dư
25/11/26;25/11/26;8812;OC2345678 GD 8812;;165.000,00;1.165.000,00
25/11/26;25/11/26;8813;Phi;20.000,00;;1.145.000,00
""",
    "one signed column": """
Thời gian;Số tiền;Mô tả;Mã GD
10:15:00 25/11/2026;+165.000 VND;OC2345678;X1
11:00:00 25/11/2026;-20.000 VND;Phi;X2
""",
}


def read(text: str, account: str = ACCOUNT) -> Statement:
    return statements.read(sheets.read(text.strip().encode()), account=account, now=NOON)


@pytest.mark.parametrize("bank", BANKS)
def test_every_big_banks_export_is_understood(bank: str) -> None:
    found = read(BANKS[bank])

    assert found.failed == []
    assert [(row.amount, row.direction) for row in found.rows] == [
        (Money(165_000), IN),
        (Money(20_000), OUT),
    ]
    first = found.rows[0]
    assert "OC2345678" in first.memo
    assert first.reference
    assert first.account == ACCOUNT
    assert (
        datetime(2026, 11, 24, 17, tzinfo=UTC) <= first.at < datetime(2026, 11, 25, 17, tzinfo=UTC)
    )


def test_a_spreadsheet_is_read_like_a_csv() -> None:
    data = workbook(
        ["SAO KÊ"],
        ["Ngày giao dịch", "Ghi nợ", "Ghi có", "Nội dung", "Số tham chiếu"],
        [datetime(2026, 11, 25), None, 165_000, "OC2345678", "FT1"],  # noqa: DTZ001
    )

    [row] = statements.read(sheets.read(data), account=ACCOUNT, now=NOON).rows

    assert (row.amount, row.at) == (Money(165_000), datetime(2026, 11, 24, 17, tzinfo=UTC))


def test_the_same_file_gives_the_same_numbers_and_equal_rows_differ() -> None:
    text = "Ngày;Ghi có;Nội dung\n25/11/2026;5.000;a\n25/11/2026;5.000;a\n25/11/2026;6.000;a\n"

    first, second = read(text), read(text)

    numbers = [row.txn_id for row in first.rows]
    assert numbers == [row.txn_id for row in second.rows]
    assert len(set(numbers)) == 3


def test_a_bad_row_says_why_and_stops_nothing() -> None:
    found = read(
        "Ngày;Ghi nợ;Ghi có;Nội dung\n"
        "31/02/2026;;5.000;a\n"
        "hôm qua;;5.000;a\n"
        "25/11/2026;;5.000,50;a\n"
        "25/11/2026;5.000;5.000;a\n"
        "25/11/2027;;5.000;a\n"
        "25/11/2026;;năm nghìn;a\n"
        "25/11/2026;;5.000;tốt\n"
        "25/11/2026;;;chỉ có lời\n"
    )

    assert [line.number for line in found.failed] == [2, 3, 4, 5, 6, 7]
    assert [row.memo for row in found.rows] == ["tốt"]


def test_the_rows_that_failed_are_given_back_with_their_reasons() -> None:
    found = read("Ngày;Ghi có;Nội dung\nhôm qua;5.000;=1+1\n25/11/2026;5.000;tốt\n")

    rows = sheets.read(statements.write_failed(found))

    assert [row.cells[:3] for row in rows] == [
        ("Ngày", "Ghi có", "Nội dung"),
        ("hôm qua", "5.000", "'=1+1"),
    ]
    assert all(len(row.cells) == 4 for row in rows)


def test_the_statement_of_another_account_is_refused() -> None:
    with pytest.raises(OtherAccount):
        read(BANKS["Vietcombank"], account="999988887777")


@pytest.mark.parametrize("text", ["a;b;c\n1;2;3\n", "Ngày;Nội dung\n25/11/2026;a\n"])
def test_a_table_that_is_no_statement_is_refused(text: str) -> None:
    with pytest.raises(NotAStatement):
        read(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.500.000", 1_500_000),
        ("1,500,000", 1_500_000),
        ("1,500,000.00", 1_500_000),
        ("1.500.000,00", 1_500_000),
        ("1500000", 1_500_000),
        ("1500000.0", 1_500_000),
        ("+20.000", 20_000),
        ("-20,000 VND", -20_000),
        ("20\u00a0000 ₫", 20_000),
        ("999", 999),
        ("", 0),
        ("-", 0),
        ("0.00", 0),
    ],
)
def test_amounts_are_read_as_every_bank_writes_them(text: str, amount: int) -> None:
    assert read_amount(text) == amount


@pytest.mark.parametrize(
    "text", ["1.50", "1,5", "12.34.567", "1234.567", "1e9", "a", "1..0", "9" * 20]
)
def test_an_amount_that_could_mean_two_things_is_refused(text: str) -> None:
    with pytest.raises(BadLine):
        read_amount(text)
