"""What waits for staff: each heap with its size and the page to work on it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from catalog import joining, paperwork, publishing
from core import tasks
from core.i18n import mark
from shop import complaints, order_book, parcel_watch, remittances, returns
from shop.order_book import Need
from shop.payments import bank_desk
from traceability import recall_cases

MOST = 100


@dataclass(frozen=True, slots=True)
class Queue:
    """One heap: its (marked) name, its page, how many lie there; MOST means as many or more."""

    name: str
    endpoint: str
    values: dict[str, str]
    count: int


def list_queues(session: Session, *, now: datetime) -> list[Queue]:
    """Return every heap, what costs somebody money first; empty ones too."""
    asked, following = returns.list_for_staff(session, now=now)
    return [
        Queue(
            mark("Recalls whose end waits for a second person"),
            "staff_recalls.all_cases",
            {},
            recall_cases.count_asked(session),
        ),
        Queue(
            mark("Complaints that wait for an answer"),
            "staff_complaints.queue",
            {},
            complaints.count_waiting(session),
        ),
        Queue(
            mark("Producers who ask to sell"),
            "staff_joining.index",
            {},
            joining.count_sent(session),
        ),
        Queue(
            mark("Goods that wait for a look"),
            "staff_goods.index",
            {},
            publishing.count_for_staff(session),
        ),
        Queue(
            mark("Papers that wait for staff"),
            "staff_papers.index",
            {},
            paperwork.count_waiting(session),
        ),
        Queue(
            mark("Money not sent back for three days"),
            "staff_orders.index",
            {"viec": Need.REFUND},
            order_book.count_needing(session, Need.REFUND, now=now, most=MOST),
        ),
        Queue(
            mark("Money on accounts that fits no order"),
            "staff_bank.operator",
            {},
            bank_desk.count_tabs(session, [])[bank_desk.Tab.WAITING],
        ),
        Queue(
            mark("Orders stopped because of a dispute"),
            "staff_orders.index",
            {"viec": Need.DISPUTE},
            order_book.count_needing(session, Need.DISPUTE, now=now, most=MOST),
        ),
        Queue(
            mark("Returns nobody answered, or asked about again"),
            "staff_returns.index",
            {},
            MOST if following else len(asked),
        ),
        Queue(
            mark("Parcels with bad news"),
            "staff_delivery.index",
            {},
            len(parcel_watch.list_watched(session)),
        ),
        Queue(
            mark("Cash that carriers hold too long"),
            "staff_delivery.index",
            {},
            len(remittances.list_out(session, None, now=now, only_late=True)),
        ),
        Queue(
            mark("Orders a producer was reminded of"),
            "staff_orders.index",
            {"viec": Need.ANSWER},
            order_book.count_needing(session, Need.ANSWER, now=now, most=MOST),
        ),
        Queue(
            mark("Background work that gave up"),
            "tasks.index",
            {},
            tasks.count_waiting(session, now=now)["dead"],
        ),
    ]
