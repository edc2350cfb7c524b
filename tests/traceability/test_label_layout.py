"""Where labels and what stands on them lie; what cannot be read is refused, saying what fits."""

from dataclasses import replace
from datetime import date
from itertools import combinations

import pytest
from flask import Flask

from core import paper
from core.i18n import speaking
from core.qr import QUIET
from tests.traceability.printed_labels import BASE, a_content
from traceability.labels.geometry import Sheet, WrongSheet, refuse_wrong, smallest_module
from traceability.labels.layout import LEAST_SIZE, CodeDoesNotFit, Layout, Line
from traceability.labels.presets import ALIASES, PRESETS, NoSuchPreset, get_preset
from traceability.labels.printing import NoSuchCell, Print, TooManyLabels, plan

SERIAL = "6W118208F14"
CONTENTS = [
    a_content(),
    a_content(is_sample=True, stars=5),
    a_content(gtin=None),
    a_content(gtin=None, stars=None, made_on=None, use_by=None, producer=""),
    a_content(goods="Bánh đa nem làng Chều, gói nhỏ không phẩm màu " * 3, lot="LO-" + "9" * 17),
]


def a_print(preset: str | Sheet, number: int = 0, *, serial: bool = True) -> Print:
    sheet = PRESETS[preset] if isinstance(preset, str) else preset
    serials = [SERIAL] if serial else None
    return plan(CONTENTS[number], sheet, base=BASE, count=1, serials=serials)


def boxes(layout: Layout, readable: tuple[Line, ...]) -> list[tuple[float, float, float, float]]:
    """What every line and the code with its white take of the label."""
    code = (
        layout.code_x,
        layout.code_y,
        layout.code_x + layout.side,
        layout.code_y + layout.side,
    )
    lines = [
        (
            line.x,
            line.baseline - line.size / paper.mm * 0.75,
            line.x + paper.width_of(line.words, line.size, bold=line.bold),
            line.baseline + line.size / paper.mm * 0.25,
        )
        for line in (*layout.lines, *readable)
    ]
    return [code, *lines]


@pytest.mark.parametrize("number", range(len(CONTENTS)))
@pytest.mark.parametrize("preset", PRESETS)
def test_nothing_on_a_label_touches_another_thing_or_leaves_it(preset: str, number: int) -> None:
    job = a_print(preset, number)

    taken = boxes(job.layout, job.label(0).readable)

    sheet = job.sheet
    for left, top, right, low in taken:
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= sheet.label_width + 1e-6
        assert low <= sheet.label_height + 1e-6
    for one, other in combinations(taken, 2):
        apart = (
            one[2] <= other[0] + 1e-6
            or other[2] <= one[0] + 1e-6
            or one[3] <= other[1] + 1e-6
            or other[3] <= one[1] + 1e-6
        )
        assert apart
    for star in job.layout.stars:
        assert star.x + star.radius <= sheet.label_width
        assert star.x - star.radius >= job.layout.code_x + job.layout.side or (
            star.y - star.radius >= job.layout.code_y + job.layout.side
        )


@pytest.mark.parametrize("preset", PRESETS)
def test_days_mark_and_sample_are_on_every_label_and_letters_are_large_enough(
    preset: str,
) -> None:
    job = a_print(preset, 1)

    words = [line.words for line in job.layout.lines]

    assert {"NSX 20/11/2026", "HSD 20/11/2027", "«minh hoạ»", "OCOP"} <= set(words)
    assert len(job.layout.stars) == 5
    assert min(line.size for line in job.layout.lines) >= LEAST_SIZE
    assert job.layout.module >= smallest_module(job.sheet) - 1e-9


def test_without_a_certificate_there_is_no_mark() -> None:
    job = a_print("a4-21", 3)

    assert "OCOP" not in {line.words for line in job.layout.lines}
    assert not job.layout.stars


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_lie_on_their_sheet(preset: str) -> None:
    sheet = PRESETS[preset]

    refuse_wrong(sheet)

    corners = [sheet.place(cell) for cell in range(sheet.per_page)]
    assert len(set(corners)) == sheet.per_page
    x, y = corners[-1]
    assert x + sheet.label_width <= sheet.page_width + 0.05
    assert y + sheet.label_height <= sheet.page_height + 0.05


def test_the_measures_of_the_65_up_sheet_are_the_makers() -> None:
    sheet = get_preset("L7651")

    assert sheet.place(0) == (4.7, 10.9)
    assert sheet.place(64) == pytest.approx((4.7 + 4 * 40.6, 10.9 + 12 * 21.2))


