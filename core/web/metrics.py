"""What Prometheus may read: requests by route, waiting work, the version. Nothing about people."""

import os
import tomllib
from collections.abc import Callable, Iterator
from typing import cast

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from core import tasks
from core.clock import utc_now
from core.db import Database
from core.settings import ROOT
from core.web.logs import seconds_so_far, template_of_request

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one app; with several processes they are added up through files."""

    def __init__(self, database: Callable[[], Database], version: str) -> None:
        self._own = CollectorRegistry()
        self.requests = Counter(
            "shop_requests", "Requests answered", ["route", "status"], registry=self._own
        )
        self.seconds = Histogram(
            "shop_request_seconds",
            "Time until the answer began",
            ["route"],
            buckets=BUCKETS,
            registry=self._own,
        )
        self._waiting = _Waiting(database, version)

    def page(self) -> bytes:
        """Return every number in Prometheus' text form."""
        registry = self._own
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        waiting = CollectorRegistry()
        waiting.register(self._waiting)
        return generate_latest(registry) + generate_latest(waiting)


class _Waiting(Collector):
    """Counts the waiting work when asked, not before."""

    def __init__(self, database: Callable[[], Database], version: str) -> None:
        self._database = database
        self._version = version

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the numbers of now."""
        build = GaugeMetricFamily("shop_build", "The running version", labels=["version"])
        build.add_metric([self._version], 1)
        yield build
        with self._database().reading() as session:
            counts = tasks.count_waiting(session, now=utc_now())
        waiting = GaugeMetricFamily(
            "shop_tasks", "Background work that is not done", labels=["state"]
        )
        for state, count in counts.items():
            waiting.add_metric([state], count)
        yield waiting


def install(app: Flask) -> None:
    """Count every request of this app."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    metrics = Metrics(lambda: app.extensions["database"], project["version"])
    app.extensions["metrics"] = metrics
    app.after_request(lambda response: _count(metrics, response))


def answer(app: Flask) -> Response:
    """Return the page of numbers."""
    metrics = cast("Metrics", app.extensions["metrics"])
    return Response(metrics.page(), content_type=CONTENT_TYPE_LATEST)


def _count(metrics: Metrics, response: Response) -> Response:
    route = template_of_request() if request.url_rule is not None else "(none)"
    metrics.requests.labels(route, str(response.status_code)).inc()
    metrics.seconds.labels(route).observe(seconds_so_far())
    return response
