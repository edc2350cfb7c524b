"""What states, ways to pay and sources are called, in staff's lists and files."""

from core.i18n import lazy as _
from shop.order_states import OrderState, PaymentStatus, SellerOrderState, Source
from shop.payments.payments import PaymentMethod

ORDER_STATES: dict[OrderState, object] = {
    OrderState.PENDING_PAYMENT: _("Waiting for payment"),
    OrderState.PLACED: _("Placed"),
    OrderState.EXPIRED: _("Not paid in time"),
    OrderState.CANCELLED: _("Cancelled"),
    OrderState.CLOSED: _("Order closed"),
}
PART_STATES: dict[SellerOrderState, object] = {
    SellerOrderState.PENDING: _("Waiting for payment"),
    SellerOrderState.TO_CONFIRM: _("Waiting for confirmation"),
    SellerOrderState.PREPARING: _("Being prepared"),
    SellerOrderState.READY: _("Waiting for pick-up"),
    SellerOrderState.SHIPPED: _("On the way"),
    SellerOrderState.DELIVERY_FAILED: _("Waiting for redelivery"),
    SellerOrderState.RETURNING: _("Coming back"),
    SellerOrderState.RETURNED: _("Returned"),
    SellerOrderState.DELIVERED: _("Delivered"),
    SellerOrderState.COMPLETED: _("Completed"),
    SellerOrderState.CANCELLED: _("Cancelled"),
}
PAYMENT_STATUSES: dict[PaymentStatus, object] = {
    PaymentStatus.NONE: _("Nothing to pay"),
    PaymentStatus.AWAITING: _("Not paid yet"),
    PaymentStatus.PARTIALLY_PAID: _("Paid in part"),
    PaymentStatus.PAID: _("Paid"),
    PaymentStatus.OVERPAID: _("Money to be sent back"),
    PaymentStatus.COD_DUE: _("Cash due on delivery"),
    PaymentStatus.COD_COLLECTED: _("Cash was collected"),
    PaymentStatus.PARTIALLY_REFUNDED: _("Sent back in part"),
    PaymentStatus.REFUNDED: _("All sent back"),
}
METHODS: dict[PaymentMethod, object] = {
    PaymentMethod.COD: _("Cash at the door"),
    PaymentMethod.BANK_TRANSFER: _("Bank transfer"),
    PaymentMethod.STRIPE: _("Card"),
    PaymentMethod.VNPAY: _("VNPay"),
}
SOURCES: dict[Source, object] = {
    Source.WEB: _("Web"),
    Source.LIVE: _("Live show"),
    Source.QR: _("QR code on the goods"),
    Source.REORDER: _("Bought again"),
}
CSV_HEAD = (
    _("Order code"),
    _("Ordered at"),
    _("State of the order"),
    _("Money"),
    _("Way to pay"),
    _("Producer"),
    _("Part"),
    _("Name"),
    _("Phone"),
    _("Address"),
    _("Goods"),
    _("Discount"),
    _("Delivery fee"),
    _("Delivery discount"),
    _("Together"),
    _("Waybill"),
    _("Came from"),
)
