"""Where services call: one address for each, with the token of the connection it belongs to.

`wsgi.WEBHOOKS` says which function answers which service. Forged is 400, a shut or unknown address
404; all else is the handler's answer, in the words its service waits for.
"""

from flask import Blueprint, Response, current_app, jsonify, make_response, request

from core.clock import utc_now
from core.web.media import storage
from core.web.requests import database, public
from core.web.security import signed_elsewhere
from shop.webhooks import Call, Forged, NoSuchAddress

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.route("/<provider>", methods=["GET", "POST"], defaults={"token": None})
@blueprint.route("/<provider>/<token>", methods=["GET", "POST"])
@public
@signed_elsewhere
def receive(provider: str, token: str | None) -> Response:
    """Let the service's handler answer its call."""
    handler = current_app.extensions["webhooks"].get(provider)
    if handler is None:
        raise NoSuchAddress
    call = Call(
        provider=provider,
        token=token,
        method=request.method,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.args.to_dict(),
        body=request.get_data(cache=False),
        settings=current_app.config["SETTINGS"],
        database=database(),
        storage=storage(),
        now=utc_now(),
    )
    try:
        reply = handler(call)
    except Forged:
        current_app.logger.warning("a call to the webhook of %s was not proved", provider)
        return make_response(jsonify({"success": False, "error": "signature"}), 400)
    if reply.text is not None:
        return make_response(reply.text, reply.status, {"Content-Type": "text/plain"})
    return make_response(jsonify(dict(reply.said)), reply.status)
