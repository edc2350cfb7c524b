"""It is noon of 25 November 2026 in every claim about scans."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.conftest import NOON


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=True):
        yield
