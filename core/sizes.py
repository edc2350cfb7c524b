"""Every size of one photo: squares for pages, a whole one to look into, a JPEG for channels.

Names carry the content's hash, so they may be kept for ever.
"""

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

from PIL import Image

from core import intake
from core.storage import Storage

WIDTHS = (160, 320, 640, 960)
ZOOM = 2048
CHANNEL = 1200
WHOLE = 1000
SMALLEST_CROP = 100
WEBP_QUALITY = 72
# Half the bytes of WebP at the same look; the speed makes 12 megapixels a second's work.
AVIF = {"quality": 50, "speed": 8}
JPEG = {"quality": 86, "progressive": True}
_BARE: dict[str, Any] = {"exif": b"", "icc_profile": b""}


@dataclass(frozen=True, slots=True)
class Crop:
    """A square cut out of a photo, in thousandths.

    `x` and `y` are its middle, of width and height; `side` is its side, of the shorter of both.
    """

    x: int = WHOLE // 2
    y: int = WHOLE // 2
    side: int = WHOLE

    def box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the square in pixels, pushed back inside where it would leave the photo."""
        wanted = max(SMALLEST_CROP, min(WHOLE, self.side))
        side = max(1, min(size) * wanted // WHOLE)
        left, top = (
            max(0, min(length - side, length * middle // WHOLE - side // 2))
            for length, middle in zip(size, (self.x, self.y), strict=True)
        )
        return left, top, left + side, top + side


@dataclass(frozen=True, slots=True)
class Made:
    """What was stored: `name` begins every key, `side` is the square's in pixels of the photo."""

    name: str
    width: int
    height: int
    side: int


def key_of(name: str, width: int, ending: str) -> str:
    """Return where one size lies: `key_of("anh/3f…", 640, "avif")`."""
    return f"{name}-{width}.{ending}"


def make(storage: Storage, data: bytes, crop: Crop, *, folder: str = "anh") -> Made:
    """Store every size of the photo in `data`, upright, in sRGB and without metadata.

    Nothing is made larger than it is. The same photo and crop get the same names again. Raises
    intake's refusals.
    """
    picture, _kind = intake.opened(data, longest=None)
    width, height = picture.size
    square = picture.crop(crop.box(picture.size))
    picture.thumbnail((ZOOM, ZOOM), Image.Resampling.LANCZOS)
    files = {(CHANNEL, "jpg"): _jpeg(square), (ZOOM, "webp"): _saved(picture, "WEBP", quality=80)}
    side, smaller = square.width, square
    # From the largest down: each is made of the one before it, not of all the pixels again.
    for wide in reversed(WIDTHS):
        smaller = _at_most(smaller, wide)
        files[wide, "avif"] = _saved(smaller, "AVIF", **AVIF)
        files[wide, "webp"] = _saved(smaller, "WEBP", quality=WEBP_QUALITY, method=4)
    digest = sha256(files[CHANNEL, "jpg"] + files[ZOOM, "webp"]).hexdigest()
    name = f"{folder}/{digest[:32]}"
    for (wide, ending), content in files.items():
        storage.put(key_of(name, wide, ending), content)
    return Made(name, width, height, side)


def _jpeg(square: Image.Image) -> bytes:
    """Return what channels fetch: on white where the photo lets something through."""
    flat = square
    if "A" in square.getbands():
        flat = Image.new("RGB", square.size, "white")
        flat.paste(square, mask=square.getchannel("A"))
    return _saved(_at_most(flat.convert("RGB"), CHANNEL), "JPEG", **JPEG)


def _at_most(square: Image.Image, side: int) -> Image.Image:
    if square.width <= side:
        return square
    return square.resize((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options, **_BARE)
    return file.getvalue()
