"""What comes in from phones and scanners: looked into, made anew, and silent about where."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from core import intake
from core.intake import FileTooLarge, NotAPaper, NotAPicture, PictureTooWide
from core.storage import FolderStorage

GPS_IFD = 0x8825
ORIENTATION = 0x0112


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "files")


def a_photo(kind: str = "JPEG", size: tuple[int, int] = (640, 480), **given: object) -> bytes:
    """A photo, red above and blue below, so that turning it is seen."""
    picture = Image.new("RGB", size, (200, 30, 30))
    picture.paste((30, 30, 200), (0, size[1] // 2, size[0], size[1]))
    file = BytesIO()
    picture.save(file, kind, **given)
    return file.getvalue()


def phone_exif(orientation: int = 1) -> Image.Exif:
    """What a phone writes into a photo: the way it was held, the camera, and the field it is in."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "Máy ảnh của Hoa".encode().decode("latin-1")
    gps = exif.get_ifd(GPS_IFD)
    gps[1], gps[2] = "N", (21.0, 5.0, 30.0)
    gps[3], gps[4] = "E", (105.0, 40.0, 15.0)
    return exif


def stored_picture(storage: FolderStorage, key: str) -> Image.Image:
    return Image.open(BytesIO(storage.read(key)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_every_kind_a_phone_makes_becomes_webp(storage: FolderStorage, kind: str) -> None:
    taken = intake.take_picture(storage, a_photo(kind))

    picture = stored_picture(storage, taken.key)
    assert picture.format == "WEBP"
    assert picture.size == (taken.width, taken.height) == (640, 480)


def test_the_place_where_a_photo_was_taken_is_gone(storage: FolderStorage) -> None:
    photo = a_photo("JPEG", exif=phone_exif())
    assert Image.open(BytesIO(photo)).getexif().get_ifd(GPS_IFD)

    taken = intake.take_picture(storage, photo)

    public = [stored.key for stored in storage.list("anh/")]
    assert len(public) == 3
    for key in public:
        picture = stored_picture(storage, key)
        assert dict(picture.getexif()) == {}
        assert {"exif", "xmp", "icc_profile"} & set(picture.info) == set()
        assert b"Hoa" not in storage.read(key)
    assert storage.read(taken.original_key) == photo
    assert taken.original_key.startswith("private/")


def test_a_photo_held_sideways_is_set_upright(storage: FolderStorage) -> None:
    taken = intake.take_picture(storage, a_photo("JPEG", exif=phone_exif(orientation=6)))

    picture = stored_picture(storage, taken.key).convert("RGB")
    left, right = picture.getpixel((20, 300)), picture.getpixel((460, 300))
    assert picture.size == (480, 640)
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[2] > left[0]
    assert right[0] > right[2]


def test_large_photos_are_shrunk_and_small_copies_made(storage: FolderStorage) -> None:
    taken = intake.take_picture(storage, a_photo("JPEG", (4000, 3000)))

    sizes = [stored_picture(storage, intake.at_width(taken.key, w)).size for w in intake.WIDTHS]
    assert sizes == [(2048, 1536), (960, 720), (320, 240)]
    assert taken.small_key == intake.at_width(taken.key, 320)
    assert (taken.width, taken.height) == (2048, 1536)


def test_the_same_photo_has_the_same_name(storage: FolderStorage) -> None:
    first = intake.take_picture(storage, a_photo())
    second = intake.take_picture(storage, a_photo())

    assert first == second
    assert len(list(storage.list())) == 4


def test_transparency_is_kept(storage: FolderStorage) -> None:
    file = BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(file, "PNG")

    taken = intake.take_picture(storage, file.getvalue())

    assert stored_picture(storage, taken.key).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that unpacks to a picture of this size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(60_000, 60_000), (8_000, 8_000), (7_100, 7_100), (20_000, 10)])
def test_a_picture_that_would_fill_the_memory_is_refused(
    storage: FolderStorage, size: tuple[int, int]
) -> None:
    with pytest.raises(PictureTooWide):
        intake.take_picture(storage, png_that_claims(*size))
    assert list(storage.list()) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        a_photo()[:400],
        png_that_claims(300, 300),
    ],
    ids=["empty", "html", "html as png", "svg", "eps", "gif", "cut off", "too little data"],
)
def test_what_is_no_photo_is_refused(storage: FolderStorage, data: bytes) -> None:
    with pytest.raises(NotAPicture) as refusal:
        intake.take_picture(storage, data, field="photo")
    assert refusal.value.field == "photo"
    assert list(storage.list()) == []


