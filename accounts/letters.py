"""The mails of an account. Whoever has no e-mail address gets none."""

from datetime import datetime

from sqlalchemy.orm import Session

from accounts.users import User
from core import mail
from core.i18n import lazy as _


def send_reset_link(session: Session, user: User, address: str, *, now: datetime) -> None:
    """Leave a mail with the one-time link `address` to set a new password."""
    _send(
        session,
        user,
        subject=_("Set a new password at Chợ Phiên"),
        body=_(
            "Somebody, probably the owner of this account, asked for a new password.\n\n"
            "Open this link within 30 minutes; it works once:\n%(address)s\n\n"
            "Whoever did not ask can leave this mail alone: the old password stays.",
            address=address,
        ),
        now=now,
    )


def send_password_changed(session: Session, user: User, *, now: datetime) -> None:
    """Leave a mail saying that the password was changed."""
    _send(
        session,
        user,
        subject=_("The password at Chợ Phiên was changed"),
        body=_(
            "The password of this account has just been changed, and every other device has been "
            "logged out.\n\nIf it was somebody else: ask for a new password at once and call us."
        ),
        now=now,
    )


def send_email_changed(session: Session, user: User, *, now: datetime) -> None:
    """Tell the address the account had until now that another one takes its place."""
    _send(
        session,
        user,
        subject=_("The e-mail of an account at Chợ Phiên was changed"),
        body=_(
            "From now on another e-mail address belongs to this account, and this one no longer "
            "does.\n\nIf it was somebody else: call us at once."
        ),
        now=now,
    )


def _send(session: Session, user: User, *, subject: object, body: object, now: datetime) -> None:
    if user.email:
        mail.queue_mail(session, to=user.email, subject=str(subject), body=str(body), now=now)
