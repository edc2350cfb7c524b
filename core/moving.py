"""Moving a shop's files from its folder into a bucket: safe to stop and to start again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.storage import NoSuchFile, Storage, etag_of_file

# Feed files are made anew each hour, on the machine that serves them.
STAYS = ("feeds/",)
# Every other name carries its content; what stands under these is written anew, so the bucket's is
# the younger one as soon as the shop works with it.
YOUNGER_THERE = ("log/",)


@dataclass(slots=True)
class Moved:
    """How many files went over now, how many were there already, and their bytes."""

    sent: int = 0
    there: int = 0
    size: int = 0
    forgotten: int = 0


def move(
    folder: Path,
    bucket: Storage,
    *,
    forget: bool = False,
    tell: Callable[[str], object] = lambda _key: None,
) -> Moved:
    """Bring every file of `folder` into `bucket`; each is proven by size and etag.

    What lies there already, unchanged, is not sent again: stopped anywhere and started again, it
    goes on. With `forget` each file leaves the folder once the bucket has proven to hold it.
    """
    moved = Moved()
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if not path.is_file() or path.name.startswith(".") or key.startswith(STAYS):
            continue
        size = path.stat().st_size
        if _holds(bucket, key, size, etag_of_file(path)) or (
            key.startswith(YOUNGER_THERE) and bucket.exists(key)
        ):
            moved.there += 1
        else:
            bucket.put_file(key, path)
            moved.sent, moved.size = moved.sent + 1, moved.size + size
            tell(key)
        if forget:
            path.unlink()
            moved.forgotten += 1
    return moved


def _holds(bucket: Storage, key: str, size: int, etag: str) -> bool:
    try:
        stored = bucket.stat(key)
    except NoSuchFile:
        return False
    return (stored.size, stored.etag) == (size, etag)
