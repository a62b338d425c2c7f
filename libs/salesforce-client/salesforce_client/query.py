"""Queries over REST: several in one call, pages of 2,000, flat rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from crosswalk.errors import RetryLaterError, SyncError

from salesforce_client.composite import (
    MAX_QUERIES,
    Part,
    Subrequest,
    query_path,
    read_composite,
)
from salesforce_client.connection import Connection
from salesforce_client.errors import RequestRefusedError
from salesforce_client.soql import Select, encoded_bytes, in_batches
from salesforce_client.transport import ServerTimes

PAGE_ROWS: Final = 2_000
BULK_PAGE_ROWS: Final = 25_000
BULK_FLOOR_ROWS: Final = 6_000
"""Below this Bulk API 2.0 (create, poll, results) cannot take fewer calls."""

Sort = Callable[[RequestRefusedError], SyncError]
"""What becomes of a refusal, where the caller can say more about it than the refusal itself."""

Row = dict[str, Any]
"""A row by the names that were asked for; a related field stands under its dotted name."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a query's answer. ``rows`` are as Salesforce sent them; ``times`` of its call."""

    rows: list[dict[str, Any]]
    total: int
    next_url: str | None
    times: ServerTimes


def takes_bulk(total_rows: int, *, threshold_rows: int = BULK_FLOOR_ROWS) -> bool:
    """Whether the rest of a query goes through Bulk API 2.0: where that takes fewer calls.

    ``total_rows`` is what the first REST page announced; that page is spent either way. A Bulk
    query costs its creation, a poll or more, and its pages.
    """
    rest_calls = ceil(total_rows / PAGE_ROWS) - 1
    bulk_calls = 1 + 1 + ceil(total_rows / BULK_PAGE_ROWS)
    return total_rows > threshold_rows and bulk_calls < rest_calls


def query_request(select: Select) -> Subrequest:
    """The subrequest that runs a query, deleted rows included."""
    return Subrequest("GET", query_path(select.text()))


def page_of(part: Part) -> Page:
    """The page in a query's answer.

    Raises:
        RequestRefusedError: the query failed.
    """
    return _page(part.checked(), part.times)


def next_page(connection: Connection, page: Page) -> Page:
    """The page after ``page``, which has a ``next_url``.

    Raises:
        RetryLaterError: the cursor has expired; the read goes on from its bookmark.
    """
    assert page.next_url is not None  # noqa: S101 - the caller looked
    try:
        answer = connection.read(page.next_url)
    except RequestRefusedError as refusal:
        if refusal.code == "INVALID_QUERY_LOCATOR":
            raise RetryLaterError(
                "Salesforce dropped the cursor of a long query; the next run goes on from there."
            ) from None
        raise refusal.sorted() from None
    return _page(answer.body, answer.times)


def pages(
    connection: Connection, select: Select, *, sort: Sort = RequestRefusedError.sorted
) -> Iterator[Page]:
    """All pages of one query, deleted rows included; ``sort`` words a refusal of the query."""
    try:
        answer = connection.read(query_path(select.text()))
    except RequestRefusedError as refusal:
        raise sort(refusal) from None
    page = _page(answer.body, answer.times)
    yield page
    while page.next_url:
        page = next_page(connection, page)
        yield page


def select_by(
    connection: Connection,
    select: Select,
    field: str,
    values: Sequence[str],
    *,
    sort: Sort = RequestRefusedError.sorted,
) -> Iterator[Page]:
    """The rows whose ``field`` is among ``values``: five IN queries a call; ``sort`` as above."""
    taken = encoded_bytes(select.text()) + encoded_bytes(" WHERE  AND ")
    conditions = [text for text, _ in in_batches(field, values, taken_bytes=taken)]
    for start in range(0, len(conditions), MAX_QUERIES):
        requests = [
            query_request(
                Select(select.sobject, select.fields, (*select.where, text), select.order_by)
            )
            for text in conditions[start : start + MAX_QUERIES]
        ]
        for part in read_composite(connection, requests):
            try:
                page = page_of(part)
            except RequestRefusedError as refusal:
                raise sort(refusal) from None
            yield page
            while page.next_url:
                page = next_page(connection, page)
                yield page


def flattener(paths: Mapping[str, tuple[str, ...]]) -> Callable[[Mapping[str, Any]], Row]:
    """A function that takes rows as sent and gives them by the names asked for.

    ``paths`` is by the name asked for. A related field of an empty lookup is null; a field
    that the row lacks stays absent.
    """
    own = [(name, path[0]) for name, path in paths.items() if len(path) == 1]
    related = [(name, path) for name, path in paths.items() if len(path) > 1]

    def flat(record: Mapping[str, Any]) -> Row:
        row = {name: record[key] for name, key in own if key in record}
        for name, path in related:
            value: Any = record
            for key in path:
                value = value.get(key) if value is not None else None
            row[name] = value
        return row

    return flat


def _page(body: Any, times: ServerTimes) -> Page:
    return Page(body["records"], body["totalSize"], body.get("nextRecordsUrl"), times)
