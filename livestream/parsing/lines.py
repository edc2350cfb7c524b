"""JSON lines in, JSON lines out: the parser as a stream."""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import IO, Any

from core.errors import Invalid
from livestream.parsing.codes import ShowCodes
from livestream.parsing.parser import parse


def parse_lines(source: Iterable[str], out: IO[str], sessions: Mapping[str, Any]) -> int:
    """Read comments and write one reading for each, in the same order; return how many.

    A line holds `id`, `session`, `text`, and may hold `pinned` and `author`. `sessions` maps a
    session to its products. Blank lines are passed over. Raises Invalid naming the first line
    that cannot be read; the lines before it have been written.
    """
    shows: dict[str, ShowCodes] = {}
    count = 0
    for number, raw in enumerate(source, start=1):
        if not raw.strip():
            continue
        comment = _comment(raw, number)
        name = comment["session"]
        if name not in shows:
            if name not in sessions:
                raise Invalid(f"line {number}: unknown session {name!r}")
            if not isinstance(sessions[name], dict):
                raise Invalid(f"session {name!r} is not an object")
            try:
                shows[name] = ShowCodes.from_json(sessions[name])
            except Invalid as refusal:
                raise Invalid(f"session {name!r}: {refusal.message}") from refusal
        reading = parse(
            comment["text"],
            shows[name],
            pinned=comment.get("pinned"),
            author=comment.get("author") or "viewer",
        )
        answer = {"id": comment["id"], **reading.to_json()}
        out.write(json.dumps(answer, ensure_ascii=_holds_half_letters(answer["id"])) + "\n")
        count += 1
    return count


def _holds_half_letters(id_: object) -> bool:
    """Say whether an id carries lone surrogates, which can only be written escaped."""
    return any(unicodedata.category(letter) == "Cs" for letter in str(id_))


def _comment(raw: str, number: int) -> dict[str, Any]:
    try:
        comment = json.loads(raw.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"line {number}: not JSON ({error})") from error
    if not isinstance(comment, dict):
        raise Invalid(f"line {number}: not an object")
    for key in ("id", "session", "text"):
        if key not in comment:
            raise Invalid(f"line {number}: {key!r} is missing")
    for key in ("session", "text", "pinned", "author"):
        value = comment.get(key)
        if not isinstance(value, str) and (value is not None or key in ("session", "text")):
            raise Invalid(f"line {number}: {key!r} is not a string")
    return comment
