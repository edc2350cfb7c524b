"""A person's address book: where their parcels go. The first one kept is the default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, Select, delete, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.phones import show_phone
from accounts.users import User
from catalog import places
from core.db import Base, Database
from core.errors import Conflict, NotFound
from core.i18n import lazy as _
from shop import wishes
from shop.orders import Order
from shop.wishes import Mistyped, Reader

MOST = 20
UNDO_FOR = timedelta(days=30)


class NoSuchAddress(NotFound):
    """There is no such address, or it is somebody else's."""


class BookFull(Conflict):
    """More addresses than one person needs."""


class Address(Base):
    """Who receives where. A deleted one stays for a while, so that deleting can be undone."""

    __tablename__ = "delivery_address"
    __table_args__ = (
        Index(
            "uq_delivery_address_default",
            "user_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
        Index("ix_delivery_address_user", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str]
    phone: Mapped[str]
    province_code: Mapped[str] = mapped_column(ForeignKey("admin_unit.code"))
    commune_code: Mapped[str] = mapped_column(ForeignKey("admin_unit.code"))
    street: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One address as it is shown; `outdated` when its commune is no longer in force."""

    address: Address
    place: str
    outdated: bool

    @property
    def full(self) -> str:
        """Return the address on one line."""
        return f"{self.address.street}, {self.place}"

    @property
    def typed(self) -> dict[str, str]:
        """Return the fields of a form that would say this address."""
        return {
            "name": self.address.name,
            "phone": show_phone(self.address.phone),
            "street": self.address.street,
            "province_code": self.address.province_code,
            "ward_code": "" if self.outdated else self.address.commune_code,
        }


def list_of(session: Session, user_id: int) -> list[Entry]:
    """Return a person's addresses, the default first."""
    rows = session.scalars(
        select(Address)
        .where(Address.user_id == user_id, Address.deleted_at.is_(None))
        .order_by(Address.is_default.desc(), Address.id)
    ).all()
    return _entries(session, rows)


def get(session: Session, user_id: int, address_id: int) -> Entry:
    """Return one of a person's own addresses, or raise NoSuchAddress."""
    row = session.scalar(_own(user_id, address_id).where(Address.deleted_at.is_(None)))
    if row is None:
        raise NoSuchAddress
    return _entries(session, [row])[0]


def find_deleted(session: Session, user_id: int, address_id: int) -> Entry | None:
    """Return an address this person deleted and may still take back."""
    row = session.scalar(_own(user_id, address_id).where(Address.deleted_at.is_not(None)))
    return _entries(session, [row])[0] if row is not None else None


def _own(user_id: int, address_id: int) -> Select[Address]:
    return select(Address).where(Address.id == address_id, Address.user_id == user_id)


def _entries(session: Session, rows: Sequence[Address]) -> list[Entry]:
    codes = {code for row in rows for code in (row.commune_code, row.province_code)}
    units = {
        unit.code: unit
        for unit in session.scalars(
            select(places.AdminUnit).where(places.AdminUnit.code.in_(codes))
        )
    }
    return [
        Entry(
            row,
            places.join_place(units[row.commune_code].name, units[row.province_code].name),
            units[row.commune_code].valid_to is not None,
        )
        for row in rows
    ]


def keep(
    session: Session,
    user_id: int,
    typed: Mapping[str, str],
    *,
    address_id: int | None = None,
    now: datetime,
) -> Address:
    """Write down a new address, or what became of an old one; `default` typed makes it the first.

    Raises Mistyped with every mistake, BookFull, NoSuchAddress.
    """
    reader = Reader(typed)
    phone = reader.phone()
    name = reader.line("name", missing=_("Write the name of who receives the goods."))
    to = wishes.destination(session, typed)
    reader.check_place(to)
    street = reader.line("street", missing=_("Write the house number, road or hamlet."))
    if reader.mistakes:
        raise Mistyped(reader.mistakes)
    values = {
        "name": name,
        "phone": phone,
        "province_code": to.province_code,
        "commune_code": to.commune_code,
        "street": street,
    }
    _wait_for(session, user_id)
    if address_id is None:
        address = _add(session, user_id, values, now=now)
    else:
        address = get(session, user_id, address_id).address
        for field, value in values.items():
            setattr(address, field, value)
    session.flush()
    if typed.get("default"):
        _prefer(session, user_id, address.id)
    return address


def keep_of_order(session: Session, user_id: int, order: Order, *, now: datetime) -> Address:
    """Keep the address of one's order; one that is kept already stays the only one."""
    _wait_for(session, user_id)
    same = session.scalar(_same(user_id, order))
    if same is not None:
        return same
    return _add(
        session,
        user_id,
        {
            "name": order.buyer_name,
            "phone": order.buyer_phone,
            "province_code": order.province_code,
            "commune_code": order.commune_code,
            "street": order.street,
        },
        now=now,
    )


def knows(session: Session, user_id: int, order: Order) -> bool:
    """Say whether the address of this order stands in the person's book."""
    return session.scalar(_same(user_id, order)) is not None


def prefer(session: Session, user_id: int, address_id: int) -> None:
    """Make this the address that is filled in first. Raises NoSuchAddress."""
    _wait_for(session, user_id)
    get(session, user_id, address_id)
    _prefer(session, user_id, address_id)


def remove(session: Session, user_id: int, address_id: int, *, now: datetime) -> None:
    """Take an address out of the book; the oldest left becomes the default. It can be undone."""
    _wait_for(session, user_id)
    address = get(session, user_id, address_id).address
    was_default = address.is_default
    address.deleted_at, address.is_default = now, False
    session.flush()
    if was_default:
        oldest = session.scalar(
            select(func.min(Address.id)).where(
                Address.user_id == user_id, Address.deleted_at.is_(None)
            )
        )
        if oldest is not None:
            _prefer(session, user_id, oldest)


def take_back(session: Session, user_id: int, address_id: int) -> None:
    """Undo the deleting of an address. Raises NoSuchAddress when it is gone for good."""
    _wait_for(session, user_id)
    address = session.scalar(_own(user_id, address_id).where(Address.deleted_at.is_not(None)))
    if address is None:
        raise NoSuchAddress
    address.deleted_at = None
    address.is_default = not _count(session, user_id)
    session.flush()


def forget_deleted(database: Database, now: datetime) -> None:
    """Delete for good what was deleted a month ago."""
    with database.transaction() as session:
        session.execute(delete(Address).where(Address.deleted_at <= now - UNDO_FOR))


def _wait_for(session: Session, user_id: int) -> None:
    """Let two devices of one person change the book one after the other."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True)).one()


def _add(session: Session, user_id: int, values: dict[str, str], *, now: datetime) -> Address:
    kept = _count(session, user_id)
    if kept >= MOST:
        raise BookFull(_("At most %(most)s addresses are kept. Delete one first.", most=MOST))
    address = Address(user_id=user_id, is_default=kept == 0, created_at=now, **values)
    session.add(address)
    session.flush()
    return address


def _count(session: Session, user_id: int) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Address)
            .where(Address.user_id == user_id, Address.deleted_at.is_(None))
        )
        or 0
    )


def _prefer(session: Session, user_id: int, address_id: int) -> None:
    for is_default, which in ((False, Address.id != address_id), (True, Address.id == address_id)):
        session.execute(
            update(Address)
            .where(Address.user_id == user_id, which)
            .values(is_default=is_default)
            .execution_options(synchronize_session=False)
        )
    session.expire_all()


def _same(user_id: int, order: Order) -> Select[Address]:
    return select(Address).where(
        Address.user_id == user_id,
        Address.deleted_at.is_(None),
        Address.phone == order.buyer_phone,
        Address.name == order.buyer_name,
        Address.commune_code == order.commune_code,
        Address.street == order.street,
    )
