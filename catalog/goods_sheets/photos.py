"""Photos that a sheet names: files of the zip beside it, or addresses on the open internet."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from catalog.goods_sheets.lines import GoodsLine
from catalog.pictures import FOLDER
from core import intake, outgoing
from core.errors import Invalid, Refusal, Unavailable
from core.i18n import lazy as _
from core.intake import LARGEST_PICTURE, Original
from core.outgoing import OUT_OF_ORDER
from core.storage import Storage
from core.text import fold

MOST_FILES = 5_000
SECONDS = 10.0
OK = 200


class BadZip(Invalid):
    """The file is no zip of photos, or holds more than a sheet can name."""


class NotThere(Invalid):
    """The photo that a row names is not where it says."""


@dataclass(frozen=True, slots=True)
class PhotoZip:
    """The files of a zip by name, folders left aside."""

    packed: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]

    def read(self, name: str) -> bytes:
        """Return a file by its name, never more of it than a photo may have."""
        member = self.members.get(_named(name))
        if member is None:
            raise NotThere(_("The zip holds no file “%(name)s”.", name=name))
        try:
            with self.packed.open(member) as file:
                return file.read(LARGEST_PICTURE + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
            raise NotThere(_("The file “%(name)s” in the zip is broken.", name=name)) from error


@contextmanager
def opened(file: BinaryIO | None) -> Iterator[PhotoZip | None]:
    """Give the photos of a zip, or None where none was sent; raises BadZip."""
    if file is None:
        yield None
        return
    try:
        packed = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadZip(_("This is no zip. Put the photos into one and send it again.")) from error
    with packed:
        members = [one for one in packed.infolist() if not one.is_dir()]
        if len(members) > MOST_FILES:
            raise BadZip(_("The zip holds more than %(most)s files.", most=MOST_FILES))
        yield PhotoZip(packed, {_named(one.filename): one for one in members})


def take(storage: Storage, photos: PhotoZip | None, line: GoodsLine) -> list[Original]:
    """Keep the photos that a line names and return them; each that cannot be had is noted.

    Calls others: never inside a transaction.
    """
    found: list[Original] = []
    for name in line.pictures:
        try:
            found.append(intake.keep_original(storage, _bytes_of(photos, name), folder=FOLDER))
        except Refusal as refusal:
            line.wrong("pictures", f"{name}: {refusal.message}", keeps_out=False)
    return found


def look(photos: PhotoZip | None, line: GoodsLine) -> None:
    """Note the photos that are certainly not there, without fetching any."""
    for name in line.pictures:
        if not _is_address(name) and (photos is None or _named(name) not in photos.members):
            message = _("The zip holds no file “%(name)s”.", name=name)
            line.wrong("pictures", message, keeps_out=False)


def _bytes_of(photos: PhotoZip | None, name: str) -> bytes:
    if not _is_address(name):
        if photos is None:
            raise NotThere(_("No zip with photos was sent."))
        return photos.read(name)
    answer = outgoing.get_public(name, seconds=SECONDS, most_bytes=LARGEST_PICTURE)
    if answer.status >= OUT_OF_ORDER:
        raise Unavailable(_("The other side does not answer right now. Try again in a minute."))
    if answer.status != OK:
        raise NotThere(_("There is nothing at this address (%(status)s).", status=answer.status))
    return answer.body


def _is_address(name: str) -> bool:
    return "://" in name


def _named(name: str) -> str:
    """Return a file's name as names are compared: no folders, no marks, no capitals."""
    return fold(PurePosixPath(name.replace("\\", "/")).name)
