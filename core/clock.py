"""The one clock. Aware UTC inside; people see Asia/Ho_Chi_Minh."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def vietnam_day(moment: datetime) -> date:
    """Return the calendar day in Vietnam at `moment`; papers and expiry dates live by it."""
    return moment.astimezone(VIETNAM).date()
