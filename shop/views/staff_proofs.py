"""Staff: what the nightly proof of stock, money and orders said."""

from flask import Blueprint, render_template

from accounts.login import staff_required
from core.web.requests import reading
from shop import proofs
from shop.proofs import Proof

blueprint = Blueprint("staff_proofs", __name__, url_prefix="/quan-tri/kiem-chung")
SHOWN = 14


@blueprint.app_context_processor
def _last() -> dict[str, object]:
    """Give the first page of the staff the newest proof, if it shows it."""

    def last_proof() -> Proof | None:
        with reading() as session:
            return proofs.find_last(session)

    return {"last_proof": last_proof}


@blueprint.get("")
@staff_required
def index() -> str:
    """Show the last nights, the newest first, with every fault in words."""
    with reading() as session:
        nights = proofs.list_last(session, limit=SHOWN)
    return render_template("shop/staff/proofs.html", nights=nights)
