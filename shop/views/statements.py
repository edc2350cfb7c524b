"""Bank statements, looked at first, then taken: a producer's on its desk, the operator's by us."""

import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _

from accounts import throttle
from accounts.login import staff_required
from catalog.desk import Desk, desk_view
from catalog.producers import Producer
from core import sheets, tasks
from core.clock import utc_now
from core.errors import Invalid
from core.storage import PRIVATE, NoSuchFile
from core.web.media import storage
from core.web.requests import database, reading, transaction
from core.web.uploads import takes_files, uploaded
from shop.payments import bank_batches, bank_rows, statements
from shop.payments.statements import Statement
from shop.selling import selling_of

blueprint = Blueprint("desk_statements", __name__, url_prefix="/ban-hang/<producer>/sao-ke")
staff = Blueprint("staff_statements", __name__, url_prefix="/quan-tri/sao-ke")

KEPT = timedelta(hours=24)
AN_HOUR, MOST_AN_HOUR = 3_600, 20
MISTAKES_SHOWN = 20
_DIGEST = re.compile("[0-9a-f]{64}")


class NoFile(Invalid):
    """No file was chosen."""


class NoAccount(Invalid):
    """There is no account whose statement could be taken."""


@blueprint.get("")
@desk_view
def index(desk: Desk) -> Response:
    """Ask for a statement."""
    return _page(_of_desk(desk))


@blueprint.post("")
@desk_view
@takes_files
def look(desk: Desk) -> Response:
    """Show what a statement would bring; nothing is taken yet."""
    return _look(_of_desk(desk))


@blueprint.post("/nhan")
@desk_view
def take(desk: Desk) -> Response:
    """Take the statement that was looked at."""
    return _take(_of_desk(desk))


@blueprint.get("/<digest>/dong-loi.csv")
@desk_view
def failed(desk: Desk, digest: str) -> Response:
    """Give back the rows that cannot be taken, with their reasons."""
    return _failed(_of_desk(desk), digest)


@staff.get("")
@staff_required
def operator() -> Response:
    """Ask for a statement of the operator's account."""
    return _page(_of_operator())


@staff.post("")
@staff_required
@takes_files
def operator_look() -> Response:
    """Show what a statement of the operator's account would bring."""
    return _look(_of_operator())


@staff.post("/nhan")
@staff_required
def operator_take() -> Response:
    """Take the statement of the operator's account that was looked at."""
    return _take(_of_operator())


@staff.get("/<digest>/dong-loi.csv")
@staff_required
def operator_failed(digest: str) -> Response:
    """Give back the rows of the operator's statement that cannot be taken."""
    return _failed(_of_operator(), digest)


class _Owner:
    """Whose statement it is, and where its pages are."""

    def __init__(
        self, producer_id: int | None, account: str | None, template: str,
        link: Callable[..., str], rows: str,
    ) -> None:  # fmt: skip
        self.producer_id = producer_id
        self.account = account
        self.template = template
        self.link = link
        self.rows = rows

    def key(self, digest: str) -> str:
        """Return where a statement is kept until it is taken; only its owner's pages look there."""
        if not _DIGEST.fullmatch(digest):
            raise NoSuchFile
        scope = bank_rows.scope_of(self.producer_id).replace(":", "-")
        return f"{PRIVATE}sao-ke/{scope}/{digest}.bin"


def _of_desk(desk: Desk) -> _Owner:
    def link(name: str, **values: Any) -> str:
        return url_for(f"desk_statements.{name}", producer=desk.slug, **values)

    with reading() as session:
        account = session.get_one(Producer, desk.producer_id).bank_account
    rows = url_for("desk_bank.index", producer=desk.slug)
    return _Owner(desk.producer_id, account, "shop/desk/statement.html", link, rows)


def _of_operator() -> _Owner:
    names = {"look": "operator_look", "take": "operator_take", "failed": "operator_failed"}

    def link(name: str, **values: Any) -> str:
        return url_for(f"staff_statements.{names[name]}", **values)

    account = selling_of(current_app.config["SETTINGS"]).account
    number = account.number if account else None
    return _Owner(None, number, "shop/staff/statement.html", link, url_for("staff_bank.operator"))


def _look(owner: _Owner) -> Response:
    now = utc_now()
    try:
        data = _sent(owner)
        statement = _read(owner, data)
        with reading() as session:
            outlook = bank_batches.look_ahead(session, statement.rows, owner.producer_id)
    except Invalid as refusal:
        return _page(owner, mistake=str(refusal.message))
    digest = sha256(data).hexdigest()
    storage().put(owner.key(digest), data, "application/octet-stream")
    with transaction() as session:
        tasks.enqueue(
            session, "bank.forget_statement", {"key": owner.key(digest)}, now=now,
            run_at=now + KEPT, key=f"forget:{owner.key(digest)}:{now:%Y%m%d}",
        )  # fmt: skip
    return _page(owner, digest=digest, statement=statement, outlook=outlook)


def _sent(owner: _Owner) -> bytes:
    with transaction() as session:
        throttle.allow(
            session, f"statement:{bank_rows.scope_of(owner.producer_id)}",
            limit=MOST_AN_HOUR, seconds=AN_HOUR, now=utc_now(),
        )  # fmt: skip
    files = uploaded("file")
    if not files:
        raise NoFile(_("Choose the statement file first."), field="file")
    return files[0]


def _read(owner: _Owner, data: bytes) -> Statement:
    if not owner.account:
        raise NoAccount(_("Enter the bank account first; a statement belongs to it."), field="file")
    return statements.read(sheets.read(data), account=owner.account, now=utc_now())


def _take(owner: _Owner) -> Response:
    key = owner.key(request.form.get("digest", ""))
    try:
        statement = _read(owner, storage().read(key))
    except NoSuchFile:
        flash(_("This statement has been taken already, or it was sent too long ago."))
        return make_response(redirect(owner.rows, 303))
    except Invalid as refusal:
        return _page(owner, mistake=str(refusal.message))
    taken = bank_batches.take_all(
        database(), statement.rows, producer_id=owner.producer_id, now=utc_now()
    )
    storage().delete(key)
    flash(
        _(
            "Taken: %(new)s new rows, %(matched)s found their order, %(waiting)s need a look, "
            "%(seen)s were here before.",
            new=taken.new,
            matched=taken.matched,
            waiting=taken.waiting,
            seen=taken.seen,
        )
    )
    return make_response(redirect(owner.rows, 303))


def _failed(owner: _Owner, digest: str) -> Response:
    statement = _read(owner, storage().read(owner.key(digest)))
    response = make_response(
        statements.write_failed(statement), {"Content-Type": "text/csv; charset=utf-8"}
    )
    response.headers["Content-Disposition"] = 'attachment; filename="sao-ke-dong-loi.csv"'
    return response


def _page(
    owner: _Owner,
    *,
    mistake: str | None = None,
    digest: str | None = None,
    statement: Statement | None = None,
    outlook: bank_batches.Outlook | None = None,
) -> Response:
    page = render_template(
        cast("Any", owner.template),
        account=owner.account,
        link=owner.link,
        rows_page=owner.rows,
        mistake=("file", mistake) if mistake else None,
        digest=digest,
        failed=statement.failed if statement else [],
        failed_shown=MISTAKES_SHOWN,
        outlook=outlook,
    )
    return make_response(page, 422 if mistake else 200)
