"""Papers drawn one after the other become one PDF that every reader opens."""

from collections.abc import Iterator
from io import BytesIO

import pypdf
import pypdfium2
import pytest
import zxingcpp

from core.binding import NotOurPaper, bind
from core.paper import A6, Paper


def papers(count: int) -> Iterator[bytes]:
    """Papers of two pages; the title looks like a reference, which it is not."""
    for number in range(count):
        paper = Paper(A6, title="Tem 1 0 R (x) endobj")
        for page in range(2):
            paper.begin_page()
            paper.text(f"Mật ong Đẳng {number}-{page}")
            paper.code(f"https://a.vn/t/{number}-{page}", x=5, y=30, side=30)
        yield paper.finish()


def test_every_page_keeps_its_words_and_its_code() -> None:
    file = BytesIO()

    pages = bind(papers(3), file)

    expected = [f"{number}-{page}" for number in range(3) for page in range(2)]
    drawn = pypdfium2.PdfDocument(file.getvalue())
    read = pypdf.PdfReader(file, strict=True)
    assert pages == len(drawn) == len(read.pages) == 6
    assert [page.extract_text().strip() for page in read.pages] == [
        f"Mật ong Đẳng {one}" for one in expected
    ]
    codes = [zxingcpp.read_barcodes(page.render(scale=2).to_pil())[0].text for page in drawn]
    assert codes == [f"https://a.vn/t/{one}" for one in expected]
    assert read.metadata is not None
    assert read.metadata.title == "Tem 1 0 R (x) endobj"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4 startxref", b"startxref\n0\n%%EOF trailer"])
def test_what_is_no_paper_of_ours_is_not_bound(data: bytes) -> None:
    with pytest.raises(NotOurPaper):
        bind([data], BytesIO())
