"""The shop that is drilled: three producers, what everybody wants and what there is plenty of."""

from dataclasses import dataclass

from accounts import sessions
from accounts.audit import Actor
from accounts.users import Role, User
from catalog.members import Member
from core.clock import utc_now
from core.db import Base, Database
from drill.processes import SECRET
from shop import connections
from tests.conftest import NOON
from tests.factories import a_commune, a_producer, a_product, a_user, a_variant
from tests.shop.selling import a_way
from wsgi import load_tables

PRODUCERS = 3
ACCOUNT = "0011012345678"
BANK_KEY = "drill-only-key-of-the-bank"
HOT = 4
PLENTY = 100_000


@dataclass(frozen=True, slots=True)
class Seller:
    """A producer with the log-in of its member."""

    producer_id: int
    slug: str
    sid: str
    hook: str
    hot: int
    common: int


@dataclass(frozen=True, slots=True)
class Goods:
    """Everything the clients may know."""

    sellers: tuple[Seller, ...]


def fill(database: Database) -> Goods:
    """Give an empty database its tables and its goods."""
    load_tables()
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        a_commune(session)
        sellers = []
        for number in range(PRODUCERS):
            producer = a_producer(session, name=f"HTX Diễn tập {number + 1}")
            a_way(session, producer)
            hot, common = (
                a_variant(
                    session, product=a_product(session, producer=producer), in_stock=in_stock
                ).id
                for in_stock in (HOT, PLENTY)
            )
            person = a_user(session, role=Role.PRODUCER)
            session.add(Member(producer_id=producer.id, user_id=person.id, since=NOON))
            session.flush()
            token = sessions.start(
                session, session.get_one(User, person.id), device="drill", now=utc_now()
            )
            hook = connections.open_new(
                session, producer.id, "sepay", {"hmac_secret": BANK_KEY},
                secrets=[SECRET], actor=Actor(person.id, person.name), now=utc_now(),
            )  # fmt: skip
            address = connections.token_of(hook, [SECRET]) or ""
            sellers.append(Seller(producer.id, producer.slug, token, address, hot, common))
    return Goods(tuple(sellers))
