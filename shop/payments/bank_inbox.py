"""What the services that watch accounts tell us: proved, kept once, and each movement taken.

What is signed but says nothing readable is answered with yes and kept for a person: sent again it
would say the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from core import inbox
from core.inbox import Outcome
from shop import connections
from shop.connections import Connection
from shop.payments import bank_rows, casso, payos, sepay
from shop.payments.notices import BadNotice, BankRow
from shop.webhooks import Call, Forged, NoSuchAddress, Reply, read_object

Rows = Callable[[], Sequence[BankRow]]


def hear_sepay(call: Call) -> Reply:
    """Answer SePay."""
    connection, keys = _connection(call)
    if not sepay.is_genuine(call.headers, call.body, keys, now=call.now):
        raise Forged
    said = read_object(call.body)
    return _take(call, connection, lambda: sepay.event_id(said), lambda: [sepay.row_of(said)])


def hear_casso(call: Call) -> Reply:
    """Answer Casso."""
    connection, keys = _connection(call)
    said = read_object(call.body)
    if not casso.is_genuine(call.headers, said, keys, now=call.now):
        raise Forged
    return _take(
        call,
        connection,
        lambda: casso.event_id(said, call.body),
        lambda: casso.rows_of(said),
    )


def hear_payos(call: Call) -> Reply:
    """Answer payOS."""
    connection, keys = _connection(call)
    said = read_object(call.body)
    if not payos.is_genuine(said, keys):
        raise Forged
    return _take(call, connection, lambda: payos.event_id(said), lambda: [payos.row_of(said)])


def _connection(call: Call) -> tuple[Connection, Mapping[str, str]]:
    if call.method != "POST":
        raise NoSuchAddress
    with call.database.reading() as session:
        found = connections.find_by_token(session, call.provider, call.token)
    if found is None:
        raise NoSuchAddress
    return found, connections.credentials(found, call.secrets)


def _take(call: Call, connection: Connection, number: Callable[[], str], rows: Rows) -> Reply:
    try:
        event_id, why = number(), None
    except BadNotice as bad:
        event_id, why = inbox.digest(call.body), str(bad)
    with call.database.transaction() as session:
        connections.see(session, connection, now=call.now)
        event = inbox.take(
            session,
            call.provider,
            event_id,
            headers=call.headers,
            body=call.body,
            now=call.now,
            scope=connection.scope,
        )
        if event is not None:
            inbox.close(session, event, *_effect(session, call, connection, rows, why))
    return Reply()


def _effect(
    session: Session, call: Call, connection: Connection, rows: Rows, why: str | None
) -> tuple[Outcome, str | None]:
    try:
        told: Any = rows() if why is None else []
    except BadNotice as bad:
        told, why = [], str(bad)
    if why is not None:
        return Outcome.NEEDS_A_LOOK, why
    for row in told:
        bank_rows.take(session, row, producer_id=connection.producer_id, now=call.now)
    return Outcome.DONE, None
