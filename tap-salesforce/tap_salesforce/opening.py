"""The first calls of a run: every mapping's queries and describes, as few calls as may be.

What an earlier run remembered lets the queries go out together with the describes that check
them: a run that finds nothing new costs one ``/composite`` for up to five queries.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping as MappingOf, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from crosswalk.errors import FatalError, SyncError
from crosswalk.ledger import Ledger, direction_to
from crosswalk.mapping import Mapping, Side
from crosswalk.naming import is_made_for
from salesforce_client.composite import (
    MAX_QUERIES,
    MAX_SUBREQUESTS,
    Part,
    Subrequest,
    query_path,
    read_composite,
)
from salesforce_client.conditions import refusal_of
from salesforce_client.connection import Connection
from salesforce_client.deleted import deleted_ids, deleted_request
from salesforce_client.describe import (
    describe,
    describe_related,
    describe_request,
    description_from,
)
from salesforce_client.errors import RequestRefusedError
from salesforce_client.fields import Description
from salesforce_client.query import Page, page_of, query_request
from salesforce_client.times import parse_time
from salesforce_client.transport import ServerTimes

from tap_salesforce.plan import (
    PERSON_ACCOUNT,
    Plan,
    covers,
    names_read,
    narrowed,
    plan_of,
    remembered_plan,
)
from tap_salesforce.window import LINKED, changed_where, related_wheres, since

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Opened:
    """What the first calls brought for one mapping.

    ``first`` is the first page of changed rows, None where a Bulk job is to be resumed.
    ``rest`` are the fields that did not fit into its query. ``related`` are first pages of rows
    whose relatives changed, each with the fields that did not fit. ``revisits`` are entry numbers
    by record id, listed before the queries went out. ``before`` is the last run's plan.
    ``deleted`` are ids of the delete log, read at ``deleted_times``. ``held`` says that the fields
    which Salesforce only receives are read, too.
    """

    mapping: Mapping
    bookmark: dict[str, Any]
    before: Plan | None
    plan: Plan | None = None
    first: Page | None = None
    rest: tuple[str, ...] = ()
    related: list[tuple[Page, tuple[str, ...]]] = field(default_factory=list)
    revisits: dict[str, list[int]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    deleted_times: ServerTimes | None = None
    held: bool = False


@dataclass(slots=True)
class _Asked:
    """One part of the first calls: what it asks, and what is done with its answer."""

    opened: Opened | None
    request: Subrequest
    take: Callable[[Part], None]
    is_query: bool = True


def open_reads(
    connection: Connection,
    mappings: Sequence[Mapping],
    bookmarks: MappingOf[str, dict[str, Any]],
    ledger: Ledger | None,
    *,
    overlap_minutes: int,
    held: bool = False,
) -> dict[str, Opened]:
    """Send the first calls for all mappings and plan their reads; by the mapping's name.

    ``held`` reads the fields that Salesforce only receives, too.

    Raises:
        FatalError: with every field that is not there or not visible, of every mapping.
    """
    opened = [
        Opened(m, bookmarks[m.name], remembered_plan(bookmarks[m.name].get("plan")), held=held)
        for m in mappings
    ]
    for one in opened:
        _read_anew_where_the_filter_changed(one)
        if ledger:
            for entry in ledger.revisits(direction_to(Side.SWEO), one.mapping.name):
                one.revisits.setdefault(entry.source_id, []).append(entry.number)
    unknown = [
        one for one in opened if not (one.before and covers(one.before, one.mapping, held=one.held))
    ]
    described: dict[str, Description] = {}
    if unknown:
        described = describe(connection, [one.mapping.salesforce for one in opened])
        _plan_all(connection, opened, described)
    else:
        for one in opened:
            assert one.before is not None  # noqa: S101 - covers() looked at it
            one.plan = narrowed(one.before, one.mapping, held=one.held)
    asked = [query for one in opened for query in _queries(one, overlap_minutes)]
    asked += _deletes(connection, opened, overlap_minutes)
    if described:
        for query, refusal in _ask(connection, asked):
            raise _refused(query, refusal)
    else:
        asked += _describes(opened, described)
        refused = _ask(connection, asked)
        _check_plans(connection, opened, described, refused, overlap_minutes)
    return {one.mapping.name: one for one in opened}


def _plan_all(
    connection: Connection, opened: Sequence[Opened], described: dict[str, Description]
) -> None:
    """Plan every mapping from describes, asking for related objects that are still missing."""
    names: dict[str, list[str]] = {}
    for one in opened:
        names.setdefault(one.mapping.salesforce, []).extend(names_read(one.mapping))
    describe_related(connection, described, names)
    mistakes: list[str] = []
    for one in opened:
        planned = plan_of(one.mapping, described, one.before, held=one.held)
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
        if any(is_made_for(field, one.mapping) for one in opened for field in one.mapping.fields):
            mistakes.append("`sweo-sync setup` makes fields that are named after Sweo attributes.")
        raise FatalError("Salesforce cannot serve the mapping:\n" + "\n".join(mistakes))


def _queries(one: Opened, overlap_minutes: int) -> list[_Asked]:
    plan = one.plan
    assert plan is not None  # noqa: S101 - made before queries are
    sobject = one.mapping.salesforce
    asked: list[_Asked] = []
    start = since(one.bookmark, overlap_minutes)
    if "bulk" not in one.bookmark and LINKED not in one.bookmark:
        where = changed_where(one.bookmark, overlap_minutes)
        select, rest = plan.select(sobject, where, ("SystemModstamp", "Id")).split()
        asked.append(_Asked(one, query_request(select), partial(_take_first, one, rest)))
        if plan.person_accounts and not where:
            asked.append(_Asked(one, _count_request(sobject), partial(_take_count, one)))
    if start:
        for condition in related_wheres(plan, start):
            select, rest = plan.select(sobject, (condition,)).split()
            asked.append(_Asked(one, query_request(select), partial(_take_related, one, rest)))
    return asked


def _count_request(sobject: str) -> Subrequest:
    soql = " ".join(["SELECT COUNT() FROM", sobject, "WHERE", PERSON_ACCOUNT, "= true"])
    return Subrequest("GET", query_path(soql, deleted_too=False))


def _take_first(one: Opened, rest: tuple[str, ...], part: Part) -> None:
    one.first, one.rest = page_of(part), rest


def _take_related(one: Opened, rest: tuple[str, ...], part: Part) -> None:
    one.related.append((page_of(part), rest))


def _take_count(one: Opened, part: Part) -> None:
    count = part.checked()["totalSize"]
    if count:
        logger.info("%s: %d person accounts are left out.", one.mapping.name, count)


def _deletes(
    connection: Connection, opened: Sequence[Opened], overlap_minutes: int
) -> list[_Asked]:
    """The delete logs since the last read: a row that was purged is in no query."""
    asked = []
    for one in opened:
        start = since(one.bookmark, overlap_minutes)
        if start and one.plan and one.plan.replicateable:
            request = deleted_request(
                one.mapping.salesforce, parse_time(start), connection.server_now()
            )
            asked.append(_Asked(one, request, partial(_take_deleted, one), is_query=False))
    return asked


def _take_deleted(one: Opened, part: Part) -> None:
    try:
        one.deleted = set(deleted_ids(part))
    except RequestRefusedError as refusal:
        logger.warning(
            "%s: Salesforce did not show its delete log (%s); rows that were purged from the "
            "recycle bin are found by the next full check.",
            one.mapping.name,
            refusal.code,
        )
        return
    one.deleted_times = part.times


def _describes(opened: Sequence[Opened], described: dict[str, Description]) -> list[_Asked]:
    def take(name: str, part: Part) -> None:
        described[name] = description_from(name, part)

    return [
        _Asked(None, describe_request(name), partial(take, name), is_query=False)
        for name in _described_objects(opened)
    ]


def _ask(
    connection: Connection, asked: Sequence[_Asked]
) -> list[tuple[_Asked, RequestRefusedError]]:
    """Send everything, five queries a call; returns the queries that were refused."""
    refused: list[tuple[_Asked, RequestRefusedError]] = []
    queries = deque(each for each in asked if each.is_query)
    others = deque(each for each in asked if not each.is_query)
    while queries or others:
        batch = [queries.popleft() for _ in range(min(len(queries), MAX_QUERIES))]
        room = MAX_SUBREQUESTS - len(batch)
        batch += [others.popleft() for _ in range(min(len(others), room))]
        parts = read_composite(connection, [each.request for each in batch])
        for each, part in zip(batch, parts, strict=True):
            try:
                each.take(part)
            except RequestRefusedError as refusal:
                refused.append((each, refusal))
    return refused


def _described_objects(opened: Sequence[Opened]) -> list[str]:
    names: dict[str, None] = {}
    for one in opened:
        names[one.mapping.salesforce] = None
        names.update(dict.fromkeys(one.plan.related_objects if one.plan else ()))
    return list(names)


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
        if query.opened is None or query.opened.mapping.name in fresh:
            raise _refused(query, refusal)
    queue = []
    for one in stale:
        one.related.clear()
        queue += _queries(one, overlap_minutes)
    for query, refusal in _ask(connection, queue):
        raise _refused(query, refusal)


def _refused(query: _Asked, refusal: RequestRefusedError) -> SyncError:
    if query.opened is None:
        return refusal.sorted()
    return refusal_of(query.opened.mapping, refusal)


def _reads(plan: Plan | None) -> tuple[object, ...]:
    return (plan.paths, plan.system, plan.person_accounts, plan.judged) if plan else ()


def _read_anew_where_the_filter_changed(one: Opened) -> None:
    """Rows that another filter lets in were not changed since, and may never have been read."""
    if one.before is None or one.before.only == one.mapping.only.salesforce:
        return
    logger.info("%s: only.salesforce has changed; reading everything.", one.mapping.name)
    for key in ("watermark", "began", "at", "bulk"):
        one.bookmark.pop(key, None)
