"""Which ways to pay a cart may choose between, in the order they are offered."""

from sqlalchemy.orm import Session

from shop.payments import connected
from shop.payments.payments import PaymentMethod
from shop.quotes import Quote
from shop.selling import Selling


def offered(session: Session, quote: Quote, selling: Selling) -> list[PaymentMethod]:
    """Return the ways to pay for this cart, as this shop sells.

    A transfer needs an account to go to: every producer's own, or the operator's. So does a
    gateway, which also has a smallest and a largest amount.
    """
    ways = [PaymentMethod.COD]
    has_account = selling.account is not None if selling.is_direct else quote.takes_transfers
    if has_account:
        ways.append(PaymentMethod.BANK_TRANSFER)
    amounts = [
        (parcel.producer_id, parcel.items_total - quote.discount_on(parcel))
        for parcel in quote.parcels
    ]
    return [*ways, *connected.online_ways(session, selling, amounts)]
