"""How gunicorn serves the shop: `gunicorn` in this folder needs no options."""

import os
import shutil

from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from core.settings import ROOT, load
from core.web.background import embedded_worker

_settings = load()

wsgi_app = "wsgi:create_app()"
bind = [f"127.0.0.1:{_settings.PORT}"]
workers = _settings.WEB_PROCESSES
worker_class = "gthread"
threads = _settings.WEB_THREADS
timeout = 30
graceful_timeout = 8
keepalive = 5
# Renewing the only process would leave moments without one.
max_requests = 5_000 if workers > 1 else 0
max_requests_jitter = 500
limit_request_line = 4094
limit_request_fields = 64
# What a proxy says is for TRUSTED_PROXIES alone. gunicorn would believe any header that passes
# through a proxy on this machine, also SCRIPT_NAME and PATH_INFO: one page at another's address.
forwarded_allow_ips = ""
forwarder_headers = ""
# Two shops of one account would meet at the same socket in the home folder.
control_socket_disable = True
# The shop writes its own line per request, without addresses and queries.
accesslog = None
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "core.logs.JsonLines"}},
    "filters": {"nobody": {"()": "core.logs.NobodyNamed"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": _settings.LOG_LEVEL},
    "loggers": {
        "gunicorn.error": {
            "handlers": ["stderr"],
            "filters": ["nobody"],
            "level": "INFO",
            "propagate": False,
        },
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}

if workers > 1:
    # The numbers of several processes are added up through files; old ones are of another run.
    _numbers = ROOT / "var" / f"metrics-{_settings.PORT}"
    shutil.rmtree(_numbers, ignore_errors=True)
    _numbers.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_numbers)


def post_worker_init(worker: ThreadWorker) -> None:
    """Start background work inside this web process, once the shop is loaded in it."""
    running = embedded_worker(worker.wsgi)
    worker.wsgi.extensions["worker"] = running
    if running is not None:
        running.start()


def child_exit(_server: Arbiter, worker: ThreadWorker) -> None:
    """Drop what only counted for a process that is gone."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(worker.pid)


def worker_exit(_server: Arbiter, worker: ThreadWorker) -> None:
    """Let running tasks end; what does not end in time is done again after its lease."""
    running = getattr(worker, "wsgi", None) and worker.wsgi.extensions.get("worker")
    if running is not None:
        running.stop(timeout=3)
