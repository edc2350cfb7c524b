"""A backup is only good when it has been restored: on both databases, whole, and checked."""

import gzip
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text

from accounts import audit
from accounts.audit import SYSTEM, Act
from accounts.users import User
from catalog.places import AdminUnit
from catalog.variants import Variant
from core import backup, dump, tasks
from core.backup import BackupRefused
from core.db import Base, Database
from core.storage import FolderStorage
from tests.conftest import NOON, create_tables
from tests.factories import a_lot, a_product, a_star, a_user, a_variant


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    storage = FolderStorage(tmp_path / "files")
    storage.put("anh/mat-ong.webp", b"WEBP" * 1000)
    storage.put("private/giay/813.pdf", b"%PDF-1.7")
    return storage


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A second, empty database to restore into, of either kind."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/other.db")
        create_tables(database)
        yield database
        database.close()
        return
    address: str = request.getfixturevalue("postgres_url")
    server = create_engine(
        f"{address.replace('postgresql:', 'postgresql+psycopg:')}/postgres",
        isolation_level="AUTOCOMMIT",
    )
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS restored WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE restored"))
    server.dispose()
    database = Database(f"{address}/restored")
    create_tables(database)
    yield database
    database.close()


@pytest.fixture
def village(database: Database) -> Database:
    """A database with something of most kinds in it."""
    with database.transaction() as session:
        product = a_product(session)
        lot = a_lot(session, a_variant(session, product=product, price=165_000), in_stock=7)
        star = a_star(session, product)
        tasks.enqueue(session, "mail.send", {"to": "hoa@example.vn", "n": [1, None]}, now=NOON)
        audit.record(session, SYSTEM, "lot.opened", f"lot:{lot.id}", now=NOON, star=star.id)
    return database


def everything(database: Database) -> dict[str, list[bytes]]:
    with database.engine.connect() as connection:
        return {table.name: list(dump.lines(connection, table)) for table in dump.tables()}


