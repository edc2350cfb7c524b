"""The states of an order and of its parts, and the table of every move between them.

Four axes stand apart: where the part is (here), what was paid (payments), where the parcel is
(shipments) and what came back (returns). Only the verbs of this table change the first one.
"""

import enum


class OrderState(enum.StrEnum):
    """Where the whole order stands."""

    PENDING_PAYMENT = "pending_payment"
    PLACED = "placed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class PaymentStatus(enum.StrEnum):
    """What was paid of the whole order; stored for lists and filters, derived by one writer."""

    NONE = "none"
    AWAITING = "awaiting"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    COD_DUE = "cod_due"
    COD_COLLECTED = "cod_collected"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class Source(enum.StrEnum):
    """Where the buyer came from."""

    WEB = "web"
    LIVE = "live"
    QR = "qr"
    REORDER = "reorder"


class SellerOrderState(enum.StrEnum):
    """Where one producer's part stands (the producer's screen)."""

    PENDING = "pending"
    TO_CONFIRM = "to_confirm"
    PREPARING = "preparing"
    READY = "ready"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery_failed"
    RETURNING = "returning"
    RETURNED = "returned"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Ended(enum.StrEnum):
    """Why a cancelled part ended; late money revives only what expired."""

    EXPIRED = "expired"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class Verb(enum.StrEnum):
    """What may be done to a part; the past of these verbs is the order's history."""

    PLACE = "place"
    PAY = "pay"
    EXPIRE = "expire"
    CANCEL = "cancel"
    REVIVE = "revive"
    ACCEPT = "accept"
    DECLINE = "decline"
    TIME_OUT = "time_out"
    PACK = "pack"
    SHIP = "ship"
    FAIL_DELIVERY = "fail_delivery"
    REDELIVER = "redeliver"
    SEND_BACK = "send_back"
    RECEIVE_BACK = "receive_back"
    LOSE = "lose"
    DELIVER = "deliver"
    COMPLETE = "complete"
    CHANGE_METHOD = "change_method"
    # What is told without moving the part.
    SETTLE = "settle"
    RECEIVE_MONEY = "receive_money"
    LATE_MONEY = "late_money"
    OWE_BACK = "owe_back"
    PAY_BACK = "pay_back"
    CUT = "cut"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    ASK_RETURN = "ask_return"
    WITHDRAW_RETURN = "withdraw_return"
    APPEAL_RETURN = "appeal_return"
    APPROVE_RETURN = "approve_return"
    REJECT_RETURN = "reject_return"
    TAKE_BACK = "take_back"
    REFUND_RETURN = "refund_return"
    CLOSE_RETURN = "close_return"


# Acts of people that stand in the list of what was done at a desk, beside the order's own history.
TOLD_AT_THE_DESK = frozenset(
    {
        Verb.ACCEPT,
        Verb.DECLINE,
        Verb.CANCEL,
        Verb.PACK,
        Verb.SHIP,
        Verb.FAIL_DELIVERY,
        Verb.REDELIVER,
        Verb.SEND_BACK,
        Verb.RECEIVE_BACK,
        Verb.LOSE,
        Verb.DELIVER,
        Verb.COMPLETE,
        Verb.CUT,
        Verb.FREEZE,
        Verb.UNFREEZE,
    }
)
_S = SellerOrderState
MOVES: dict[Verb, tuple[frozenset[SellerOrderState], SellerOrderState]] = {
    Verb.PAY: (frozenset({_S.PENDING}), _S.TO_CONFIRM),
    Verb.EXPIRE: (frozenset({_S.PENDING}), _S.CANCELLED),
    Verb.CANCEL: (frozenset({_S.PENDING, _S.TO_CONFIRM}), _S.CANCELLED),
    Verb.REVIVE: (frozenset({_S.CANCELLED}), _S.TO_CONFIRM),
    # From money that was awaited to cash at the door; any other change of method moves nothing.
    Verb.CHANGE_METHOD: (frozenset({_S.PENDING}), _S.TO_CONFIRM),
    Verb.ACCEPT: (frozenset({_S.TO_CONFIRM}), _S.PREPARING),
    Verb.DECLINE: (frozenset({_S.TO_CONFIRM, _S.PREPARING, _S.READY}), _S.CANCELLED),
    Verb.TIME_OUT: (frozenset({_S.TO_CONFIRM}), _S.CANCELLED),
    Verb.PACK: (frozenset({_S.PREPARING}), _S.READY),
    Verb.SHIP: (frozenset({_S.READY}), _S.SHIPPED),
    Verb.FAIL_DELIVERY: (frozenset({_S.SHIPPED}), _S.DELIVERY_FAILED),
    Verb.REDELIVER: (frozenset({_S.DELIVERY_FAILED}), _S.SHIPPED),
    Verb.SEND_BACK: (frozenset({_S.DELIVERY_FAILED}), _S.RETURNING),
    Verb.RECEIVE_BACK: (frozenset({_S.RETURNING}), _S.RETURNED),
    Verb.LOSE: (frozenset({_S.SHIPPED, _S.RETURNING}), _S.RETURNED),
    Verb.DELIVER: (frozenset({_S.SHIPPED}), _S.DELIVERED),
    Verb.COMPLETE: (frozenset({_S.DELIVERED}), _S.COMPLETED),
}
UNPAID_OR_ENDED = frozenset({_S.PENDING, _S.CANCELLED})
TERMINAL = frozenset({_S.COMPLETED, _S.CANCELLED, _S.RETURNED})
