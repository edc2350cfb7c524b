"""Photos of goods: taken in at once, made into every size in the background, square by a crop.

The original stays private; what buyers see is made from it by `core.sizes`. A photo taken off can
be put back: it is only marked.
"""

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CheckConstraint, CursorResult, ForeignKey, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.audit import Actor, describe, record
from catalog.products import Product
from core import intake, sizes, tasks
from core.db import Base, word
from core.errors import Conflict, Invalid, NotFound
from core.i18n import lazy as _
from core.i18n import mark
from core.sizes import WHOLE, Crop
from core.storage import PRIVATE, NoSuchFile, Storage
from core.tasks import Work
from core.text import clean

MAKE = "pictures.make"
FOLDER = "anh"
# What a browser sends straight to a bucket lies here until it was looked into.
ARRIVED = f"{PRIVATE}{FOLDER}/gui/"
MOST = 12
LONGEST_ALT = 200
BROKEN = mark("This file cannot be read as a photo. Take the photo again.")
TOO_WIDE = mark("The photo is too large. Take a smaller one.")
LOST = mark("The photo did not arrive. Send it again.")

describe(
    {
        "picture.added": _("added a photo"),
        "picture.cropped": _("cropped a photo"),
        "picture.described": _("described a photo"),
        "picture.removed": _("took off a photo"),
        "picture.put_back": _("put a photo back"),
        "pictures.ordered": _("put photos in order"),
    }
)


class PictureState(enum.StrEnum):
    """Waiting: its sizes are being made (older ones are shown meanwhile)."""

    WAITING = "waiting"
    READY = "ready"
    BROKEN = "broken"


class NoSuchPicture(NotFound):
    """These goods have no such photo."""


class TooManyPictures(Conflict):
    """Goods have a dozen photos at most: no channel takes more."""


class NotAllPictures(Conflict):
    """An order names every photo once; somebody added or took one off meanwhile."""


class NotArrived(Conflict):
    """What a browser was to send to the bucket is not there as it was sent."""


class TooLong(Invalid):
    """The words for a photo are longer than anybody listens to."""


