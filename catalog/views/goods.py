"""The producer's goods on the desk: the list, the editor that saves as one types, the shelf."""

from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from accounts.login import SignedIn, signed_in
from accounts.users import Role
from catalog import editing, labelling, options, pictures, products, publishing, typed_goods
from catalog.desk import Desk, desk_view
from catalog.editing import ChangedMeanwhile
from catalog.options import BadOptions
from catalog.producers import Producer
from catalog.products import KeepsUnit, OcopGroup, ProductState
from catalog.publishing import NotReady
from catalog.typed_goods import BadValues
from catalog.variants import Variant
from catalog.wording import FIELD_NAMES, GROUP_NAMES, KEEPS_NAMES, STATE_NAMES
from core.clock import utc_now
from core.web.paging import read_cursor, write_cursor
from core.web.requests import reading, transaction
from core.web.security import may_send_files

blueprint = Blueprint("desk_goods", __name__, url_prefix="/ban-hang/<producer>/hang")
GOODS_A_PAGE = 40
SHELVES = {"": None, "nhap": "draft", "cho-duyet": "review", "dang-ban": "live", "cat": "withdrawn"}


@blueprint.get("")
@desk_view
def index(desk: Desk) -> str:
    """List the producer's goods, the newest first, all or of one state."""
    shelf = request.args.get("o", "")
    wanted = SHELVES.get(shelf)
    mark = read_cursor(request.args.get("sau"), (int,))
    with reading() as session:
        found = products.list_at_desk(
            session,
            desk.producer_id,
            state=ProductState(wanted) if wanted else None,
            before=int(mark[0] or 0) if mark else None,
            limit=GOODS_A_PAGE + 1,
        )
    shown = found[:GOODS_A_PAGE]
    return render_template(
        "catalog/desk_goods.html",
        goods=shown,
        shelf=shelf,
        state_names=STATE_NAMES,
        following=write_cursor([shown[-1].id]) if len(found) > GOODS_A_PAGE else None,
    )


@blueprint.post("/moi")
@desk_view
def new(desk: Desk) -> Response:
    """Begin a draft, or go on with one that nobody has written anything into yet."""
    with transaction() as session:
        product = editing.find_blank(session, desk.producer_id)
        if product is None:
            producer = session.get_one(Producer, desk.producer_id)
            product = editing.add(session, producer, {}, actor=desk.actor, now=utc_now())
        product_id = product.id
    return _see(desk, product_id)


@blueprint.get("/<int:product_id>")
@desk_view
def edit(desk: Desk, product_id: int) -> Response:
    """Show the editor of one product."""
    return _page(desk, product_id)


@blueprint.post("/<int:product_id>")
@desk_view
def save(desk: Desk, product_id: int) -> Response:
    """Keep what was typed: some fields sent by the script, or the whole form by its button."""
    form = request.form
    seen = {name[5:]: text for name, text in form.items() if name.startswith("seen_")}
    try:
        with transaction() as session:
            product = editing.get_of_producer(session, desk.producer_id, product_id)
            changed = editing.change(
                session,
                product,
                {name: text for name, text in form.items() if name in typed_goods.FIELDS},
                version=form.get("version", type=int),
                seen=seen or None,
                actor=desk.actor,
                now=utc_now(),
            )
            version, group = product.version, product.group
            told = [(field, str(words)) for field, words in publishing.missing(session, product)]
    except BadValues as wrong:
        errors = {name: str(words) for name, words in wrong.problems.items()}
        if _by_script():
            return make_response(jsonify(errors=errors), 422)
        return _page(desk, product_id, errors=errors, status=422)
    except ChangedMeanwhile as news:
        if _by_script():
            said = {"version": news.version, "who": news.who, "theirs": news.theirs}
            return make_response(jsonify(said), 409)
        return _page(desk, product_id, news=news, status=409)
    if _by_script():
        answer = jsonify(version=version, missing=told, reload="group" in changed and bool(group))
        answer.set_etag(str(version))
        return answer
    return _see(desk, product_id, xong="luu")


@blueprint.post("/<int:product_id>/loai")
@desk_view
def set_options(desk: Desk, product_id: int) -> Response:
    """Make the variants of the options that were typed."""
    numbers = range(1, options.MOST_OPTIONS + 1)
    rows = [
        (request.form.get(f"option_{n}", ""), request.form.get(f"values_{n}", "")) for n in numbers
    ]
    try:
        with transaction() as session:
            product = editing.get_of_producer(session, desk.producer_id, product_id)
            options.set_options(session, product, rows, actor=desk.actor, now=utc_now())
    except BadOptions as wrong:
        errors = {wrong.field or "option_1": str(wrong.message)}
        return _page(desk, product_id, errors=errors, status=422)
    return _see(desk, product_id, xong="luu", anchor="cac-loai")


