"""What a visitor may do on a scan page: be counted, check a scratch code, report a problem."""

from dataclasses import dataclass
from datetime import datetime

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
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from accounts import throttle
from accounts.throttle import TooManyTries
from catalog.places import list_provinces
from core import i18n, intake
from core.clock import utc_now, vietnam_day
from core.codes import is_well_formed, normalise
from core.errors import Conflict, Invalid
from core.settings import Settings
from core.web.media import storage
from core.web.requests import public, reading, refusal_page, transaction
from core.web.security import same_origin_only
from core.web.uploads import takes_files, uploaded
from traceability import pins, problem_reports, scan, scan_counts, serials
from traceability.codes import TRACE_CODE
from traceability.pins import Checked, PinLocked
from traceability.problem_reports import PROBLEM_NAMES
from traceability.scan import Verdict
from traceability.scan_counts import Subject
from traceability.views.unknown import unknown_code, unknown_page

blueprint = Blueprint("scan_acts", __name__)

COUNTS_A_MINUTE = 600
CHECKS_AN_HOUR = 60
REPORTS_AN_HOUR = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the page after a scratch code says, and with which seal."""

    look: str
    heading: str
    words: str
    status: int = 200
    checked: Checked | None = None
    can_try: bool = False
    wait: int = 0


@blueprint.post("/quet")
@public
@same_origin_only
def count() -> Response:
    """Count a view of a scan page, or move it to the province the visitor names.

    The answer is the same whether the code exists or not.
    """
    code, province = _code(), request.form.get("province_code")
    if code is not None:
        try:
            with transaction() as session:
                subject = scan_counts.find_subject(session, code)
                if subject is not None:
                    _slow_down(session, "count", limit=COUNTS_A_MINUTE, seconds=60)
                    _count(session, subject, province)
        except TooManyTries:
            current_app.logger.info("more scans than one network can be: not counted")
    if code is None or province is None:
        return make_response("", 204)
    return _see(url_for("scan_acts.report", code=code, xong="noi-mua"))


@blueprint.post("/xac-thuc")
@public
@same_origin_only
def check() -> Response:
    """Check the number under the coat of a label, and tell since when it is known."""
    code, now = _code(), utc_now()
    if code is None:
        return unknown_page(
            "", reason=_("A code has 11 letters and digits. One seems to be mistyped.")
        )
    with reading() as session:
        found = scan.find_scan(session, code, typed=None, now=now)
    if found is None:
        return unknown_code(code)
    if found.verdict in {Verdict.RECALLED, Verdict.BLOCKED}:
        return _see(url_for("scan.page", code=code))
    outcome = _checked(code, found.verdict, now)
    if request.accept_mimetypes.best == "application/json":
        return _as_json(outcome)
    with reading() as session:
        provinces = list_provinces(session) if outcome.checked else []
    page = render_template(
        "traceability/checked.html", code=code, outcome=outcome, provinces=provinces
    )
    response = make_response(page, outcome.status)
    if outcome.wait:
        response.headers["Retry-After"] = str(outcome.wait)
    return response


def _checked(code: str, verdict: Verdict, now: datetime) -> Outcome:
    settings = _settings()
    try:
        with transaction() as session:
            _slow_down(session, "pin", limit=CHECKS_AN_HOUR, seconds=3_600)
            pins.start_check(session, code, now=now)
        with transaction() as session:
            subject = scan_counts.find_subject(session, code)
            serial = serials.find(session, code)
            if subject is None or serial is None:
                raise pins.NoPin(
                    _("This code stands for many packages: it has no number to check.")
                )
            told = pins.check(
                session,
                serial,
                request.form.get("pin", ""),
                secrets=[settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
                now=now,
            )
            _count(session, subject, None)
    except (PinLocked, TooManyTries) as refusal:
        words = str(refusal.message)
        return Outcome("la", _("Not checked"), words, 429, wait=refusal.retry_after)
    except Invalid as refusal:
        words = _("%(why)s Look at the number again. Five wrong ones lock the label for a day.",
                  why=refusal.message)  # fmt: skip
        return Outcome("la", _("The number does not fit"), words, 422, can_try=True)
    except Conflict as refusal:
        return Outcome("la", _("Not checked"), str(refusal.message), 409)
    return _right(told, verdict)


def _right(told: Checked, verdict: Verdict) -> Outcome:
    day = i18n.show_moment(told.first_at)
    if told.times == 1:
        look = "tot" if verdict is Verdict.CIRCULATING else "het"
        words = _(
            "Nobody has checked this number before: first check on %(day)s. Written down with it "
            "from now on.",
            day=day,
        )
        return Outcome(look, _("The number fits, first check"), words, checked=told)
    words = _(
        "This number was first checked on %(day)s, and %(times)s times in all. If the package was "
        "still sealed, the label may have been copied: call the maker.",
        day=day,
        times=told.times,
    )
    return Outcome("het", _("The number fits, but it was checked before"), words, checked=told)


def _as_json(outcome: Outcome) -> Response:
    told = outcome.checked
    body = {
        "fits": told is not None,
        "message": f"{outcome.heading}. {outcome.words}",
        "first_checked_on": vietnam_day(told.first_at).isoformat() if told else None,
        "times": told.times if told else None,
    }
    response = jsonify(body)
    response.status_code = outcome.status
    if outcome.wait:
        response.headers["Retry-After"] = str(outcome.wait)
    return response


@blueprint.get("/truy-xuat/<code>/bao-loi")
@public
def report(code: str) -> Response:
    """Ask what is wrong with the goods of a code."""
    return _report_page(code)


@blueprint.post("/truy-xuat/<code>/bao-loi")
@public
@same_origin_only
@takes_files
def send_report(code: str) -> Response:
    """Send a report to the producer's desk and to staff; nothing of the person is kept."""
    wanted = normalise(TRACE_CODE, code)
    form, now = request.form, utc_now()
    with reading() as session:
        known = is_well_formed(TRACE_CODE, wanted) and scan_counts.find_subject(session, wanted)
    if not known:
        return unknown_code(code)
    try:
        with transaction() as session:
            _slow_down(session, "report", limit=REPORTS_AN_HOUR, seconds=3_600)
        photos = uploaded("photo")
        stored = (
            intake.take_paper(storage(), photos[0], folder="bao-loi", field="photo")
            if photos
            else None
        )
        with transaction() as session:
            problem_reports.send(
                session,
                wanted,
                kind=form.get("kind", ""),
                words=form.get("words", ""),
                photo_key=stored.key if stored else None,
                province_code=scan_counts.find_province(session, form.get("province_code", "")),
                now=now,
            )
    except TooManyTries as refusal:
        return refusal_page(refusal)
    except Invalid as refusal:
        return _report_page(wanted, refusal)
    return _see(url_for("scan_acts.report", code=wanted, xong="bao-loi"))


