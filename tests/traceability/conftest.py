"""It is noon of 25 November 2026 in every claim about scans."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine

from core.settings import Settings
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def signing(settings: Settings) -> Settings:
    """Settings with a log key that is always the same."""
    return replace(settings, LOG_ORIGIN="chophien.example/log")
