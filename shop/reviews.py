"""Reviews: what buyers say of goods they really received; one for each delivered line.

Stars are counted over shown reviews alone. A review may be mended for thirty days; staff hide what
breaks the rules, with a reason, and nothing is ever deleted.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.products import Product
from core.db import Base, ask, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean
from shop.order_states import SellerOrderState
from shop.orders import Order, OrderLine, SellerOrder

describe(
    {
        "review.answer": _("answered a review"),
        "review.hide": _("hid a review"),
        "review.show": _("showed a review again"),
    }
)

EDITABLE = timedelta(days=30)
MOST_PHOTOS = 3
LONGEST_WORDS = 1_000
MOST_STARS = 5
PAGE = 10
ON_THE_PRODUCT = 3
RECEIVED = frozenset({SellerOrderState.DELIVERED, SellerOrderState.COMPLETED})


class ReviewState(enum.StrEnum):
    """Hidden reviews count nowhere and are seen by staff alone."""

    SHOWN = "shown"
    HIDDEN = "hidden"


class NoSuchReview(NotFound):
    """There is no such review, or it is not this person's to touch: the same answer for both."""


class NotReceived(Conflict):
    """Only who has the goods can say how they are."""


class TooLateToMend(Conflict):
    """The review stands as it is: thirty days are over."""


class BadReview(Invalid):
    """Stars are 1 to 5; words are few or many, photos at most three."""


class AlreadyAnswered(Conflict):
    """The producer has its one answer already."""


