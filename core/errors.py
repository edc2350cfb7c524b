"""The families of refusal. Anything else that is raised is our bug and is loud.

A refusal carries a sentence for people, already in their language or a lazy translation of it,
and, for Invalid, the field it is about.
"""


class Refusal(Exception):  # noqa: N818 - refusals are named by what happened on the shop floor
    """Something a person asked for that cannot be done, said in their words."""

    def __init__(self, message: object = "", *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NotFound(Refusal):
    """There is no such thing, or it is not this person's to see (404)."""


class Invalid(Refusal):
    """What was typed cannot be right; `field` names where to mend it (422)."""


class Conflict(Refusal):
    """It was right a moment ago, but someone was quicker or the state moved on (409)."""


class Forbidden(Refusal):
    """This person may not do this here (403)."""


class Throttled(Refusal):
    """Too much, too often (429); worth trying again after so many seconds."""

    def __init__(self, message: object = "", *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """Someone this needs does not answer right now (503); worth trying again in a minute."""
