"""The demo's log-ins: one of each role, with passwords that are printed and known to everyone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from accounts import passwords, users
from accounts.audit import SYSTEM
from accounts.passwords import PasswordHash
from accounts.users import Role, User
from catalog import grants, members
from catalog.producers import Producer


@dataclass(frozen=True, slots=True)
class Login:
    """One log-in of the demo."""

    role: Role
    user: str
    password: str
    name: str


LOGINS = (
    Login(Role.STAFF, "quan-tri@cho-phien.example", "sen-no-giua-ao-lang", "Quản trị (minh hoạ)"),
    Login(
        Role.PRODUCER,
        "htx-mau@cho-phien.example",
        "ong-bay-qua-vuon-nhan",
        "Chủ HTX Mẫu (minh hoạ)",
    ),
    Login(
        Role.HELPER,
        "to-cong-nghe@cho-phien.example",
        "cau-tre-bac-qua-song",
        "Tổ công nghệ số cộng đồng (minh hoạ)",
    ),
    Login(Role.BUYER, "nguoi-mua@cho-phien.example", "cho-hop-som-ven-de", "Người mua (minh hoạ)"),
)


def hash_passwords() -> dict[str, PasswordHash]:
    """Return the hash of each demo password; slow, so done before any transaction."""
    return {login.user: passwords.make(login.password, role=login.role) for login in LOGINS}


def add(
    session: Session,
    hashes: dict[str, PasswordHash],
    *,
    producer: Producer,
    commune_code: str,
    now: datetime,
) -> None:
    """Open the accounts: the producer's belongs to `producer`, the helper's to the commune."""
    people: dict[Role, User] = {}
    for login in LOGINS:
        people[login.role] = users.register(
            session,
            users.parse_login(login.user),
            name=login.name,
            password_hash=hashes[login.user],
            now=now,
            role=login.role,
        )
    members.add(session, producer, people[Role.PRODUCER], actor=SYSTEM, now=now)
    grants.give(session, people[Role.HELPER], commune_code, actor=SYSTEM, now=now)
