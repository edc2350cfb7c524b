"""Connections: a producer's on its desk, the operator's among the staff pages (direct selling)."""

from collections.abc import Sequence
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

from accounts.audit import Actor
from accounts.login import SignedIn, proof_required, signed_in, staff_required
from catalog.desk import Desk, desk_view
from core.clock import utc_now
from core.errors import Invalid
from core.settings import Settings
from core.web.requests import reading, transaction
from shop import connections
from shop.connections import KINDS, Connection

blueprint = Blueprint("desk_connections", __name__, url_prefix="/ban-hang/<producer>/ket-noi")
staff = Blueprint("staff_connections", __name__, url_prefix="/quan-tri/ket-noi")


@blueprint.get("")
@desk_view
@proof_required
def index(desk: Desk) -> Response:
    """List the producer's connections with their addresses, and what can be connected."""
    return _page("shop/desk/connections.html", desk.producer_id)


@blueprint.post("")
@desk_view
@proof_required
def connect(desk: Desk) -> Response:
    """Connect a service."""
    try:
        _connect(desk.producer_id, desk.actor)
    except Invalid as refusal:
        return _page("shop/desk/connections.html", desk.producer_id, refusal)
    return _see("desk_connections.index", producer=desk.slug)


@blueprint.post("/<int:connection_id>")
@desk_view
@proof_required
def change(desk: Desk, connection_id: int) -> Response:
    """Exchange keys or the name."""
    try:
        _change(desk.producer_id, connection_id, desk.actor)
    except Invalid as refusal:
        return _page("shop/desk/connections.html", desk.producer_id, refusal, at=connection_id)
    return _see("desk_connections.index", producer=desk.slug)


@blueprint.post("/<int:connection_id>/dong")
@desk_view
@proof_required
def shut(desk: Desk, connection_id: int) -> Response:
    """Shut a connection."""
    _shut(desk.producer_id, connection_id, desk.actor)
    return _see("desk_connections.index", producer=desk.slug)


@staff.get("")
@staff_required
@proof_required
def operator() -> Response:
    """List the operator's connections."""
    return _page("shop/staff/connections.html", None)


@staff.post("")
@staff_required
@proof_required
def operator_connect() -> Response:
    """Connect a service for the operator."""
    try:
        _connect(None, _staff_actor())
    except Invalid as refusal:
        return _page("shop/staff/connections.html", None, refusal)
    return _see("staff_connections.operator")


@staff.post("/<int:connection_id>")
@staff_required
@proof_required
def operator_change(connection_id: int) -> Response:
    """Exchange keys or the name of one of the operator's connections."""
    try:
        _change(None, connection_id, _staff_actor())
    except Invalid as refusal:
        return _page("shop/staff/connections.html", None, refusal, at=connection_id)
    return _see("staff_connections.operator")


@staff.post("/<int:connection_id>/dong")
@staff_required
@proof_required
def operator_shut(connection_id: int) -> Response:
    """Shut one of the operator's connections."""
    _shut(None, connection_id, _staff_actor())
    return _see("staff_connections.operator")


def _connect(producer_id: int | None, actor: Actor) -> None:
    with transaction() as session:
        connections.open_new(
            session,
            producer_id,
            request.form.get("provider", ""),
            request.form,
            secrets=_secrets(),
            actor=actor,
            now=utc_now(),
        )
    flash(_("Connected. Now paste its address at the service."))


def _change(producer_id: int | None, connection_id: int, actor: Actor) -> None:
    with transaction() as session:
        connection = connections.get(session, producer_id, connection_id)
        connections.rename(session, connection, request.form.get("name", ""))
        connections.change(
            session, connection, request.form, secrets=_secrets(), actor=actor, now=utc_now()
        )
    flash(_("Saved."))


def _shut(producer_id: int | None, connection_id: int, actor: Actor) -> None:
    with transaction() as session:
        connection = connections.get(session, producer_id, connection_id)
        connections.revoke(session, connection, actor=actor, now=utc_now())
    flash(_("The connection was shut. Its address answers no more."))


def _page(
    template: str, producer_id: int | None, refusal: Invalid | None = None, *, at: int | None = None
) -> Response:
    with reading() as session:
        found = connections.list_open(session, producer_id)
    mistake = (refusal.field or "provider", str(refusal.message)) if refusal else None
    page = render_template(
        template,
        cards=[_card(one) for one in found],
        kinds=KINDS,
        mistake=mistake,
        mistake_at=at,
        typed=request.form if refusal else {},
        direct=_settings().SELLING_MODE == "direct",
    )
    response = make_response(page, 422 if mistake else 200)
    # The addresses on this page open doors.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _card(connection: Connection) -> dict[str, Any]:
    token = connections.token_of(connection, _secrets())
    address = f"{_settings().PUBLIC_URL}/webhooks/{connection.provider}/{token}"
    return {
        "connection": connection,
        "kind": KINDS[connection.provider],
        "address": address if token else None,
        "kept": connections.credentials(connection, _secrets()).keys(),
    }


def _settings() -> Settings:
    return cast("Settings", current_app.config["SETTINGS"])


def _secrets() -> Sequence[str]:
    return (_settings().SECRET_KEY, *_settings().SECRET_KEY_FALLBACKS)


def _staff_actor() -> Actor:
    person = cast("SignedIn", signed_in())
    return Actor(person.user_id, person.name)


def _see(endpoint: str, **values: Any) -> Response:
    return make_response(redirect(url_for(endpoint, **values), 303))
