"""A shop with one of everything, for the claims that walk every address it has."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from accounts import sessions
from accounts.audit import SYSTEM, Actor
from accounts.users import Role, User
from catalog import members
from catalog.lots import Lot
from catalog.producers import Producer
from catalog.products import Product
from catalog.variants import Variant
from core import inbox
from core.db import Database
from core.money import Money
from core.settings import Settings
from livestream.feeds import feeds, jobs
from livestream.feeds.feeds import Channel
from shop import carts, checkout, connections, later, links, payouts
from shop.addresses import keep as keep_address
from shop.checkout import Buyer
from shop.orders import Order, SellerOrder
from shop.payments import bank_rows
from shop.payments.bank_rows import BankTxn
from shop.payments.notices import BankRow, Direction
from shop.payments.payments import Payment
from shop.payouts import PayoutKind
from shop.vouchers import Funder, Voucher
from tests.conftest import SECRET
from tests.factories import (
    a_lot,
    a_parcel_with_cash,
    a_producer,
    a_product,
    a_star,
    a_step,
    a_switched_off_way,
    a_user,
    a_variant,
)
from tests.filled_aftersale import after_sale
from tests.filled_goods import goods
from tests.filled_joining import joins
from tests.filled_trace import traces
from traceability import checkpoints, recalls, serials, trace_codes
from traceability.recall_cases import Case, CaseKind

GTIN = "09521234000013"
# The compressed Digital Link of this number and lot LO-1.
PACKED = "ARFRq4pxGiDIWd9q"
_networks = count(1)


@dataclass
class FilledShop:
    """What was put into the shop, and how the addresses name it."""

    people: dict[str, User]
    producer: Producer
    product: Product
    variant: Variant
    lot: Lot
    order_mark: str
    addresses: dict[str, Any] = field(default_factory=dict)

    def values_for(self, rule: Rule) -> dict[str, Any]:
        """Return what fills the variable parts of `rule` with something that exists."""
        blueprint = rule.endpoint.partition(".")[0]
        return {
            name: self.addresses.get(f"{blueprint}.{name}", self.addresses.get(name, "1"))
            for name in rule.arguments
        }


def fill(app: Flask, *, now: datetime, text: str = "") -> FilledShop:
    """Put one of everything into the shop; `text` stands behind every name people choose."""
    database: Database = app.extensions["database"]
    settings: Settings = app.config["SETTINGS"]
    with database.transaction() as session:
        feed_id = feeds.ensure_feed(session, Channel.META).id
        shop = _fill(session, now=now, text=text)
        checkpoints.sign(session, None, settings, now=now)
    around = jobs.surroundings(settings, now=now)
    feeds.rebuild(database, feed_id, jobs.folder_of(settings), around=around)
    return shop


def _fill(session: Session, *, now: datetime, text: str) -> FilledShop:
    people = {
        role.value: a_user(session, role=role, name=f"Người {role.value}{text}") for role in Role
    }
    producer = a_producer(session, name=f"HTX Một{text}", slug="htx-mot", story=f"Chuyện{text}")
    members.add(session, producer, people["producer"], actor=SYSTEM, now=now)
    product = a_product(
        session,
        producer=producer,
        name=f"Mật ong{text}",
        slug="mat-ong",
        description=f"Ngọt{text}",
    )
    variant = a_variant(session, product=product, gtin=GTIN, unit=f"hũ{text}", name=f"To{text}")
    lot = a_lot(session, variant, code="LO-1", in_stock=5)
    a_star(session, product, stars=4)
    writer = Actor(people["producer"].id, people["producer"].name)
    step = a_step(session, lot, place=f"Đồi{text}", note=f"Sáng{text}", actor=writer)
    code = trace_codes.ensure_lot_code(session, lot, now=now)
    trace_codes.ensure_product_code(session, product.id, now=now)
    serials.make(session, lot, 1, now=now, activated=True)
    feed = feeds.ensure_feed(session, Channel.META)
    order, mark, payment_id = _an_order(session, producer, variant, now=now, text=text)
    way = a_switched_off_way(session, producer)
    address = keep_address(session, people["buyer"].id, _typed(producer, text), now=now)
    put_by = _put_by(session, people["buyer"].id, variant, now=now)
    part_id = session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order.id)).one()
    connection = connections.open_new(
        session, producer.id, "sepay", {"name": f"SePay{text}", "api_key": "khoa"},
        secrets=[SECRET], actor=SYSTEM, now=now,
    )  # fmt: skip
    row = _a_bank_row(session, producer, now=now, text=text)
    parcel = a_parcel_with_cash(session, order, part_id, now=now, text=text)
    case = _a_recall(session, variant, now=now, text=text)
    addresses = {
        "case_id": case.id,
        "producer": producer.slug,
        "method_id": way.id,
        "slug": product.slug,
        "staff.slug": producer.slug,
        "code": code,
        "rest": f"{GTIN}/10/{lot.code}",
        "letters": PACKED,
        "boards.size": "a4",
        "position": 0,
        "old": 1,
        "new": 1,
        "staff_book.user_id": people["producer"].id,
        "lot": lot.id,
        "step": step.id,
        "token": feed.token,
        "kind": "svg",
        "user_id": people["buyer"].id,
        "helper_id": people["helper"].id,
        "payment_id": payment_id,
        "orders.code": order.code,
        "order_acts.code": order.code,
        "card_payments.code": order.code,
        "own_orders.code": order.code,
        "part_id": part_id,
        "address_id": address.id,
        "saved_id": put_by,
        "desk_orders.code": order.code,
        "desk_packing.code": order.code,
        "desk_shipping.code": order.code,
        "desk_cod.code": order.code,
        "desk_cod.row_id": parcel[2],
        "batch_id": parcel[1],
        "shipment_id": parcel[0],
        "desk_prints.code": order.code,
        "staff_orders.code": order.code,
        "connection_id": connection.id,
        "provider": "sepay",
        "webhooks.token": str(connections.token_of(connection, [SECRET])),
        "row_id": row.id,
        "act": "rieng",
        "message_id": _a_message(session, now=now),
        "digest": "a" * 64,
        "variant_id": variant.id,
        "month": "2026-11",
        "staff_ledger.slug": producer.slug,
        "payout_id": _a_payout(session, producer, people["staff"], now=now, text=text),
        "desk_vouchers.voucher_id": _a_voucher(session, Funder.PRODUCER, producer, now, text),
        "staff_vouchers.voucher_id": _a_voucher(session, Funder.PLATFORM, producer, now, text),
        **joins(session, producer, order, people["buyer"], now=now, text=text),
        **traces(session, producer, product, lot, code, now=now, text=text),
        **goods(session, producer, product, now=now, text=text),
        **after_sale(session, order, part_id, producer, product, variant, now=now, text=text),
    }
    return FilledShop(people, producer, product, variant, lot, mark, addresses)


def _a_message(session: Session, *, now: datetime) -> int:
    """Keep a message of a service that a person must look at."""
    event = inbox.take(session, "stripe", "evt_1", headers={}, body=b"{}", now=now)
    assert event is not None
    inbox.close(session, event, inbox.Outcome.NEEDS_A_LOOK, "dispute dp_1: general")
    return event.id


def _a_voucher(
    session: Session, funder: Funder, producer: Producer, now: datetime, text: str
) -> int:
    """Make a voucher that is told in a show."""
    voucher = Voucher(
        code=f"TET{funder.value.upper()}",
        amount=Money(5_000),
        funded_by=funder,
        producer_id=producer.id,
        starts_at=now,
        ends_at=now + timedelta(days=7),
        show=f"Phiên{text}"[:60],
        created_at=now,
    )
    session.add(voucher)
    session.flush()
    return voucher.id


def _a_payout(
    session: Session, producer: Producer, person: User, *, now: datetime, text: str
) -> int:
    """Let a correction of the producer's account wait for a second name."""
    return payouts.write(
        session,
        producer,
        PayoutKind.ADJUSTMENT,
        Money(1_000),
        note=f"cước tính sai{text}",
        actor=Actor(person.id, person.name),
        now=now,
    ).id


