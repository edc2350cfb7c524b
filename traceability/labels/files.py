"""A print as a file: drawn part by part, so that ten thousand labels need no more room than ten."""

import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from core import binding
from core.i18n import lazy as _
from traceability.labels import pdf, svg, zpl
from traceability.labels.geometry import Sheet
from traceability.labels.printing import Form, OnlyRolls, Print

LABELS_A_PART = 650


def refuse_wrong_form(form: Form, sheet: Sheet) -> None:
    """Raise OnlyRolls if label printers could not print this sheet."""
    if form is Form.ZPL and not sheet.is_roll:
        raise OnlyRolls(
            _("ZPL is for label printers with a roll; print this sheet as PDF."), field="form"
        )


def parts_of(job: Print, form: Form) -> list[range]:
    """Return the pages of every part of a print."""
    pages = 1 if form is Form.SVG else max(1, LABELS_A_PART // job.sheet.per_page)
    return [range(start, min(start + pages, job.pages)) for start in range(0, job.pages, pages)]


def draw_part(job: Print, form: Form, part: range) -> bytes:
    """Return one part."""
    if form is Form.PDF:
        return pdf.draw(job, part)
    if form is Form.ZPL:
        return zpl.draw(job, part).encode("ascii")
    return svg.draw(job, part.start).encode("utf-8")


def draw_parts(job: Print, form: Form) -> Iterator[bytes]:
    """Give every part, drawn when it is asked for."""
    return (draw_part(job, form, part) for part in parts_of(job, form))


def ending(job: Print, form: Form) -> str:
    """Return how the file's name ends: drawings of several pages lie in an archive."""
    return "zip" if form is Form.SVG and job.pages > 1 else form.value


def bind(job: Print, form: Form, parts: Iterable[bytes], path: Path) -> None:
    """Write the whole print to `path`, which ends as `ending` says."""
    with path.open("wb") as file:
        if form is Form.PDF:
            binding.bind(parts, file)
        elif ending(job, form) == "zip":
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for number, part in enumerate(parts, start=1):
                    archive.writestr(f"tem-{number:04d}.svg", part)
        else:
            for part in parts:
                file.write(part)


def whole(job: Print, form: Form) -> bytes:
    """Return a print of few pages at once."""
    if form is Form.PDF:
        file = BytesIO()
        binding.bind(draw_parts(job, form), file)
        return file.getvalue()
    return b"".join(draw_parts(job, form))
