"""Labels as PDF: vector squares in whole modules, words as text in an embedded font."""

from core.paper import Paper
from core.qr import QUIET
from traceability.labels.geometry import Sheet, said
from traceability.labels.printing import Label, Print

HAIR = 0.25
GRID_SIZE = 7


def draw(job: Print, pages: range) -> bytes:
    """Return these pages of a print as a PDF of their own."""
    sheet = job.sheet
    paper = Paper((sheet.page_width, sheet.page_height), title=f"Tem {job.content.lot}")
    for page in pages:
        paper.begin_page()
        for (x, y), label in job.on_page(page):
            _draw_label(paper, job, label, x, y)
    return paper.finish()


def _draw_label(paper: Paper, job: Print, label: Label, x: float, y: float) -> None:
    layout = job.layout
    quiet = QUIET * layout.module
    paper.modules(
        label.rows,
        x=x + layout.code_x + quiet,
        y=y + layout.code_y + quiet,
        module=layout.module,
    )
    for line in (*layout.lines, *label.readable):
        paper.line_at(
            line.words, x=x + line.x, baseline=y + line.baseline, size=line.size, bold=line.bold
        )
    for star in layout.stars:
        paper.shape([(x + across, y + down) for across, down in star.corners])


def test_grid(sheet: Sheet) -> bytes:
    """Return a page with the edge of every label, to hold against the sheet before it is used."""
    paper = Paper((sheet.page_width, sheet.page_height), title="Tem – in thử lưới")
    paper.begin_page()
    for cell in range(sheet.per_page):
        x, y = sheet.place(cell)
        paper.box(x, y, sheet.label_width, sheet.label_height, thickness=HAIR)
        middle, half = sheet.label_height / 2, sheet.label_width / 2
        for across, down in ((half, middle - 1.5), (half - 1.5, middle)):
            paper.shape(_bar(x + across, y + down, upright=across == half))
        paper.line_at(str(cell + 1), x=x + 1.5, baseline=y + 3.5, size=GRID_SIZE)
    size = f"{said(sheet.label_width)} × {said(sheet.label_height)} mm"
    x, y = sheet.place(0)
    paper.line_at(size, x=x + 1.5, baseline=y + sheet.label_height - 1.5, size=GRID_SIZE)
    return paper.finish()


def _bar(x: float, y: float, *, upright: bool) -> list[tuple[float, float]]:
    thin, long = 0.1, 3.0
    width, height = (thin, long) if upright else (long, thin)
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
