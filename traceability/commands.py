"""`flask trace …`: what floors above have to say joins the group there."""

import csv
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from accounts.audit import Actor
from catalog.lots import Lot
from core.clock import utc_now
from core.codes import is_well_formed, normalise
from core.db import Database
from core.errors import Refusal
from core.settings import Settings
from traceability import (
    checkpoints,
    epcis,
    event_hash,
    events,
    imports,
    log,
    log_keys,
    lot_names,
    merkle,
    notes,
    passports,
    proving,
    scan,
    trace_codes,
    tt02,
)
from traceability.codes import TRACE_CODE
from traceability.imports import BadDocument
from traceability.lot_names import NoSuchLot
from traceability.notes import BadNote, Verifier
from traceability.scan import Scan

trace = AppGroup("trace", help="Lots, their events and recalls.")
# What reads and writes here without a person in front of it.
COMMAND = Actor(None, "flask trace import")
MOST_TOLD = 100
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_as_json = click.option("--json", "as_json", is_flag=True, help="print JSON alone")


@trace.command("export")
@click.option("--lot", "lot", required=True, help="its code, address or number")
@click.option("--format", "form", type=click.Choice(["epcis", "passport", "tt02"]), default="epcis")
def export(lot: str, form: str) -> None:
    """Print a lot's events (EPCIS 2.0), its digital passport, or the ten items of TT 02/2024."""
    base = _settings().PUBLIC_URL
    with _database().transaction() as session:
        try:
            code = _code_of(session, lot, base)
        except Refusal as refusal:
            raise click.ClickException(str(refusal.message)) from refusal
        found = scan.find_scan(session, code, typed=None, now=utc_now())
        if found is None or found.lot is None:
            raise click.ClickException(f"there is no lot {lot}")
        told = events.list_of_lot(session, found.lot.id)
    if form == "tt02":
        click.echo(_table(found, base), nl=False)
        return
    made = told[-1].recorded_at if told else found.lot.created_at
    said = (
        passports.passport(found, base=base)
        if form == "passport"
        else epcis.document(told, base=base, now=made)
    )
    click.echo(json.dumps(said, ensure_ascii=False, indent=1))


def _code_of(session: Session, typed: str, base: str) -> str:
    """Return the public code of a lot, or the serial, that `typed` names.

    A number that stands on no package is the lot's own in the database.
    """
    code = normalise(TRACE_CODE, typed.rstrip("/").rpartition("/")[2])
    if is_well_formed(TRACE_CODE, code):
        return code
    try:
        lot = lot_names.find_lot(session, typed, base=base)
    except NoSuchLot:
        found = session.get(Lot, int(typed)) if typed.isascii() and typed.isdigit() else None
        if found is None:
            raise
        lot = found
    return trace_codes.ensure_lot_code(session, lot, now=utc_now())


def _table(found: Scan, base: str) -> str:
    # A spreadsheet reads Vietnamese only behind this mark.
    text = io.StringIO("\ufeff")
    text.seek(1)
    tt02.write_table(csv.writer(text, lineterminator="\n"), tt02.ten_items(found, base=base))
    return text.getvalue()


@trace.command("import")
@click.argument("file", type=_file)
@_as_json
def import_file(file: Path, *, as_json: bool) -> None:
    """Keep the events of an EPCIS document; the same document again changes nothing."""
    try:
        document = imports.read(file.read_bytes())
        with _database().transaction() as session:
            report = imports.keep(
                session, document, base=_settings().PUBLIC_URL, actor=COMMAND, now=utc_now()
            )
    except BadDocument as refusal:
        _refuse([str(fault) for fault in refusal.faults], as_json=as_json)
    strange = [str(fault) for fault in report.strange]
    if as_json:
        said = {"recorded": report.recorded, "known": report.known, "strange": strange}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    click.echo(
        f"{report.recorded} events recorded, {report.known} already here, "
        f"{len(strange)} codes of no lot of this shop"
    )
    for line in strange[:MOST_TOLD]:
        click.echo(line)


@trace.command("hash")
@click.argument("file", type=_file)
def hash_file(file: Path) -> None:
    """Print the hash id of each event of an EPCIS document, one a line."""
    try:
        document = imports.read(file.read_bytes())
    except BadDocument as refusal:
        _refuse([str(fault) for fault in refusal.faults], as_json=False)
    for ident in event_hash.document_hashes(document):
        click.echo(ident)


@trace.command("verify")
@click.argument("proof", type=_file, required=False)
@click.option("--key", help="public key (vkey) to check PROOF with; default: this shop's keys")
@_as_json
def verify(proof: Path | None, key: str | None, *, as_json: bool) -> None:
    """Prove the whole log, or check one proof file without any network; exit 1 when it fails."""
    if proof is not None:
        _verify_proof(proof.read_text("utf-8"), key, as_json=as_json)
        return
    settings = _settings()
    stored = checkpoints.find_stored(current_app.extensions["storage"])
    with _database().snapshot() as session:
        said, signed = log.head(session), checkpoints.latest(session)
        keys = log_keys.verifiers(settings) if signed or stored else []
        faults = list(dict.fromkeys(fault.what for fault in proving.find_faults(session)))
        faults += proving.find_signature_faults(
            session, stored, keys, origin=log_keys.origin_of(settings)
        )
    if faults:
        _refuse(faults, as_json=as_json, entries=said.size)
    facts = {"entries": said.size, "root": said.root.hex(), "signed": signed.size if signed else 0}
    if as_json:
        click.echo(json.dumps({"ok": True, **facts, "faults": []}))
        return
    click.echo(
        f"{facts['entries']} entries, {facts['signed']} of them signed; nothing was changed\n"
        f"root {facts['root']}"
    )


def _verify_proof(text: str, key: str | None, *, as_json: bool) -> None:
    try:
        keys = [notes.read_vkey(key)] if key else log_keys.verifiers(_settings())
        facts = _prove(text, keys)
    except BadNote as error:
        _refuse([str(error.message)], as_json=as_json)
    if as_json:
        click.echo(json.dumps({"ok": True, **facts, "faults": []}, ensure_ascii=False))
        return
    click.echo(
        f"entry {facts['index']} was in the log {facts['origin']} when {facts['size']} entries "
        f"were signed; it has not been changed since\n{facts['entry']}"
    )


def _prove(text: str, keys: Iterable[Verifier]) -> dict[str, Any]:
    proof, keys = notes.read_proof(text), list(keys)
    origin = notes.read_unsigned(proof.checkpoint).origin
    if origin not in {one.name for one in keys}:
        raise BadNote(f"this is a proof of the log {origin}, which is not ours")
    said = notes.read_checkpoint(proof.checkpoint, keys, origin=origin)
    leaf = merkle.leaf_hash(proof.extra)
    if not merkle.verify_inclusion(leaf, proof.index, said.size, proof.path, said.root):
        raise BadNote("the entry is not the one that was signed")
    entry = proof.extra.decode("utf-8", "replace")
    return {"index": proof.index, "size": said.size, "origin": origin, "entry": entry}


def _refuse(faults: list[str], *, as_json: bool, **facts: Any) -> NoReturn:
    if as_json:
        said = {"ok": False, **facts, "faults": faults[:MOST_TOLD]}
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        for fault in faults[:MOST_TOLD]:
            click.echo(fault, err=True)
    sys.exit(1)


def _database() -> Database:
    found: Database = current_app.extensions["database"]
    return found


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found
