"""The one way in for pictures and papers: looked into, made anew, stripped of what they tell.

A picture is decoded and written again as WebP, so nothing but its pixels gets through: no place
where it was taken, no hidden file. Names carry the content's hash; the original is kept privately.
"""

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from pillow_heif import register_heif_opener

from core import pdf
from core.errors import Invalid
from core.i18n import lazy
from core.storage import PRIVATE, Storage

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")
LARGEST_PICTURE = 15 * 1024 * 1024
LARGEST_PAPER = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 12_000
FULL = 2048
MIDDLE = 960
SMALL = 320
WIDTHS = (FULL, MIDDLE, SMALL)
QUALITY = {FULL: 80, MIDDLE: 72, SMALL: 70}
ORIENTATION = 0x0112
LYING = {5, 6, 7, 8}
# Pillow and the libraries behind it raise any of these for a file that only begins as a picture.
BROKEN = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    struct.error,
)
# Two at a time: a decoded picture takes 200 MB, and phones send several at once.
_decoding = threading.Semaphore(2)

register_heif_opener()
Image.MAX_IMAGE_PIXELS = MOST_PIXELS


class FileTooLarge(Invalid):
    """The file has more bytes than one of its kind may have."""


class PictureTooWide(Invalid):
    """The picture has more pixels than any use of it needs: a mistake, or an attack."""


class NotAPicture(Invalid):
    """The file is no picture of a kind we read, or it is broken."""


class NotAPaper(Invalid):
    """The file is neither a picture nor a PDF that only shows something."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the storage; `at_width` names its smaller copies."""

    key: str
    original_key: str
    width: int
    height: int

    @property
    def small_key(self) -> str:
        """Return the key of the copy for lists, 320 px wide or high at most."""
        return at_width(self.key, SMALL)


@dataclass(frozen=True, slots=True)
class Original:
    """A photo kept privately as it came; its sizes are made later. `kind` is its format."""

    key: str
    kind: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Paper:
    """A private paper in the storage, and the digest it can be recognised by."""

    key: str
    content_type: str
    size: int
    sha256: str


def take_picture(
    storage: Storage, data: bytes, *, folder: str = "anh", field: str | None = None
) -> Picture:
    """Store a picture for pages, its two smaller copies and, privately, the original.

    Afterwards `key` lies below `folder` as WebP of at most 2048 px, upright, without metadata.
    The same picture stored again gets the same names. Raises FileTooLarge, PictureTooWide or
    NotAPicture, and then nothing was stored.
    """
    picture, kind = opened(data, field)
    copies = {width: _webp(picture, width) for width in WIDTHS}
    name = sha256(copies[FULL]).hexdigest()[:32]
    key = f"{folder}/{name}.webp"
    # The smallest first: whoever finds the full one may rely on its copies.
    for width in reversed(WIDTHS):
        storage.put(at_width(key, width), copies[width], "image/webp")
    original_key = f"{PRIVATE}{folder}/{sha256(data).hexdigest()[:32]}.{kind}"
    storage.put(original_key, data, f"image/{kind}")
    width, height = _fitting(picture.size, FULL)
    return Picture(key, original_key, width, height)


def keep_original(
    storage: Storage, data: bytes, *, folder: str = "anh", field: str | None = None
) -> Original:
    """Keep a photo privately as it is, for `core.sizes` to make what pages show of it.

    Only its head is read here: quick, and enough to refuse what is no picture or too wide. What is
    broken further in shows when the sizes are made. Raises as `take_picture`.
    """
    kind, width, height = looked_at(data, field)
    key = f"{PRIVATE}{folder}/{sha256(data).hexdigest()[:32]}.{kind}"
    if not storage.exists(key):
        storage.put(key, data, f"image/{kind}")
    return Original(key, kind, width, height)


def take_paper(
    storage: Storage, data: bytes, *, folder: str = "giay", field: str | None = None
) -> Paper:
    """Store a paper, a PDF or a photograph of one, where only those it concerns may fetch it.

    A photograph is made anew like any picture. Raises FileTooLarge, PictureTooWide or NotAPaper.
    """
    if len(data) > LARGEST_PAPER:
        raise FileTooLarge(lazy("The file is larger than 10 MB. Scan it smaller."), field=field)
    if data.startswith(pdf.MAGIC):
        _refuse_active_pdf(data, field)
        content, ending, content_type = data, "pdf", "application/pdf"
    else:
        try:
            picture, _kind = opened(data, field)
        except NotAPicture as error:
            raise NotAPaper(lazy("Send the paper as a PDF or as a photo."), field=field) from error
        content, ending, content_type = _webp(picture, FULL), "webp", "image/webp"
    digest = sha256(content).hexdigest()
    key = f"{PRIVATE}{folder}/{digest[:32]}.{ending}"
    storage.put(key, content, content_type)
    return Paper(key, content_type, len(content), digest)


