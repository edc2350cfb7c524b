"""Every size of a photo: upright, square, silent about where, refused before it is decoded."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core import intake, sizes
from core.intake import FileTooLarge, NotAPicture, PictureTooWide
from core.sizes import Crop
from core.storage import FolderStorage, type_of
from tests.core.test_intake import GPS_IFD, a_photo, phone_exif, png_that_claims


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "files")


def opened(storage: FolderStorage, name: str, width: int, ending: str) -> Image.Image:
    return Image.open(BytesIO(storage.read(sizes.key_of(name, width, ending))))


@pytest.mark.parametrize(("kind", "turned"), [("HEIF", False), ("JPEG", True)])
def test_twelve_megapixels_of_a_phone_become_every_size(
    storage: FolderStorage,
    kind: str,
    turned: bool,  # noqa: FBT001
) -> None:
    exif = phone_exif(orientation=6 if turned else 1)
    fast = {"enc_params": {"preset": "ultrafast"}} if kind == "HEIF" else {}
    photo = a_photo(kind, (4000, 3000), exif=exif, quality=60, **fast)

    original = intake.keep_original(storage, photo)
    made = sizes.make(storage, photo, Crop())

    upright = (3000, 4000) if turned else (4000, 3000)
    assert (original.width, original.height) == (made.width, made.height) == upright
    assert made.side == 3000
    stored = {file.key for file in storage.list("anh/")}
    squares = {(width, ending) for width in sizes.WIDTHS for ending in ("avif", "webp")}
    wanted = squares | {(sizes.CHANNEL, "jpg"), (sizes.ZOOM, "webp")}
    assert stored == {sizes.key_of(made.name, *one) for one in wanted}
    for width, ending in wanted:
        picture = opened(storage, made.name, width, ending)
        assert type_of(f"x.{ending}") == f"image/{(picture.format or '').lower()}"
        assert not picture.getexif().get_ifd(GPS_IFD)
        assert not dict(picture.getexif())
        assert max(picture.size) == width
        assert picture.width == picture.height or width == sizes.ZOOM
    # Red above and blue below, as the phone was held: turned right when the JPEG says so.
    left, right = (opened(storage, made.name, 320, "webp").getpixel((x, 20)) for x in (20, 300))
    assert (left[2] > left[0]) is turned  # type: ignore[index]
    assert right[0] > right[2]  # type: ignore[index]


def test_a_square_stays_inside_and_nothing_grows(storage: FolderStorage) -> None:
    made = sizes.make(storage, a_photo("PNG", (400, 300)), Crop(x=1000, y=0, side=500))

    assert Crop(x=1000, y=0, side=500).box((400, 300)) == (250, 0, 400, 150)
    assert Crop(x=-7, y=5000, side=1).box((300, 400)) == (0, 370, 30, 400)
    assert made.side == 150
    assert opened(storage, made.name, 960, "avif").size == (150, 150)
    assert opened(storage, made.name, sizes.ZOOM, "webp").size == (400, 300)
    assert sizes.make(storage, a_photo("PNG", (400, 300)), Crop()).name != made.name


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (png_that_claims(30_000, 30_000), PictureTooWide),
        (png_that_claims(60_000, 100), PictureTooWide),
        (b"\xff\xd8\xff\xe0 no photo", NotAPicture),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NotAPicture),
        (b"GIF89a" + b"\0" * 40, NotAPicture),
        (b"\xff\xd8" + b"\0" * intake.LARGEST_PICTURE, FileTooLarge),
    ],
)
def test_bombs_and_fakes_are_refused_by_their_head(
    storage: FolderStorage, monkeypatch: pytest.MonkeyPatch, data: bytes, refusal: type[Exception]
) -> None:
    def never(*_: object) -> None:
        pytest.fail("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)

    with pytest.raises(refusal):
        intake.keep_original(storage, data)

    assert list(storage.list()) == []
