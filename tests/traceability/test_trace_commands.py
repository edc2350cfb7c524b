"""`flask trace …`: exports, imports, hashes and the proof of the log, as a person at a shell."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from core.db import Database
from core.settings import Settings
from core.storage import storage_for
from tests.conftest import NOON
from tests.factories import a_lot, a_step, a_variant
from tests.traceability.test_epcis_rules import DOCUMENT
from traceability import checkpoints, epcis_rules, event_hash, log_keys, trace_codes


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with a log key of the tests."""
    return replace(settings, LOG_ORIGIN="chophien.example/log")


@pytest.fixture
def lot(database: Database, settings: Settings) -> tuple[int, str]:
    """A lot with two signed events: its number and its public code."""
    with database.transaction() as session:
        lot = a_lot(session, a_variant(session), code="LO-1")
        for _line in range(2):
            a_step(session, lot, note="đảo tay")
        signed = checkpoints.sign(session, None, settings, now=NOON)
        assert signed is not None
        storage_for(settings).put(checkpoints.STORED, signed.note.encode())
        return lot.id, trace_codes.ensure_lot_code(session, lot, now=NOON)


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["trace", *words])


def test_a_lot_is_exported_by_code_and_by_number(app: Flask, lot: tuple[int, str]) -> None:
    number, code = lot

    by_code, by_number = run(app, "export", "--lot", code), run(app, "export", "--lot", str(number))

    document = json.loads(by_code.stdout)
    assert epcis_rules.find_faults(document) == []
    assert len(document["epcisBody"]["eventList"]) == 2
    assert by_number.stdout == by_code.stdout
    for name in (f"https://cho.example/t/{code.lower()}", "LO-1"):
        assert run(app, "export", "--lot", name).stdout == by_code.stdout
    assert json.loads(run(app, "export", "--lot", code, "--format", "passport").stdout)["so_lo"]
    table = run(app, "export", "--lot", code, "--format", "tt02").stdout
    assert len(table.splitlines()) == 11
    for unknown in ("999", "7K3QX9M2PD7", "LO 1", "²"):
        assert run(app, "export", "--lot", unknown).exit_code == 1


def test_an_export_is_imported_and_hashed(app: Flask, lot: tuple[int, str], tmp_path: Path) -> None:
    file = tmp_path / "lo.jsonld"
    file.write_text(run(app, "export", "--lot", lot[1]).stdout, "utf-8")
    document = json.loads(file.read_text("utf-8"))

    hashed, imported = run(app, "hash", str(file)), run(app, "import", str(file), "--json")

    assert hashed.stdout.splitlines() == event_hash.document_hashes(document)
    assert json.loads(imported.stdout) == {"recorded": 0, "known": 2, "strange": []}


def test_a_wrong_document_is_refused_with_path_and_reason(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "sai.jsonld"
    file.write_text(json.dumps({**DOCUMENT, "schemaVersion": 2.0}))

    for command in ("import", "hash"):
        answer = run(app, command, str(file))

        assert answer.exit_code == 1
        assert answer.stderr.startswith("$.schemaVersion: ")
    told = json.loads(run(app, "import", str(file), "--json").stdout)
    assert told["ok"] is False


def test_the_whole_log_is_proven(app: Flask, lot: tuple[int, str]) -> None:
    answer = run(app, "verify", "--json")

    told = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert (told["ok"], told["entries"], told["signed"]) == (True, 2, 2)
    assert run(app, "verify").stdout.startswith("2 entries, 2 of them signed; nothing was changed")


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE log_entry SET entry = '{}' WHERE position = 1", "log entry 1: its text"),
        ("DELETE FROM log_entry WHERE position = 1", "log: the head says 2 entries, there are 1"),
        ("UPDATE log_head SET size = 3", "log: the head says 3 entries, there are 2"),
        ("UPDATE trace_event SET body = replace(body, '42', '43')", "trace event 1: its words"),
        ("UPDATE step SET quantity = 43 WHERE id = 2", "step 2: its quantity"),
        ("UPDATE step SET note = 'x' WHERE id = 2", "step 2: «note»"),
        ("UPDATE trace_event SET step_id = NULL WHERE id = 2", "step 2: no event bears it out"),
        ("DELETE FROM trace_commitment; DELETE FROM trace_event WHERE id = 2", "log entry 1: its"),
        ("UPDATE log_checkpoint SET note = replace(note, 'chophien', 'khac')", "checkpoint 2: "),
        ("UPDATE log_checkpoint SET note = 'x'", "checkpoint 2: "),
        ("UPDATE lot SET expires_on = '2031-01-01'", "lot 1: expires_on is not the day its event"),
        ("UPDATE lot SET state = 'recalled'", "lot 1: it is recalled, its last event says"),
        ("UPDATE lot SET code = 'X'; DELETE FROM trace_code", "trace event 1: is not about lot 1"),
    ],
)
def test_what_was_changed_with_another_program_is_named(
    app: Flask, database: Database, lot: tuple[int, str], statement: str, named: str
) -> None:
    if database.is_sqlite:
        with sqlite3.connect(str(database.url.database)) as connection:
            connection.executescript(statement)
        connection.close()
    else:
        with database.engine.begin() as connection:
            for one in statement.split("; "):
                connection.execute(text(one))

    answer = run(app, "verify")

    assert answer.exit_code == 1
    assert answer.stderr.startswith(named)
    assert app.test_cli_runner().invoke(args=["audit"]).exit_code == (
        # The audit has no keys: who signed is asked by `trace verify` alone.
        0 if "khac" in statement else 1
    )


def test_a_log_cut_back_with_everything_in_the_database_is_named_by_the_second_copy(
    app: Flask, database: Database, lot: tuple[int, str]
) -> None:
    with database.engine.begin() as connection:
        for table in (
            "trace_commitment", "trace_event", "step", "log_checkpoint", "log_entry", "log_head",
        ):  # fmt: skip
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of ours

    answer = run(app, "verify")

    assert answer.exit_code == 1
    assert "checkpoint in the storage: 2 entries were signed, there are fewer" in answer.stderr


def test_one_proof_is_checked_without_the_log(
    app: Flask, settings: Settings, lot: tuple[int, str], tmp_path: Path
) -> None:
    file = tmp_path / "chung-cu.txt"
    proof = app.test_client().get("/log/proof/1").text
    file.write_text(proof, "utf-8")
    [verifier] = log_keys.verifiers(settings)

    good = run(app, "verify", str(file), "--json")
    by_key = run(app, "verify", str(file), "--key", verifier.vkey)
    file.write_text(proof.replace("index 1", "index 0"), "utf-8")
    forged = run(app, "verify", str(file))

    assert json.loads(good.stdout)["index"] == 1
    assert by_key.stdout.startswith("entry 1 was in the log chophien.example/log when 2 entries")
    assert forged.exit_code == 1
    assert "the entry is not the one that was signed" in forged.stderr
