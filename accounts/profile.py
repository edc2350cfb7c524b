"""What a person says about themselves: the name, the e-mail; and whether the phone is proved."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from accounts import audit, letters, users
from accounts.audit import Actor
from accounts.users import BadLoginName, LoginNameTaken, User
from core.errors import Conflict
from core.i18n import lazy as _

audit.describe(
    {
        "user.email_changed": _("changed the e-mail of an account"),
        "user.phone_proved": _("confirmed the phone number of an account"),
    }
)


class NoPhone(Conflict):
    """There is no phone number to prove."""


def rename(session: Session, user: User, name: str) -> None:
    """Give the account another name. Raises BadName; orders keep the name they were given."""
    user.name = users.clean_name(name)
    session.flush()


def change_email(session: Session, user: User, email: str, *, actor: Actor, now: datetime) -> None:
    """Let this address be the account's; the old address is told. The same one changes nothing.

    The caller has just proved the password: whoever owns the address can set a new one.
    Raises BadLoginName or LoginNameTaken, both for field "email".
    """
    try:
        wanted = users.parse_login(email).email
    except BadLoginName as error:
        raise BadLoginName(error.message, field="email") from error
    if wanted is None:
        raise BadLoginName(
            _("This e-mail address is not complete, for example lan@vidu.vn."), field="email"
        )
    if wanted == user.email:
        return
    letters.send_email_changed(session, user, now=now)
    try:
        with session.begin_nested():
            user.email = wanted
            session.flush()
    except IntegrityError as error:
        session.refresh(user)
        raise LoginNameTaken(
            _("Another account uses this e-mail address."), field="email"
        ) from error
    audit.record(session, actor, "user.email_changed", f"user:{user.id}", now=now)


def prove_phone(session: Session, user: User, *, actor: Actor, now: datetime) -> None:
    """Note that staff reached this person under the account's phone; the first time counts.

    Raises NoPhone.
    """
    if user.phone is None:
        raise NoPhone(_("This account has no phone number."))
    proved = session.scalar(
        update(User)
        .where(User.id == user.id, User.phone_proved_at.is_(None))
        .values(phone_proved_at=now)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(user)
    if proved is not None:
        audit.record(session, actor, "user.phone_proved", f"user:{user.id}", now=now)
