"""Connections: how the services a producer uses elsewhere reach us, and what we may ask of them.

Each has an address of its own that holds an unguessable token; whoever shuts the connection makes
the address worthless. What the service trusted us with is kept sealed. A connection without a
producer is the operator's.
"""

import enum
import json
import secrets as randomness
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ForeignKey, Index, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import audit
from accounts.audit import Actor
from core import tasks
from core.db import Base, word
from core.errors import Invalid, NotFound
from core.i18n import lazy as _
from core.i18n import mark
from core.sealing import CannotUnseal, seal, unseal
from core.text import clean

TOKEN_BYTES = 16
LONGEST_VALUE = 300
LONGEST_NAME = 60
MOST_OPEN = 20
SEEN_EVERY = timedelta(minutes=1)

audit.describe(
    {
        "connection.opened": _("opened a connection"),
        "connection.changed": _("changed the keys of a connection"),
        "connection.shut": _("shut a connection"),
    }
)


class Use(enum.StrEnum):
    """What a service is used for."""

    BANK = "bank"
    GATEWAY = "gateway"
    CARRIER = "carrier"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a service gave its customer and we need: marked English label and hint."""

    name: str
    label: str
    hint: str | None = None
    required: bool = True
    secret: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One service that can be connected; `any_of` names fields of which one is enough.

    `steps` tell, in marked sentences, where its customer pastes our address. `registers` names the
    background work that tells the service our address, for a customer who gave the keys for it.
    """

    provider: str
    name: str
    use: Use
    fields: tuple[Field, ...]
    steps: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    registers: str = ""


KINDS: dict[str, Kind] = {
    kind.provider: kind
    for kind in (
        Kind(
            "sepay",
            "SePay",
            Use.BANK,
            (
                Field(
                    "hmac_secret",
                    mark("Secret key of HMAC-SHA256"),
                    mark("Safer than the API key: every message is signed."),
                    required=False,
                ),
                Field("api_key", mark("API key of the webhook"), required=False),
                Field(
                    "api_token",
                    mark("API token"),
                    mark("To look every night for messages that were lost. May be left empty."),
                    required=False,
                ),
            ),
            (
                mark("In SePay open WebHooks, then add a new one."),
                mark("Event: money in. Choose the account buyers transfer to."),
                mark("Paste the address below as the URL to call."),
                mark("Choose HMAC-SHA256 or API Key; write the same key there and here."),
                mark("Save, then send a test. The time of the last message appears here."),
            ),
            any_of=("hmac_secret", "api_key"),
        ),
        Kind(
            "casso",
            "Casso",
            Use.BANK,
            (
                Field(
                    "checksum_key",
                    mark("Security key (webhook V2)"),
                    mark("Safer than V1: every message is signed."),
                    required=False,
                ),
                Field("secure_token", mark("Secure token (webhook V1)"), required=False),
                Field(
                    "api_key",
                    mark("API key"),
                    mark("To look every night for messages that were lost. May be left empty."),
                    required=False,
                ),
            ),
            (
                mark("In Casso open Integrations, then add Webhook V2."),
                mark("Choose the account buyers transfer to."),
                mark("Paste the address below as the webhook URL."),
                mark("Copy the security key from there to here, then save on both sides."),
                mark("Press “Call a test”. The time of the last message appears here."),
            ),
            any_of=("checksum_key", "secure_token"),
        ),
        Kind(
            "payos",
            "payOS",
            Use.BANK,
            (
                Field("checksum_key", mark("Checksum key")),
                Field("client_id", "Client ID", required=False, secret=False),
                Field(
                    "api_key",
                    mark("API key"),
                    mark("With Client ID and API key, payOS is told the address by itself."),
                    required=False,
                ),
            ),
            (
                mark("In payOS open the payment channel, then its information."),
                mark("Copy the keys from there to here and save."),
                mark(
                    "Without Client ID and API key: paste the address below as webhook URL there."
                ),
                mark("payOS calls the address at once. The time of the last message appears here."),
            ),
            registers="bank.register",
        ),
        Kind(
            "vnpay",
            "VNPay",
            Use.GATEWAY,
            (
                Field("tmn_code", mark("Website code (vnp_TmnCode)"), secret=False),
                Field("hash_secret", mark("Secret for checksums (vnp_HashSecret)")),
            ),
            (
                mark("VNPay sends both codes by letter when its contract is signed."),
                mark("Give VNPay the address below as the IPN URL."),
                mark("Buyers can then choose VNPay at the checkout."),
            ),
        ),
        Kind(
            "ghn",
            "Giao Hàng Nhanh (GHN)",
            Use.CARRIER,
            (
                Field("token", mark("API token")),
                Field("shop_id", mark("ShopId"), mark("The number of the shop."), secret=False),
            ),
            (
                mark("At khachhang.ghn.vn open the owner's page, then copy token and ShopId here."),
                mark("Ask GHN to send order news to the address below."),
                mark("Then add the way “GHN” under Delivery."),
            ),
        ),
    )
}