@blueprint.post("/<int:product_id>/tung-loai")
@desk_view
def change_kinds(desk: Desk, product_id: int) -> Response:
    """Keep price, unit and weight of every kind."""
    typed: dict[int, dict[str, str]] = {}
    for name, text in request.form.items():
        field, _dash, number = name.rpartition("_")
        if field in options.OF_ONE_KIND and number.isascii() and number.isdigit():
            typed.setdefault(int(number[:15]), {})[field] = text
    try:
        with transaction() as session:
            product = editing.get_of_producer(session, desk.producer_id, product_id)
            options.change_kinds(session, product, typed, actor=desk.actor, now=utc_now())
    except BadValues as wrong:
        errors = {name: str(words) for name, words in wrong.problems.items()}
        return _page(desk, product_id, errors=errors, status=422)
    return _see(desk, product_id, xong="luu", anchor="cac-loai")


@blueprint.post("/<int:product_id>/dang-ban")
@desk_view
def publish(desk: Desk, product_id: int) -> Response:
    """Put the goods on sale, or hand them to staff; say what is missing."""
    person = cast("SignedIn", signed_in())
    own_goods = current_app.config["SETTINGS"].SELLING_MODE == "direct"
    try:
        with transaction() as session:
            product = editing.get_of_producer(session, desk.producer_id, product_id)
            publishing.submit(
                session,
                product,
                looked_at=own_goods or person.role is Role.STAFF,
                actor=desk.actor,
                now=utc_now(),
            )
    except NotReady as refusal:
        missing = {field: str(words) for field, words in refusal.missing}
        return _page(desk, product_id, lacking=missing, status=422)
    return _see(desk, product_id, xong="dang")


@blueprint.post("/<int:product_id>/ngung-ban")
@desk_view
def withdraw(desk: Desk, product_id: int) -> Response:
    """Take the goods off sale, or put a draft away."""
    with transaction() as session:
        product = editing.get_of_producer(session, desk.producer_id, product_id)
        publishing.withdraw(session, product, actor=desk.actor, now=utc_now())
    return _see(desk, product_id, xong="ngung")


@blueprint.post("/<int:product_id>/lay-lai")
@desk_view
def take_up_again(desk: Desk, product_id: int) -> Response:
    """Make goods that were put away a draft again, or undo it: put them where they were."""
    with transaction() as session:
        product = editing.get_of_producer(session, desk.producer_id, product_id)
        publishing.take_up_again(
            session,
            product,
            as_it_was=request.form.get("as_it_was") == "1",
            actor=desk.actor,
            now=utc_now(),
        )
    return _see(desk, product_id)


def _page(
    desk: Desk,
    product_id: int,
    *,
    errors: dict[str, str] | None = None,
    lacking: dict[str, str] | None = None,
    news: ChangedMeanwhile | None = None,
    status: int = 200,
) -> Response:
    may_send_files()
    with reading() as session:
        product = editing.get_of_producer(session, desk.producer_id, product_id)
        values = editing.values_of(session, product)
        hung = pictures.list_of(session, product.id)
        kinds = options.list_sold(session, product) if product.option_names else []
        missing = publishing.missing(session, product)
    typed = {name: request.form[name] for name in request.form if name in values}
    page = render_template(
        "catalog/desk_product.html",
        product=product,
        values={**values, **typed} if errors or news else values,
        form=request.form if errors else {},
        photos=hung,
        refused={},
        removed=request.args.get("bo_anh", type=int),
        most=pictures.MOST,
        kinds=kinds,
        option_rows=_option_rows(product.option_names, kinds),
        label_fields=labelling.fields_of(product.group),
        eaten=product.group is None or product.group in labelling.EATEN,
        missing={field: str(words) for field, words in missing},
        errors={**(errors or {}), **(lacking or {})},
        refused_to_publish=bool(lacking),
        news=news,
        field_names=FIELD_NAMES,
        group_names=GROUP_NAMES,
        groups=list(OcopGroup),
        keeps_names=KEEPS_NAMES,
        keeps_units=list(KeepsUnit),
        state_names=STATE_NAMES,
    )
    answer = make_response(page, status)
    answer.set_etag(str(product.version), weak=True)
    return answer


def _option_rows(names: list[str], kinds: list[Variant]) -> list[tuple[str, str]]:
    """Return name and values of each option as they are typed, and empty rows up to three."""
    rows = [
        (name, ", ".join(dict.fromkeys(one.option_values[place] for one in kinds)))
        for place, name in enumerate(names)
    ]
    return rows + [("", "")] * (options.MOST_OPTIONS - len(rows))


def _by_script() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _see(
    desk: Desk, product_id: int, *, xong: str | None = None, anchor: str | None = None
) -> Response:
    address = url_for(
        "desk_goods.edit", producer=desk.slug, product_id=product_id, xong=xong, _anchor=anchor
    )
    return make_response(redirect(address, 303))