@pytest.mark.parametrize(("dpi", "dots"), [(203, 4), (300, 5)])
def test_a_roll_prints_modules_of_whole_dots_no_smaller_than_gs1_allows(
    dpi: int, dots: int
) -> None:
    sheet = PRESETS[f"nhiet-40x30-{dpi}"]

    assert smallest_module(sheet) == pytest.approx(dots * 25.4 / dpi)
    assert smallest_module(sheet) >= 0.396


@pytest.mark.parametrize("name", [*PRESETS, *ALIASES, "A4-65", " l7651 "])
def test_every_name_finds_its_sheet(name: str) -> None:
    assert get_preset(name).name in PRESETS


def test_an_unknown_name_is_told_the_names_there_are() -> None:
    with pytest.raises(NoSuchPreset, match="a4-65"):
        get_preset("a3-1")


def test_what_would_be_too_small_to_read_is_refused_and_told_what_fits(app: Flask) -> None:
    tiny = replace(PRESETS["nhiet-40x30-203"], page_width=25.0, page_height=15.0,
                   label_width=25.0, label_height=15.0)  # fmt: skip

    with app.test_request_context(), speaking("vi"):
        with pytest.raises(CodeDoesNotFit) as refused:
            plan(CONTENTS[0], tiny, base=BASE, count=1, serials=[SERIAL], others=PRESETS.values())
        said = str(refused.value.message)

    assert "Mã QR cần chỗ 20,52 × 20,52 mm" in said
    assert "tem 25 × 15 mm nhỏ quá" in said
    assert "A4, 40 tem 45,7 × 25,4 mm" in said


@pytest.mark.parametrize("side", [16, 18, 20, 24, 30])
def test_a_label_of_any_size_is_refused_or_has_room_for_code_and_white(side: int) -> None:
    sheet = Sheet("own", 210, 297, 1, 1, side, side, left=20, top=20)
    try:
        job = a_print(sheet, 2)
    except CodeDoesNotFit:
        assert side < (29 + 2 * QUIET) * 0.396 + paper.line_height(LEAST_SIZE) + 1
        return

    assert job.layout.module >= 0.396
    assert job.layout.code_y + job.layout.side <= side


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rows": 0}, "rows"),
        ({"columns": 30, "rows": 30}, "rows"),
        ({"label_width": 4.0}, "label_width"),
        ({"pitch_x": 20.0}, "left"),
        ({"left": -1.0}, "left"),
        ({"left": 20.0}, "left"),
        ({"top": 30.0}, "top"),
        ({"offset_x": 11.0}, "offset_x"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_at_its_field(
    change: dict[str, float], field: str
) -> None:
    with pytest.raises(WrongSheet) as refused:
        refuse_wrong(replace(PRESETS["a4-65"], **change))  # type: ignore[arg-type]

    assert refused.value.field == field


def test_an_offset_moves_every_label_alike() -> None:
    sheet = PRESETS["a4-40"]

    moved = sheet.moved(0.5, -1.25)

    for cell in range(sheet.per_page):
        x, y = sheet.place(cell)
        assert moved.place(cell) == pytest.approx((x + 0.5, y - 1.25))


def test_a_print_begins_where_the_sheet_is_still_whole() -> None:
    sheet = PRESETS["a4-65"]

    pages = [list(sheet.cells_of(page, 66, first=64)) for page in range(3)]

    assert sheet.pages_for(66, first=64) == 2
    assert pages[0] == [(64, 0)]
    assert pages[1] == [(cell, cell + 1) for cell in range(65)]
    assert pages[2] == []


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_one_print_makes_one_to_ten_thousand_labels(count: int) -> None:
    with pytest.raises(TooManyLabels):
        plan(CONTENTS[0], PRESETS["a4-65"], base=BASE, count=count)


@pytest.mark.parametrize("first", [-1, 65])
def test_a_print_begins_on_the_first_sheet(first: int) -> None:
    with pytest.raises(NoSuchCell):
        plan(CONTENTS[0], PRESETS["a4-65"], base=BASE, count=1, first=first)


def test_the_code_for_people_says_what_the_qr_says() -> None:
    with_gtin, own = CONTENTS[0], CONTENTS[2]

    assert with_gtin.readable(None) == ["(01) 09520123456788", "(10) LO-2611-01"]
    assert with_gtin.readable(SERIAL)[2] == f"(21) {SERIAL}"
    assert own.readable(None) == ["7K3Q X9M2 PDX"]
    assert own.readable(SERIAL) == ["6W11 8208 F14"]
    assert with_gtin.address(BASE, SERIAL).endswith(f"/10/LO-2611-01/21/{SERIAL}")
    assert own.address(BASE, None) == f"{BASE}/t/7K3QX9M2PDX"
    assert replace(own, made_on=date(2026, 1, 2), use_by=None).dates == ["NSX 02/01/2026"]
