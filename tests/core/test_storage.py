"""One door to files, and behind it a folder or a real S3 server: both keep the same promises."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from core import moving
from core.settings import Settings
from core.storage import (
    FolderStorage,
    NoSuchFile,
    S3Storage,
    Storage,
    StorageAway,
    WrongKey,
    etag_of_file,
    storage_for,
)
from tests.postgres import free_port
from tests.servers import Bucket, running_s3

HONEY = b"\x00m\xe1\xba\xadt ong\xff"


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    with running_s3() as bucket:
        yield bucket


def s3_settings(bucket: Bucket) -> Settings:
    return Settings(
        S3_BUCKET=bucket.name,
        S3_ENDPOINT_URL=bucket.endpoint,
        AWS_ACCESS_KEY_ID=bucket.user,
        AWS_SECRET_ACCESS_KEY=bucket.password,
    )


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "folder":
        yield storage_for(Settings(STORAGE_DIR=str(tmp_path / "files")))
        return
    storage = storage_for(s3_settings(request.getfixturevalue("bucket")))
    yield storage
    for stored in list(storage.list()):
        storage.delete(stored.key)


def test_the_settings_choose_the_storage(bucket: Bucket, tmp_path: Path) -> None:
    assert isinstance(storage_for(s3_settings(bucket)), S3Storage)
    assert isinstance(storage_for(Settings(STORAGE_DIR=str(tmp_path))), FolderStorage)


def test_what_was_put_is_read_again(storage: Storage) -> None:
    stored = storage.put("anh/mat-ong.webp", HONEY, "image/webp")

    assert storage.read("anh/mat-ong.webp") == HONEY
    assert storage.stat("anh/mat-ong.webp") == stored
    assert (stored.size, stored.content_type) == (len(HONEY), "image/webp")
    assert storage.exists("anh/mat-ong.webp")


def test_a_file_is_read_as_a_stream(storage: Storage) -> None:
    storage.put("bang/meta.csv", b"id,title\n" * 100_000)

    with storage.open_stream("bang/meta.csv") as stream:
        first = stream.read(9)
        rest = stream.read()

    assert first == b"id,title\n"
    assert len(rest) == 9 * 99_999


def test_putting_again_replaces_the_whole(storage: Storage) -> None:
    before = storage.put("bang/meta.csv", b"mot hai ba")
    after = storage.put("bang/meta.csv", b"bon")

    assert storage.read("bang/meta.csv") == b"bon"
    assert before.etag != after.etag


def test_what_is_not_there_is_refused_by_name(storage: Storage) -> None:
    for ask in (storage.read, storage.open_stream, storage.stat):
        with pytest.raises(NoSuchFile):
            ask("anh/khong-co.webp")
    assert not storage.exists("anh/khong-co.webp")


def test_deleting_is_final_and_harmless_when_repeated(storage: Storage) -> None:
    storage.put("anh/cu.webp", b"1")

    storage.delete("anh/cu.webp")
    storage.delete("anh/cu.webp")

    assert not storage.exists("anh/cu.webp")


def test_files_are_listed_by_prefix_and_in_order(storage: Storage) -> None:
    for key in ("anh/b.webp", "anh/a.webp", "private/anh/a.jpg", "bang/x.csv"):
        storage.put(key, b"12")

    assert [s.key for s in storage.list("anh/")] == ["anh/a.webp", "anh/b.webp"]
    assert [s.key for s in storage.list()] == [
        "anh/a.webp",
        "anh/b.webp",
        "bang/x.csv",
        "private/anh/a.jpg",
    ]
    assert {s.size for s in storage.list()} == {2}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../secret",
        "anh/../../secret",
        "anh//a",
        "anh/.hidden",
        "anh/a..b",
        "anh/",
        "anh\\a",
        "anh/\x00",
        "ảnh/a",
        "anh/a b",
        "anh/a\n",
        "a" * 301,
    ],
)
def test_a_key_that_leaves_the_storage_is_refused(storage: Storage, key: str) -> None:
    with pytest.raises(WrongKey):
        storage.put(key, b"1")
    with pytest.raises(WrongKey):
        storage.read(key)


def test_a_wrong_secret_is_refused_by_the_server(bucket: Bucket) -> None:
    storage = storage_for(replace(s3_settings(bucket), AWS_SECRET_ACCESS_KEY="sai"))

    with pytest.raises(StorageAway):
        storage.put("anh/a.webp", b"1")


def test_a_server_that_is_away_is_said_so(bucket: Bucket) -> None:
    nowhere = replace(s3_settings(bucket), S3_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(StorageAway):
        storage_for(nowhere).check()


def test_both_storages_say_that_they_are_well(storage: Storage) -> None:
    storage.check()


def test_a_broken_write_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FolderStorage(tmp_path)
    storage.put("anh/a.webp", b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.storage.os.fsync", full)
    with pytest.raises(StorageAway, match="No space"):
        storage.put("anh/a.webp", b"new")

    assert storage.read("anh/a.webp") == b"old"
    assert [path.name for path in (tmp_path / "anh").iterdir()] == ["a.webp"]


def test_a_name_longer_than_any_file_may_have_is_no_file(storage: Storage) -> None:
    storage.put("anh/a.webp", b"there is a folder")

    with pytest.raises(WrongKey):
        storage.stat(f"anh/{'a' * 260}.webp")


def test_a_large_file_arrives_in_parts_whole_and_proven(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.storage.PART", 5 * 1024 * 1024)
    large = tmp_path / "phim.bin"
    large.write_bytes(bytes(range(256)) * 28_000)

    stored = storage.put_file("private/phim.bin", large)

    assert storage.stat("private/phim.bin").size == stored.size == large.stat().st_size
    assert storage.read("private/phim.bin") == large.read_bytes()
    if isinstance(storage, S3Storage):
        assert stored.etag == etag_of_file(large)
        assert stored.etag.endswith("-2")


def test_a_browser_sends_one_photo_straight_to_the_bucket_and_nothing_else(bucket: Bucket) -> None:
    storage = storage_for(s3_settings(bucket))
    form = storage.post_form("private/anh/gui/1-a.jpeg", "image/jpeg", most=1_000)
    assert form is not None

    def send(content: bytes, **other: str) -> requests.Response:
        fields = {**form.fields, **other}
        return requests.post(form.url, data=fields, files={"file": content}, timeout=5)

    sent = send(HONEY)

    assert sent.status_code == 204
    stored = storage.stat("private/anh/gui/1-a.jpeg")
    assert (stored.size, stored.etag) == (len(HONEY), sent.headers["ETag"].strip('"'))
    assert send(HONEY * 1_000).status_code == 400
    assert send(HONEY, key="anh/cua-nguoi-khac.jpeg").status_code == 403
    assert not storage.exists("anh/cua-nguoi-khac.jpeg")
    storage.delete(stored.key)


def test_moving_into_the_bucket_goes_on_where_it_stopped(bucket: Bucket, tmp_path: Path) -> None:
    folder, there = FolderStorage(tmp_path), storage_for(s3_settings(bucket))
    for name in ("anh/mot.webp", "anh/hai.webp", "log/checkpoint", "feeds/1/meta.csv"):
        folder.put(name, HONEY + name.encode())
    there.put("log/checkpoint", b"younger")
    there.put("anh/mot.webp", HONEY + b"anh/mot.webp")
    there.put("anh/hai.webp", b"half")

    first, second = moving.move(tmp_path, there), moving.move(tmp_path, there, forget=True)

    assert (first.sent, first.there) == (1, 2)
    assert there.read("log/checkpoint") == b"younger"
    assert (second.sent, second.there, second.forgotten) == (0, 3, 3)
    assert there.read("anh/hai.webp") == HONEY + b"anh/hai.webp"
    assert [stored.key for stored in folder.list()] == ["feeds/1/meta.csv"]
    for stored in list(there.list()):
        there.delete(stored.key)
