"""The one door to stored files: a folder, or a bucket of an S3 server. Only here boto3 is known.

Keys are paths of plain letters. What lies under `private/` is never shown by address; names carry
their content's hash, so a stored file is never changed, only added or deleted.
"""

import hashlib
import mimetypes
import os
import re
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from core.errors import NotFound
from core.i18n import lazy
from core.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
LONGEST_KEY = 300
# What a folder's file system can hold as one name.
LONGEST_NAME = 255
PRIVATE = "private/"
# What is larger is sent in parts of this size.
PART = 8 * 1024 * 1024
POST_SECONDS = 600
TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".gz": "application/gzip",
}


class NoSuchFile(NotFound):
    """Nothing is stored under this key."""


class WrongKey(NotFound):
    """No file can have such a key: it leaves the storage, or holds letters we never use."""


class StorageAway(Exception):  # noqa: N818 - said of the storage, as a person would
    """The storage does not answer in time, or refuses us; trying again later may help."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a stored file without reading it; `etag` changes with the content."""

    key: str
    size: int
    etag: str
    content_type: str


@dataclass(frozen=True, slots=True)
class PostForm:
    """Where and with which fields a browser may itself send one file, for a few minutes."""

    url: str
    fields: dict[str, str]


class Storage(Protocol):
    """What both kinds of storage can do. All but `put` and `list` raise NoSuchFile."""

    def put(self, key: str, data: bytes, content_type: str | None = None) -> Stored:
        """Store `data` whole under `key`; after a crash there is all of it or nothing."""

    def put_file(self, key: str, path: Path) -> Stored:
        """Store what the file at `path` holds, as `put` does, without reading it into memory."""

    def read(self, key: str) -> bytes:
        """Return the whole file."""

    def open_stream(self, key: str) -> BinaryIO:
        """Return the file open for reading from its start; whoever asks closes it."""

    def stat(self, key: str) -> Stored:
        """Return size, etag and type."""

    def exists(self, key: str) -> bool:
        """Say whether something is stored under `key`."""

    def delete(self, key: str) -> None:
        """Make `key` free; harmless if it is."""

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Give every file whose key begins with `prefix`, by key."""

    def post_form(self, key: str, content_type: str, *, most: int) -> PostForm | None:
        """Return how a browser may store one file of at most so many bytes under `key` itself.

        None where files come through the shop: a folder has no door of its own.
        """

    def check(self) -> None:
        """Raise StorageAway if nothing could be stored now."""


def storage_for(settings: Settings) -> Storage:
    """Return the storage the settings name: a bucket if there is one, else a folder."""
    if settings.S3_BUCKET:
        return S3Storage(settings)
    return FolderStorage(Path(settings.STORAGE_DIR))


def checked(key: str) -> str:
    """Return `key`, or raise WrongKey."""
    names_fit = len(key) <= LONGEST_KEY and max(map(len, key.split("/"))) <= LONGEST_NAME
    if not names_fit or not _KEY.fullmatch(key) or ".." in key:
        raise WrongKey(lazy("There is no such file."))
    return key


def type_of(key: str) -> str:
    """Return the content type that the end of `key` stands for."""
    suffix = Path(key).suffix
    return TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


class FolderStorage:
    """Files below one folder; made by write-aside, flush and rename."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, data: bytes, content_type: str | None = None) -> Stored:  # noqa: ARG002
        """Store `data`; the folder keeps no type, the end of the key says it."""
        return self._take(key, BytesIO(data))

    def put_file(self, key: str, path: Path) -> Stored:
        """Store what the file holds."""
        with path.open("rb") as file:
            return self._take(key, file)

    def _take(self, key: str, source: BinaryIO) -> Stored:
        path = self._path(key)
        try:
            self._write(path, source)
        except OSError as error:
            # Full, read-only or broken: a page must say «later», not «our fault».
            raise StorageAway(f"{key}: {error.strerror}") from error
        return self.stat(key)

    def _write(self, path: Path, source: BinaryIO) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name with a leading dot can be no key: a half-written file is never listed or served.
        handle, draft = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)

    def read(self, key: str) -> bytes:
        """Return the whole file."""
        with self.open_stream(key) as file:
            return file.read()

    def open_stream(self, key: str) -> BinaryIO:
        """Return the open file."""
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NoSuchFile(lazy("There is no such file.")) from None

    def stat(self, key: str) -> Stored:
        """Return size, etag and type; the etag is of size and time of writing."""
        path = self._path(key)
        try:
            facts = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchFile(lazy("There is no such file.")) from None
        if not path.is_file():
            raise NoSuchFile(lazy("There is no such file."))
        return Stored(key, facts.st_size, f"{facts.st_mtime_ns:x}-{facts.st_size:x}", type_of(key))

    def exists(self, key: str) -> bool:
        """Say whether the file is there."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """Remove the file."""
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Give every file by key."""
        found = (
            path.relative_to(self._root).as_posix()
            for path in self._root.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )
        for key in sorted(key for key in found if key.startswith(prefix)):
            with suppress(NoSuchFile):
                yield self.stat(key)

    def post_form(self, key: str, content_type: str, *, most: int) -> PostForm | None:  # noqa: ARG002
        """Return None: a folder has no door of its own."""
        return None

    def check(self) -> None:
        """Raise StorageAway if the folder cannot be written."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(prefix=".", dir=self._root) as file:
                file.write(b"1")
        except OSError as error:
            raise StorageAway(str(error)) from error

    def _path(self, key: str) -> Path:
        return self._root / checked(key)


class S3Storage:
    """Objects of one bucket; every call has a time limit and at most one second try."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: S3Client | None = None

    def put(self, key: str, data: bytes, content_type: str | None = None) -> Stored:
        """Store `data`; the server refuses it unless it received exactly these bytes."""
        return self._take(key, BytesIO(data), len(data), content_type or type_of(key))

    def put_file(self, key: str, path: Path) -> Stored:
        """Store what the file holds; the server checks it as in `put`, a large one part by part."""
        size = path.stat().st_size
        with path.open("rb") as file:
            if size > PART:
                return self._take_parts(key, file, size)
            return self._take(key, file, size, type_of(key))

    def _take_parts(self, key: str, source: BinaryIO, size: int) -> Stored:
        """Send a large file in parts; the etag of the whole proves that all arrived in order."""
        place: dict[str, Any] = {"Bucket": self._settings.S3_BUCKET, "Key": checked(key)}
        with _answers(key):
            begun = self._s3.create_multipart_upload(**place, ContentType=type_of(key))
        upload = {**place, "UploadId": begun["UploadId"]}
        try:
            digests: list[bytes] = []
            with _answers(key):
                for piece in iter(partial(source.read, PART), b""):
                    digests.append(hashlib.md5(piece, usedforsecurity=False).digest())
                    self._s3.upload_part(
                        **upload,
                        PartNumber=len(digests),
                        Body=piece,
                        ContentMD5=b64encode(digests[-1]).decode(),
                    )
                parts: Any = [
                    {"PartNumber": number, "ETag": f'"{digest.hex()}"'}
                    for number, digest in enumerate(digests, start=1)
                ]
                answer = self._s3.complete_multipart_upload(
                    **upload, MultipartUpload={"Parts": parts}
                )
        except BaseException:
            # Parts that no file ever became would be paid for until somebody looks.
            with suppress(Exception):
                self._s3.abort_multipart_upload(**upload)
            raise
        etag = answer["ETag"].strip('"')
        if etag != etag_of_parts(digests):
            raise StorageAway(f"{key}: the parts did not arrive as they were sent")
        return Stored(key, size, etag, type_of(key))

    def _take(self, key: str, source: BytesIO | BufferedReader, size: int, kind: str) -> Stored:
        digest = hashlib.file_digest(source, partial(hashlib.md5, usedforsecurity=False))
        source.seek(0)
        with _answers(key):
            answer = self._s3.put_object(
                Bucket=self._settings.S3_BUCKET,
                Key=checked(key),
                Body=source,
                ContentType=kind,
                ContentMD5=b64encode(digest.digest()).decode(),
            )
        return Stored(key, size, answer["ETag"].strip('"'), kind)

    def read(self, key: str) -> bytes:
        """Return the whole object."""
        with _answers(key), self.open_stream(key) as body:
            return body.read()

    def open_stream(self, key: str) -> BinaryIO:
        """Return the object's body as it arrives."""
        with _answers(key):
            answer = self._s3.get_object(Bucket=self._settings.S3_BUCKET, Key=checked(key))
        return cast("BinaryIO", answer["Body"])

    def stat(self, key: str) -> Stored:
        """Return size, etag and type."""
        with _answers(key):
            answer = self._s3.head_object(Bucket=self._settings.S3_BUCKET, Key=checked(key))
        kind = answer.get("ContentType", type_of(key))
        return Stored(key, answer["ContentLength"], answer["ETag"].strip('"'), kind)

    def exists(self, key: str) -> bool:
        """Say whether the object is there."""
        try:
            self.stat(key)
        except NoSuchFile:
            return False
        return True

    def delete(self, key: str) -> None:
        """Delete the object."""
        with _answers(key):
            self._s3.delete_object(Bucket=self._settings.S3_BUCKET, Key=checked(key))

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Give every object by key, a thousand at a time."""
        with _answers(prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._settings.S3_BUCKET, Prefix=prefix
            )
            for page in pages:
                for item in page.get("Contents", []):
                    key = item["Key"]
                    yield Stored(key, item["Size"], item["ETag"].strip('"'), type_of(key))

    def post_form(self, key: str, content_type: str, *, most: int) -> PostForm | None:
        """Return a form signed for this key, this type and no more bytes, good for ten minutes."""
        with _answers(key):
            signed = self._s3.generate_presigned_post(
                self._settings.S3_BUCKET,
                checked(key),
                Fields={"Content-Type": content_type},
                Conditions=[
                    {"Content-Type": content_type},
                    ["content-length-range", 1, most],
                ],
                ExpiresIn=POST_SECONDS,
            )
        return PostForm(signed["url"], dict(signed["fields"]))

    def check(self) -> None:
        """Raise StorageAway if the bucket does not answer."""
        try:
            with _answers(""):
                self._s3.head_bucket(Bucket=self._settings.S3_BUCKET)
        except NoSuchFile as error:
            raise StorageAway(self._settings.S3_BUCKET) from error

    @property
    def _s3(self) -> "S3Client":
        # Made at the first call: it costs half a second, and a web process may never need it.
        if self._client is None:
            self._client = _connect(self._settings)
        return self._client


def _connect(settings: Settings) -> "S3Client":
    import boto3  # noqa: PLC0415 - 30 MB that a shop with a folder never loads
    from botocore.config import Config  # noqa: PLC0415

    client: S3Client = boto3.client(
        "s3",
        endpoint_url=settings.S3_ENDPOINT_URL or None,
        region_name=settings.S3_REGION,
        aws_access_key_id=settings.AWS_ACCESS_KEY_ID or None,
        aws_secret_access_key=settings.AWS_SECRET_ACCESS_KEY or None,
        config=Config(
            s3={"addressing_style": "path"} if settings.S3_ENDPOINT_URL else {},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=2,
            read_timeout=5,
            retries={"total_max_attempts": 2, "mode": "standard"},
            max_pool_connections=20,
        ),
    )
    return client


def etag_of_parts(digests: list[bytes]) -> str:
    """Return the etag S3 gives what was sent in parts with these MD5 digests."""
    whole = hashlib.md5(b"".join(digests), usedforsecurity=False)
    return f"{whole.hexdigest()}-{len(digests)}"


def etag_of_file(path: Path) -> str:
    """Return the etag `put_file` gives this file in a bucket."""
    with path.open("rb") as file:
        if path.stat().st_size <= PART:
            return hashlib.file_digest(
                file, partial(hashlib.md5, usedforsecurity=False)
            ).hexdigest()
        pieces = iter(partial(file.read, PART), b"")
        return etag_of_parts([hashlib.md5(one, usedforsecurity=False).digest() for one in pieces])


@contextmanager
def _answers(key: str) -> Iterator[None]:
    """Turn what boto3 raises into our two words for it."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey", "NotFound"}:
            raise NoSuchFile(lazy("There is no such file.")) from None
        raise StorageAway(f"{key}: {error}") from error
    except BotoCoreError as error:
        raise StorageAway(f"{key}: {error}") from error


def _flush_folder(folder: Path) -> None:
    """Make a rename in `folder` last over a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
