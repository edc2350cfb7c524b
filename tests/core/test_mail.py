"""Mail: sent after the fact it speaks of, never lost, never a door into other people's headers."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from core import mail, tasks
from core.db import Database
from core.settings import Settings
from core.storage import FolderStorage
from core.tasks import Task, TaskState
from core.worker import Runner
from tests.conftest import NOON
from tests.core.test_tasks import Clock
from tests.postgres import free_port


class PostOffice:
    """What a mail server got, and what it answers."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.to_answer = "250 OK"
        self.got: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Take or refuse one receiver."""
        if self.to_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_answer

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802
        """Take or refuse the mail."""
        if self.answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.got.append(message)
        return self.answer


@pytest.fixture
def post_office() -> PostOffice:
    return PostOffice()


@pytest.fixture
def mail_url(post_office: PostOffice) -> Iterator[str]:
    controller = Controller(post_office, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
def runner(database: Database, settings: Settings, mail_url: str, tmp_path: Path) -> Runner:
    return Runner(
        database=database,
        settings=replace(settings, MAIL_URL=mail_url),
        storage=FolderStorage(tmp_path),
        handlers={mail.KIND: mail.send},
        clock=Clock(),
    )


def queue(database: Database, **given: str) -> None:
    values = {"to": "hoa@example.vn", "subject": "Đơn K7-2M9P đã gửi", "body": "Xin chào chị Hoa."}
    with database.transaction() as session:
        mail.queue_mail(session, now=NOON, **{**values, **given})


def only_task(database: Database) -> Task:
    with database.reading() as session:
        found = [t for state in TaskState for t in tasks.list_tasks(session, state)]
    assert len(found) == 1
    return found[0]


def test_a_mail_arrives_as_written(
    database: Database, runner: Runner, post_office: PostOffice
) -> None:
    queue(database)

    runner.run_due()

    (message,) = post_office.got
    assert message["To"] == "hoa@example.vn"
    assert message["From"] == "Chợ Phiên <no-reply@localhost>"
    assert message["Subject"] == "Đơn K7-2M9P đã gửi"
    assert message["Date"].datetime == NOON
    assert message.get_content().strip() == "Xin chào chị Hoa."
    assert only_task(database).state is TaskState.DONE


def test_the_same_mail_is_wanted_only_once(
    database: Database, runner: Runner, post_office: PostOffice
) -> None:
    queue(database, key="order:1:sent")
    queue(database, key="order:1:sent")

    runner.run_due()

    assert len(post_office.got) == 1


@pytest.mark.parametrize("answer", ["451 hộp thư đầy", "554 từ chối"])
def test_a_refused_mail_is_tried_again_under_the_same_name(
    database: Database, runner: Runner, post_office: PostOffice, answer: str
) -> None:
    queue(database)
    post_office.answer = answer.encode("ascii", "replace").decode()
    runner.run_due()
    failed = only_task(database)
    first_name = mail.compose(runner._work(failed))["Message-ID"]

    post_office.answer = "250 OK"
    runner.clock.move(minutes=2)  # type: ignore[attr-defined]
    runner.run_due()

    assert failed.state is TaskState.DUE
    assert str(failed.last_error).startswith("MailRefused")
    assert [message["Message-ID"] for message in post_office.got] == [first_name]
    assert only_task(database).state is TaskState.DONE


def test_an_address_that_does_not_exist_waits_for_a_person(
    database: Database, runner: Runner, post_office: PostOffice
) -> None:
    queue(database)
    post_office.to_answer = "550 no such user"

    runner.run_due()

    assert only_task(database).state is TaskState.DEAD


def test_a_full_mailbox_is_tried_again(
    database: Database, runner: Runner, post_office: PostOffice
) -> None:
    queue(database)
    post_office.to_answer = "452 full"

    runner.run_due()

    assert only_task(database).state is TaskState.DUE


def test_a_server_that_is_away_loses_nothing(database: Database, runner: Runner) -> None:
    runner.settings = replace(runner.settings, MAIL_URL=f"smtp://127.0.0.1:{free_port()}")
    queue(database)

    runner.run_due()

    assert only_task(database).state is TaskState.DUE


@pytest.mark.parametrize("says", [b"", b"2"], ids=["says nothing", "drips letters"])
def test_a_server_that_hangs_is_left_in_time(
    database: Database, runner: Runner, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(mail, "STEP_SECONDS", 0.5)
    monkeypatch.setattr(mail, "TOTAL_SECONDS", 1.0)
    with hanging_server(says) as port:
        runner.settings = replace(runner.settings, MAIL_URL=f"smtp://127.0.0.1:{port}")
        queue(database)

        runner.run_due()

    assert only_task(database).state is TaskState.DUE
    assert str(only_task(database).last_error).startswith("MailRefused")


@pytest.mark.parametrize(
    "address",
    ["hoa@example.vn\nBcc: all@example.vn", "a@b", "hoa", "", "hoa@x.vn, lan@x.vn", "<hoa@x.vn>"],
)
def test_what_is_no_single_address_is_refused(database: Database, address: str) -> None:
    with pytest.raises(mail.WrongAddress):
        queue(database, to=address)


def test_a_subject_cannot_carry_a_second_header(
    database: Database, runner: Runner, post_office: PostOffice
) -> None:
    queue(database, subject="Chào\r\nBcc: all@example.vn")

    runner.run_due()

    (message,) = post_office.got
    assert message["Bcc"] is None
    assert message["Subject"] == "Chào Bcc: all@example.vn"


def test_without_a_mail_server_the_mail_is_shown_in_the_log(
    database: Database, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    runner.settings = replace(runner.settings, MAIL_URL="")
    queue(database)

    with caplog.at_level("INFO"):
        runner.run_due()

    (shown,) = [r for r in caplog.records if r.name == "core.mail"]
    assert shown.facts["body"] == "Xin chào chị Hoa."  # type: ignore[attr-defined]
    assert only_task(database).state is TaskState.DONE


class hanging_server:  # noqa: N801 - used as `with hanging_server(…)`
    """A port that accepts and then says the same letter again and again, or nothing."""

    def __init__(self, says: bytes) -> None:
        self._says = says
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        caller, _address = self._socket.accept()
        with caller:
            while not self._over.wait(0.1):
                try:
                    caller.send(self._says)
                except OSError:
                    return
