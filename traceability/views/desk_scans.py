"""The producer's desk: how often codes are scanned, what is odd about it, what people report."""

from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from catalog.desk import Desk, desk_view
from core.clock import utc_now, vietnam_day
from core.errors import Invalid
from core.i18n import lazy
from core.web.media import private_file
from core.web.requests import reading, transaction
from traceability import problem_reports, scan_counts, scan_flags
from traceability.problem_reports import PROBLEM_NAMES, NoSuchReport
from traceability.scan_flags import ODDITY_NAMES
from traceability.serials import NoSuchSerial, SerialState

blueprint = Blueprint("desk_scans", __name__, url_prefix="/ban-hang/<producer>")

DAYS_SHOWN = 30


@blueprint.get("/luot-quet")
@desk_view
def index(desk: Desk) -> str:
    """Show the scans of the last thirty days by day, province and goods, and odd labels."""
    today = vietnam_day(utc_now())
    since = today - timedelta(days=DAYS_SHOWN - 1)
    with reading() as session:
        counted = scan_counts.by_day(session, desk.producer_id, since=since)
        provinces = scan_counts.by_province(session, desk.producer_id, since=since)
        goods = scan_counts.by_product(session, desk.producer_id, since=since)
        odd = scan_flags.list_open(session, desk.producer_id)
        reports = problem_reports.count_open(session, desk.producer_id)
    days = [since + timedelta(days=number) for number in range(DAYS_SHOWN)]
    return render_template(
        "traceability/scans.html",
        desk=desk,
        days=[(day, counted.get(day, 0)) for day in days],
        provinces=provinces,
        goods=goods,
        odd=odd,
        oddities=ODDITY_NAMES,
        reports=reports,
    )


@blueprint.post("/luot-quet/tem/<serial>")
@desk_view
def decide(desk: Desk, serial: str) -> Response:
    """Take a person's word on a label: cleared, watched or blocked."""
    try:
        to = SerialState(request.form.get("to", ""))
    except ValueError:
        raise NoSuchSerial(lazy("Choose what to do with the label.")) from None
    with transaction() as session:
        scan_flags.settle(
            session, serial, to, producer_id=desk.producer_id, actor=desk.actor, now=utc_now()
        )
    return make_response(redirect(url_for("desk_scans.index", producer=desk.slug, xong="luu"), 303))


@blueprint.get("/bao-loi")
@desk_view
def reports(desk: Desk) -> Response:
    """List what people report about this producer's goods."""
    return _reports_page(desk)


@blueprint.post("/bao-loi/<int:report_id>/xong")
@desk_view
def settle(desk: Desk, report_id: int) -> Response:
    """Note what was found or done about a report."""
    try:
        with transaction() as session:
            problem_reports.settle(
                session,
                problem_reports.get(session, report_id, desk.producer_id),
                request.form.get("outcome", ""),
                actor=desk.actor,
                now=utc_now(),
            )
    except Invalid as refusal:
        return _reports_page(desk, (f"outcome-{report_id}", str(refusal.message)))
    return make_response(
        redirect(url_for("desk_scans.reports", producer=desk.slug, xong="luu"), 303)
    )


@blueprint.get("/bao-loi/<int:report_id>/anh")
@desk_view
def report_photo(desk: Desk, report_id: int) -> Response:
    """Give the photo that came with a report."""
    with reading() as session:
        report = problem_reports.get(session, report_id, desk.producer_id)
    if report.photo_key is None:
        raise NoSuchReport(lazy("This report came without a photo."))
    ending = report.photo_key.rpartition(".")[2]
    return private_file(report.photo_key, name=f"bao-loi-{report_id}.{ending}")


def _reports_page(desk: Desk, mistake: tuple[str, str] | None = None) -> Response:
    with reading() as session:
        found = problem_reports.list_reports(session, desk.producer_id)
    page = render_template(
        "traceability/reports.html", desk=desk, found=found, kinds=PROBLEM_NAMES, mistake=mistake
    )
    return make_response(page, 422 if mistake else 200)
