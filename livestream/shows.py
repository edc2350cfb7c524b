"""Shows: one live sale with its coded goods and what is on screen. Say show, never session."""

import enum
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog import alcohol
from catalog.alcohol import NotToBePromoted
from catalog.products import Product
from catalog.variants import Variant
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.money import Money
from core.text import clean, slugify

describe(
    {
        "show.go_live": _("took a show on air"),
        "show.end": _("ended a show"),
    }
)

# A code counts as "on screen" once viewers had time to see it change (parser rule 6).
PINNED_AFTER = timedelta(seconds=30)
LONGEST_CODE = 6
LONGEST_TITLE = 120


class ShowState(enum.StrEnum):
    """draft → live → ended."""

    DRAFT = "draft"
    LIVE = "live"
    ENDED = "ended"


class UnknownShow(NotFound):
    """No show has this address."""


class UnknownItem(NotFound):
    """The show has no item of this code."""


class CodeTaken(Invalid):
    """Two items of one show would answer to the same code."""


class NotAllowedNow(Conflict):
    """The show is not in the state this needs."""


class Show(Base):
    """One live sale of one producer."""

    __tablename__ = "live_show"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    producer_id: Mapped[int] = mapped_column(ForeignKey("producer.id"), index=True)
    state: Mapped[ShowState] = mapped_column(word(ShowState), default=ShowState.DRAFT)
    starts_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    next_bag_no: Mapped[int] = mapped_column(default=1)
    pinned_code: Mapped[str | None]
    pinned_at: Mapped[datetime | None]
    is_sample: Mapped[bool] = mapped_column(default=False)


class ShowItem(Base):
    """One coded item of a show; `cap` bounds what the show may hold of the shop's own stock."""

    __tablename__ = "live_item"
    __table_args__ = (
        UniqueConstraint("show_id", "code"),
        CheckConstraint("0 <= held AND held <= cap", name="within_cap"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("live_show.id"))
    position: Mapped[int]
    code: Mapped[str]
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    name: Mapped[str]
    unit: Mapped[str]
    aliases: Mapped[str] = mapped_column(default="")
    options: Mapped[str] = mapped_column(default="")
    live_price: Mapped[Money]
    cap: Mapped[int]
    held: Mapped[int] = mapped_column(default=0)


def get_show(session: Session, slug: str) -> Show:
    """Return the show at this address, or raise UnknownShow."""
    show = session.scalar(select(Show).where(Show.slug == slug))
    if show is None:
        raise UnknownShow(_("There is no live show at this address."))
    return show


def list_shows(session: Session, producer_id: int, *, limit: int = 50) -> list[Show]:
    """Return a producer's newest shows."""
    return list(
        session.scalars(
            select(Show)
            .where(Show.producer_id == producer_id)
            .order_by(Show.id.desc())
            .limit(limit)
        )
    )


def list_items(session: Session, show_id: int) -> list[ShowItem]:
    """Return a show's items in their order."""
    query = select(ShowItem).where(ShowItem.show_id == show_id)
    return list(session.scalars(query.order_by(ShowItem.position, ShowItem.id)))


def on_screen(show: Show, *, at: datetime) -> str | None:
    """Return the code that was on screen long enough at `at` to be meant by «cho 2 cái»."""
    if show.pinned_code and show.pinned_at and at - show.pinned_at > PINNED_AFTER:
        return show.pinned_code
    return None


def plan(
    session: Session, *, title: str, producer_id: int, starts_at: datetime, slug: str | None = None
) -> Show:
    """Return a new draft show with an address of its own."""
    title = clean(title)
    if not title:
        raise Invalid(_("Give the show a name."), field="title")
    if len(title) > LONGEST_TITLE:
        raise Invalid(_("At most %(most)s characters fit here.", most=LONGEST_TITLE), field="title")
    wanted = slug or slugify(title) or "phien"
    taken = set(session.scalars(select(Show.slug).where(Show.slug.startswith(wanted))))
    number = 2
    free = wanted
    while free in taken:
        free, number = f"{wanted}-{number}", number + 1
    show = Show(title=title, producer_id=producer_id, starts_at=starts_at, slug=free)
    session.add(show)
    session.flush()  # gives the show its id
    return show


def add_item(
    session: Session,
    show: Show,
    *,
    code: str,
    variant_id: int,
    name: str,
    unit: str,
    live_price: Money,
    cap: int,
    aliases: tuple[str, ...] = (),
    options: tuple[str, ...] = (),
) -> ShowItem:
    """Give the show an item that answers to `code`.

    Raises CodeTaken, or NotToBePromoted for strong drink: a show is advertising.
    """
    code = code.strip().upper()
    if not code.isalnum() or not code.isascii() or len(code) > LONGEST_CODE:
        raise Invalid(_("A code is a few letters and digits, for example A1."), field="code")
    same = select(ShowItem.id).where(ShowItem.show_id == show.id, ShowItem.code == code)
    if session.scalar(same) is not None:
        raise CodeTaken(
            _("The code %(code)s is already used in this show.", code=code), field="code"
        )
    strong = select(Product.id).join(Variant, Variant.product_id == Product.id)
    if session.scalar(strong.where(Variant.id == variant_id, alcohol.never_promoted())):
        raise NotToBePromoted(_("Strong drink may not be shown live (Law on Advertising)."))
    last = session.scalar(select(func.max(ShowItem.position)).where(ShowItem.show_id == show.id))
    item = ShowItem(
        show_id=show.id,
        position=(last or 0) + 1,
        code=code,
        variant_id=variant_id,
        name=clean(name),
        unit=unit,
        live_price=live_price,
        cap=cap,
        aliases="|".join(aliases),
        options="|".join(options),
    )
    session.add(item)
    session.flush()  # gives the item its id
    return item


def set_cap(session: Session, show_id: int, code: str, cap: int) -> bool:
    """Let the show hold `cap` of an item at most; False when more are held already."""
    changed = session.execute(
        update(ShowItem)
        .where(ShowItem.show_id == show_id, ShowItem.code == code, ShowItem.held <= cap)
        .values(cap=cap)
        .returning(ShowItem.id)
    )
    return changed.first() is not None


def go_live(session: Session, show: Show, *, actor: Actor, now: datetime) -> None:
    """Open the show for claims; repeating it is harmless."""
    _move(session, show, {ShowState.DRAFT, ShowState.LIVE}, ShowState.LIVE)
    record(session, actor, "show.go_live", f"show:{show.id}", now=now)


def end(session: Session, show: Show, *, actor: Actor, now: datetime) -> None:
    """Close the show: comments after this moment wait for a person."""
    _move(session, show, {ShowState.LIVE, ShowState.ENDED}, ShowState.ENDED, ended_at=now)
    record(session, actor, "show.end", f"show:{show.id}", now=now)


def pin(session: Session, show: Show, code: str, *, now: datetime) -> None:
    """Put an item on screen from this moment on."""
    same = select(ShowItem.id).where(ShowItem.show_id == show.id, ShowItem.code == code)
    if session.scalar(same) is None:
        raise UnknownItem(_("This show has no item %(code)s.", code=code))
    show.pinned_code = code
    show.pinned_at = now
    session.flush()  # the next comment of this transaction must see it


def _move(
    session: Session,
    show: Show,
    allowed: set[ShowState],
    to: ShowState,
    *,
    ended_at: datetime | None = None,
) -> None:
    changed = session.execute(
        update(Show)
        .where(Show.id == show.id, Show.state.in_(allowed))
        .values(state=to, ended_at=ended_at)
        .returning(Show.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        raise NotAllowedNow(_("This show has already ended."))
    session.refresh(show)
