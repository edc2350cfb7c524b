"""The processes of the drilled shop: started as they always are, killed as nobody expects."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.settings import ROOT
from tests.postgres import children_of

PROGRAMS = Path(sys.executable).parent
SECRET = "drill-only-0123456789-abcdefghijklmnopqrs"  # noqa: S105 - guards nothing
WEB_PROCESSES = 2
LONGEST_END = 15


@dataclass
class Process:
    """One program of the shop, with everything it starts itself."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    running: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Start it; it need not answer yet."""
        with self.log.open("ab") as lines:
            self.running = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=lines, stderr=lines
            )

    @property
    def has_ended(self) -> bool:
        """Say whether it ended by itself, or was never started."""
        return self.running is None or self.running.poll() is not None

    def kill(self) -> None:
        """Kill it and its children, at once and without a word."""
        if self.running is None:
            return
        # A parent that is awake would start its children again while they are looked for.
        with suppress(ProcessLookupError):
            os.kill(self.running.pid, signal.SIGSTOP)
        for pid in children_of(self.running.pid):
            _kill(pid)
        self.running.kill()
        self.running.wait(LONGEST_END)
        self.running = None

    def kill_one_child(self, chance: random.Random) -> bool:
        """Kill one of the processes it started; say whether there was one."""
        family = sorted(children_of(self.running.pid)) if self.running else []
        return bool(family) and _kill(chance.choice(family))

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.running is None:
            return
        self.running.terminate()
        try:
            self.running.wait(LONGEST_END)
        except subprocess.TimeoutExpired:
            self.kill()
        self.running = None


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def environment(
    folder: Path, *, port: int, address: str, database_url: str, mail_url: str
) -> dict[str, str]:
    """Return the environment of every process of the shop."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
        "PUBLIC_URL": address,
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET,
        "STORAGE_DIR": str(folder / "storage"),
        "MAIL_URL": mail_url,
        "WEB_PROCESSES": str(WEB_PROCESSES),
        "WEB_THREADS": "8",
        "PAGE_CACHE_SECONDS": "0",
        "EMBEDDED_WORKER": "0",
        "LOG_LEVEL": "WARNING",
    }


def web_command(planted: Sequence[str]) -> list[str]:
    """Return how the web server is started: as always, or with faults planted in it."""
    if planted:
        return [sys.executable, "-m", "drill.planted", "web", *planted]
    return [str(PROGRAMS / "gunicorn"), "wsgi:create_app()"]


def worker_command(planted: Sequence[str]) -> list[str]:
    """Return how the background worker is started."""
    if planted:
        return [sys.executable, "-m", "drill.planted", "worker", *planted]
    return [str(PROGRAMS / "flask"), "worker"]


def audit(given: dict[str, str]) -> str:
    """Run `flask audit` and return the JSON it printed, or why it did not run."""
    done = subprocess.run(
        [PROGRAMS / "flask", "audit", "--json"],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout or done.stderr[-1_000:]
