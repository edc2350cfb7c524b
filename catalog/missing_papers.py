"""Papers that goods lack today: never handed in, run out, or needed for the number they bear."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog import certificates, gtin
from catalog.certificates import Certificate, PaperKind, PaperState
from catalog.products import OcopGroup, Product, ProductState
from catalog.variants import Variant

# What is eaten, drunk or taken as medicine is made under a certificate of food safety.
EATEN = frozenset({OcopGroup.FOOD, OcopGroup.BEVERAGE, OcopGroup.HERBAL})


@dataclass(frozen=True, slots=True)
class Missing:
    """One paper that one product lacks; `ran_out` says that it had one which counts no more."""

    product: Product
    kind: PaperKind
    ran_out: bool


def list_missing(session: Session, producer_id: int, *, today: date) -> list[Missing]:
    """Return what the producer's goods lack today, by name; what staff look at is not missing."""
    goods = session.scalars(
        select(Product)
        .where(Product.producer_id == producer_id, Product.state != ProductState.WITHDRAWN)
        .order_by(Product.name_lower, Product.id)
    ).all()
    papers: dict[int, list[Certificate]] = {product.id: [] for product in goods}
    for paper in session.scalars(
        select(Certificate)
        .join(Product, Product.id == Certificate.product_id)
        .where(
            Product.producer_id == producer_id,
            Certificate.state.in_([PaperState.IN_FORCE, PaperState.WAITING]),
        )
    ):
        papers.get(paper.product_id, []).append(paper)
    numbered = _numbered(session, producer_id, today)
    return [
        Missing(product, kind, any(paper.kind is kind for paper in papers[product.id]))
        for product in goods
        for kind in _needed(product, papers[product.id], numbered)
        if not _is_there(papers[product.id], kind, today)
    ]


def _needed(product: Product, papers: list[Certificate], numbered: set[int]) -> Iterator[PaperKind]:
    if product.group in EATEN:
        yield PaperKind.FOOD_SAFETY
    for kind in (PaperKind.OCOP, PaperKind.VIETGAP, PaperKind.ORGANIC):
        # Nobody has to have these; who had one is told that it ran out.
        if any(paper.kind is kind for paper in papers):
            yield kind
    if product.id in numbered:
        yield PaperKind.GTIN


def _is_there(papers: list[Certificate], kind: PaperKind, today: date) -> bool:
    return any(
        paper.kind is kind and (paper.state is PaperState.WAITING or paper.counts_on(today))
        for paper in papers
    )


def _numbered(session: Session, producer_id: int, today: date) -> set[int]:
    """Return the products with a number of GS1 Vietnam, if no certificate for it counts today."""
    if certificates.is_certified(session, producer_id, today):
        return set()
    rows = session.execute(
        select(Variant.product_id, Variant.gtin)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.producer_id == producer_id, Variant.gtin.is_not(None))
    )
    return {
        product_id
        for product_id, number in rows
        if gtin.refuse_reason(number or "", certified=False) is gtin.NEEDS_CERTIFICATE
    }
