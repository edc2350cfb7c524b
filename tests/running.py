"""The shop as `./manage run` starts it: a process of its own, a free port, a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from core.settings import ROOT
from tests.conftest import LOG_KEY, SECRET
from tests.postgres import free_port
from tests.servers import wait_until

PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class RunningShop:
    """A shop that answers at `address`; `flask()` speaks to the same database."""

    address: str
    port: int
    environment: dict[str, str]
    log: Path

    def flask(self, *arguments: str) -> str:
        """Run a command of the shop and return what it printed."""
        done = subprocess.run(
            [PROGRAMS / "flask", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"flask {' '.join(arguments)}: {done.stderr[-2000:]}"
        return done.stdout

    def load_demo(self) -> dict[str, Any]:
        """Load the demo village and return what it offers."""
        offers: dict[str, Any] = json.loads(self.flask("demo", "load", "--json"))
        return offers


@contextmanager
def running_shop(
    folder: Path, *, database_url: str | None = None, **settings: str
) -> Iterator[RunningShop]:
    """Start the shop on a new database brought up by its migrations; end it after."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    database_url = database_url or f"sqlite:///{folder}/shop.db"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PORT": str(port),
        "PUBLIC_URL": address,
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET,
        "LOG_KEY": LOG_KEY,
        "STORAGE_DIR": str(folder / "storage"),
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    log = folder / "shop.log"
    shop = RunningShop(address, port, environment, log)
    shop.flask("db", "upgrade")
    with log.open("wb") as lines:
        server = subprocess.Popen(
            [PROGRAMS / "gunicorn", "wsgi:create_app()"],
            cwd=ROOT,
            env=environment,
            stdout=lines,
            stderr=lines,
        )
    try:
        wait_until(lambda: server.poll() is not None or _answers(address), 60)
        assert server.poll() is None, log.read_text()[-3000:]
        yield shop
    finally:
        server.terminate()
        server.wait(20)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 - our own server
            return True
    except (URLError, TimeoutError, ConnectionError):
        return False
