"""The account to which a producer's buyers transfer. Every change is on record, for its people."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Act, Actor
from catalog import banks, members
from catalog.producers import Producer
from core import mail
from core.errors import Invalid
from core.i18n import lazy as _
from core.text import clean, fold

LONGEST_HOLDER = 50
CHANGED = "bank.changed"
_HOLDER = re.compile(r"[A-Z0-9 .&/-]{2,50}")

audit.describe({CHANGED: _("changed the bank account")})


class NoSuchBank(Invalid):
    """The bank must be chosen from the list."""


class BadHolder(Invalid):
    """The holder's name is written in capitals without marks, as banks do."""


def list_changes(session: Session, producer: Producer, *, limit: int) -> Sequence[Act]:
    """Return the changes of this producer's account, the newest first."""
    return audit.list_acts(session, scope=f"producer:{producer.id}", verbs=[CHANGED], limit=limit)


def change(
    session: Session,
    producer: Producer,
    *,
    bank_bin: str,
    number: str,
    holder: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Pay this producer's buyers' transfers to another account from the next order on.

    Accents in the holder's name are taken off, as the bank prints it. Writing the same account
    again changes nothing. Raises NoSuchBank, InvalidAccountNumber or BadHolder.
    """
    bank = banks.find_bank(bank_bin)
    if bank is None:
        raise NoSuchBank(_("Choose the bank from the list."), field="bank_bin")
    account = banks.parse_account_number(number)
    name = plain_holder(holder)
    before = (producer.bank_bin, producer.bank_account, producer.bank_holder)
    if before == (bank.bin, account, name):
        return
    producer.bank_bin, producer.bank_account, producer.bank_holder = bank.bin, account, name
    session.flush()
    audit.record(
        session,
        actor,
        CHANGED,
        f"producer:{producer.slug}",
        now=now,
        bank=bank.short_name,
        ending=account[-4:],
        holder=name,
        before=(before[1] or "")[-4:],
    )
    _tell_people(session, producer, actor=actor, now=now)


def _tell_people(session: Session, producer: Producer, *, actor: Actor, now: datetime) -> None:
    subject = _("The bank account of %(producer)s was changed", producer=producer.name)
    body = _(
        "%(person)s changed the account that buyers of %(producer)s transfer to. The new one ends "
        "in %(ending)s.\n\nIf this is not right, change it back and call us at once.",
        person=actor.name,
        producer=producer.name,
        ending=(producer.bank_account or "")[-4:],
    )
    for person in members.list_of_producer(session, producer.id):
        if person.email:
            mail.queue_mail(session, to=person.email, subject=str(subject), body=str(body), now=now)


def plain_holder(text: str) -> str:
    """Return the holder's name as banks write it: 'Hợp tác xã Ô Diên' → 'HOP TAC XA O DIEN'."""
    name = fold(clean(text)).upper()
    if not _HOLDER.fullmatch(name):
        raise BadHolder(
            _(
                "Write the account holder's name as the bank does, at most %(longest)s letters.",
                longest=LONGEST_HOLDER,
            ),
            field="bank_holder",
        )
    return name
