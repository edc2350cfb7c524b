"""Papers handed in at the desk: checked dates, a private file, and stars only from staff."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from accounts.users import Role
from catalog import certificates
from catalog.certificates import BADGES, Certificate, PaperKind
from catalog.products import Product
from core.clock import vietnam_day
from core.errors import Forbidden, Invalid, NotFound
from core.i18n import lazy as _
from core.text import clean

LONGEST_LINE = 120

audit.describe({"paper.added": _("handed in a paper")})


class NoSuchPaper(NotFound):
    """This producer has no such paper."""


class NoSuchGoods(Invalid):
    """The paper must be of one of this producer's products."""


class WrongPaper(Invalid):
    """Something on the paper cannot be right; `field` names it."""


class StarsAreForStaff(Forbidden):
    """An OCOP certificate makes a badge, so staff enter it after seeing the decision."""


def list_papers(session: Session, producer_id: int) -> Sequence[tuple[Certificate, Product]]:
    """Return the papers of a producer's products, those that end first at the top."""
    rows = session.execute(
        select(Certificate, Product)
        .join(Product, Product.id == Certificate.product_id)
        .where(Product.producer_id == producer_id)
        .order_by(Certificate.expires_on.is_(None), Certificate.expires_on, Certificate.id)
    )
    return [(paper, product) for paper, product in rows]


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
    actor: Actor,
    role: Role,
    now: datetime,
) -> Certificate:
    """Write down a paper of one of this producer's products.

    Raises NoSuchGoods, WrongPaper, or StarsAreForStaff for an OCOP paper from anyone else.
    """
    if kind is PaperKind.OCOP and role is not Role.STAFF:
        raise StarsAreForStaff(_("Stars are entered by the staff of the shop."))
    product = session.get(Product, product_id)
    if product is None or product.producer_id != producer_id:
        raise NoSuchGoods(_("Choose the goods from the list."), field="product_id")
    if issued_on > vietnam_day(now):
        raise WrongPaper(_("The day of issue lies in the future."), field="issued_on")
    if expires_on is not None and expires_on <= issued_on:
        raise WrongPaper(_("The end lies before the day of issue."), field="expires_on")
    if kind is PaperKind.OCOP and stars not in BADGES:
        raise WrongPaper(_("Choose 3, 4 or 5 stars."), field="stars")
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
    session.flush()
    audit.record(
        session,
        actor,
        "paper.added",
        f"product:{product.slug}",
        now=now,
        product=product.name,
        number=paper.number,
        issuer=paper.issuer,
    )
    return paper


def _line(text: str, field: str) -> str:
    line = clean(text).replace("\n", " ")
    if not 0 < len(line) <= LONGEST_LINE:
        raise WrongPaper(
            _("Write 1 to %(longest)s letters here.", longest=LONGEST_LINE), field=field
        )
    return line
