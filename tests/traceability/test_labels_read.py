"""Every label of every kind is read by two decoders, is as large as told and has its white."""

from io import BytesIO

import pypdf
import pytest

from core.codes import new_code
from tests.traceability.printed_labels import (
    BASE,
    a_content,
    labels_on,
    measured,
    pdf_pages,
    quiet,
    read,
    svg_page,
    zpl_labels,
)
from traceability.codes import TRACE_CODE
from traceability.labels import files
from traceability.labels.content import Content
from traceability.labels.presets import PRESETS
from traceability.labels.printing import Form, Print, plan

SHEETS = [name for name, sheet in PRESETS.items() if not sheet.is_roll]
ROLLS = [name for name, sheet in PRESETS.items() if sheet.is_roll]
KINDS = {
    "GS1": a_content(),
    "own code": a_content(gtin=None, is_sample=True),
}


def a_print(preset: str, content: Content, *, count: int, level: str = "M") -> Print:
    """A print of packages, each with a serial of its own."""
    numbers = [new_code(TRACE_CODE) for _ in range(count)]
    return plan(
        content,
        PRESETS[preset],
        base=BASE,
        count=count,
        level="Q" if level == "Q" else "M",
        serials=numbers,
    )


def expected(job: Print) -> list[str]:
    return [job.label(number).address for number in range(job.count)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_label_of_a_pdf_is_read_at_every_resolution(preset: str, kind: str) -> None:
    job = a_print(preset, KINDS[kind], count=PRESETS[preset].per_page)

    data = files.whole(job, Form.PDF)

    for dpi in (150, 200, 300):
        (page,) = pdf_pages(data, dpi)
        found = [read(label) for label in labels_on(page, job, 0, dpi)]
        assert found == [[address] for address in expected(job)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("preset", ["a4-65", "a4-40", "a4-8", "nhiet-40x30-203"])
def test_every_label_of_an_svg_is_read_at_every_resolution(preset: str, kind: str) -> None:
    job = a_print(preset, KINDS[kind], count=PRESETS[preset].per_page)

    data = files.whole(job, Form.SVG)

    for dpi in (150, 200, 300):
        page = svg_page(data, dpi)
        found = [read(label) for label in labels_on(page, job, 0, dpi)]
        assert found == [[address] for address in expected(job)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("preset", ROLLS)
def test_every_label_of_a_roll_is_read_as_it_is_burnt(preset: str, kind: str) -> None:
    job = a_print(preset, KINDS[kind], count=3)

    data = files.whole(job, Form.ZPL).decode("ascii")

    burnt = list(zpl_labels(data))
    assert [read(label) for label, _times in burnt] == [[one] for one in expected(job)]
    dots = round(job.layout.module / job.sheet.dot)
    assert dots >= (4 if job.sheet.dpi == 203 else 5)
    assert dots * job.sheet.dot == pytest.approx(job.layout.module)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_code_is_as_large_as_told_and_its_white_stays_white(preset: str, kind: str) -> None:
    job = a_print(preset, KINDS[kind], count=1)
    dpi = 1200

    (page,) = pdf_pages(files.whole(job, Form.PDF), dpi)

    (label,) = labels_on(page, job, 0, dpi)
    side, white = measured(label, dpi)
    assert side == pytest.approx(job.layout.modules * job.layout.module, abs=0.06)
    assert job.layout.module >= 0.396
    # At the edge of a label the white goes on beyond it: that much of the sheet is kept free.
    edges = min(job.layout.code_x, job.layout.code_y) + quiet(job)
    assert white >= min(quiet(job), edges) - 0.06
    assert job.layout.code_x >= 0
    assert job.layout.code_y >= 0
    assert job.layout.code_x + job.layout.side <= job.sheet.label_width + 1e-6
    assert job.layout.code_y + job.layout.side <= job.sheet.label_height + 1e-6


@pytest.mark.parametrize("preset", ["a4-40", "a4-24", "nhiet-50x30-300"])
def test_a_code_for_rough_packs_is_read_with_a_corner_of_it_gone(preset: str) -> None:
    job = a_print(preset, a_content(gtin=None), count=1, level="Q")
    dpi = 300

    (page,) = pdf_pages(files.whole(job, Form.PDF), dpi)

    (label,) = labels_on(page, job, 0, dpi)
    module = job.layout.module * dpi / 25.4
    start = (
        round((job.layout.code_x * dpi / 25.4) + 16 * module),
        round((job.layout.code_y * dpi / 25.4) + 18 * module),
    )
    label.paste(255, (*start, start[0] + round(6 * module), start[1] + round(6 * module)))
    assert read(label) == expected(job)


def test_the_words_of_a_pdf_can_be_found_and_copied() -> None:
    job = a_print("a4-21", a_content(is_sample=True), count=2)

    data = files.whole(job, Form.PDF)

    page = pypdf.PdfReader(BytesIO(data), strict=True).pages[0]
    words = " ".join(page.extract_text().replace("\u00a0", " ").split())
    for said in (
        "Mật ong hoa nhãn Đan Phượng hũ 500 g",
        "HTX Nông nghiệp sạch Đan Phượng",
        "NSX 20/11/2026",
        "HSD 20/11/2027",
        "«minh hoạ»",
        "OCOP",
        "(01) 09520123456788 (10) LO-2611-01",
        f"(21) {job.serials[0] if job.serials else ''}",
    ):
        assert said in words
    fonts = page["/Resources"]["/Font"].get_object().values()
    assert any("BeVietnamPro" in font.get_object()["/BaseFont"] for font in fonts)


def test_labels_that_are_alike_are_one_label_with_a_number_for_the_printer() -> None:
    job = plan(a_content(), PRESETS["nhiet-40x30-203"], base=BASE, count=250)

    data = files.whole(job, Form.ZPL).decode("ascii")

    ((label, times),) = zpl_labels(data)
    assert times == 250
    assert read(label) == [f"{BASE}/01/09520123456788/10/LO-2611-01"]
