"""Rows written over REST: collections of 200, five a call, or guarded rows, 25 a call.

Nothing is sent twice unless Salesforce itself said that the first time did nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import stamina
from crosswalk.errors import SyncError, UnknownOutcomeError
from crosswalk.values import Raw

from salesforce_client.composite import MAX_QUERIES, Part, Subrequest, write_composite
from salesforce_client.connection import Connection, NotSentError
from salesforce_client.errors import (
    Next,
    RequestRefusedError,
    VendorError,
    meaning_of,
    vendor_errors,
)
from salesforce_client.rows import RowResult, RowState, RowUpdate, state_of
from salesforce_client.times import http_date

COLLECTION_ROWS: Final = 200
GUARDED_ROWS: Final = 25
_CHUNKS_PER_CALL: Final = MAX_QUERIES
_LOCKED: Final = "UNABLE_TO_LOCK_ROW"
_LOCK_ATTEMPTS: Final = 3

Payload = dict[str, Any]


def update(
    connection: Connection, sobject: str, rows: Sequence[RowUpdate], headers: Mapping[str, str]
) -> list[RowResult]:
    """Set fields of existing rows; one result each, in order.

    Raises:
        FatalError: no row is to blame (a permission, the session).
    """
    payloads = [{"attributes": {"type": sobject}, "id": row.id, **row.values} for row in rows]
    return _unlocked(
        payloads,
        lambda some: _collections(connection, "composite/sobjects", some, headers),
    )


def upsert(
    connection: Connection,
    sobject: str,
    key_field: str,
    rows: Sequence[Mapping[str, Raw]],
    headers: Mapping[str, str],
) -> list[RowResult]:
    """Make rows, or set fields of the one that has the same external id; one result each.

    ``DONE`` means that the row was there. Rows that share a key travel in calls of their own,
    for Salesforce refuses both where one call carries a key twice.

    Raises:
        FatalError: no row is to blame.
    """
    path = f"composite/sobjects/{sobject}/{key_field}"
    results: list[RowResult | None] = [None] * len(rows)
    left = list(range(len(rows)))
    while left:
        seen: set[str] = set()
        now: list[int] = []
        for place in left:
            key = str(rows[place].get(key_field)).casefold()
            if key not in seen:
                seen.add(key)
                now.append(place)
        payloads = [{"attributes": {"type": sobject}, **rows[place]} for place in now]
        told = _unlocked(payloads, lambda some: _collections(connection, path, some, headers))
        for place, result in zip(now, told, strict=True):
            results[place] = result
        taken = set(now)
        left = [place for place in left if place not in taken]
    return [result for result in results if result is not None]


def delete(
    connection: Connection, ids: Sequence[str], headers: Mapping[str, str]
) -> list[RowResult]:
    """Put rows into the recycle bin, 200 a call; one result per id, in order."""
    results: list[RowResult] = []
    for start in range(0, len(ids), COLLECTION_ROWS):
        part = ids[start : start + COLLECTION_ROWS]
        path = f"composite/sobjects?ids={','.join(part)}&allOrNone=false"
        try:
            answer = connection.write("DELETE", path, headers=headers)
        except (RequestRefusedError, UnknownOutcomeError, NotSentError) as error:
            results += [_whole_failure(error)] * len(part)
            continue
        results += [_row_result(entry, answer.times.answered_at) for entry in answer.body]
    return results


def update_guarded(
    connection: Connection, sobject: str, rows: Sequence[RowUpdate], headers: Mapping[str, str]
) -> list[RowResult]:
    """Set fields of rows unless they were modified since; one result each, in order.

    Salesforce compares with LastModifiedDate in whole seconds. How a 412 looks inside a
    composite is documented nowhere; it is told by the part's status alone.

    Raises:
        FatalError: no row is to blame.
    """
    results: list[RowResult] = []
    for start in range(0, len(rows), GUARDED_ROWS):
        batch = rows[start : start + GUARDED_ROWS]
        parts = [
            Subrequest(
                "PATCH",
                f"sobjects/{sobject}/{row.id}",
                dict(row.values),
                {"If-Unmodified-Since": http_date(row.unmodified_since)}
                if row.unmodified_since
                else {},
            )
            for row in batch
        ]
        try:
            answers = write_composite(connection, parts, headers)
        except (UnknownOutcomeError, NotSentError, RequestRefusedError) as error:
            stopped = _whole_failure(error)
            results += [stopped._replace(id=row.id) for row in batch]
            results += [RowResult(RowState.NOT_SENT, row.id) for row in rows[start + len(batch) :]]
            return results
        results += [
            _guarded_result(row.id, answer) for row, answer in zip(batch, answers, strict=True)
        ]
    return results


def _guarded_result(record_id: str, part: Part) -> RowResult:
    answered_at = part.times.answered_at
    refusal = part.refusal
    if refusal is None:
        return RowResult(RowState.DONE, record_id, None, answered_at)
    if refusal.status == 412:
        return RowResult(RowState.CHANGED, record_id, None, answered_at)
    if not refusal.not_applied:
        return RowResult(RowState.LOST, record_id, _error_of(refusal), answered_at)
    error = _error_of(refusal)
    return RowResult(state_of(error), record_id, error, answered_at)


class _RowsLockedError(Exception):
    """Some rows were locked by someone else's transaction."""


