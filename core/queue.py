"""Growth: where QUEUE_URL names Redis or RabbitMQ, Dramatiq carries task numbers to many workers.

Only numbers travel. The row says whether there is anything to do, so a message that comes twice,
late or never does no harm: what was handed over and not begun in time is handed over again.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import dramatiq
from dramatiq.broker import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError
from dramatiq.message import Message
from redis.exceptions import RedisError

from core import tasks
from core.worker import Runner, Worker, report

QUEUE = "cho-phien"
ACTOR = "run_task"
HANDED = timedelta(minutes=5)
SECONDS = 2.0


class QueueWorker:
    """Executes tasks that come over the queue, and hands over what is due besides."""

    def __init__(self, runner: Runner, *, threads: int = 4) -> None:
        self._broker = broker_for(runner.settings.QUEUE_URL)
        actor = dramatiq.actor(actor_name=ACTOR, queue_name=QUEUE, broker=self._broker)
        actor(_execute(runner))
        self._relay = relay_worker(runner)
        self._worker = dramatiq.Worker(self._broker, worker_threads=threads, worker_timeout=200)

    def start(self) -> None:
        """Begin, and return at once."""
        self._worker.start()
        self._relay.start()

    def stop(self, timeout: float = 8.0) -> bool:
        """Take nothing new and wait for what is running."""
        stopped = self._relay.stop(timeout=1.0)
        self._worker.stop(timeout=int(timeout * 1000))
        _close(self._broker)
        return stopped


class Relay:
    """Hands the numbers of due tasks to the queue."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._broker = broker_for(runner.settings.QUEUE_URL)

    def hand_over(self) -> bool:
        """Send every due number; say whether there was one. Unsent ones are due as before."""
        now = self._runner.clock()
        with self._runner.database.reading() as session:
            if not tasks.any_due(session, now=now):
                return False
        with self._runner.database.transaction() as session:
            numbers = tasks.hand_over(session, now=now, until=now + HANDED)
        sent = 0
        try:
            self._broker.declare_queue(QUEUE)
            for number in numbers:
                self._broker.enqueue(_message(number))
                sent += 1
        except (BrokerConnectionError, RedisError, OSError) as error:
            with self._runner.database.transaction() as session:
                tasks.take_back(session, numbers[sent:])
            report("the queue does not answer", error)
            raise
        return bool(numbers)

    def close(self) -> None:
        """Give the connections back."""
        _close(self._broker)
        self._runner.database.close()


def relay_worker(runner: Runner) -> Worker:
    """Return the thread that hands over what is due and runs the schedules."""
    relay = Relay(runner)
    return Worker(
        lambda: runner.run_one_schedule() or relay.hand_over(),
        renew=runner.renew_leases,
        close=relay.close,
        threads=1,
        renew_every=runner.lease.total_seconds() / 3,
    )


def broker_for(url: str) -> Broker:
    """Return a connection to the queue named by `url`; it is opened at the first use."""
    # No middleware: retries, time limits and results are the table's business.
    if urlsplit(url).scheme.startswith("redis"):
        import redis  # noqa: PLC0415

        client = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        # A dead worker's messages are looked for by one command in twenty, after 15 seconds.
        return RedisBroker(  # type: ignore[no-untyped-call]
            client=client,
            middleware=[],
            namespace=QUEUE,
            heartbeat_timeout=15_000,
            maintenance_chance=50_000,
        )
    return RabbitmqBroker(url=_with_limits(url), middleware=[], confirm_delivery=True)


def reachable(url: str) -> bool:
    """Say within two seconds whether something listens where the queue should be."""
    address = urlsplit(url)
    port = address.port or {"redis": 6379, "rediss": 6379, "amqps": 5671}.get(address.scheme, 5672)
    with suppress(OSError), socket.create_connection((address.hostname or "127.0.0.1", port), 1):
        return True
    return False


def _close(broker: Broker) -> None:
    broker.close()
    if isinstance(broker, RedisBroker):
        broker.client.close()


def _with_limits(url: str) -> str:
    limits = "connection_attempts=1&socket_timeout=2&blocked_connection_timeout=5&heartbeat=30"
    return f"{url}{'&' if urlsplit(url).query else '?'}{limits}"


def _message(number: int) -> Message[None]:
    return Message(queue_name=QUEUE, actor_name=ACTOR, args=(number,), kwargs={}, options={})


def _execute(runner: Runner) -> Callable[[int], None]:
    def run_task(number: int) -> None:
        runner.run_one_task(number)

    return run_task