def test_a_script_behind_a_photo_does_not_get_through(storage: FolderStorage) -> None:
    taken = intake.take_picture(storage, a_photo() + b"<script>alert(1)</script>")

    assert b"script" not in storage.read(taken.key)


def test_too_many_bytes_are_refused(storage: FolderStorage) -> None:
    with pytest.raises(FileTooLarge):
        intake.take_picture(storage, a_photo() + b"\0" * intake.LARGEST_PICTURE)
    with pytest.raises(FileTooLarge):
        intake.take_paper(storage, a_pdf() + b"\0" * intake.LARGEST_PAPER)


def a_pdf(words: str = "Giấy chứng nhận") -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    canvas.drawString(72, 720, words)
    canvas.save()
    return file.getvalue()


def with_object(body: bytes) -> bytes:
    """A PDF with one more object in it."""
    return a_pdf().replace(b"xref\n", b"99 0 obj\n" + body + b"\nendobj\nxref\n", 1)


def test_a_pdf_is_kept_privately_and_unchanged(storage: FolderStorage) -> None:
    paper = intake.take_paper(storage, a_pdf())

    assert paper.key.startswith("private/giay/")
    assert paper.content_type == "application/pdf"
    assert storage.read(paper.key).startswith(b"%PDF-")
    assert paper.size == storage.stat(paper.key).size


def test_a_photo_of_a_paper_is_made_anew(storage: FolderStorage) -> None:
    paper = intake.take_paper(storage, a_photo("JPEG", exif=phone_exif()))

    assert paper.content_type == "image/webp"
    assert dict(stored_picture(storage, paper.key).getexif()) == {}


def packed(body: bytes) -> bytes:
    inside = zlib.compress(body)
    return (
        b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(inside)
        + inside
        + b"\nendstream"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<< /S /JavaScript /JS (app.alert(1)) >>",
        b"<< /S /J#61vaScript /JS (app.alert(1)) >>",
        b"<< /OpenAction 5 0 R >>",
        b"<< /OpenAction [5 0 R /Fit] /OpenAction << /S /URI /URI (http://a) >> >>",
        b"<< /S /Launch /F (cmd.exe) >>",
        b"<< /Type /EmbeddedFile >>",
        b"<< /Names << /EmbeddedFiles 7 0 R >> >>",
        packed(b"1 0 << /S /JavaScript /JS (app.alert(1)) >>"),
        packed(b"1 0 << /S /J#61vaScript >>"),
    ],
)
def test_a_pdf_that_does_something_is_refused(storage: FolderStorage, body: bytes) -> None:
    with pytest.raises(NotAPaper):
        intake.take_paper(storage, with_object(body))
    assert list(storage.list()) == []


def test_a_pdf_that_says_which_page_is_shown_first_is_taken(storage: FolderStorage) -> None:
    # Office programs write this into every file.
    body = b"<< /Type /Catalog /OpenAction[1 0 R /XYZ null null 0] >>"

    assert intake.take_paper(storage, with_object(body)).size


def test_a_pdf_with_harmless_packed_objects_is_taken(storage: FolderStorage) -> None:
    assert intake.take_paper(storage, with_object(packed(b"1 0 << /Type /Font >>"))).size


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n",
        with_object(b"<< /Encrypt 3 0 R >>"),
        with_object(packed(b"0" * 20_000_000)),
        with_object(b"<< /Type /ObjStm /Filter /LZWDecode >>\nstream\nxyz\nendstream"),
        b"PK\x03\x04 a zip",
        b"\0" * 100,
    ],
    ids=["only a beginning", "locked", "bomb", "cannot be unpacked", "zip", "nothing"],
)
def test_what_is_no_readable_paper_is_refused(storage: FolderStorage, data: bytes) -> None:
    with pytest.raises(NotAPaper):
        intake.take_paper(storage, data, field="paper")


def test_a_broken_avif_is_no_photo(storage: FolderStorage) -> None:
    file = BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "AVIF")
    data = bytearray(file.getvalue())
    # The number of the item that holds the picture: the decoder says so by a RuntimeError.
    data[81] = 0

    with pytest.raises(NotAPicture):
        intake.take_picture(storage, bytes(data))
