"""What a label will look like, before it is printed."""

from io import BytesIO

from traceability.labels.printing import Print
from traceability.labels.raster import label_picture

DOTS_A_MM = 12
LARGEST = 960


def png(job: Print) -> bytes:
    """Return the first label of a print as a picture; on a roll every dot is one of its printer."""
    sheet = job.sheet
    dots = 1 / sheet.dot if sheet.is_roll else min(DOTS_A_MM, LARGEST / sheet.label_width)
    picture = label_picture(job, job.label(0), dots_a_mm=dots)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
