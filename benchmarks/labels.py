"""Labels: single codes, and a run of sheets, beside bare matrices and bare reportlab."""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from io import BytesIO
from itertools import count, repeat
from pathlib import Path as FilePath

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from benchmarks.measuring import Path, Side
from benchmarks.shops import PUBLIC_URL, Shop
from core import qr
from core.codes import new_code
from traceability.codes import TRACE_CODE
from traceability.labels import files
from traceability.labels.content import Content
from traceability.labels.presets import PRESETS
from traceability.labels.printing import Form, Print, plan

MASK = 2
READY = 200
# Ten sheets of the smallest labels: the size of one part of a long run.
A_RUN = 650
SHEET = PRESETS["a4-65"]
HONEY = Content(
    lot_id=1,
    lot="LO-2611-01",
    code="7K3QX9M2PDX",
    goods="Mật ong hoa nhãn Đan Phượng hũ 500\u00a0g",
    producer="HTX Nông nghiệp sạch Đan Phượng",
    gtin="09520123456788",
    made_on=date(2026, 11, 20),
    use_by=date(2027, 11, 20),
    stars=4,
)


def paths(shop: Shop) -> Iterator[Path]:
    """Give one label's code as SVG and as PNG, and a run as PDF; no database is asked."""
    del shop
    yield Path(
        "label run, PDF",
        "labels/s",
        "bare qrcode matrices (fixed mask), their runs as reportlab rectangles; no words",
        0.60,
        Side(_runs, _drawn),
        Side(_runs, _bare_run),
        timed=False,
    )
    for name, draw in (("SVG", _svg), ("PNG", _png)):
        yield Path(
            f"label code, {name}",
            "labels/s",
            "bare qrcode matrix of the same text, fixed mask, nothing drawn",
            0.60,
            Side(_addresses, draw),
            Side(_addresses, _bare_matrix),
        )


def _addresses(_seconds: float) -> Iterable[str]:
    ready = [f"{PUBLIC_URL}/t/{new_code(TRACE_CODE)}" for _ in range(READY)]
    return (ready[number % READY] for number in count())


def _svg(text: str) -> int:
    qr.svg(text, mask=MASK)
    return 1


def _png(text: str) -> int:
    qr.png(text, mask=MASK)
    return 1


def _bare_matrix(text: str) -> int:
    _modules(text)
    return 1


def _modules(text: str) -> list[list[bool]]:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(text.encode("utf-8"))
    code.make(fit=True)
    modules: list[list[bool]] = code.modules
    return modules


def _runs(_seconds: float) -> Iterable[Print]:
    numbers = [new_code(TRACE_CODE) for _ in range(A_RUN)]
    return repeat(plan(HONEY, SHEET, base=PUBLIC_URL, count=A_RUN, serials=numbers))


def _drawn(job: Print) -> int:
    """Draw a run as the background does: part by part, then bound into one file."""
    with tempfile.TemporaryDirectory(prefix="cho-phien-bench-") as folder:
        files.bind(job, Form.PDF, files.draw_parts(job, Form.PDF), FilePath(folder) / "tem.pdf")
    return job.count


def _bare_run(job: Print) -> int:
    canvas = Canvas(BytesIO(), pagesize=(SHEET.page_width * mm, SHEET.page_height * mm))
    side = job.layout.module * mm
    for page in range(job.pages):
        for cell, number in SHEET.cells_of(page, job.count):
            x, y = (edge * mm for edge in SHEET.place(cell))
            address = job.content.address(job.base, job.serials[number] if job.serials else None)
            for down, row in enumerate(_modules(address)):
                begin = None
                for across, dark in enumerate((*row, False)):
                    if dark and begin is None:
                        begin = across
                    elif not dark and begin is not None:
                        canvas.rect(
                            x + begin * side,
                            y + down * side,
                            (across - begin) * side,
                            side,
                            stroke=0,
                            fill=1,
                        )
                        begin = None
        canvas.showPage()
    canvas.save()
    return job.count
