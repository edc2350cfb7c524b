"""Draws a run in the background: parts already stored stay, only what is missing is drawn again."""

import tempfile
from hashlib import sha256
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.errors import Refusal
from core.i18n import speaking
from core.storage import PRIVATE
from core.tasks import Work
from traceability import serials
from traceability.labels import files
from traceability.labels.content import content_of
from traceability.labels.geometry import Sheet
from traceability.labels.printing import Form, Print, plan
from traceability.labels.runs import LabelRun, RunState

FOLDER = f"{PRIVATE}tem"


def run(work: Work) -> None:
    """Draw one run and keep its file; a run that cannot be drawn any more says why."""
    run_id = int(work.payload["run_id"])
    now = work.clock()
    try:
        with work.database.transaction() as session:
            asked = session.get_one(LabelRun, run_id)
            if asked.ended:
                return
            asked.state = RunState.DRAWING
            form, job = asked.form, _job(session, asked, work)
    except Refusal as refusal:
        with work.finishing() as session, speaking("vi"):
            refused = session.get_one(LabelRun, run_id)
            refused.state, refused.finished_at = RunState.REFUSED, now
            refused.why = str(refusal.message)
        return
    folder = f"{FOLDER}/{run_id}/{_fingerprint(job)}"
    keys = _store_parts(work, run_id, job, form, folder)
    file_key = f"{folder}.{files.ending(job, form)}"
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / "tem"
        files.bind(job, form, (work.storage.read(key) for key in keys), path)
        work.storage.put_file(file_key, path)
    with work.finishing() as session:
        done = session.get_one(LabelRun, run_id)
        done.state, done.finished_at = RunState.DONE, work.clock()
        done.file_key, done.stars, done.pages_done = file_key, job.content.stars, done.pages
    for key in keys:
        work.storage.delete(key)


def _job(session: Session, asked: LabelRun, work: Work) -> Print:
    numbers = serials.list_of_run(session, asked.serial_run_id) if asked.serial_run_id else None
    return plan(
        content_of(session, asked.lot_id, now=work.clock()),
        Sheet(**asked.sheet),
        base=work.settings.PUBLIC_URL,
        count=asked.count,
        level="Q" if asked.level == "Q" else "M",
        first=asked.first,
        serials=numbers,
    )


def _store_parts(work: Work, run_id: int, job: Print, form: Form, folder: str) -> list[str]:
    """Store every part that is not there yet, telling how far it is; return their keys."""
    keys: list[str] = []
    for number, part in enumerate(files.parts_of(job, form)):
        key = f"{folder}/{number:05d}.phan"
        if not work.storage.exists(key):
            work.storage.put(key, files.draw_part(job, form, part))
        keys.append(key)
        with work.database.transaction() as session:
            session.execute(
                update(LabelRun).where(LabelRun.id == run_id).values(pages_done=part.stop)
            )
    return keys


def _fingerprint(job: Print) -> str:
    """Return a name for what the labels look like: parts of another look are not theirs."""
    looks = (job.content, job.sheet, job.layout, job.base, job.level, job.count, job.first)
    return sha256(repr(looks).encode()).hexdigest()[:16]
