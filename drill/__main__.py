"""`./manage drill`: hurts a shop of its own for a while; 0 when nothing was lost or doubled."""

import argparse
import secrets
import sys
from time import monotonic

from drill.judging import Verdict
from drill.planted import PLANTED
from drill.running import Run, drill

TOO_WEAK = 2


def main(arguments: list[str] | None = None) -> int:
    """Run and print what was found; 1 when the shop failed, 2 when the run was too weak."""
    asked = _parser().parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    started = monotonic()
    verdict = drill(Run(seed, asked.seconds, asked.database, asked.planted), say=_say)
    _tell(verdict)
    _say(f"{monotonic() - started:.0f} s, seed {seed}")
    if verdict.faults:
        return 1
    return TOO_WEAK if verdict.too_weak else 0


def _tell(verdict: Verdict) -> None:
    for what, number in sorted(verdict.counted.items()):
        _say(f"  {number:6,}  {what}")
    for fault in verdict.faults:
        _say(f"FAULT {fault}")
    for why in verdict.too_weak:
        _say(f"TOO WEAK {why}")
    if verdict.passed:
        _say("what was answered was kept, once; the audit is green")


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./manage drill", description=__doc__)
    parser.add_argument("--seed", type=int, help="the plan of blows (default: by chance, printed)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: 60)")
    parser.add_argument(
        "--database", choices=("postgresql", "sqlite"), default="postgresql", help="where"
    )
    parser.add_argument(
        "--planted",
        type=_planted,
        default=(),
        metavar="NAME,NAME",
        help=f"break the shop first, the drill must then fail: {', '.join(PLANTED)}",
    )
    return parser


def _planted(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - PLANTED.keys():
        raise argparse.ArgumentTypeError(f"no such fault: {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