def at_width(key: str, width: int) -> str:
    """Return the key of the picture's copy of that width: 2048 (the key itself), 960 or 320."""
    return key if width == FULL else key.removesuffix(".webp") + f"-{width}.webp"


def looked_at(data: bytes, field: str | None = None) -> tuple[str, int, int]:
    """Return format, width and height (upright) as the head of the file says, decoding nothing."""
    with _refused_in_words(field):
        file, kind = _begun(data, field)
        width, height = file.size
        # A JPEG says beside its pixels that they lie on their side; HEIC is read upright.
        lying = kind == "jpeg" and file.getexif().get(ORIENTATION) in LYING
        return (kind, height, width) if lying else (kind, width, height)


def opened(
    data: bytes, field: str | None = None, *, longest: int | None = FULL
) -> tuple[Image.Image, str]:
    """Return the picture decoded, upright and in sRGB, and the format it came in.

    It is made smaller until no side is longer than `longest`; None leaves it as it is.
    """
    with _refused_in_words(field), _decoding:
        file, kind = _begun(data, field)
        if longest:
            # JPEG is decoded at half or a quarter of its size where that is enough.
            file.draft("RGB", (longest, longest))
        file.load()
        picture = ImageOps.exif_transpose(file)
        if longest:
            picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return _in_srgb(picture), kind


def _begun(data: bytes, field: str | None) -> tuple[Image.Image, str]:
    """Return the picture before any pixel is read, if it is worth reading them."""
    if len(data) > LARGEST_PICTURE:
        raise FileTooLarge(lazy("The photo is larger than 15 MB. Take a smaller one."), field=field)
    file = Image.open(BytesIO(data), formats=FORMATS)
    # MPO is what phones call a JPEG with a second picture behind the first.
    kind = "jpeg" if file.format == "MPO" else str(file.format).lower()
    if _is_too_wide(file.size):
        raise PictureTooWide(lazy("The photo is too large. Take a smaller one."), field=field)
    return file, kind


@contextmanager
def _refused_in_words(field: str | None) -> Iterator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooWide(
            lazy("The photo is too large. Take a smaller one."), field=field
        ) from None
    except (PictureTooWide, FileTooLarge):
        raise
    except BROKEN as error:
        raise NotAPicture(
            lazy("This file cannot be read as a photo. Send JPEG, PNG, WebP, HEIC or AVIF."),
            field=field,
        ) from error


def _is_too_wide(size: tuple[int, int]) -> bool:
    width, height = size
    return width * height > MOST_PIXELS or max(size) > LONGEST_SIDE


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Return the picture in the colours every screen knows; phones photograph in wider ones."""
    profile = picture.info.get("icc_profile")
    mode = "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
    if profile and picture.mode in {"RGB", "RGBA", "CMYK"}:
        try:
            converted = ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode=mode if picture.mode != "CMYK" else "RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted.convert(mode)
    return picture.convert(mode)


def _webp(picture: Image.Image, side: int) -> bytes:
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = BytesIO()
    copy.save(file, "WEBP", quality=QUALITY[side], method=4, exif=b"", xmp=b"", icc_profile=b"")
    return file.getvalue()


def _fitting(size: tuple[int, int], side: int) -> tuple[int, int]:
    shrink = min(1.0, side / max(size))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def _refuse_active_pdf(data: bytes, field: str | None) -> None:
    problem = pdf.problem_of(data)
    if problem is pdf.Problem.BROKEN:
        raise NotAPaper(lazy("The PDF is damaged. Save it again and resend it."), field=field)
    if problem is pdf.Problem.LOCKED:
        raise NotAPaper(lazy("The PDF is locked by a password. Save it without one."), field=field)
    if problem is pdf.Problem.ACTIVE:
        raise NotAPaper(
            lazy(
                "The PDF holds a program or another file. Print it to a new PDF, or take a photo."
            ),
            field=field,
        )
