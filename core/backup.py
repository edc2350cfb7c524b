"""The whole shop in one file, taken while it runs, and brought back whole or not at all.

The file is a packed tar: the tables as lines of JSON, then the stored files, then a manifest with
every digest. It can be restored into either kind of database.
"""

import hashlib
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO

from sqlalchemy import Connection, inspect

from core import dump, migrations
from core.db import Database
from core.storage import NoSuchFile, Storage, WrongKey, checked

FORMAT = 1
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
TABLES = "tables/"
FILES = "files/"
LINES = ".jsonl"
# The second copy of what was signed: put back together with the first it would witness nothing.
LEFT_OUT = "log/"
IN_MEMORY = 4 * 1024 * 1024
CHUNK = 256 * 1024


class BackupRefused(Exception):  # noqa: N818 - what happened to the backup
    """This backup is not made or not restored; nothing was changed. The message says why."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a backup holds; `digest` tells this one from every other and from a changed one."""

    made_at: str
    revision: str | None
    rows: int
    files: int
    digest: str


def create(database: Database, storage: Storage, target: Path, *, now: datetime) -> Report:
    """Write the backup to `target`, replacing it only when the new one is complete.

    The tables are of one moment; every file they name is in the backup, since files are stored
    before the rows that name them and are never changed.
    """
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "revision": migrations.revision(database),
        "tables": {},
        "files": {},
    }
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as tar:
                _add_tables(tar, database, manifest)
                _add_files(tar, storage, manifest)
                sealed = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
                digest = hashlib.sha256(sealed).hexdigest()
                _add(tar, MANIFEST, BytesIO(sealed), len(sealed))
                _add(tar, SEAL, BytesIO(digest.encode()), len(digest))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return _report(manifest, digest)


def restore(
    database: Database,
    storage: Storage,
    source: Path,
    *,
    replace: bool = False,
    digest: str | None = None,
) -> Report:
    """Bring back what `source` holds, all of it or, whatever goes wrong, nothing.

    The whole file is checked first. Raises BackupRefused for a damaged or changed file, one of
    another version of the shop, or a database that holds something unless `replace` is asked for.
    """
    with source.open("rb") as file:
        manifest, found = _checked(file)
        if digest is not None and digest != found:
            raise BackupRefused(f"the digest is {found}, not the expected one")
        _refuse_other_version(manifest, database)
        if not replace:
            with database.reading() as session:
                _refuse_full(session.connection())
        # Files first: no row ever names a file that is not there.
        _restore_files(file, storage, manifest)
        with database.transaction() as session:
            connection = session.connection()
            if not replace:
                _refuse_full(connection)
            with dump.any_order(connection):
                dump.clear(connection)
                known = {table.name: table for table in dump.tables()}
                for name, lines in _members(file, TABLES):
                    dump.load(connection, known[name.removesuffix(LINES)], lines)
    return _report(manifest, found)


def _add_tables(tar: tarfile.TarFile, database: Database, manifest: dict[str, Any]) -> None:
    with dump.snapshot(database) as connection:
        for table in dump.tables():
            with _spool(dump.lines(connection, table)) as (file, facts):
                _add(tar, f"{TABLES}{table.name}{LINES}", file, facts["size"])
            columns = [column.name for column in table.columns]
            manifest["tables"][table.name] = {"columns": columns, **facts}


def _add_files(tar: tarfile.TarFile, storage: Storage, manifest: dict[str, Any]) -> None:
    for stored in storage.list():
        if stored.key.startswith(LEFT_OUT):
            continue
        try:
            stream = storage.open_stream(stored.key)
        except NoSuchFile:
            continue
        with stream, _spool(_chunks(stream)) as (file, facts):
            _add(tar, FILES + stored.key, file, facts["size"])
        manifest["files"][stored.key] = {"type": stored.content_type, **facts}