def _report_page(code: str, refusal: Invalid | None = None) -> Response:
    wanted = normalise(TRACE_CODE, code)
    if not is_well_formed(TRACE_CODE, wanted):
        return unknown_page(
            code, reason=_("A code has 11 letters and digits. One seems to be mistyped.")
        )
    with reading() as session:
        known = scan_counts.find_subject(session, wanted)
        provinces = list_provinces(session)
    if known is None:
        return unknown_code(wanted)
    page = render_template(
        "traceability/report.html",
        code=wanted,
        kinds=PROBLEM_NAMES,
        provinces=provinces,
        form=request.form if refusal else {},
        refusal=refusal,
        told=request.args.get("xong"),
    )
    return make_response(page, 422 if refusal else 200)


def _count(session: Session, subject: Subject, province: str | None) -> None:
    scan_counts.count(
        session,
        subject,
        address=request.remote_addr or "",
        agent=request.user_agent.string,
        province=province,
        now=utc_now(),
    )


def _slow_down(session: Session, what: str, *, limit: int, seconds: int) -> None:
    network = throttle.network_of(_settings().SECRET_KEY, request.remote_addr)
    throttle.allow(session, f"scan:{what}:{network}", limit=limit, seconds=seconds, now=utc_now())


def _code() -> str | None:
    """Return the code that was sent, written as it is printed, or None if it can be none."""
    code = normalise(TRACE_CODE, request.form.get("id", ""))
    return code if is_well_formed(TRACE_CODE, code) else None


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _see(place: str) -> Response:
    return make_response(redirect(place, 303))
