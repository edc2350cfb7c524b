"""How far a lot reaches: what was made of it, and what it was made of, over every mixing.

One question gives the edges, however deep the chain; sets then walk them breadth first, so that
circles end and each lot counts once.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Integer, Select, bindparam, select, true
from sqlalchemy.orm import Session, aliased

from traceability.edges import LotEdge
from traceability.events import EventKind, TraceEvent


class Way(enum.Enum):
    """Down to the products made of a lot, or up to what it was made of."""

    DOWN = "down"
    UP = "up"


def closure(session: Session, lot_id: int, way: Way) -> dict[int, int]:
    """Return every lot that is reached, with the fewest steps to it; the lot itself with 0.

    Edges of a step that was declared wrong count for nothing.
    """
    lateral = session.get_bind().dialect.name == "postgresql"
    edges = session.execute(_EDGES[way, lateral], {"lot": lot_id})
    return walk(lot_id, [(edge[0], edge[1]) for edge in edges])


def walk(start: int, edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return how many steps each node is away from `start`, of those that edges lead to."""
    leads: defaultdict[int, set[int]] = defaultdict(set)
    for one, other in edges:
        leads[one].add(other)
    steps, level, depth = {start: 0}, {start}, 0
    while level:
        depth += 1
        level = {other for one in level for other in leads.get(one, ()) if other not in steps}
        steps.update(dict.fromkeys(level, depth))
    return steps


def _edges(way: Way, *, lateral: bool) -> Select[int, int]:
    """Return the question for every edge that leads away from the lots which `lot` reaches.

    `lateral`: PostgreSQL, left to itself, reads the whole table once for every step of a chain.
    """
    reached = select(bindparam("lot", type_=Integer).label("lot_id")).cte("reached", recursive=True)
    edge = _leaving(reached, way, lateral=lateral)
    # UNION keeps each lot once, so that a circle ends.
    reached = reached.union(select(edge.far).select_from(reached).join(edge.table, edge.on))
    edge = _leaving(reached, way, lateral=lateral)
    declared = aliased(TraceEvent)
    return (
        select(edge.near, edge.far)
        .select_from(reached)
        .join(edge.table, edge.on)
        .outerjoin(
            declared,
            (declared.corrects == edge.event_id) & (declared.kind == EventKind.DECLARATION),
        )
        .where(declared.id.is_(None))
    )


class _Leaving(NamedTuple):
    """The edges that leave some lots, away from where they were reached, and how to join them."""

    table: Any
    near: Any
    far: Any
    event_id: Any
    on: ColumnElement[bool]


def _leaving(reached: CTE, way: Way, *, lateral: bool) -> _Leaving:
    near, far = LotEdge.input_lot_id, LotEdge.output_lot_id
    if way is Way.UP:
        near, far = far, near
    if not lateral:
        return _Leaving(LotEdge, near, far, LotEdge.event_id, near == reached.c.lot_id)
    edges = select(near.label("near"), far.label("far"), LotEdge.event_id)
    # OFFSET 0 keeps the planner from joining it in another way.
    of_one = edges.where(near == reached.c.lot_id).offset(0).lateral()
    return _Leaving(of_one, of_one.c.near, of_one.c.far, of_one.c.event_id, true())


_EDGES = {(way, lateral): _edges(way, lateral=lateral) for way in Way for lateral in (True, False)}
