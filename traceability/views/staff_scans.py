"""Staff: who tries out codes, which labels look copied, what people report."""

from flask import Blueprint, render_template

from accounts.login import staff_required
from core.web.requests import reading
from traceability import enumeration, problem_reports, scan_flags
from traceability.problem_reports import PROBLEM_NAMES
from traceability.scan_flags import ODDITY_NAMES

blueprint = Blueprint("staff_scans", __name__, url_prefix="/quan-tri/quet")


@blueprint.get("")
@staff_required
def index() -> str:
    """Show alerts, odd labels and reports of every producer."""
    with reading() as session:
        alerts = enumeration.list_alerts(session)
        odd = scan_flags.list_open(session)
        reports = problem_reports.list_reports(session)
    return render_template(
        "traceability/staff_scans.html",
        alerts=alerts,
        odd=odd,
        oddities=ODDITY_NAMES,
        reports=reports,
        kinds=PROBLEM_NAMES,
    )
