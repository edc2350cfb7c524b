"""The transparency log, and the bare chain of hashes beneath it in the same database."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import count

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, insert, select
from sqlalchemy.orm import Session

from benchmarks.measuring import Path, Side
from benchmarks.shops import Shop
from core.clock import utc_now
from traceability import events, log

AT_ONCE = 1_000
VERIFIED = 100_000
CHAIN = Table(
    "bare_chain",
    MetaData(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("entry", String),
    Column("hash", LargeBinary),
)


def paths(shop: Shop) -> Iterator[Path]:
    """Give adding to the log and proving all of it, against a chain of the same bytes."""
    batch = [_entry(number) for number in range(AT_ONCE)]
    yield Path(
        "log append",
        "entries/s",
        "the same entries as a bare SHA-256 chain, stored in the same kind of batch",
        0.50,
        Side(_forever, partial(_append, shop, batch)),
        Side(_forever, partial(_append_to_chain, shop, batch)),
        around=partial(_chain, shop),
    )
    yield Path(
        "log verify",
        "entries/s",
        "the same entries read from a bare SHA-256 chain and hashed",
        0.70,
        Side(_forever, partial(_verify, shop)),
        Side(_forever, partial(_verify_chain, shop)),
        around=partial(_filled, shop),
    )


def _entry(number: int) -> str:
    ident = f"ni:///sha-256;{sha256(str(number).encode()).hexdigest()}?ver=CBV2.0"
    private = {
        field: events.commitment("00" * events.SALT_BYTES, field, str(number))
        for field in ("entered_by", "place", "note")
    }
    return events.entry_of(ident, private)


def _forever(_seconds: float) -> Iterable[int]:
    return count()


def _append(shop: Shop, batch: list[str], _job: int) -> int:
    with shop.database.transaction() as session:
        log.append(session, batch, now=utc_now())
    return len(batch)


def _append_to_chain(shop: Shop, batch: list[str], _job: int) -> int:
    with shop.database.transaction() as session:
        last = session.execute(
            select(CHAIN.c.position, CHAIN.c.hash).order_by(CHAIN.c.position.desc()).limit(1)
        ).one_or_none()
        position, link = (last.position + 1, last.hash) if last else (0, b"")
        rows = []
        for place, entry in enumerate(batch, start=position):
            link = sha256(link + entry.encode()).digest()
            rows.append({"position": place, "entry": entry, "hash": link})
        session.execute(insert(CHAIN), rows)
    return len(batch)


def _verify(shop: Shop, _job: int) -> int:
    with shop.database.snapshot() as session:
        faults = list(log.find_faults(session))
        if faults:
            raise AssertionError(faults[0])
        return log.head(session).size


def _verify_chain(shop: Shop, _job: int) -> int:
    with shop.database.snapshot() as session:
        return _read_chain(session)


def _read_chain(session: Session) -> int:
    link, start = b"", 0
    while True:
        rows = session.execute(
            select(CHAIN.c.position, CHAIN.c.entry, CHAIN.c.hash)
            .where(CHAIN.c.position >= start)
            .order_by(CHAIN.c.position)
            .limit(log.CHUNK)
        ).all()
        for position, entry, said in rows:
            link = sha256(link + entry.encode()).digest()
            if link != said:
                raise AssertionError(position)
        start += len(rows)
        if len(rows) < log.CHUNK:
            return start


@contextmanager
def _chain(shop: Shop) -> Iterator[None]:
    CHAIN.create(shop.database.engine)
    try:
        yield
    finally:
        CHAIN.drop(shop.database.engine)


@contextmanager
def _filled(shop: Shop) -> Iterator[None]:
    """Fill the log and the chain up to the same length."""
    with _chain(shop):
        with shop.database.reading() as session:
            size = log.head(session).size
        batch = [_entry(number) for number in range(AT_ONCE)]
        while size < VERIFIED:
            size += _append(shop, batch, 0)
        for _batch in range(size // AT_ONCE):
            _append_to_chain(shop, batch, 0)
        yield
