"""`flask worker` and `flask backup …`."""

import signal
import threading

import click
from flask import current_app
from flask.cli import with_appcontext

from core.web.background import runner_for, standalone_worker


@click.command("worker")
@click.option("--once", is_flag=True, help="Run what is due now, then end.")
@click.option("--threads", default=2, show_default=True, help="Tasks at the same time.")
@with_appcontext
def worker(*, once: bool, threads: int) -> None:
    """Run due background work until SIGTERM or Ctrl-C; any number of these may run."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if once:
        click.echo(f"ran {runner_for(app).run_due()}")
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    running = standalone_worker(app, threads=threads)
    running.start()
    stopping.wait()
    running.stop()
