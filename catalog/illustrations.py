"""Drawings that stand in for a photograph: which woodblock motif belongs to which goods.

The drawings, their words and the script that printed them are in `data/illustrations`; the
printed pictures are `static/tranh/<motif>-<width>`.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.settings import ROOT
from core.text import fold, nfc

SOURCE = ROOT / "data" / "illustrations" / "motifs.csv"

# Shown when neither the name nor the group says anything: two baskets on a shoulder pole.
ANY_GOODS = "chung"

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Motif:
    """One drawing: the phrases that call for it, what it shows, and the group it stands for.

    A phrase written with Vietnamese marks fits only words so marked ('tượng' is no 'tương');
    one without marks fits any.
    """

    name: str
    phrases: tuple[tuple[str, ...], ...]
    alt_vi: str
    alt_en: str
    group: str | None


def _motifs() -> Mapping[str, Motif]:
    with SOURCE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["motif"]: _motif(row) for row in csv.DictReader(file)})


def _motif(row: dict[str, str]) -> Motif:
    return Motif(
        name=row["motif"],
        phrases=tuple(tuple(nfc(words).split()) for words in row["keywords"].split("|") if words),
        alt_vi=nfc(row["alt_vi"]),
        alt_en=row["alt_en"],
        group=row["group"] or None,
    )


MOTIFS: Mapping[str, Motif] = _motifs()

_BY_PHRASE = {phrase: motif.name for motif in MOTIFS.values() for phrase in motif.phrases}
_BY_GROUP = {motif.group: motif.name for motif in MOTIFS.values() if motif.group is not None}
_LONGEST_PHRASE = max(len(phrase) for phrase in _BY_PHRASE)


def motif_for(name: str, group: str | None) -> str:
    """Return the motif that best shows goods of this `name`, always one of `MOTIFS`.

    A Vietnamese name says first what a thing is and then what it is made of ('rượu nho' is a
    spirit, not grapes), so the phrase that starts earliest wins, and of those the longest; the
    group's own motif answers for a name no phrase fits.
    """
    marked = _WORD.findall(nfc(name).lower())
    plain = [fold(word) for word in marked]
    for start in range(len(marked)):
        for end in range(start + _LONGEST_PHRASE, start, -1):
            for words in (marked, plain):
                motif = _BY_PHRASE.get(tuple(words[start:end]))
                if motif is not None:
                    return motif
    return _BY_GROUP.get(group or "", ANY_GOODS)


def alt_text(motif: str, locale: str) -> str:
    """Return what the drawing shows, in Vietnamese unless `locale` is English.

    An unknown motif is described as the drawing shown in its place. A photo (its name has a slash)
    stands beside the goods' name, which says what it shows.
    """
    if "/" in motif:
        return ""
    drawing = MOTIFS.get(motif, MOTIFS[ANY_GOODS])
    return drawing.alt_en if locale == "en" else drawing.alt_vi
