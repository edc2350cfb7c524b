"""Commands of the shop floor: VietQR by hand, the audit of stock and money, and recalls."""

import json
import sys
from datetime import datetime
from typing import NoReturn

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from accounts.audit import SYSTEM
from core.clock import utc_now
from core.db import Database
from core.errors import Refusal
from core.i18n import gettext
from core.money import Money
from shop import proofs, recall_desk
from shop.payments import vietqr
from traceability import lot_names, recalls
from traceability.commands import trace
from traceability.recall_cases import CaseKind

pay = AppGroup("pay", help="Build and read the QR codes of bank transfers.")


@pay.command("vietqr")
@click.option("--bin", "bank_bin", required=True, help="the six digits of the bank")
@click.option("--account", required=True, help="the account number, 6 to 19 letters and digits")
@click.option("--amount", type=int, help="whole đồng, 1 to 9999999999999")
@click.option("--memo", help="message of the transfer: up to 25 letters, digits and spaces")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def build_vietqr(
    bank_bin: str, account: str, amount: int | None, memo: str | None, as_json: bool
) -> None:
    """Print the text of the VietQR of a transfer."""
    try:
        payload = vietqr.build(
            bank_bin,
            account,
            amount=Money(amount) if amount is not None else None,
            memo=memo,
        )
    except Refusal as refusal:
        _refuse(refusal, as_json=as_json)
    click.echo(json.dumps({"payload": payload}) if as_json else payload)


@pay.command("vietqr-decode")
@click.argument("payload")
@click.option("--json", "as_json", is_flag=True, help="print JSON (it always does)")
def decode_vietqr(payload: str, as_json: bool) -> None:
    """Print as JSON what the text of a VietQR says, or refuse it with the reason."""
    try:
        found = vietqr.decode(payload)
    except Refusal as refusal:
        _refuse(refusal, as_json=as_json)
    click.echo(json.dumps(found.to_json(), ensure_ascii=False))


@click.command("audit")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@with_appcontext
def audit(as_json: bool) -> None:
    """Prove that stock, money, orders and live shows agree; list what does not, exit with 1."""
    faults = proofs.ask(current_app.extensions["database"], current_app.extensions["audits"])
    if as_json:
        rows = [{"rule": fault.rule, "what": fault.what} for fault in faults]
        click.echo(json.dumps({"ok": not faults, "faults": rows}, ensure_ascii=False))
    else:
        for fault in faults:
            click.echo(f"{fault.rule}: {fault.what}")
        click.echo("stock, money and orders agree" if not faults else f"{len(faults)} faults")
    if faults:
        sys.exit(1)


@trace.command("recall")
@click.argument("lot")
@click.option("--dry-run", is_flag=True, help="only tell what it would reach")
@click.option("--hold", is_flag=True, help="hold back instead of recalling")
@click.option("--reason", help="why; with a recall everybody reads it")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@with_appcontext
def recall(lot: str, reason: str | None, *, dry_run: bool, hold: bool, as_json: bool) -> None:
    """Recall LOT, a public code or lot number, with all that was made of it."""
    database: Database = current_app.extensions["database"]
    base = current_app.config["SETTINGS"].PUBLIC_URL
    told: dict[str, object] = {"dry_run": dry_run}
    try:
        if not dry_run:
            with database.transaction() as session:
                case = recalls.stop(
                    session,
                    lot_names.find_lot(session, lot, base=base),
                    CaseKind.HOLD if hold else CaseKind.RECALL,
                    reason=reason or gettext("Decided by the operator of the shop"),
                    base=base,
                    actor=SYSTEM,
                    now=utc_now(),
                )
                told |= {"case": case.id, "kind": case.kind.value}
        with database.reading() as session:
            told |= recall_desk.tell(session, lot_names.find_lot(session, lot, base=base))
    except Refusal as refusal:
        _refuse(refusal, as_json=as_json)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in recall_desk.in_words(told):
        click.echo(line)


def prove_nightly(database: Database, now: datetime) -> None:
    """Keep what the audit says tonight, for the staff pages; staff get a mail when it is bad."""
    proofs.prove(database, current_app.extensions["audits"], now=now)


def _refuse(refusal: Refusal, *, as_json: bool) -> NoReturn:
    reason = str(getattr(refusal, "reason", refusal.field or ""))
    detail = str(getattr(refusal, "detail", ""))
    if as_json:
        said = {"error": str(refusal.message), "reason": reason, "detail": detail}
        click.echo(json.dumps(said, ensure_ascii=False))
    click.echo(" – ".join(part for part in (str(refusal.message), detail) if part), err=True)
    sys.exit(1)