class ConnectionState(enum.StrEnum):
    """A shut connection is kept, for what came through it; its address answers no more."""

    OPEN = "open"
    SHUT = "shut"


class NoSuchConnection(NotFound):
    """There is no such connection, or it is another's."""


class Incomplete(Invalid):
    """Something the service needs was not typed."""


class TooManyConnections(Invalid):
    """Nobody needs that many at once."""


class Connection(Base):
    """One service, connected for one producer or (without one) for the operator."""

    __tablename__ = "connection"
    __table_args__ = (Index("ix_connection_owner", "producer_id", "provider", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int | None] = mapped_column(ForeignKey("producer.id"))
    provider: Mapped[str]
    name: Mapped[str]
    state: Mapped[ConnectionState] = mapped_column(word(ConnectionState))
    token_hash: Mapped[str] = mapped_column(unique=True)
    sealed_token: Mapped[str]
    sealed_credentials: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    shut_at: Mapped[datetime | None]

    @property
    def scope(self) -> str:
        """Return the name of this connection in the inbox of events."""
        return f"connection:{self.id}"


def find_by_token(session: Session, provider: str, token: str | None) -> Connection | None:
    """Return the open connection whose address holds `token`."""
    if not token:
        return None
    return session.scalar(
        select(Connection).where(
            Connection.token_hash == _hash(token),
            Connection.provider == provider,
            Connection.state == ConnectionState.OPEN,
        )
    )


def find_open(session: Session, producer_id: int | None, provider: str) -> Connection | None:
    """Return the newest open connection of a producer (None: the operator) to a service."""
    return session.scalar(
        select(Connection)
        .where(
            Connection.producer_id.is_not_distinct_from(producer_id),
            Connection.provider == provider,
            Connection.state == ConnectionState.OPEN,
        )
        .order_by(Connection.id.desc())
        .limit(1)
    )


def get(session: Session, producer_id: int | None, connection_id: int) -> Connection:
    """Return a connection of this owner, or raise NoSuchConnection."""
    found = session.get(Connection, connection_id)
    if found is None or found.producer_id != producer_id:
        raise NoSuchConnection
    return found


def list_open(session: Session, producer_id: int | None) -> list[Connection]:
    """Return the open connections of this owner, the oldest first."""
    return list(
        session.scalars(
            select(Connection)
            .where(
                Connection.producer_id.is_not_distinct_from(producer_id),
                Connection.state == ConnectionState.OPEN,
            )
            .order_by(Connection.id)
        )
    )


def list_of_providers(session: Session, providers: Sequence[str]) -> list[Connection]:
    """Return every owner's open connections to these services."""
    return list(
        session.scalars(
            select(Connection)
            .where(Connection.provider.in_(providers), Connection.state == ConnectionState.OPEN)
            .order_by(Connection.id)
        )
    )


def credentials(connection: Connection, secrets: Sequence[str]) -> dict[str, str]:
    """Return what the service gave its customer; empty when no key opens it any more."""
    try:
        opened: dict[str, str] = json.loads(unseal(connection.sealed_credentials, secrets))
    except CannotUnseal:
        return {}
    return opened


def token_of(connection: Connection, secrets: Sequence[str]) -> str | None:
    """Return the token in the connection's address, or None when no key opens it any more."""
    try:
        return unseal(connection.sealed_token, secrets)
    except CannotUnseal:
        return None


def open_new(
    session: Session,
    producer_id: int | None,
    provider: str,
    typed: Mapping[str, str],
    *,
    secrets: Sequence[str],
    actor: Actor,
    now: datetime,
) -> Connection:
    """Connect a service with what was `typed`; its address exists from now on."""
    kind = KINDS.get(provider)
    if kind is None:
        raise Incomplete(_("Choose which service to connect."), field="provider")
    if len(list_open(session, producer_id)) >= MOST_OPEN:
        raise TooManyConnections(_("There are many connections already. Shut one first."))
    token = randomness.token_urlsafe(TOKEN_BYTES)
    connection = Connection(
        producer_id=producer_id,
        provider=provider,
        name=clean(typed.get("name", ""))[:LONGEST_NAME] or kind.name,
        state=ConnectionState.OPEN,
        token_hash=_hash(token),
        sealed_token=seal(token, secrets),
        sealed_credentials=seal(json.dumps(_read(kind, typed, kept={})), secrets),
        created_at=now,
    )
    session.add(connection)
    session.flush()  # gives the connection its id
    audit.record(session, actor, "connection.opened", _subject(connection), now=now, of=kind.name)
    _make_known(session, connection, now=now)
    return connection


def change(
    session: Session,
    connection: Connection,
    typed: Mapping[str, str],
    *,
    secrets: Sequence[str],
    actor: Actor,
    now: datetime,
) -> None:
    """Exchange the keys that were typed; what was left empty stays as it was."""
    kind = KINDS[connection.provider]
    keys = _read(kind, typed, kept=credentials(connection, secrets))
    connection.sealed_credentials = seal(json.dumps(keys), secrets)
    session.flush()
    audit.record(session, actor, "connection.changed", _subject(connection), now=now, of=kind.name)
    _make_known(session, connection, now=now)


def rename(session: Session, connection: Connection, name: str) -> None:
    """Call the connection otherwise; an empty name is that of its service."""
    named = clean(name)[:LONGEST_NAME]
    connection.name = named or KINDS[connection.provider].name
    session.flush()


def revoke(session: Session, connection: Connection, *, actor: Actor, now: datetime) -> bool:
    """Shut the connection for good; its address answers no more. False when it was shut."""
    shut = session.scalar(
        update(Connection)
        .where(Connection.id == connection.id, Connection.state == ConnectionState.OPEN)
        .values(state=ConnectionState.SHUT, shut_at=now)
        .returning(Connection.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(connection)
    if shut is None:
        return False
    of = KINDS[connection.provider].name
    audit.record(session, actor, "connection.shut", _subject(connection), now=now, of=of)
    return True


def see(session: Session, connection: Connection, *, now: datetime) -> None:
    """Note that the service has just called, at most once a minute."""
    if connection.seen_at is not None and connection.seen_at > now - SEEN_EVERY:
        return
    session.execute(
        update(Connection)
        .where(Connection.id == connection.id)
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


def _read(kind: Kind, typed: Mapping[str, str], *, kept: Mapping[str, str]) -> dict[str, str]:
    keys = {
        field.name: typed.get(field.name, "").strip() or kept.get(field.name, "")
        for field in kind.fields
    }
    for field in kind.fields:
        if len(keys[field.name]) > LONGEST_VALUE or not keys[field.name].isascii():
            message = _("A key has only plain letters, digits and signs. Copy it once more.")
            raise Incomplete(message, field=field.name)
        if field.required and not keys[field.name]:
            raise Incomplete(_("Copy this from the service; nothing works without it."),
                             field=field.name)  # fmt: skip
    if kind.any_of and not any(keys[name] for name in kind.any_of):
        message = _("One of these keys is needed: it proves that a message is real.")
        raise Incomplete(message, field=kind.any_of[0])
    return {name: value for name, value in keys.items() if value}


def _make_known(session: Session, connection: Connection, *, now: datetime) -> None:
    work = KINDS[connection.provider].registers
    if work:
        tasks.enqueue(session, work, {"connection_id": connection.id}, now=now)


def _subject(connection: Connection) -> str:
    return f"connection:{connection.id}"


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
