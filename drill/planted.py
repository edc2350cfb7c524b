"""Faults planted in the drilled processes, each a thing a shop may get wrong: the drill must fail.

`python -m drill.planted NAME web|worker` changes one thing and then starts what is drilled.
"""

PLANTED: dict[str, str] = {}
