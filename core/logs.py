"""Logs: one JSON object a line on stderr, UTC, with nothing that names a buyer or a visitor."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Write one record as one line; line breaks inside are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class NobodyNamed(logging.Filter):
    """Takes out of the server's own complaints who was complained of, and what they had sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record; of a broken or failed request only that there was one."""
        said = str(record.msg)
        if said.startswith("Invalid request from"):
            record.msg, record.args = "a request that cannot be read was refused", ()
        elif said.startswith("Error handling request"):
            record.msg, record.args = "an error while a request was answered", ()
        return True


def configure(level: str) -> None:
    """Send every log of this process to stderr as JSON lines; safe to call again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Alembic tells of its plug-ins at every start; its warnings are enough.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It counts its plugins at every start; what it does to the schema, `flask db` says itself.
    logging.getLogger("alembic").setLevel(max(logging.WARNING, root.level))