@contextmanager
def _spool(parts: Iterable[bytes]) -> Iterator[tuple[IO[bytes], dict[str, Any]]]:
    """Give the parts as one file, for a tar wants its size first, with its size and digest."""
    digest, parts_count = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for part in parts:
            digest.update(part)
            file.write(part)
            parts_count += 1
        size = file.tell()
        file.seek(0)
        yield file, {"size": size, "parts": parts_count, "sha256": digest.hexdigest()}


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o600
    tar.addfile(entry, file)


def _checked(file: BinaryIO) -> tuple[dict[str, Any], str]:
    """Read the file to its end; return its manifest and digest if every byte is as it was."""
    seen: dict[str, str] = {}
    sealed, seal = b"", b""
    try:
        for name, stream in _all_members(file):
            if name in seen:
                raise BackupRefused(f"{name} is in the file twice")
            if name in {MANIFEST, SEAL}:
                content = stream.read()
                sealed, seal = (content, seal) if name == MANIFEST else (sealed, content)
                continue
            digest = hashlib.sha256()
            for chunk in _chunks(stream):
                digest.update(chunk)
            seen[name] = digest.hexdigest()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BackupRefused(f"the file is no backup or is damaged: {error}") from error
    found = hashlib.sha256(sealed).hexdigest()
    if not sealed or seal.decode("ascii", "replace") != found:
        raise BackupRefused("the file is incomplete or was changed")
    manifest: dict[str, Any] = json.loads(sealed)
    if manifest.get("format") != FORMAT:
        raise BackupRefused(f"the file is of format {manifest.get('format')}, not {FORMAT}")
    expected = {
        **{f"{TABLES}{n}{LINES}": facts["sha256"] for n, facts in manifest["tables"].items()},
        **{FILES + key: facts["sha256"] for key, facts in manifest["files"].items()},
    }
    if seen != expected:
        wrong = sorted(n for n in seen | expected if seen.get(n) != expected.get(n))
        raise BackupRefused(f"the file was changed: {', '.join(wrong[:3])}")
    return manifest, found


def _refuse_other_version(manifest: dict[str, Any], database: Database) -> None:
    with database.engine.connect() as connection:
        existing = set(inspect(connection).get_table_names())
    missing = [table.name for table in dump.tables() if table.name not in existing]
    if missing:
        raise BackupRefused("the database has no tables yet: run `flask db upgrade` first")
    here, there = migrations.revision(database), manifest["revision"]
    if here != there:
        raise BackupRefused(
            f"the backup is of schema {there}, this shop is at {here}: restore it with the version"
            " of the shop that made it, then upgrade"
        )
    expected = {table.name: [column.name for column in table.columns] for table in dump.tables()}
    if expected != {name: facts["columns"] for name, facts in manifest["tables"].items()}:
        raise BackupRefused("the backup was made by another version of the shop")


def _refuse_full(connection: Connection) -> None:
    if not dump.is_empty(connection):
        raise BackupRefused("the database is not empty; --replace overwrites it")


def _restore_files(file: BinaryIO, storage: Storage, manifest: dict[str, Any]) -> None:
    for key, stream in _members(file, FILES):
        facts = manifest["files"][key]
        try:
            storage.put(checked(key), stream.read(), facts["type"])
        except WrongKey:
            raise BackupRefused(f"no file can be called {key!r}") from None


def _members(file: BinaryIO, folder: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Give the members of one folder of the checked file: name inside it, and content."""
    for name, stream in _all_members(file):
        if name.startswith(folder):
            yield name.removeprefix(folder), stream


def _all_members(file: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    """Give every member; nothing is ever unpacked to a path the file names."""
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r|gz") as tar:
        for entry in tar:
            stream = tar.extractfile(entry) if entry.isreg() else None
            if stream is None:
                raise BackupRefused(f"{entry.name} is no plain file")
            yield entry.name, stream


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _report(manifest: dict[str, Any], digest: str) -> Report:
    return Report(
        made_at=manifest["made_at"],
        revision=manifest["revision"],
        rows=sum(facts["parts"] for facts in manifest["tables"].values()),
        files=len(manifest["files"]),
        digest=digest,
    )
