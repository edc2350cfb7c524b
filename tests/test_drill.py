"""The kill loop keeps what it promises, and fails on a shop that does not."""

import re
from collections import Counter

import pytest

from core.db import Database
from drill.judging import Evidence, judge
from drill.notes import Notes
from drill.plan import Fault, faults_of, plan
from drill.planted import PLANTED
from drill.running import Run, drill

TRIES = 3
pytestmark = pytest.mark.timeout(420)
# Planted together where neither hides the other; each has to show its own sign.
TOGETHER = (
    {
        "stock-is-read-then-written": "reserved is the sum of holds",
        "money-is-taken-each-time": "money of order .* happened 2 times",
        "mails-are-ticked-before-they-leave": "counts as sent and never came",
    },
    {
        "forms-sent-again-order-again": "one form became",
        "mails-leave-inside-the-transaction": "a mail speaks of order",
        "holds-end-unasked": "an order follows its parts",
    },
    {
        "answers-come-before-the-commit": "was confirmed and (is gone|happened 0 times)",
        "holds-are-kept-without-the-order": "every hold has one owner",
    },
)


@pytest.mark.parametrize(("database", "seconds"), [("postgresql", 10), ("sqlite", 6)])
def test_what_was_answered_is_kept_whatever_is_killed(database: str, seconds: float) -> None:
    for seed in range(TRIES):
        verdict = drill(Run(seed, seconds, database))
        assert verdict.faults == []
        if not verdict.too_weak:
            break

    assert verdict.too_weak == []
    assert verdict.counted["orders"] > 0


@pytest.mark.parametrize("signs", TOGETHER, ids=[", ".join(signs) for signs in TOGETHER])
def test_a_shop_with_a_planted_fault_fails(signs: dict[str, str]) -> None:
    told = ""
    for seed in range(TRIES):
        # Longer each time: on a busy machine little happens in a second.
        told += "\n".join(drill(Run(seed, 4 + 4 * seed, planted=tuple(signs))).faults)
        unseen = {name for name, sign in signs.items() if not re.search(sign, told)}
        if not unseen:
            break

    assert unseen == set()


def test_every_planted_fault_is_tried() -> None:
    assert {name for signs in TOGETHER for name in signs} == PLANTED.keys()


def test_a_run_in_which_nothing_happened_does_not_pass(database: Database) -> None:
    nothing = Evidence(
        Notes(),
        [],
        Counter(),
        faults_of("sqlite"),
        0,
        started_in=1.0,
        recovered_in=1.0,
        audit='{"faults": []}',
    )

    verdict = judge(database, nothing)

    assert verdict.faults == []
    assert verdict.too_weak != []
    assert not verdict.passed


def test_the_same_seed_gives_the_same_plan() -> None:
    faults = faults_of("postgresql")

    assert plan(7, 20, faults) == plan(7, 20, faults)
    assert plan(7, 20, faults) != plan(8, 20, faults)
    assert {blow.fault for blow in plan(7, 1, faults)} == set(Fault)
