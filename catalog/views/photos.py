"""Photos on the desk: taken in, put in order, cropped, described, taken off and put back."""

import secrets

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask import url_for as address_of
from sqlalchemy.orm import Session

from catalog import editing, pictures
from catalog.desk import Desk, desk_view
from catalog.pictures import ARRIVED, FOLDER, MOST, ProductPicture
from catalog.products import Product
from core import intake
from core.clock import utc_now
from core.errors import Refusal
from core.intake import LARGEST_PICTURE, Original
from core.sizes import SMALLEST_CROP, WHOLE, Crop
from core.web.media import storage
from core.web.requests import reading, transaction
from core.web.uploads import takes_files, uploaded

blueprint = Blueprint(
    "desk_photos", __name__, url_prefix="/ban-hang/<producer>/hang/<int:product_id>/anh"
)
# Types a browser may send straight to the bucket; what is inside is looked into afterwards.
KINDS = {"jpeg", "png", "webp", "heic", "heif", "avif"}


@blueprint.get("")
@desk_view
def photos(desk: Desk, product_id: int) -> str:
    """Show the photos alone: the script asks while they are in the making."""
    return _list(desk, product_id, {})


@blueprint.post("")
@desk_view
@takes_files
def add(desk: Desk, product_id: int) -> Response:
    """Take photos in, as many as can be; tell of those that cannot."""
    refused: dict[str, str] = {}
    taken: list[Original] = []
    for number, data in enumerate(uploaded("photos"), start=1):
        try:
            taken.append(intake.keep_original(storage(), data, folder=FOLDER, field="photos"))
        except Refusal as refusal:
            refused[str(number)] = str(refusal.message)
    try:
        with transaction() as session:
            product = _product(desk, session, product_id)
            for one in taken:
                size = (one.width, one.height)
                pictures.add(session, product, one.key, size=size, actor=desk.actor, now=utc_now())
    except pictures.TooManyPictures as refusal:
        refused["0"] = str(refusal.message)
    return _answer(desk, product_id, refused)


@blueprint.post("/giay-gui")
@desk_view
def sending_form(desk: Desk, product_id: int) -> Response:
    """Give the script a form to send one photo straight to the bucket, where there is one."""
    with reading() as session:
        product = _product(desk, session, product_id)
    kind = request.form.get("kind", "").removeprefix("image/")
    if kind not in KINDS:
        kind = "jpeg"
    key = f"{ARRIVED}{product.id}-{secrets.token_hex(12)}.{kind}"
    form = storage().post_form(key, f"image/{kind}", most=LARGEST_PICTURE)
    if form is None:
        return jsonify(url=None)
    return jsonify(url=form.url, fields=form.fields, key=key)


@blueprint.post("/da-gui")
@desk_view
def arrived(desk: Desk, product_id: int) -> Response:
    """Hang a photo that the script sent to the bucket, if it lies there as it was sent."""
    key, etag = request.form.get("key", ""), request.form.get("etag", "")
    refused: dict[str, str] = {}
    try:
        pictures.check_arrival(storage(), product_id, key, etag)
        with transaction() as session:
            product = _product(desk, session, product_id)
            pictures.add(session, product, key, size=None, actor=desk.actor, now=utc_now())
    except (pictures.NotArrived, pictures.TooManyPictures) as refusal:
        refused["0"] = str(refusal.message)
    return _answer(desk, product_id, refused)


@blueprint.post("/thu-tu")
@desk_view
def arrange(desk: Desk, product_id: int) -> Response:
    """Put the photos in the order they were dragged into."""
    wanted = [int(one) for one in request.form.get("ids", "").split(",") if one.isdecimal()]
    refused: dict[str, str] = {}
    try:
        with transaction() as session:
            product = _product(desk, session, product_id)
            pictures.arrange(session, product, wanted[:MOST], actor=desk.actor, now=utc_now())
    except pictures.NotAllPictures as refusal:
        refused["0"] = str(refusal.message)
    return _answer(desk, product_id, refused)


