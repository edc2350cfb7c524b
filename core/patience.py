"""A PostgreSQL connection that does not wait for ever.

A frozen server takes our bytes and answers nothing: its own statement_timeout does not run, and
keepalives are answered by its kernel. Only a clock on our side ends such a wait.
"""

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """The server took our question and did not answer in time; the connection is closed."""


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection whose every wait ends after `patience` seconds; None waits as long as it takes.

    Beyond the server's own time limit, so that a server that is well answers first.
    """

    patience: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for one answer of the server, or close the connection and raise NoAnswer."""
        if timeout is not None or self.patience is None:
            return super().wait(gen, interval, timeout)
        begun = monotonic()
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError as error:
            if monotonic() - begun < self.patience:
                raise
            # It may still answer, to a question that nobody remembers.
            self.pgconn.finish()
            raise NoAnswer(f"no answer within {self.patience} seconds") from error
