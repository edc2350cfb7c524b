"""What a channel would say against an item, and how to mend it, in the seller's words."""

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """An error keeps the item out of the file; a warning exports it and tells."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule of the exporter that one item breaks (rules: docs/feeds.md)."""

    rule: int
    severity: Severity
    item_id: str
    field: str
    channel_says: str
    mend: str

    def to_json(self) -> dict[str, object]:
        """Return the problem as the build report keeps it; `mend` is translated when shown."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "id": self.item_id,
            "field": self.field,
            "channel_says": self.channel_says,
            "mend": self.mend,
        }
