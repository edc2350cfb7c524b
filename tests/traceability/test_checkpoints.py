"""A checkpoint is only signed for a log that begins with everything signed before."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.settings import BadSetting, Settings
from tests.conftest import LOG_KEY, NOON
from traceability import checkpoints, log, log_keys, merkle, notes
from traceability.checkpoints import LogWasChanged


def sign(session: Session, signing: Settings, stored: str | None = None) -> str | None:
    signed = checkpoints.sign(session, stored, signing, now=NOON)
    return signed.note if signed else None


def test_what_is_signed_opens_with_the_published_key(session: Session, signing: Settings) -> None:
    log.append(session, ["a", "b", "c"], now=NOON)

    note = sign(session, signing)

    assert note is not None
    [verifier] = log_keys.verifiers(signing)
    said = notes.read_checkpoint(note, [verifier], origin="chophien.example/log")
    assert (said.size, said.root) == (3, log.head(session).root)
    assert checkpoints.covering(session, 2) is not None
    assert checkpoints.covering(session, 3) is None


def test_an_empty_log_and_one_that_did_not_grow_are_not_signed(
    session: Session, signing: Settings
) -> None:
    assert sign(session, signing) is None
    log.append(session, ["a"], now=NOON)
    assert sign(session, signing) is not None

    assert sign(session, signing) is None


def test_a_log_that_was_rewritten_is_not_signed(session: Session, signing: Settings) -> None:
    log.append(session, ["a", "b"], now=NOON)
    sign(session, signing)
    forged = merkle.node_hash(merkle.leaf_hash(b"x"), merkle.leaf_hash(b"b"))
    session.execute(text("UPDATE log_node SET hash = :hash WHERE level = 1"), {"hash": forged})
    session.execute(text("UPDATE log_head SET frontier = :hash"), {"hash": forged})
    session.expire_all()
    log.append(session, ["c"], now=NOON)

    with pytest.raises(LogWasChanged):
        sign(session, signing)


def test_a_log_cut_back_together_with_its_checkpoints_is_caught_by_the_second_copy(
    session: Session, signing: Settings
) -> None:
    log.append(session, ["a", "b"], now=NOON)
    note = sign(session, signing)
    assert note is not None
    for table in ("log_checkpoint", "log_entry", "log_node", "log_head"):
        session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of ours
    session.expire_all()
    log.append(session, ["a"], now=NOON)

    with pytest.raises(LogWasChanged, match="2 entries were signed, there are 1"):
        sign(session, signing, stored=note)


def test_an_older_key_is_still_believed_after_a_change(session: Session, signing: Settings) -> None:
    log.append(session, ["a"], now=NOON)
    sign(session, signing)
    [old] = log_keys.verifiers(signing)
    renewed = replace(signing, LOG_KEY=LOG_KEY[::-1].lstrip("=") + "=", LOG_OLD_KEYS=(old.vkey,))
    log.append(session, ["b"], now=NOON)

    assert sign(session, renewed) is not None


def test_the_key_is_made_once_and_kept(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "var" / "log_key"
    own = replace(settings, LOG_KEY="")

    first = log_keys.verifiers(own, file=file)
    again = log_keys.verifiers(own, file=file)

    assert first == again
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("key", ["short", "AAAA", "khóa"])
def test_a_key_that_is_none_stops_the_start(settings: Settings, key: str) -> None:
    with pytest.raises(BadSetting, match="LOG_KEY"):
        log_keys.signing_key(replace(settings, LOG_KEY=key))


def test_an_old_key_that_is_none_stops_the_start(signing: Settings) -> None:
    with pytest.raises(BadSetting, match="LOG_OLD_KEYS"):
        log_keys.verifiers(replace(signing, LOG_OLD_KEYS=("x+y+z",)))
