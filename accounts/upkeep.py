"""What staff do for the background work: look at it, and start again what gave up."""

from datetime import datetime

from sqlalchemy.orm import Session

from accounts import audit
from accounts.audit import Actor
from core import tasks
from core.i18n import lazy as _

RESTARTED = "task.restarted"
audit.describe({RESTARTED: _("started background work again")})


def restart(session: Session, task_id: int, *, actor: Actor, now: datetime) -> None:
    """Start a dead task again from its first try, and write down who did; or raise NotDead."""
    tasks.replay(session, task_id, now=now)
    kind = tasks.get_task(session, task_id).kind
    audit.record(session, actor, RESTARTED, f"task:{task_id}", now=now, kind=kind)