def _unlocked(
    payloads: list[Payload], send: Callable[[list[Payload]], list[RowResult]]
) -> list[RowResult]:
    """Send, and send locked rows again a little later: a lock means that nothing was done."""
    results: dict[int, RowResult] = {}
    left = list(range(len(payloads)))
    attempts = stamina.retry_context(on=_RowsLockedError, attempts=_LOCK_ATTEMPTS, wait_initial=0.5)
    try:
        for attempt in attempts:
            with attempt:
                told = send([payloads[place] for place in left])
                results.update(zip(left, told, strict=True))
                left = [place for place in left if _is_locked(results[place])]
                if left:
                    raise _RowsLockedError
    except _RowsLockedError:
        pass  # those rows say NOT_SENT
    return [results[place] for place in range(len(payloads))]


def _is_locked(result: RowResult) -> bool:
    return result.error is not None and result.error.code == _LOCKED


def _collections(
    connection: Connection, path: str, payloads: list[Payload], headers: Mapping[str, str]
) -> list[RowResult]:
    chunks = [
        payloads[start : start + COLLECTION_ROWS]
        for start in range(0, len(payloads), COLLECTION_ROWS)
    ]
    results: list[RowResult] = []
    for start in range(0, len(chunks), _CHUNKS_PER_CALL):
        group = chunks[start : start + _CHUNKS_PER_CALL]
        told, goes_on = _call(connection, path, group, headers)
        results += told
        if not goes_on:
            break
    results += [RowResult(RowState.NOT_SENT)] * (len(payloads) - len(results))
    return results


def _call(
    connection: Connection, path: str, group: list[list[Payload]], headers: Mapping[str, str]
) -> tuple[list[RowResult], bool]:
    """Send one call; the results of its rows, and whether to go on with further calls."""
    bodies: list[object] = [{"allOrNone": False, "records": chunk} for chunk in group]
    try:
        if len(group) == 1:
            answer = connection.write("PATCH", path, body=bodies[0], headers=headers)
            parts = [Part(answer.status, answer.body, answer.times)]
        else:
            subrequests = [Subrequest("PATCH", path, body) for body in bodies]
            parts = write_composite(connection, subrequests, headers)
    except RequestRefusedError as refusal:
        if len(group) == 1 and _blames_a_row(refusal):
            return _halves(connection, path, group[0], refusal, headers), True
        stopped = _whole_failure(refusal)
        return [stopped for chunk in group for _ in chunk], False
    except (UnknownOutcomeError, NotSentError) as error:
        stopped = _whole_failure(error)
        return [stopped for chunk in group for _ in chunk], False
    results: list[RowResult] = []
    for chunk, part in zip(group, parts, strict=True):
        results += _chunk_results(connection, path, chunk, part, headers)
    return results, True


def _chunk_results(
    connection: Connection,
    path: str,
    chunk: list[Payload],
    part: Part,
    headers: Mapping[str, str],
) -> list[RowResult]:
    refusal = part.refusal
    if refusal is None:
        return [_row_result(entry, part.times.answered_at) for entry in part.body]
    if not refusal.not_applied:
        return [RowResult(RowState.LOST, None, _error_of(refusal))] * len(chunk)
    if _blames_a_row(refusal):
        return _halves(connection, path, chunk, refusal, headers)
    return [_whole_failure(refusal)] * len(chunk)


def _halves(
    connection: Connection,
    path: str,
    chunk: list[Payload],
    refusal: RequestRefusedError,
    headers: Mapping[str, str],
) -> list[RowResult]:
    """Find the row that made Salesforce refuse a whole collection, and write the others."""
    if len(chunk) == 1:
        return [RowResult(RowState.REFUSED, None, _error_of(refusal))]
    middle = len(chunk) // 2
    results: list[RowResult] = []
    for half in (chunk[:middle], chunk[middle:]):
        told, _ = _call(connection, path, [half], headers)
        results += told
    return results


def _blames_a_row(refusal: RequestRefusedError) -> bool:
    return refusal.status == 400 and meaning_of(refusal.code).next is Next.QUARANTINE


def _whole_failure(error: SyncError) -> RowResult:
    """What a failure of a whole call means for each of its rows.

    Raises:
        FatalError: where trying again is useless.
    """
    if isinstance(error, UnknownOutcomeError):
        return RowResult(RowState.LOST)
    if isinstance(error, RequestRefusedError):
        if not error.transient and meaning_of(error.code).next is not Next.RETRY:
            raise error.sorted()
        return RowResult(RowState.NOT_SENT, None, _error_of(error))
    return RowResult(RowState.NOT_SENT)


def _error_of(refusal: RequestRefusedError) -> VendorError:
    return refusal.errors[0] if refusal.errors else VendorError(refusal.code)


def _row_result(entry: Mapping[str, Any], answered_at: str) -> RowResult:
    record_id = entry.get("id")
    if entry.get("success"):
        state = RowState.CREATED if entry.get("created") else RowState.DONE
        return RowResult(state, record_id, None, answered_at)
    errors = vendor_errors(entry.get("errors") or ())
    error = errors[0] if errors else VendorError("UNKNOWN_EXCEPTION")
    return RowResult(state_of(error), record_id, error, answered_at)