def test_what_is_restored_is_what_was_there(
    village: Database, other: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    file = tmp_path / "shop.tar.gz"
    empty = FolderStorage(tmp_path / "restored-files")

    made = backup.create(village, storage, file, now=NOON)
    restored = backup.restore(other, empty, file, digest=made.digest)

    assert restored == made
    assert made.files == 2
    assert everything(other) == everything(village)
    assert [(s.key, empty.read(s.key)) for s in empty.list()] == [
        (s.key, storage.read(s.key)) for s in storage.list()
    ]
    assert file.stat().st_mode & 0o077 == 0


def test_the_second_copy_of_what_was_signed_stays_where_it_is(
    village: Database, other: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    storage.put("log/checkpoint", b"old")
    backup.create(village, storage, tmp_path / "a.backup", now=NOON)
    storage.put("log/checkpoint", b"new")

    backup.restore(other, storage, tmp_path / "a.backup")

    assert storage.read("log/checkpoint") == b"new"
    assert storage.read("private/giay/813.pdf") == b"%PDF-1.7"


def test_a_restored_shop_goes_on_numbering(
    village: Database, other: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    file = tmp_path / "shop.tar.gz"
    backup.create(village, storage, file, now=NOON)
    backup.restore(other, storage, file)

    with other.transaction() as session:
        before = session.scalar(select(func.max(Variant.id))) or 0
        after = a_variant(session).id

    assert after == before + 1


def test_rows_may_point_to_later_rows(
    database: Database, other: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    with database.transaction() as session:
        a_variant(session)
        commune = session.get(AdminUnit, "09784")
        assert commune is not None
        session.add(AdminUnit(**{**_values(commune), "code": "00001", "parent_code": commune.code}))
    file = tmp_path / "shop.tar.gz"

    backup.create(database, storage, file, now=NOON)
    backup.restore(other, storage, file)

    assert everything(other) == everything(database)


def _values(unit: AdminUnit) -> dict[str, object]:
    return {column.key: getattr(unit, column.key) for column in AdminUnit.__table__.columns}


def test_a_backup_is_of_one_moment_while_people_go_on_buying(
    village: Database, storage: FolderStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, pairs = threading.Event(), [0]

    def goes_on() -> None:
        while not stop.is_set():
            with village.transaction() as session:
                user = a_user(session)
                session.add(user)
                audit.record(session, SYSTEM, "pair", f"user:{user.id}", now=NOON)
            pairs[0] += 1

    slow = dump.lines

    def slow_lines(connection: object, table: object) -> Iterator[bytes]:
        before = pairs[0]
        while pairs[0] < before + 1 and not stop.is_set():
            stop.wait(0.002)
        return slow(connection, table)  # type: ignore[arg-type]

    monkeypatch.setattr(backup.dump, "lines", slow_lines)
    writer = threading.Thread(target=goes_on)
    writer.start()
    try:
        backup.create(village, storage, tmp_path / "shop.tar.gz", now=NOON)
    finally:
        stop.set()
        writer.join()
    monkeypatch.undo()
    restored = Database(f"sqlite:///{tmp_path}/restored.db")
    create_tables(restored)
    backup.restore(restored, storage, tmp_path / "shop.tar.gz")

    with restored.reading() as session:
        users = session.scalar(select(func.count()).select_from(User))
        acts = session.scalar(select(func.count()).select_from(Act).where(Act.verb == "pair"))
    restored.close()
    assert users == acts
    assert pairs[0] > len(dump.tables())


def test_a_database_that_holds_something_is_not_overwritten_by_accident(
    village: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    file = tmp_path / "shop.tar.gz"
    backup.create(village, storage, file, now=NOON)
    with village.transaction() as session:
        a_user(session, name="Người mới")
    with_more = everything(village)

    with pytest.raises(BackupRefused, match="--replace"):
        backup.restore(village, storage, file)
    untouched = everything(village)
    backup.restore(village, storage, file, replace=True)

    assert untouched == with_more
    assert everything(village) != with_more


def test_a_restore_that_breaks_leaves_everything_as_it_was(
    village: Database, storage: FolderStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.tar.gz"
    backup.create(village, storage, file, now=NOON)
    with village.transaction() as session:
        a_user(session, name="Người mới")
    before = everything(village)
    load, calls = dump.load, [0]

    def breaks_at_the_tenth(*given: object) -> int:
        calls[0] += 1
        if calls[0] == 10:
            raise OSError("mất điện")
        return load(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(backup.dump, "load", breaks_at_the_tenth)
    with pytest.raises(OSError, match="mất điện"):
        backup.restore(village, storage, file, replace=True)

    assert everything(village) == before


def rewritten(file: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same backup with its members changed."""
    target = file.with_name("changed.tar.gz")
    with tarfile.open(file) as old, tarfile.open(target, "w:gz") as new:
        for entry in old:
            stream = old.extractfile(entry)
            assert stream is not None
            content = change(entry.name, stream.read())
            if content is not None:
                entry.size = len(content)
                new.addfile(entry, io.BytesIO(content))
    return target


def cheaper(name: str, content: bytes) -> bytes:
    return content.replace(b"165000", b"1") if name == "tables/variant.jsonl" else content


def without_manifest(name: str, content: bytes) -> bytes | None:
    return None if name.startswith("manifest") else content


def without_users(name: str, content: bytes) -> bytes | None:
    return None if name == "tables/user_account.jsonl" else content


def without_picture(name: str, content: bytes) -> bytes | None:
    return None if name.startswith("files/anh") else content


def with_another_seal(name: str, content: bytes) -> bytes:
    return b"0" * 64 if name == backup.SEAL else content


@pytest.mark.parametrize(
    "change", [cheaper, without_manifest, without_users, without_picture, with_another_seal]
)
def test_a_changed_backup_is_refused(
    village: Database,
    storage: FolderStorage,
    tmp_path: Path,
    change: Callable[[str, bytes], bytes | None],
) -> None:
    file = tmp_path / "shop.tar.gz"
    backup.create(village, storage, file, now=NOON)
    before = everything(village)

    with pytest.raises(BackupRefused):
        backup.restore(village, storage, rewritten(file, change), replace=True)

    assert everything(village) == before


def test_a_backup_cut_short_or_none_at_all_is_refused(
    village: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    file = tmp_path / "shop.tar.gz"
    backup.create(village, storage, file, now=NOON)
    whole = file.read_bytes()

    halves = (whole[: len(whole) // 2], whole[: len(whole) * 9 // 10], b"")
    for content in (*halves, b"SQLite format 3\0", gzip.compress(b"?")):
        file.write_bytes(content)
        with pytest.raises(BackupRefused):
            backup.restore(village, storage, file, replace=True)


@pytest.mark.parametrize("change", [{"format": 99}, {"revision": "0000"}], ids=str)
def test_a_well_made_backup_of_another_version_is_refused(
    village: Database, storage: FolderStorage, tmp_path: Path, change: dict[str, object]
) -> None:
    file = tmp_path / "shop.tar.gz"
    backup.create(village, storage, file, now=NOON)
    with tarfile.open(file) as tar:
        old = tar.extractfile(backup.MANIFEST)
        assert old is not None
        manifest = json.dumps({**json.load(old), **change}).encode()
    seal = sha256(manifest).hexdigest().encode()
    known = {backup.MANIFEST: manifest, backup.SEAL: seal}
    other_version = rewritten(file, lambda name, content: known.get(name, content))

    with pytest.raises(BackupRefused):
        backup.restore(village, storage, other_version, replace=True)


def test_another_backup_than_the_expected_one_is_refused(
    village: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    file = tmp_path / "shop.tar.gz"
    first = backup.create(village, storage, file, now=NOON)
    backup.create(village, storage, file, now=NOON + timedelta(days=1))

    with pytest.raises(BackupRefused, match="digest"):
        backup.restore(village, storage, file, replace=True, digest=first.digest)


def test_a_failed_backup_leaves_the_old_one(
    village: Database, storage: FolderStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup.create(village, storage, folder / "shop.tar.gz", now=NOON)
    before = (folder / "shop.tar.gz").read_bytes()

    def full(_key: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "open_stream", full)
    with pytest.raises(OSError, match="No space"):
        backup.create(village, storage, folder / "shop.tar.gz", now=NOON)

    assert (folder / "shop.tar.gz").read_bytes() == before
    assert len(list(folder.iterdir())) == 1


def test_every_kind_of_column_survives() -> None:
    kinds = {type(c.type).__name__ for table in dump.tables() for c in table.columns}

    assert kinds <= {
        *("Integer", "BigInteger", "String", "Text", "Boolean", "Float", "JSON"),
        *("MoneyType", "UtcDateTime", "Date", "Enum", "Numeric", "LargeBinary", "Uuid"),
    }
    assert dump._plain(Decimal("1.50")) == "1.50"
    assert Base.metadata.tables


def test_the_commands_make_and_refuse(app: Flask, village: Database, tmp_path: Path) -> None:
    file = str(tmp_path / "shop.tar.gz")
    runner = app.test_cli_runner()

    made = runner.invoke(args=["backup", "create", file, "--json"])
    refused = runner.invoke(args=["backup", "restore", file])
    restored = runner.invoke(args=["backup", "restore", file, "--replace"])

    assert (made.exit_code, refused.exit_code, restored.exit_code) == (0, 1, 0)
    assert json.loads(made.stdout)["rows"] > 0
    assert "not empty" in refused.output
    assert json.loads(made.stdout)["digest"] in restored.output


def test_a_restore_may_pause_for_hours_between_two_tables(postgres_database: Database) -> None:
    with postgres_database.transaction() as session:
        connection = session.connection()

        with dump.any_order(connection):
            limits = {
                name: connection.scalar(text(f"SHOW {name}"))
                for name in ("statement_timeout", "idle_in_transaction_session_timeout")
            }

    assert limits == {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


def test_a_refused_restore_leaves_no_file_behind(
    village: Database, storage: FolderStorage, tmp_path: Path
) -> None:
    file = tmp_path / "shop.tar.gz"
    backup.create(village, storage, file, now=NOON)
    elsewhere = FolderStorage(tmp_path / "elsewhere")

    with pytest.raises(BackupRefused, match="not empty"):
        backup.restore(village, elsewhere, file)

    assert list(elsewhere.list()) == []
