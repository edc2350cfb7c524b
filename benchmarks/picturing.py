"""Every size of a phone's photo, and the same files made by Pillow alone."""

import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import repeat
from pathlib import Path as FilePath

from PIL import Image

from benchmarks.measuring import Path, Side
from benchmarks.shops import Shop
from core import sizes
from core.sizes import Crop
from core.storage import FolderStorage

SIZE = (2000, 1500)
MEGAPIXELS = SIZE[0] * SIZE[1] // 1_000_000


def paths(shop: Shop) -> Iterator[Path]:
    """Give the work of one photo, counted in megapixels; no database is asked."""
    del shop
    photo = _photo()

    def photos(_seconds: float) -> Iterable[bytes]:
        return repeat(photo)

    with tempfile.TemporaryDirectory(prefix="cho-phien-bench-") as folder:
        storage = FolderStorage(FilePath(folder))

        def make(data: bytes) -> int:
            sizes.make(storage, data, Crop())
            return MEGAPIXELS

        yield Path(
            "photo, every size",
            "Mpx/s",
            "bare Pillow: decode, crop, resize and save the same ten files in memory",
            0.80,
            Side(photos, make),
            Side(photos, _bare),
        )


def _photo() -> bytes:
    """Return a photo with as much detail as one of a market stall."""
    noise = Image.effect_noise((SIZE[0] // 8, SIZE[1] // 8), 60).resize(SIZE)
    photo = Image.merge("RGB", (noise, noise.rotate(90).resize(SIZE), noise.rotate(180)))
    file = BytesIO()
    photo.save(file, "JPEG", quality=88)
    return file.getvalue()


def _bare(data: bytes) -> int:
    picture = Image.open(BytesIO(data)).convert("RGB")
    square = picture.crop(Crop().box(picture.size))
    picture.thumbnail((sizes.ZOOM, sizes.ZOOM), Image.Resampling.LANCZOS)
    picture.save(BytesIO(), "WEBP", quality=80)
    side = min(square.width, sizes.CHANNEL)
    square.resize((side, side), Image.Resampling.LANCZOS).save(BytesIO(), "JPEG", **sizes.JPEG)
    for width in reversed(sizes.WIDTHS):
        square = square.resize((width, width), Image.Resampling.LANCZOS, reducing_gap=2.0)
        square.save(BytesIO(), "AVIF", **sizes.AVIF)
        square.save(BytesIO(), "WEBP", quality=sizes.WEBP_QUALITY, method=4)
    return MEGAPIXELS