class Review(Base):
    """What one buyer says of one delivered line. `author` is the given name, never more."""

    __tablename__ = "review"
    __table_args__ = (
        Index("ix_review_product", "product_id", "state", "id"),
        Index("ix_review_reports", "state", "reports"),
        CheckConstraint("1 <= stars AND stars <= 5", name="stars"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    author: Mapped[str]
    stars: Mapped[int]
    words: Mapped[str]
    photo_keys: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[ReviewState] = mapped_column(word(ReviewState), default=ReviewState.SHOWN)
    hidden_why: Mapped[str | None]
    reports: Mapped[int] = mapped_column(default=0)
    written_at: Mapped[datetime]
    mended_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]


class ReviewReport(Base):
    """Somebody found a review wrong; one visitor counts once."""

    __tablename__ = "review_report"
    __table_args__ = (UniqueConstraint("review_id", "reporter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    reporter: Mapped[str]
    why: Mapped[str]
    at: Mapped[datetime]


class Opinion(NamedTuple):
    """How many shown reviews there are of a product, and their mean, in tenths of a star."""

    number: int
    tenths: int

    @property
    def mean(self) -> str:
        """Return the mean with one digit after the point, as machines read it."""
        return f"{self.tenths // 10}.{self.tenths % 10}"


class Shown(NamedTuple):
    """One review as a page shows it."""

    id: int
    author: str
    stars: int
    words: str
    photo_keys: list[str]
    written_at: datetime
    answer: str | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProductReviews:
    """What a product's page says of its reviews; nothing at all when there are none."""

    opinion: Opinion | None
    newest: list[Shown]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One review with the goods it speaks of, for desk and staff."""

    review: Review
    product: Product


def get_line(session: Session, order: Order, line_id: int) -> tuple[OrderLine, SellerOrder]:
    """Return a line of this very order with its part, or raise NoSuchReview."""
    row = session.execute(
        select(OrderLine, SellerOrder)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .where(OrderLine.id == line_id, SellerOrder.order_id == order.id)
    ).one_or_none()
    if row is None:
        raise NoSuchReview
    return row[0], row[1]


def find_of_line(session: Session, line_id: int) -> Review | None:
    """Return what was said of this line, if anything was."""
    return session.scalar(select(Review).where(Review.line_id == line_id))


def of_lines(session: Session, line_ids: Sequence[int]) -> dict[int, Review]:
    """Return the review of each line that has one."""
    rows = session.scalars(select(Review).where(Review.line_id.in_(line_ids)))
    return {review.line_id: review for review in rows}


_OF_PRODUCT = (
    select(
        *(getattr(Review, name) for name in Shown._fields),
        func.count().over().label("number"),
        func.sum(Review.stars).over().label("sum"),
    )
    .where(Review.product_id == bindparam("product"), Review.state == ReviewState.SHOWN)
    .order_by(Review.id.desc())
    .limit(ON_THE_PRODUCT)
)


def of_product(session: Session, product_id: int) -> ProductReviews:
    """Return count, mean and the newest reviews of a product, in one question."""
    rows = ask(session, _OF_PRODUCT, {"product": product_id})
    if not rows:
        return ProductReviews(None, [])
    opinion = _opinion(int(rows[0].number), int(rows[0].sum))
    return ProductReviews(opinion, [Shown._make(row[: len(Shown._fields)]) for row in rows])


def list_page(
    session: Session, product_id: int, *, before: int | None = None
) -> tuple[list[Shown], int | None]:
    """Return shown reviews older than `before`, newest first, and where the next page begins."""
    shown = (Review.product_id == product_id) & (Review.state == ReviewState.SHOWN)
    question = select(*(getattr(Review, name) for name in Shown._fields)).where(shown)
    if before is not None:
        question = question.where(Review.id < before)
    rows = session.execute(question.order_by(Review.id.desc()).limit(PAGE + 1)).all()
    found = [Shown._make(row) for row in rows[:PAGE]]
    return found, found[-1].id if len(rows) > PAGE else None


def list_of_producer(
    session: Session, producer_id: int, *, before: int | None = None
) -> tuple[list[Reviewed], int | None]:
    """Return what was said of a producer's goods, newest first; hidden reviews are left out."""
    return _list(
        session,
        (Review.producer_id == producer_id) & (Review.state == ReviewState.SHOWN),
        before=before,
    )


def list_to_check(
    session: Session, *, before: int | None = None
) -> tuple[list[Reviewed], int | None]:
    """Return reviews that were reported or hidden, newest first, for staff."""
    return _list(
        session, (Review.reports > 0) | (Review.state == ReviewState.HIDDEN), before=before
    )


def _list(session: Session, where: Any, *, before: int | None) -> tuple[list[Reviewed], int | None]:
    question = select(Review, Product).join(Product, Product.id == Review.product_id).where(where)
    if before is not None:
        question = question.where(Review.id < before)
    rows = session.execute(question.order_by(Review.id.desc()).limit(PAGE + 1)).all()
    found = [Reviewed(review, product) for review, product in rows[:PAGE]]
    return found, found[-1].review.id if len(rows) > PAGE else None


def reasons_of(session: Session, review_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return why each review was reported."""
    reasons: dict[int, list[str]] = {review_id: [] for review_id in review_ids}
    for report in session.scalars(
        select(ReviewReport).where(ReviewReport.review_id.in_(review_ids)).order_by(ReviewReport.id)
    ):
        reasons[report.review_id].append(report.why)
    return reasons


def count_unanswered(session: Session, producer_id: int) -> int:
    """Return how many shown reviews of three stars or fewer wait for the producer's answer."""
    return (
        session.scalar(
            select(func.count()).where(
                Review.producer_id == producer_id,
                Review.state == ReviewState.SHOWN,
                Review.stars <= 3,  # noqa: PLR2004 - praise needs no answer
                Review.answer.is_(None),
            )
        )
        or 0
    )


def may_mend(review: Review, *, now: datetime) -> bool:
    """Say whether its author may still change the review."""
    return review.state is ReviewState.SHOWN and now < review.written_at + EDITABLE


def write(
    session: Session,
    order: Order,
    line_id: int,
    *,
    stars: int | None,
    words: str,
    photo_keys: Sequence[str],
    now: datetime,
) -> Review:
    """Keep what the buyer says of a delivered line, or mend it while that is still allowed.

    New photos take the place of the old ones; none keeps them. Raises NoSuchReview, NotReceived,
    TooLateToMend or BadReview.
    """
    line, part = get_line(session, order, line_id)
    if part.state not in RECEIVED:
        raise NotReceived(_("Goods can be reviewed once they have arrived."))
    said = _checked(stars, words, photo_keys)
    review = find_of_line(session, line.id)
    if review is None:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.execute(
            insert(Review)
            .values(
                line_id=line.id,
                product_id=line.product_id,
                producer_id=part.producer_id,
                author=given_name(order.buyer_name),
                stars=stars,
                words=said,
                photo_keys=list(photo_keys),
                state=ReviewState.SHOWN,
                reports=0,
                written_at=now,
            )
            .on_conflict_do_nothing(index_elements=["line_id"])
        )
        # Of two taps at once the second finds the first one's review and mends it.
        review = session.scalars(select(Review).where(Review.line_id == line.id)).one()
    if not may_mend(review, now=now):
        raise TooLateToMend(_("This review can no longer be changed."))
    changed = (review.stars, review.words) != (stars, said) or bool(photo_keys)
    if changed and review.written_at != now:
        review.stars, review.words, review.mended_at = stars or review.stars, said, now
        review.photo_keys = list(photo_keys) or review.photo_keys
        session.flush()
    return review


def answer(
    session: Session, review_id: int, producer_id: int, *, words: str, actor: Actor, now: datetime
) -> Review:
    """Let the producer say one thing under a review of its goods, for good."""
    said = clean(words)
    if not 0 < len(said) <= LONGEST_WORDS:
        raise BadReview(_("Write 1 to %(longest)s letters.", longest=LONGEST_WORDS), field="answer")
    review = session.scalar(
        update(Review)
        .where(Review.id == review_id, Review.producer_id == producer_id, Review.answer.is_(None))
        .values(answer=said, answered_at=now, answered_by=actor.name)
        .returning(Review)
        .execution_options(synchronize_session=False)
    )
    if review is None:
        known = session.get(Review, review_id)
        if known is None or known.producer_id != producer_id:
            raise NoSuchReview
        raise AlreadyAnswered(_("This review has its answer already."))
    session.refresh(review)
    record(session, actor, "review.answer", f"review:{review_id}", now=now)
    return review


def report(session: Session, review_id: int, *, reporter: str, why: str, now: datetime) -> bool:
    """Note that a visitor finds the review wrong; one `reporter` counts once. False: counted."""
    if session.get(Review, review_id) is None:
        raise NoSuchReview
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    added = session.scalar(
        insert(ReviewReport)
        .values(review_id=review_id, reporter=reporter, why=clean(why)[:LONGEST_WORDS], at=now)
        .on_conflict_do_nothing()
        .returning(ReviewReport.id)
    )
    if added is None:
        return False
    session.execute(
        update(Review)
        .where(Review.id == review_id)
        .values(reports=Review.reports + 1)
        .execution_options(synchronize_session=False)
    )
    return True


def hide(session: Session, review_id: int, *, why: str, actor: Actor, now: datetime) -> bool:
    """Take a review out of sight for a reason; it counts nowhere from now on."""
    reason = clean(why)[:LONGEST_WORDS]
    if not reason:
        raise BadReview(_("Say why it is hidden."), field="why")
    moved = _move(session, review_id, ReviewState.SHOWN, ReviewState.HIDDEN, hidden_why=reason)
    if moved:
        record(session, actor, "review.hide", f"review:{review_id}", now=now, why=reason)
    return moved


def show(session: Session, review_id: int, *, actor: Actor, now: datetime) -> bool:
    """Let a hidden or reported review stand: it is shown, and its reports are settled."""
    moved = _move(session, review_id, None, ReviewState.SHOWN, hidden_why=None, reports=0)
    if moved:
        record(session, actor, "review.show", f"review:{review_id}", now=now)
    return moved


def given_name(full: str) -> str:
    """Return the given name, which stands last in Vietnam: a page names nobody in full."""
    parts = full.split()
    return parts[-1] if parts else "…"


def _move(
    session: Session, review_id: int, before: ReviewState | None, to: ReviewState, **facts: object
) -> bool:
    allowed = Review.state == before if before else Review.id.is_not(None)
    moved = session.scalar(
        update(Review)
        .where(Review.id == review_id, allowed)
        .values(state=to, **facts)
        .returning(Review.id)
        .execution_options(synchronize_session=False)
    )
    review = session.get(Review, review_id)
    if review is None:
        raise NoSuchReview
    session.refresh(review)
    return moved is not None


def _checked(stars: int | None, words: str, photo_keys: Sequence[str]) -> str:
    if stars is None or not 1 <= stars <= MOST_STARS:
        raise BadReview(_("Choose 1 to 5 stars."), field="stars")
    said = clean(words)
    if len(said) > LONGEST_WORDS:
        raise BadReview(_("At most %(longest)s letters.", longest=LONGEST_WORDS), field="words")
    if len(photo_keys) > MOST_PHOTOS:
        raise BadReview(_("At most 3 photos."), field="photos")
    return said


def _opinion(count: int, stars: int) -> Opinion:
    return Opinion(count, (stars * 20 + count) // (2 * count))
