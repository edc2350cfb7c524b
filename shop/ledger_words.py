"""What the kinds of entries are called, on pages and in files."""

from core.i18n import lazy as _
from shop.ledger import Kind
from shop.payouts import PayoutKind

KINDS: dict[Kind, object] = {
    Kind.SALE: _("Goods sold"),
    Kind.SHIPPING: _("Delivery fee"),
    Kind.DISCOUNT_PLATFORM_FUNDED: _("Voucher paid by the shop"),
    Kind.COMMISSION: _("Commission"),
    Kind.CUSTODY_PRODUCER: _("Paid to the producer's own account"),
    Kind.COD_CUSTODY_PRODUCER: _("Cash the producer took"),
    Kind.COD_CUSTODY_CARRIER: _("Cash with the carrier"),
    Kind.COD_REMITTED: _("Cash the carrier handed over"),
    Kind.REFUND: _("Paid back to the buyer"),
    Kind.CARRIER_FEE: _("Carrier's fee"),
    Kind.TAX_WITHHELD: _("Tax withheld"),
    Kind.PAYOUT: _("Payment between shop and producer"),
    Kind.ADJUSTMENT: _("Correction"),
}
PAYOUT_KINDS: dict[PayoutKind, object] = {
    PayoutKind.PAID: _("The shop paid the producer"),
    PayoutKind.RECEIVED: _("The producer paid the shop"),
    PayoutKind.ADJUSTMENT: _("Correction"),
}
HEADS = (
    _("Time"),
    _("What for"),
    _("Order code"),
    _("Note"),
    _("Amount (₫)"),
    _("Balance (₫)"),
)