@blueprint.post("/<int:picture_id>")
@desk_view
def act(desk: Desk, product_id: int, picture_id: int) -> Response:
    """Move one photo by a place, take it off or put it back."""
    what, now = request.form.get("what", ""), utc_now()
    with transaction() as session:
        product = _product(desk, session, product_id)
        picture = pictures.get(session, product, picture_id)
        if what in {"up", "down"}:
            by = -1 if what == "up" else 1
            pictures.shift(session, product, picture, by, actor=desk.actor, now=now)
        elif what == "remove":
            pictures.remove(session, picture, actor=desk.actor, now=now)
        elif what == "put-back":
            pictures.put_back(session, picture, actor=desk.actor, now=now)
    return _answer(desk, product_id, {}, removed=picture_id if what == "remove" else None)


@blueprint.route("/<int:picture_id>", methods=["GET"])
@desk_view
def crop(desk: Desk, product_id: int, picture_id: int) -> Response:
    """Show one photo with its square and its words."""
    return _crop_page(desk, product_id, picture_id, {})


@blueprint.post("/<int:picture_id>/cat")
@desk_view
def cut(desk: Desk, product_id: int, picture_id: int) -> Response:
    """Keep the square and the words."""
    form = request.form
    wanted = Crop(
        form.get("x", WHOLE // 2, type=int),
        form.get("y", WHOLE // 2, type=int),
        form.get("side", WHOLE, type=int),
    )
    try:
        with transaction() as session:
            picture = pictures.get(session, _product(desk, session, product_id), picture_id)
            now = utc_now()
            pictures.crop(session, picture, wanted, actor=desk.actor, now=now)
            pictures.tell_what_it_shows(
                session, picture, form.get("alt", ""), actor=desk.actor, now=now
            )
    except pictures.TooLong as refusal:
        return _crop_page(desk, product_id, picture_id, {"alt": str(refusal.message)})
    return _back(desk, product_id)


def _crop_page(desk: Desk, product_id: int, picture_id: int, errors: dict[str, str]) -> Response:
    with reading() as session:
        product = _product(desk, session, product_id)
        picture = pictures.get(session, product, picture_id)
    page = render_template(
        "catalog/desk_photo.html",
        product=product,
        picture=picture,
        smallest=SMALLEST_CROP,
        whole=WHOLE,
        alt=request.form.get("alt", picture.alt),
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)


def _product(desk: Desk, session: Session, product_id: int) -> Product:
    return editing.get_of_producer(session, desk.producer_id, product_id)


def _answer(
    desk: Desk, product_id: int, refused: dict[str, str], *, removed: int | None = None
) -> Response:
    """Give the script the list of photos as it is now; send a plain form back to the editor."""
    if request.headers.get("X-Part") == "1":
        page = _list(desk, product_id, refused, removed=removed)
        return make_response(page, 422 if refused else 200)
    if refused:
        with reading() as session:
            product = _product(desk, session, product_id)
            hung = pictures.list_of(session, product_id)
        page = render_template(
            "catalog/desk_photos.html", product=product, photos=hung, refused=refused, most=MOST
        )
        return make_response(page, 422)
    return _back(desk, product_id, removed=removed)


def _list(
    desk: Desk, product_id: int, refused: dict[str, str], *, removed: int | None = None
) -> str:
    with reading() as session:
        product = _product(desk, session, product_id)
        hung: list[ProductPicture] = list(pictures.list_of(session, product_id))
    return render_template(
        "catalog/_desk_photo_list.html",
        product=product,
        photos=hung,
        refused=refused,
        removed=removed,
        most=MOST,
    )


def _back(desk: Desk, product_id: int, *, removed: int | None = None) -> Response:
    address = address_of(
        "desk_goods.edit",
        producer=desk.slug,
        product_id=product_id,
        bo_anh=removed,
        _anchor="photos",
    )
    return make_response(redirect(address, 303))