def _a_bank_row(session: Session, producer: Producer, *, now: datetime, text: str) -> BankTxn:
    """Let money without a code come to the producer's account."""
    told = BankRow(
        provider="sepay",
        txn_id="1",
        account=producer.bank_account or "",
        amount=Money(1_000),
        direction=Direction.IN,
        memo=f"chuyen tien{text}",
        at=now,
        counter_name=f"Chị Hoa{text}",
    )
    row = bank_rows.take(session, told, producer_id=producer.id, now=now)
    assert row is not None
    return row


def _a_recall(session: Session, variant: Variant, *, now: datetime, text: str) -> Case:
    return recalls.stop(
        session,
        a_lot(session, variant, code="LO-9"),
        CaseKind.RECALL,
        reason=f"Mốc{text}",
        base="http://localhost",
        actor=SYSTEM,
        now=now,
    )


def _an_order(
    session: Session, producer: Producer, variant: Variant, *, now: datetime, text: str
) -> tuple[Order, str, int]:
    """Let a guest order one piece by bank transfer."""
    cart, _token = carts.open_new(session, user_id=None, now=now)
    carts.add(session, cart, variant.id, quantity=1, lot_code=None, now=now)
    mark = links.order_mark(SECRET, cart.id)
    order = checkout.place(
        session,
        cart.id,
        _typed(producer, text),
        buyer=Buyer(Actor(None, "khách"), "vi", mark),
        agreed_prices="",
        public_url="http://localhost",
        now=now,
    )
    payment_id = session.scalars(select(Payment.id).where(Payment.order_id == order.id)).one()
    return order, mark, payment_id


def _typed(producer: Producer, text: str) -> dict[str, str]:
    """What a buyer types at the checkout."""
    return {
        "phone": "0912345678",
        "name": f"Chị Hoa{text}"[:100],
        "province_code": "01",
        "ward_code": producer.commune_code or "",
        "street": f"Thôn 3{text}"[:200],
        "note": f"Gọi trước{text}",
        f"delivery_{producer.slug}": "0",
        "payment_method": "bank_transfer",
    }


def _put_by(session: Session, user_id: int, variant: Variant, *, now: datetime) -> int:
    """Let a person put one piece by for later."""
    cart, _token = carts.open_new(session, user_id=user_id, now=now)
    carts.add(session, cart, variant.id, quantity=1, now=now)
    owner = later.owner_of(user_id, None) or ""
    later.save(session, cart, owner, variant.id, lot_code=None, now=now)
    return later.list_of(session, owner, now=now)[0].line.id


def a_visit(app: Flask, shop: FilledShop, role: str, *, now: datetime) -> FlaskClient:
    """Return a browser of someone with `role`, freshly logged in; «public» is a stranger.

    Each visit comes from a network of its own, so that counters of tries do not end the claim.
    """
    number = next(_networks)
    visitor = app.test_client()
    visitor.environ_base["REMOTE_ADDR"] = f"10.{number // 256 % 256}.{number % 256}.1"
    if role != "public":
        with app.extensions["database"].transaction() as session:
            user = session.get_one(User, shop.people[role].id)
            token = sessions.start(session, user, device="test", now=now)
        visitor.set_cookie("sid", token)
    return visitor


def role_for(audience: str) -> str:
    """Return the role of someone a view of this audience is meant for."""
    return {"account": "buyer"}.get(audience, audience)
