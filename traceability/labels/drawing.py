"""Draws a run in the background: parts already stored stay, only what is missing is drawn again.

A run that a person stops is left within a part, and its parts are thrown away.
"""

import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from sqlalchemy.orm import Session

from core.errors import Refusal
from core.i18n import speaking
from core.storage import PRIVATE
from core.tasks import Work
from traceability import serials
from traceability.labels import files, runs
from traceability.labels.content import content_of
from traceability.labels.geometry import Sheet
from traceability.labels.printing import Form, Print, plan
from traceability.labels.runs import LabelRun, RunState

FOLDER = f"{PRIVATE}tem"


def run(work: Work) -> None:
    """Draw one run and keep its file, unless it is stopped; one that cannot be drawn says why."""
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
    keys: list[str] = []
    for key, done in _stored_parts(work, job, form, folder):
        keys.append(key)
        with work.database.transaction() as session:
            goes_on = runs.advance(session, run_id, pages_done=done)
        if not goes_on:
            _delete(work, keys)
            return
    file_key = f"{folder}.{files.ending(job, form)}"
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / "tem"
        files.bind(job, form, (work.storage.read(key) for key in keys), path)
        work.storage.put_file(file_key, path)
    with work.finishing() as session:
        kept = runs.advance(
            session,
            run_id,
            state=RunState.DONE,
            finished_at=work.clock(),
            file_key=file_key,
            stars=job.content.stars,
        )
    _delete(work, keys if kept else [*keys, file_key])


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


def _stored_parts(work: Work, job: Print, form: Form, folder: str) -> Iterator[tuple[str, int]]:
    """Store every part that is not there yet; give its key and how many pages are done with it."""
    for number, part in enumerate(files.parts_of(job, form)):
        key = f"{folder}/{number:05d}.phan"
        if not work.storage.exists(key):
            work.storage.put(key, files.draw_part(job, form, part))
        yield key, part.stop


def _delete(work: Work, keys: list[str]) -> None:
    for key in keys:
        work.storage.delete(key)


def _fingerprint(job: Print) -> str:
    """Return a name for what the labels look like: parts of another look are not theirs."""
    looks = (job.content, job.sheet, job.layout, job.base, job.level, job.count, job.first)
    return sha256(repr(looks).encode()).hexdigest()[:16]