class ProductPicture(Base):
    """One photo of goods. `name` begins the keys of its sizes, None until they were made.

    `width` and `height` are the original's, upright; `side` is the square's in the same pixels.
    """

    __tablename__ = "product_picture"
    __table_args__ = (
        CheckConstraint(
            "crop_x BETWEEN 0 AND 1000 AND crop_y BETWEEN 0 AND 1000"
            " AND crop_side BETWEEN 100 AND 1000",
            name="crop",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    position: Mapped[int]
    state: Mapped[PictureState] = mapped_column(word(PictureState), default=PictureState.WAITING)
    original_key: Mapped[str]
    name: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    side: Mapped[int | None]
    crop_x: Mapped[int] = mapped_column(default=WHOLE // 2)
    crop_y: Mapped[int] = mapped_column(default=WHOLE // 2)
    crop_side: Mapped[int] = mapped_column(default=WHOLE)
    alt: Mapped[str] = mapped_column(default="")
    why: Mapped[str | None]
    removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def crop(self) -> Crop:
        """The square that is cut out."""
        return Crop(self.crop_x, self.crop_y, self.crop_side)


def get(session: Session, product: Product, picture_id: int) -> ProductPicture:
    """Return a photo of these goods, also one taken off, or raise NoSuchPicture."""
    picture = session.get(ProductPicture, picture_id)
    if picture is None or picture.product_id != product.id:
        raise NoSuchPicture(_("There is no such photo."))
    return picture


def list_of(session: Session, product_id: int) -> Sequence[ProductPicture]:
    """Return the photos of goods in their order, those in the making too."""
    return session.scalars(
        select(ProductPicture)
        .where(ProductPicture.product_id == product_id, ProductPicture.removed_at.is_(None))
        .order_by(ProductPicture.position, ProductPicture.id)
    ).all()


def list_shown(session: Session, product_id: int) -> Sequence[ProductPicture]:
    """Return the photos that buyers see, in their order: those whose sizes were made."""
    return [picture for picture in list_of(session, product_id) if picture.name]


def add(
    session: Session,
    product: Product,
    original_key: str,
    *,
    size: tuple[int, int] | None,
    actor: Actor,
    now: datetime,
) -> ProductPicture:
    """Hang a stored original behind the other photos and leave the task that makes its sizes.

    Raises TooManyPictures. `size` is None where nobody has read the file's head yet.
    """
    session.execute(select(Product.id).where(Product.id == product.id).with_for_update())
    hung = list_of(session, product.id)
    if len(hung) >= MOST:
        raise TooManyPictures(_("Goods have %(most)s photos at most.", most=MOST))
    picture = ProductPicture(
        product_id=product.id,
        position=max((one.position for one in hung), default=0) + 1,
        original_key=original_key,
        width=size[0] if size else None,
        height=size[1] if size else None,
        created_at=now,
    )
    session.add(picture)
    session.flush()  # gives the photo its id
    _ask(session, picture, now=now)
    product.photos_changed = True
    record(session, actor, "picture.added", f"product:{product.id}", now=now, picture=picture.id)
    return picture


def check_arrival(storage: Storage, product_id: int, key: str, etag: str) -> None:
    """Raise NotArrived unless the bucket holds a photo for these goods as the browser sent it."""
    not_arrived = NotArrived(_("The photo did not arrive. Send it again."))
    if not key.startswith(f"{ARRIVED}{product_id}-"):
        raise not_arrived
    try:
        stored = storage.stat(key)
    except NotFound:
        raise not_arrived from None
    sent = etag.strip('"')
    if stored.size > intake.LARGEST_PICTURE or (sent and sent != stored.etag):
        storage.delete(key)
        raise not_arrived


def crop(
    session: Session, picture: ProductPicture, wanted: Crop, *, actor: Actor, now: datetime
) -> None:
    """Cut another square out; the old one is shown until the new sizes are made."""
    x, y = (max(0, min(WHOLE, value)) for value in (wanted.x, wanted.y))
    side = max(sizes.SMALLEST_CROP, min(WHOLE, wanted.side))
    if picture.crop == Crop(x, y, side):
        return
    picture.crop_x, picture.crop_y, picture.crop_side = x, y, side
    picture.state = PictureState.WAITING
    session.get_one(Product, picture.product_id).photos_changed = True
    session.flush()
    _ask(session, picture, now=now)
    subject = f"product:{picture.product_id}"
    record(session, actor, "picture.cropped", subject, now=now, picture=picture.id)


def tell_what_it_shows(
    session: Session, picture: ProductPicture, words: str, *, actor: Actor, now: datetime
) -> None:
    """Say in words what the photo shows, for who cannot see it."""
    alt = clean(words)
    if len(alt) > LONGEST_ALT:
        raise TooLong(_("Write at most %(most)s letters.", most=LONGEST_ALT), field="alt")
    if alt == picture.alt:
        return
    picture.alt = alt
    session.flush()
    subject = f"product:{picture.product_id}"
    record(session, actor, "picture.described", subject, now=now, picture=picture.id)


def arrange(
    session: Session, product: Product, picture_ids: Sequence[int], *, actor: Actor, now: datetime
) -> None:
    """Put the photos in this order; the first one stands for the goods. Raises NotAllPictures."""
    hung = {picture.id: picture for picture in list_of(session, product.id)}
    if sorted(picture_ids) != sorted(hung):
        raise NotAllPictures(_("The photos changed meanwhile. Look again and order them."))
    if list(picture_ids) == list(hung):
        return
    for position, picture_id in enumerate(picture_ids, start=1):
        hung[picture_id].position = position
    session.flush()
    _refresh_first(session, product.id)
    record(session, actor, "pictures.ordered", f"product:{product.id}", now=now)


def shift(
    session: Session,
    product: Product,
    picture: ProductPicture,
    by: int,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Move a photo forward (-1) or back (1) by one place, if there is one."""
    order = [one.id for one in list_of(session, product.id)]
    if picture.id not in order:
        raise NoSuchPicture(_("There is no such photo."))
    place = order.index(picture.id)
    order.insert(max(0, place + by), order.pop(place))
    arrange(session, product, order, actor=actor, now=now)


def remove(session: Session, picture: ProductPicture, *, actor: Actor, now: datetime) -> None:
    """Take a photo off; it can be put back."""
    _hang(session, picture, now, "picture.removed", actor=actor, now=now)


def put_back(session: Session, picture: ProductPicture, *, actor: Actor, now: datetime) -> None:
    """Hang a photo that was taken off where it was."""
    _hang(session, picture, None, "picture.put_back", actor=actor, now=now)


def _hang(
    session: Session,
    picture: ProductPicture,
    removed_at: datetime | None,
    verb: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    if (picture.removed_at is None) == (removed_at is None):
        return
    picture.removed_at = removed_at
    session.get_one(Product, picture.product_id).photos_changed = True
    session.flush()
    _refresh_first(session, picture.product_id)
    subject = f"product:{picture.product_id}"
    record(session, actor, verb, subject, now=now, picture=picture.id)


def _ask(session: Session, picture: ProductPicture, *, now: datetime) -> None:
    tasks.enqueue(session, MAKE, {"picture_id": picture.id}, now=now)


def make(work: Work) -> None:
    """Make every size of a photo as it is cropped now; one that is no photo is marked broken."""
    picture_id = int(work.payload["picture_id"])
    with work.database.reading() as session:
        picture = session.get(ProductPicture, picture_id)
        if picture is None:
            return
        key, wanted = picture.original_key, picture.crop
    changes: dict[str, Any]
    try:
        data = work.storage.read(key)
        made = sizes.make(work.storage, data, wanted, folder=FOLDER)
        if key.startswith(ARRIVED):
            key = intake.keep_original(work.storage, data, folder=FOLDER).key
        changes = {
            "state": PictureState.READY,
            "why": None,
            "original_key": key,
            "name": made.name,
            "width": made.width,
            "height": made.height,
            "side": made.side,
        }
    except (intake.PictureTooWide, intake.FileTooLarge):
        changes = {"state": PictureState.BROKEN, "why": TOO_WIDE}
    except intake.NotAPicture:
        changes = {"state": PictureState.BROKEN, "why": BROKEN}
    except NoSuchFile:
        changes = {"state": PictureState.BROKEN, "why": LOST}
    with work.finishing() as session:
        # Cropped again meanwhile: that crop's own task makes it.
        same = (
            (ProductPicture.crop_x == wanted.x)
            & (ProductPicture.crop_y == wanted.y)
            & (ProductPicture.crop_side == wanted.side)
        )
        changed = update(ProductPicture).where(ProductPicture.id == picture_id, same)
        answer = session.execute(
            changed.values(**changes).execution_options(synchronize_session=False)
        )
        if cast("CursorResult[Any]", answer).rowcount:
            _refresh_first(session, picture.product_id)
    if picture.original_key.startswith(ARRIVED):
        work.storage.delete(picture.original_key)


def _refresh_first(session: Session, product_id: int) -> None:
    """Let the first photo whose sizes are made stand for the goods in lists and channels."""
    first = session.execute(
        select(ProductPicture.name, ProductPicture.side)
        .where(
            ProductPicture.product_id == product_id,
            ProductPicture.removed_at.is_(None),
            ProductPicture.name.is_not(None),
        )
        .order_by(ProductPicture.position, ProductPicture.id)
        .limit(1)
    ).one_or_none()
    session.execute(
        update(Product)
        .where(Product.id == product_id)
        .values(picture=first.name if first else None, picture_side=first.side if first else None)
        .execution_options(synchronize_session=False)
    )


def count_waiting(session: Session, product_id: int) -> int:
    """Return how many photos of the goods are still in the making."""
    return (
        session.scalar(
            select(func.count()).where(
                ProductPicture.product_id == product_id,
                ProductPicture.removed_at.is_(None),
                ProductPicture.state == PictureState.WAITING,
            )
        )
        or 0
    )
