"""Staff: background work, what gave up, and the button that starts it again."""

from typing import cast

from flask import Blueprint, Response, redirect, render_template, url_for

from accounts import upkeep
from accounts.audit import Actor
from accounts.login import SignedIn, signed_in, staff_required
from core import schedules, tasks
from core.clock import utc_now
from core.tasks import TaskState
from core.web.requests import reading, transaction

blueprint = Blueprint("tasks", __name__, url_prefix="/quan-tri/viec-nen")
SHOWN = 50


@blueprint.get("")
@staff_required
def index() -> str:
    """Show what gave up, what waits, what was done lately, and what runs by the clock."""
    with reading() as session:
        lists = {
            state.value: tasks.list_tasks(session, state, limit=SHOWN)
            for state in (TaskState.DEAD, TaskState.DUE, TaskState.DONE)
        }
        counts = tasks.count_waiting(session, now=utc_now())
        clockwork = schedules.list_schedules(session)
    return render_template("accounts/tasks.html", lists=lists, counts=counts, schedules=clockwork)


@blueprint.post("/<int:task_id>/chay-lai")
@staff_required
def restart(task_id: int) -> Response:
    """Start a task that gave up again."""
    person = cast("SignedIn", signed_in())
    with transaction() as session:
        upkeep.restart(session, task_id, actor=Actor(person.user_id, person.name), now=utc_now())
    return cast("Response", redirect(url_for("tasks.index"), 303))
