"""Papers of goods: handed in at the desk, seen by staff where it matters, replaced, withdrawn."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from accounts.users import Role
from catalog import certificates
from catalog.certificates import BADGES, CHECKED, Certificate, PaperKind, PaperState
from catalog.producers import Producer
from catalog.products import Product
from core.clock import vietnam_day
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean

LONGEST_LINE = 120
LONGEST_ANSWER = 500

audit.describe(
    {
        "paper.added": _("handed in a paper"),
        "paper.approved": _("let a paper count"),
        "paper.refused": _("refused a paper"),
        "paper.withdrawn": _("withdrew a paper"),
    }
)


class NoSuchPaper(NotFound):
    """This producer has no such paper."""


class NoSuchGoods(Invalid):
    """The paper must be of one of this producer's products."""


class WrongPaper(Invalid):
    """Something on the paper cannot be right; `field` names it."""


class AnsweredMeanwhile(Conflict):
    """Somebody else has answered this paper, or it was withdrawn."""


class OnlyStaff(Forbidden):
    """Whether a paper counts is for the staff of the shop to say."""


def list_papers(session: Session, producer_id: int) -> Sequence[tuple[Certificate, Product]]:
    """Return the papers of a producer's products, those that end first at the top."""
    rows = session.execute(
        select(Certificate, Product)
        .join(Product, Product.id == Certificate.product_id)
        .where(Product.producer_id == producer_id)
        .order_by(
            Certificate.state.not_in([PaperState.IN_FORCE, PaperState.WAITING]),
            Certificate.expires_on.is_(None),
            Certificate.expires_on,
            Certificate.id,
        )
    )
    return [(paper, product) for paper, product in rows]


def list_waiting(
    session: Session, *, after_id: int = 0, limit: int
) -> Sequence[tuple[Certificate, Product, Producer]]:
    """Return the papers that wait for staff, the first handed in first."""
    rows = session.execute(
        select(Certificate, Product, Producer)
        .join(Product, Product.id == Certificate.product_id)
        .join(Producer, Producer.id == Product.producer_id)
        .where(Certificate.state == PaperState.WAITING, Certificate.id > after_id)
        .order_by(Certificate.id)
        .limit(limit)
    )
    return [(paper, product, producer) for paper, product, producer in rows]


def count_waiting(session: Session) -> int:
    """Return how many papers wait for staff."""
    return session.scalar(select(func.count()).where(Certificate.state == PaperState.WAITING)) or 0


def get(session: Session, producer_id: int, paper_id: int) -> Certificate:
    """Return a paper of one of this producer's products. Raises NoSuchPaper."""
    paper = session.scalar(
        select(Certificate)
        .join(Product, Product.id == Certificate.product_id)
        .where(Certificate.id == paper_id, Product.producer_id == producer_id)
    )
    if paper is None:
        raise NoSuchPaper
    return paper


def get_any(session: Session, paper_id: int) -> Certificate:
    """Return a paper, whoever's it is. Raises NoSuchPaper."""
    paper = session.get(Certificate, paper_id)
    if paper is None:
        raise NoSuchPaper
    return paper


def hand_in(
    session: Session,
    producer_id: int,
    *,
    product_id: int,
    kind: PaperKind,
    number: str,
    issuer: str,
    issued_on: date,
    expires_on: date | None,
    stars: int | None,
    file_key: str | None,
    replaces: int | None = None,
    actor: Actor,
    role: Role,
    now: datetime,
) -> Certificate:
    """Write down a paper of one of this producer's products.

    What staff enter counts at once; of others, papers that give a badge or a mark wait until staff
    have seen them. An OCOP certificate always runs 36 months. A paper that is replaced stops
    counting when the new one begins to. Raises NoSuchGoods, NoSuchPaper or WrongPaper.
    """
    product = session.get(Product, product_id)
    if product is None or product.producer_id != producer_id:
        raise NoSuchGoods(_("Choose the goods from the list."), field="product_id")
    if issued_on > vietnam_day(now):
        raise WrongPaper(_("The day of issue lies in the future."), field="issued_on")
    if kind is PaperKind.OCOP:
        expires_on = None
        if stars not in BADGES:
            raise WrongPaper(_("Choose 3, 4 or 5 stars."), field="stars")
    if expires_on is not None and expires_on <= issued_on:
        raise WrongPaper(_("The end lies before the day of issue."), field="expires_on")
    checked = kind in CHECKED and role is not Role.STAFF
    if checked and file_key is None:
        raise WrongPaper(_("Add a photo or PDF: staff look at it first."), field="file")
    before = get(session, producer_id, replaces) if replaces is not None else None
    paper = certificates.add(
        session,
        product.id,
        kind,
        issued_on=issued_on,
        expires_on=expires_on,
        stars=stars if kind is PaperKind.OCOP else None,
        number=_line(number, "number"),
        issuer=_line(issuer, "issuer"),
    )
    paper.file_key = file_key
    paper.state = PaperState.WAITING if checked else PaperState.IN_FORCE
    paper.handed_in_at, paper.handed_in_by_name = now, actor.name
    paper.replaces = before.id if before is not None and before.kind is kind else None
    session.flush()
    if not checked:
        _put_in_place(session, paper)
    _record(session, actor, "paper.added", paper, product, now=now)
    return paper


