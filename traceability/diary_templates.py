"""Which steps a diary of such goods usually has, in their order: suggestions, never duties.

The tables are `data/diary/templates.csv` and `steps.csv`; where they come from stands there.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from catalog.products import OcopGroup
from core.settings import ROOT
from core.text import nfc
from traceability.diary import StepKind

SOURCE = ROOT / "data" / "diary"
ANY_FOOD = "thuc-pham"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One step as it is called in this trade. The diary keeps `name`, whoever reads it."""

    kind: StepKind
    name: str
    english: str
    unit: str

    @property
    def value(self) -> str:
        """Return how a form says it."""
        return f"{self.kind.value}|{self.name}"

    def label(self, tongue: str) -> str:
        """Return how a page of this language calls it."""
        return self.english if tongue == "en" else self.name


def read_choice(value: str) -> tuple[StepKind, str]:
    """Return the kind and the name that a form's choice says; ValueError if there is no such kind.

    A bare kind has an empty name.
    """
    kind, _bar, name = value.partition("|")
    return StepKind(kind), name


def steps_for(motif: str | None, group: OcopGroup | None) -> Sequence[Suggestion]:
    """Return the steps of the trade that makes such goods, at least one, in their order."""
    tables = _tables()
    name = tables.by_motif.get(motif or "") or tables.by_group.get(group.value if group else "")
    return tables.steps[name or ANY_FOOD]


@dataclass(frozen=True, slots=True)
class _Tables:
    by_motif: Mapping[str, str]
    by_group: Mapping[str, str]
    steps: Mapping[str, Sequence[Suggestion]]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    trades = _rows("templates.csv")
    steps: dict[str, list[Suggestion]] = {row["template"]: [] for row in trades}
    for row in _rows("steps.csv"):
        steps[row["template"]].append(
            Suggestion(StepKind(row["kind"]), row["vi"], row["en"], row["unit"])
        )
    return _Tables(
        {motif: row["template"] for row in trades for motif in row["motifs"].split("|") if motif},
        {row["group"]: row["template"] for row in trades if row["group"]},
        steps,
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (SOURCE / name).open(encoding="utf-8", newline="") as file:
        return [{key: nfc(value) for key, value in row.items()} for row in csv.DictReader(file)]
