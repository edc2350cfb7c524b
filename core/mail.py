"""Mail leaves through the outbox: written with the order it speaks of, sent after, never lost.

A mail may arrive twice if the shop dies between the server's yes and ours; both copies carry the
same Message-ID, by which mail programs recognise them.
"""

import logging
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy.orm import Session

from core import tasks
from core.errors import Invalid
from core.i18n import lazy
from core.settings import Settings
from core.tasks import Hopeless, Work

log = logging.getLogger(__name__)
KIND = "mail.send"
STEP_SECONDS = 5.0
TOTAL_SECONDS = 20.0
LONGEST_ADDRESS = 254
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PART = r"[^\s@<>()\[\],;:\"\\]"
_ADDRESS = re.compile(rf"{_PART}{{1,64}}@{_PART}+\.{_PART}+")


class WrongAddress(Invalid):
    """This cannot be an e-mail address."""


class MailRefused(Exception):  # noqa: N818 - what the mail server did
    """The mail server did not take the mail now; it is tried again later."""


def queue_mail(
    session: Session, *, to: str, subject: str, body: str, now: datetime, key: str | None = None
) -> None:
    """Leave a mail that is sent after this transaction is kept; the same `key` sends only once."""
    payload = {"to": checked_address(to), "subject": " ".join(subject.split()), "body": body}
    tasks.enqueue(session, KIND, payload, now=now, key=key and f"mail:{key}")


def checked_address(text: str, *, field: str | None = None) -> str:
    """Return the address without blanks around it, or raise WrongAddress."""
    address = text.strip()
    fits = len(address) <= LONGEST_ADDRESS and address.isprintable()
    if not fits or not _ADDRESS.fullmatch(address):
        raise WrongAddress(
            lazy("This is not an e-mail address. It looks like ten@gmail.com."), field=field
        )
    return address


def send(work: Work) -> None:
    """Send the mail of this task: over MAIL_URL, or into the log where there is none."""
    message = compose(work)
    if not work.settings.MAIL_URL:
        log.info(
            "mail (MAIL_URL is empty, so it is only shown here)",
            extra={"facts": {k: work.payload[k] for k in ("to", "subject", "body")}},
        )
        return
    _hand_to_server(message, work.settings)


def compose(work: Work) -> EmailMessage:
    """Return the message; the same for every attempt at this task."""
    name, sender = parseaddr(work.settings.MAIL_FROM)
    host = sender.partition("@")[2] or "localhost"
    mark = sha256(f"{work.settings.PUBLIC_URL} {work.task_id}".encode()).hexdigest()[:32]
    message = EmailMessage(policy=SMTP.clone(utf8=False))
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = work.payload["to"]
    message["Subject"] = work.payload["subject"]
    message["Message-ID"] = f"<{mark}@{host}>"
    message["Date"] = format_datetime(work.clock())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(work.payload["body"])
    return message


def _hand_to_server(message: EmailMessage, settings: Settings) -> None:
    url = urlsplit(settings.MAIL_URL)
    try:
        with _connected(url, local_name=urlsplit(settings.PUBLIC_URL).hostname) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        # 550 and its like are for ever: the address does not exist.
        if all(code >= 500 for code in codes):  # noqa: PLR2004
            raise Hopeless(f"the server refuses this address for ever: {codes}") from error
        raise MailRefused(f"the server refuses this address for now: {codes}") from error
    except (OSError, smtplib.SMTPException, ValueError, AttributeError) as error:
        # The last two are what a TLS socket raises when the time limit cuts it in mid-sentence.
        raise MailRefused(f"{type(error).__name__}: {error}") from error


@contextmanager
def _connected(url: SplitResult, *, local_name: str | None) -> Iterator[smtplib.SMTP]:
    """Give a connected, logged-in server; everything together takes at most TOTAL_SECONDS."""
    host, tls = url.hostname or "localhost", ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(timeout=STEP_SECONDS, context=tls, local_hostname=local_name)
        if url.scheme == "smtps"
        else smtplib.SMTP(timeout=STEP_SECONDS, local_hostname=local_name)
    )
    # smtplib limits each read only: a server that drips one letter a second would hold us for ever.
    cut = threading.Timer(TOTAL_SECONDS, _cut, [server])
    cut.daemon = True
    cut.start()
    try:
        server._host = host  # type: ignore[attr-defined]  # noqa: SLF001 - TLS checks this name
        server.connect(host, url.port or (465 if url.scheme == "smtps" else 25))
        server.ehlo()
        if url.scheme == "smtp" and host not in LOOPBACK and server.has_extn("starttls"):
            server.starttls(context=tls)
            server.ehlo()
        elif url.scheme == "smtp" and url.username and host not in LOOPBACK:
            raise MailRefused("the server offers no TLS: the password is not sent in the clear")
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        cut.cancel()
        server.close()


def _cut(server: smtplib.SMTP) -> None:
    if server.sock is not None:
        with suppress(OSError):
            server.sock.shutdown(socket.SHUT_RDWR)
