"""Which gateways are connected here, and with whose account: the table of ways to pay online."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from core.money import Money, total
from core.settings import Settings
from shop import connections
from shop.connections import Connection
from shop.orders import SellerOrder
from shop.payments.gateways import Capabilities, Gateway
from shop.payments.payments import Payment, PaymentMethod
from shop.payments.stripe_gateway import StripeGateway
from shop.payments.vnpay import Keys, VnpayGateway
from shop.selling import Selling, selling_of

Maker = Callable[[Session, int | None, Settings], Gateway | None]


def takes_cards(settings: Settings) -> bool:
    """Say whether the operator can be paid by card: direct mode, with both keys of Stripe."""
    return selling_of(settings).cards


def gateway_for(
    session: Session, method: PaymentMethod, producer_id: int | None, settings: Settings
) -> Gateway | None:
    """Return the gateway of this method with the account of a producer (None: the operator)."""
    maker = MAKERS.get(method)
    return maker(session, producer_id, settings) if maker else None


def gateway_of(session: Session, payment: Payment, settings: Settings) -> Gateway | None:
    """Return the gateway this payment goes through, None when it is not connected any more."""
    producer_id = None
    if payment.seller_order_id is not None:
        producer_id = session.get_one(SellerOrder, payment.seller_order_id).producer_id
    return gateway_for(session, payment.method, producer_id, settings)


def online_ways(
    session: Session, selling: Selling, amounts: Sequence[tuple[int, Money]]
) -> tuple[PaymentMethod, ...]:
    """Return the gateways that all of this can be paid through.

    `amounts` are the producers with what each is owed. One operator takes the sum of them; else
    every producer must have connected the gateway by itself.
    """
    if not amounts:
        return ()
    owed: Sequence[tuple[int | None, Money]] = amounts
    if selling.is_direct:
        owed = [(None, total(amount for _producer, amount in amounts))]
    connected = {PaymentMethod.STRIPE: selling.cards}
    connected[PaymentMethod.VNPAY] = all(
        connections.find_open(session, owner, VnpayGateway.name) for owner, _amount in owed
    )
    return tuple(
        method
        for method, takes in CAPABILITIES.items()
        if connected[method] and all(takes.takes(amount) for _owner, amount in owed)
    )


def vnpay_of(connection: Connection, settings: Settings) -> VnpayGateway | None:
    """Return VNPay with the account of a connection, None when its keys cannot be read."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    keys = connections.credentials(connection, secrets)
    if not keys.get("tmn_code") or not keys.get("hash_secret"):
        return None
    return VnpayGateway(Keys(keys["tmn_code"], keys["hash_secret"]), settings)


def _stripe(_session: Session, producer_id: int | None, settings: Settings) -> Gateway | None:
    if producer_id is not None or not takes_cards(settings):
        return None
    return StripeGateway(settings)


def _vnpay(session: Session, producer_id: int | None, settings: Settings) -> Gateway | None:
    connection = connections.find_open(session, producer_id, VnpayGateway.name)
    return vnpay_of(connection, settings) if connection else None


MAKERS: dict[PaymentMethod, Maker] = {PaymentMethod.STRIPE: _stripe, PaymentMethod.VNPAY: _vnpay}
CAPABILITIES: dict[PaymentMethod, Capabilities] = {
    PaymentMethod.STRIPE: StripeGateway.capabilities,
    PaymentMethod.VNPAY: VnpayGateway.capabilities,
}