def approve(
    session: Session, paper: Certificate, *, actor: Actor, role: Role, now: datetime
) -> None:
    """Let a paper count from now on, while it runs. Raises AnsweredMeanwhile, OnlyStaff."""
    _refuse_others(role)
    _answer(session, paper, {PaperState.WAITING}, PaperState.IN_FORCE, None, actor=actor, now=now)
    _put_in_place(session, paper)
    _record(session, actor, "paper.approved", paper, _product(session, paper), now=now)


def refuse(
    session: Session, paper: Certificate, *, answer: str, actor: Actor, role: Role, now: datetime
) -> None:
    """Say that a paper does not count, and why. Raises WrongPaper, AnsweredMeanwhile, OnlyStaff."""
    _refuse_others(role)
    words = _words(answer)
    _answer(session, paper, {PaperState.WAITING}, PaperState.REFUSED, words, actor=actor, now=now)
    _record(session, actor, "paper.refused", paper, _product(session, paper), now=now)


def withdraw(
    session: Session, paper: Certificate, *, answer: str, actor: Actor, now: datetime
) -> None:
    """Take a paper back: what it proved is gone at once. Raises WrongPaper, AnsweredMeanwhile."""
    words = _words(answer)
    standing = {PaperState.WAITING, PaperState.IN_FORCE}
    _answer(session, paper, standing, PaperState.WITHDRAWN, words, actor=actor, now=now)
    _record(session, actor, "paper.withdrawn", paper, _product(session, paper), now=now)


def _put_in_place(session: Session, paper: Certificate) -> None:
    """End the paper that this one replaces."""
    if paper.replaces is not None:
        session.execute(
            update(Certificate)
            .where(Certificate.id == paper.replaces, Certificate.state == PaperState.IN_FORCE)
            .values(state=PaperState.REPLACED)
        )


def _answer(
    session: Session,
    paper: Certificate,
    before: set[PaperState],
    after: PaperState,
    words: str | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    changed = session.scalar(
        update(Certificate)
        .where(Certificate.id == paper.id, Certificate.state.in_(before))
        .values(state=after, answer=words, answered_at=now, answered_by_name=actor.name)
        .returning(Certificate.id)
        .execution_options(synchronize_session=False)
    )
    session.expire(paper)
    if changed is None:
        raise AnsweredMeanwhile(_("Somebody answered this paper meanwhile. Look at it again."))


def _refuse_others(role: Role) -> None:
    if role is not Role.STAFF:
        raise OnlyStaff(_("The staff of the shop say whether this paper counts."))


def _product(session: Session, paper: Certificate) -> Product:
    return session.get_one(Product, paper.product_id)


def _record(
    session: Session,
    actor: Actor,
    verb: str,
    paper: Certificate,
    product: Product,
    *,
    now: datetime,
) -> None:
    facts: dict[str, Any] = {
        "product": product.name,
        "kind": paper.kind.value,
        "number": paper.number,
        "issuer": paper.issuer,
    }
    if paper.answer:
        facts["reason"] = paper.answer
    audit.record(session, actor, verb, f"product:{product.slug}", now=now, **facts)


def _words(text: str) -> str:
    words = clean(text)
    if not 0 < len(words) <= LONGEST_ANSWER:
        raise WrongPaper(
            _("Write the reason in 1 to %(longest)s letters.", longest=LONGEST_ANSWER),
            field="answer",
        )
    return words


def _line(text: str, field: str) -> str:
    line = clean(text).replace("\n", " ")
    if not 0 < len(line) <= LONGEST_LINE:
        raise WrongPaper(
            _("Write 1 to %(longest)s letters here.", longest=LONGEST_LINE), field=field
        )
    return line
