"""The producer's desk: who may sit at it, and in whose name they then act.

Members of a producer sit in their own name. A helper with a grant for the producer's commune, and
staff, sit on its behalf: every act they do is recorded so and shown as «thay mặt».
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from flask import g

from accounts.audit import Actor
from accounts.login import account_required, signed_in
from accounts.sessions import SignedIn
from catalog import members
from catalog.producers import Producer
from core.web.requests import audience, reading


@dataclass(frozen=True, slots=True)
class Desk:
    """One producer's desk with the person who sits at it."""

    producer_id: int
    slug: str
    name: str
    actor: Actor

    @property
    def on_behalf(self) -> bool:
        """Say whether the person acts for the producer rather than being of it."""
        return self.actor.on_behalf_of is not None


def desk_view(view: Callable[..., Any]) -> Callable[..., Any]:
    """Open a view under /ban-hang/<producer>/… to those who may act for that producer.

    The view receives `desk` in place of the address part `producer`; to anyone else the desk does
    not exist (404).
    """

    @wraps(view)
    def guarded(*, producer: str, **values: Any) -> Any:
        person = cast("SignedIn", signed_in())
        with reading() as session:
            place, on_behalf = members.get_place_at_desk(session, producer, person)
        actor = actor_at(place, person, on_behalf=on_behalf)
        desk = Desk(place.id, place.slug, place.name, actor)
        g.desk = desk
        return view(desk=desk, **values)

    return audience("producer")(account_required(guarded))


def actor_at(place: Producer, person: SignedIn, *, on_behalf: bool) -> Actor:
    """Return who acts when `person` works for `place`; the act stands in that desk's list."""
    return Actor(
        person.user_id,
        person.name,
        on_behalf_of=place.name if on_behalf else None,
        scope=f"producer:{place.id}",
    )
