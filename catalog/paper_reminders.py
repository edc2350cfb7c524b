"""Papers that run out: a letter 90 and 30 days ahead, once each, and a duty on the desk."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from catalog import members
from catalog.certificates import EXPIRING_DAYS, PAPER_NAMES, Certificate, PaperState
from catalog.duties import Duty
from catalog.producers import Producer
from catalog.products import Product
from core import tasks
from core.clock import utc_now, vietnam_day
from core.db import Database
from core.i18n import lazy as _
from core.i18n import mark, show_day, speaking
from core.mail import queue_mail
from core.tasks import Work

KIND = "papers.remind"
DAYS_AHEAD = (EXPIRING_DAYS, 30)
AT_ONCE = 500
# A duty for a paper that ran out stays this long on the desk.
STILL_TOLD = timedelta(days=90)


def remind_due(database: Database, now: datetime) -> None:
    """Ask for the letters that are due; late, twice or beside another is safe."""
    today = vietnam_day(now)
    for days in DAYS_AHEAD:
        due = _runs_out(today, today + timedelta(days=days)) & or_(
            Certificate.reminded.is_(None), Certificate.reminded > days
        )
        if days != min(DAYS_AHEAD):
            # What is nearer than the next letter gets that one only.
            due &= Certificate.expires_on > today + timedelta(days=min(DAYS_AHEAD))
        _remind(database, due, days, now=now)


def send(work: Work) -> None:
    """Write to every person of the producer that a paper runs out."""
    given = work.payload
    with work.finishing() as session:
        paper = session.get_one(Certificate, given["paper_id"])
        product = session.get_one(Product, paper.product_id)
        if paper.state is not PaperState.IN_FORCE or product.producer_id is None:
            return
        place = session.get_one(Producer, product.producer_id)
        for person in members.list_of_producer(session, place.id):
            if person.email is None or person.disabled_at is not None:
                continue
            link = f"{work.settings.PUBLIC_URL}/ban-hang/{place.slug}/giay-to"
            with speaking("vi"):
                subject, body = _letter(paper, product, person.name, link)
            queue_mail(
                session,
                to=person.email,
                subject=subject,
                body=body,
                key=f"paper:{paper.id}:{given['days']}:{person.id}",
                now=work.clock(),
            )


def tell_duties(session: Session, producer_id: int) -> list[Duty]:
    """Return that papers of this producer run out soon, or have run out."""
    today = vietnam_day(utc_now())
    found = []
    for sentence, since, until in (
        (mark("%(count)s papers have run out"), today - STILL_TOLD, today),
        (mark("%(count)s papers run out within 90 days"), today, today + timedelta(EXPIRING_DAYS)),
    ):
        count = session.scalar(
            select(func.count(Certificate.id))
            .join(Product, Product.id == Certificate.product_id)
            .where(Product.producer_id == producer_id, _runs_out(since, until))
        )
        if count:
            found.append(Duty("desk.papers", (), "giay", sentence, count))
    return found


def _runs_out(since: date, until: date) -> ColumnElement[bool]:
    """Return the condition of a paper that ends after `since` and by `until`, none following."""
    later = aliased(Certificate)
    followed = (
        select(later.id)
        .where(
            later.product_id == Certificate.product_id,
            later.kind == Certificate.kind,
            later.state == PaperState.IN_FORCE,
            or_(later.expires_on.is_(None), later.expires_on > until),
        )
        .correlate(Certificate)
        .exists()
    )
    return (
        (Certificate.state == PaperState.IN_FORCE)
        & (Certificate.expires_on > since)
        & (Certificate.expires_on <= until)
        & ~followed
    )


def _remind(database: Database, due: ColumnElement[bool], days: int, *, now: datetime) -> None:
    with database.reading() as session:
        waiting: Sequence[Any] = session.scalars(
            select(Certificate.id).where(due).order_by(Certificate.id).limit(AT_ONCE)
        ).all()
    for paper_id in waiting:
        with database.transaction() as session:
            counted = session.scalar(
                update(Certificate)
                .where(
                    Certificate.id == paper_id,
                    or_(Certificate.reminded.is_(None), Certificate.reminded > days),
                )
                .values(reminded=days)
                .returning(Certificate.id)
                .execution_options(synchronize_session=False)
            )
            if counted is not None:
                payload = {"paper_id": paper_id, "days": days}
                tasks.enqueue(session, KIND, payload, now=now, key=f"{KIND}:{paper_id}:{days}")


def _letter(paper: Certificate, product: Product, name: str, link: str) -> tuple[str, str]:
    kind = PAPER_NAMES[paper.kind]
    day = show_day(paper.last_day) if paper.last_day else ""
    facts = {"kind": kind, "product": product.name, "day": day}
    subject = _("%(kind)s of %(product)s runs out on %(day)s", **facts)
    lines = [
        _("Hello %(name)s,", name=name),
        "",
        _("%(kind)s of %(product)s counts until %(day)s.", **facts),
        _("After that day the shop shows it no longer, nor what it proves: stars, marks, words."),
        _("Ask for the new paper in time and hand it in here: %(link)s", link=link),
        "",
        "Chợ Phiên",
    ]
    return str(subject), "\n".join(map(str, lines)) + "\n"
