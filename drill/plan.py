"""What is done to the shop, and when: decided before the start, by the seed alone."""

import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass

FIRST_AT = 1.0
PAUSES = (0.2, 0.7)


class Fault(enum.StrEnum):
    """One way in which a shop is hurt."""

    WEB = "web"
    WORKER = "worker"
    DATABASE = "database"
    CONNECTION = "connection"
    CUT = "cut"
    COMMIT = "commit"
    CLIENTS = "clients"
    TIME = "time"


TOLD = {
    Fault.WEB: "a web process killed",
    Fault.WORKER: "the background worker killed",
    Fault.DATABASE: "the database server killed",
    Fault.CONNECTION: "one process of the database killed, which ends all its connections",
    Fault.CUT: "every wire between shop and database cut",
    Fault.COMMIT: "the answer to a COMMIT lost",
    Fault.CLIENTS: "every wire between clients and shop cut",
    Fault.TIME: "hours pass: what was held runs out, the background work is due",
}
ON_EVERY_DATABASE = (Fault.WEB, Fault.WORKER, Fault.CLIENTS, Fault.TIME)
ON_A_SERVER = (Fault.DATABASE, Fault.CONNECTION, Fault.CUT, Fault.COMMIT)
# What costs the shop seconds comes seldom, so that there are orders to lose in between.
OFTEN = {Fault.COMMIT: 6, Fault.TIME: 4, Fault.CLIENTS: 2, Fault.CUT: 2, Fault.WORKER: 3}


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault at one moment, in seconds after the start."""

    at: float
    fault: Fault


def faults_of(database: str) -> tuple[Fault, ...]:
    """Return what can happen to a shop on this kind of database."""
    return ON_EVERY_DATABASE if database == "sqlite" else (*ON_EVERY_DATABASE, *ON_A_SERVER)


def plan(seed: int, seconds: float, faults: Sequence[Fault]) -> list[Blow]:
    """Return the blows of a run: each fault once at least, then the cheap ones more often."""
    chance = random.Random(f"plan/{seed}")
    once = list(faults)
    chance.shuffle(once)
    weights = [OFTEN.get(fault, 1) for fault in faults]
    blows: list[Blow] = []
    at = FIRST_AT
    while at < seconds or once:
        fault = once.pop() if once else chance.choices(faults, weights)[0]
        blows.append(Blow(round(at, 3), fault))
        at += chance.uniform(*PAUSES)
    return blows
