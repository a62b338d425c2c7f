"""The first calls of a run: every mapping's queries and describes, as few calls as may be.

What an earlier run remembered lets the queries go out together with the describes that check
them: a run that finds nothing new costs one ``/composite`` for up to five queries.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping as MappingOf, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger, direction_to
from crosswalk.mapping import Mapping, Side
from salesforce_client.composite import MAX_QUERIES, MAX_SUBREQUESTS, Part, read_composite
from salesforce_client.connection import Connection
from salesforce_client.describe import (
    describe,
    describe_related,
    describe_request,
    description_from,
)
from salesforce_client.errors import RequestRefusedError
from salesforce_client.fields import Description
from salesforce_client.query import Page, page_of, query_request
from salesforce_client.soql import Select

from tap_salesforce.plan import Plan, covers, narrowed, plan_of, remembered_plan
from tap_salesforce.window import changed_where, related_wheres, since

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Opened:
    """What the first calls brought for one mapping.

    ``first`` is the first page of changed rows, None where a Bulk job is to be resumed.
    ``rest`` are the fields that did not fit into its query. ``related`` are first pages of rows
    whose relatives changed, each with the fields that did not fit. ``revisits`` are entry numbers
    by record id, listed before the queries went out. ``before`` is the last run's plan.
    """

    mapping: Mapping
    bookmark: dict[str, Any]
    before: Plan | None
    plan: Plan | None = None
    first: Page | None = None
    rest: tuple[str, ...] = ()
    related: list[tuple[Page, tuple[str, ...]]] = field(default_factory=list)
    revisits: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Asked:
    opened: Opened
    select: Select
    rest: tuple[str, ...]
    is_related: bool


def open_reads(
    connection: Connection,
    mappings: Sequence[Mapping],
    bookmarks: MappingOf[str, dict[str, Any]],
    ledger: Ledger | None,
    *,
    overlap_minutes: int,
) -> dict[str, Opened]:
    """Send the first calls for all mappings and plan their reads; by the mapping's name.

    Raises:
        FatalError: with every field that is not there or not visible, of every mapping.
    """
    opened = [
        Opened(m, bookmarks[m.name], remembered_plan(bookmarks[m.name].get("plan")))
        for m in mappings
    ]
    for one in opened:
        if ledger:
            for entry in ledger.revisits(direction_to(Side.SWEO), one.mapping.name):
                one.revisits.setdefault(entry.source_id, []).append(entry.number)
    unknown = [one for one in opened if not (one.before and covers(one.before, one.mapping))]
    described: dict[str, Description] = {}
    if unknown:
        described = describe(connection, [one.mapping.salesforce for one in opened])
        _plan_all(connection, opened, described)
    else:
        for one in opened:
            assert one.before is not None  # noqa: S101 - covers() looked at it
            one.plan = narrowed(one.before, one.mapping)
    asked = [query for one in opened for query in _queries(one, overlap_minutes)]
    _ask(connection, opened, asked, described, overlap_minutes)
    return {one.mapping.name: one for one in opened}


def _plan_all(
    connection: Connection, opened: Sequence[Opened], described: dict[str, Description]
) -> None:
    """Plan every mapping from describes, asking for related objects that are still missing."""
    names: dict[str, list[str]] = {}
    for one in opened:
        names.setdefault(one.mapping.salesforce, []).extend(one.mapping.read_from(Side.SALESFORCE))
    describe_related(connection, described, names)
    mistakes: list[str] = []
    for one in opened:
        planned = plan_of(one.mapping, described, one.before)
        one.plan = planned.plan
        mistakes += planned.mistakes
        for name in planned.now_hidden:
            logger.warning(
                "%s: field-level security hides %s from this user since the last run; it is "
                "left as it is on the other side.",
                one.mapping.name,
                name,
            )
    if mistakes:
        raise FatalError("Salesforce cannot serve the mapping:\n" + "\n".join(mistakes))


def _queries(one: Opened, overlap_minutes: int) -> list[_Asked]:
    plan = one.plan
    assert plan is not None  # noqa: S101 - made before queries are
    sobject = one.mapping.salesforce
    asked: list[_Asked] = []
    if "bulk" not in one.bookmark:
        where = changed_where(one.bookmark, overlap_minutes)
        select, rest = plan.select(sobject, where, ("SystemModstamp", "Id")).split()
        asked.append(_Asked(one, select, rest, is_related=False))
    start = since(one.bookmark, overlap_minutes)
    if start:
        for condition in related_wheres(plan, start):
            select, rest = plan.select(sobject, (condition,)).split()
            asked.append(_Asked(one, select, rest, is_related=True))
    return asked


def _ask(
    connection: Connection,
    opened: Sequence[Opened],
    asked: Sequence[_Asked],
    described: dict[str, Description],
    overlap_minutes: int,
) -> None:
    """Send queries five a call; describes that are still wanted fill the rest of the calls."""
    wanted = [] if described else _described_objects(opened)
    refused: list[tuple[_Asked, RequestRefusedError]] = []
    queue = list(asked)
    while queue or wanted:
        queries, queue = queue[:MAX_QUERIES], queue[MAX_QUERIES:]
        room = MAX_SUBREQUESTS - len(queries)
        objects, wanted = wanted[:room], wanted[room:]
        parts = read_composite(
            connection,
            [query_request(query.select) for query in queries]
            + [describe_request(name) for name in objects],
        )
        for query, part in zip(queries, parts, strict=False):
            refusal = _take(query, part)
            if refusal:
                refused.append((query, refusal))
        for name, part in zip(objects, parts[len(queries) :], strict=True):
            described[name] = description_from(name, part)
    _check_plans(connection, opened, described, refused, overlap_minutes)


def _described_objects(opened: Sequence[Opened]) -> list[str]:
    names: dict[str, None] = {}
    for one in opened:
        names[one.mapping.salesforce] = None
        names.update(dict.fromkeys(one.plan.related_objects if one.plan else ()))
    return list(names)


def _take(query: _Asked, part: Part) -> RequestRefusedError | None:
    try:
        page = page_of(part)
    except RequestRefusedError as refusal:
        return refusal
    if query.is_related:
        query.opened.related.append((page, query.rest))
    else:
        query.opened.first, query.opened.rest = page, query.rest
    return None


def _check_plans(
    connection: Connection,
    opened: Sequence[Opened],
    described: dict[str, Description],
    refused: Sequence[tuple[_Asked, RequestRefusedError]],
    overlap_minutes: int,
) -> None:
    """Ask again for mappings whose describe says otherwise than what was remembered."""
    sent = {one.mapping.name: one.plan for one in opened}
    _plan_all(connection, opened, described)
    stale = [one for one in opened if _reads(one.plan) != _reads(sent[one.mapping.name])]
    fresh = {one.mapping.name for one in opened} - {one.mapping.name for one in stale}
    for query, refusal in refused:
        if query.opened.mapping.name in fresh:
            raise refusal.sorted()
    if not stale:
        return
    queue = []
    for one in stale:
        one.related.clear()
        queue += _queries(one, overlap_minutes)
    while queue:
        queries, queue = queue[:MAX_QUERIES], queue[MAX_QUERIES:]
        parts = read_composite(connection, [query_request(query.select) for query in queries])
        for query, part in zip(queries, parts, strict=True):
            trouble = _take(query, part)
            if trouble:
                raise trouble.sorted()


def _reads(plan: Plan | None) -> tuple[object, ...]:
    return (plan.paths, plan.system, plan.person_accounts) if plan else ()
