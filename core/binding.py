"""Binds papers that were drawn one after the other into one PDF, holding one of them at a time.

Only files of `core.paper` are bound: whoever wrote them is known, so their objects are renumbered
as they lie, streams untouched.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

_HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
_OBJECT = re.compile(rb"(\d+) 0 obj\r?\n")
_REFERENCE = re.compile(rb"(?<![\w.(])(\d+) 0 R\b")
_STREAM = re.compile(rb"\bstream\r?\n")
_KIDS = re.compile(rb"/Kids \[([^\]]*)\]")
_OF_PAGES = re.compile(rb"/Type /Pages\b")
_OF_CATALOG = re.compile(rb"/Type /Catalog\b")
_INFO = re.compile(rb"/Info (\d+) 0 R")
_END = b"endobj"
# The tree of pages and the catalogue are written last, under the first two numbers.
PAGES, CATALOG = 1, 2


class NotOurPaper(Exception):  # noqa: N818 - said of the file
    """The file is not one that `core.paper` writes."""


@dataclass(slots=True)
class _Book:
    """The file as it grows: where each object begins, and which of them are pages."""

    file: BinaryIO
    begins: dict[int, int] = field(default_factory=dict)
    pages: list[int] = field(default_factory=list)
    information: int | None = None
    written: int = 0

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.written += len(data)

    def start(self, number: int) -> None:
        self.begins[number] = self.written
        self.write(b"%d 0 obj\n" % number)


def bind(papers: Iterable[bytes], file: BinaryIO) -> int:
    """Write all pages of `papers` into `file`, in their order; return how many there are.

    Raises NotOurPaper.
    """
    book = _Book(file)
    book.write(_HEAD)
    last = CATALOG
    for paper in papers:
        last = _add(book, paper, after=last)
    book.start(PAGES)
    kids = b" ".join(b"%d 0 R" % page for page in book.pages)
    book.write(b"<< /Type /Pages /Count %d /Kids [ %s ] >>\nendobj\n" % (len(book.pages), kids))
    book.start(CATALOG)
    book.write(b"<< /Type /Catalog /Pages %d 0 R >>\nendobj\n" % PAGES)
    _end(book, size=last + 1)
    return len(book.pages)


def _add(book: _Book, paper: bytes, *, after: int) -> int:
    """Write the objects of one paper behind those there are; return the last number used."""
    objects = dict(_objects(paper))
    tree = next((n for n, words in objects.items() if _is(_OF_PAGES, words)), None)
    if tree is None:
        raise NotOurPaper
    skipped = {tree, *(n for n, words in objects.items() if _is(_OF_CATALOG, words))}
    new = {number: after + place for place, number in enumerate(objects, start=1)}
    new[tree] = PAGES
    information = _INFO.search(paper, paper.rindex(b"trailer"))
    about = int(information.group(1)) if information else None
    if book.information is None and about is not None:
        book.information = new[about]
    for number, words in objects.items():
        if number in skipped:
            continue
        book.start(new[number])
        head, stream = _parted(words)
        # What people wrote stands in the information alone: it refers to nothing.
        book.write(head if number == about else _renumbered(head, new))
        book.write(stream)
        book.write(b"endobj\n")
    kids = _KIDS.search(objects[tree])
    pages = _REFERENCE.findall(kids.group(1)) if kids else []
    book.pages += [new[int(page)] for page in pages]
    return after + len(objects)


def _objects(paper: bytes) -> Iterator[tuple[int, bytes]]:
    """Give number and words of every object that the file's table names."""
    try:
        table = int(paper[paper.rindex(b"startxref") :].split(maxsplit=2)[1])
        rows = paper[table : paper.index(b"trailer", table)].splitlines()[2:]
        places = sorted(int(row[:10]) for row in rows if row.rstrip().endswith(b"n"))
    except (ValueError, IndexError) as error:
        raise NotOurPaper from error
    if not places:
        raise NotOurPaper
    for begin, following in zip(places, [*places[1:], table], strict=True):
        head = _OBJECT.match(paper, begin)
        if head is None:
            raise NotOurPaper
        yield int(head.group(1)), paper[head.end() : paper.rindex(_END, begin, following)]


def _is(kind: re.Pattern[bytes], words: bytes) -> bool:
    return kind.search(_parted(words)[0]) is not None


def _parted(words: bytes) -> tuple[bytes, bytes]:
    """Return the words of an object, and its stream."""
    stream = _STREAM.search(words)
    return (words[: stream.start()], words[stream.start() :]) if stream else (words, b"")


def _renumbered(words: bytes, new: dict[int, int]) -> bytes:
    return _REFERENCE.sub(lambda found: b"%d 0 R" % new[int(found.group(1))], words)


def _end(book: _Book, *, size: int) -> None:
    table = book.written
    book.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
    for number in range(1, size):
        begin = book.begins.get(number)
        book.write(b"0000000000 65535 f \n" if begin is None else b"%010d 00000 n \n" % begin)
    book.write(b"trailer\n<< /Size %d /Root %d 0 R" % (size, CATALOG))
    if book.information is not None:
        book.write(b" /Info %d 0 R" % book.information)
    book.write(b" >>\nstartxref\n%d\n%%%%EOF\n" % table)
