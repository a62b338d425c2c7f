"""Reading records: searches and scrolls for what changed, look-ups for what is true now.

Search and scroll run minutes behind. They find work; they never decide what a record holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from crosswalk.errors import FatalError, UnknownOutcomeError

from sweo_client.client import Answer, SweoClient
from sweo_client.errors import ScrollUnavailableError, SweoRefusal
from sweo_client.fields import COMPANY

PAGE_SIZE: Final = 150
"""The most that a search gives at once."""
SCROLL_PAGE_SIZE: Final = 100
_DAY_SECONDS: Final = 86_400

Row = dict[str, Any]
Page = list[Row]


@dataclass(frozen=True, slots=True)
class Lookup:
    """One record read by id or key, now. ``record`` is None where it is gone.

    ``refused`` is the code of an answer that says neither.
    ``read_at`` and ``answered_at`` are Unix seconds by the server's clock. ``merged_into`` is
    the survivor's id where the API tells.
    """

    record: Row | None
    read_at: int
    answered_at: int
    merged_into: str | None = None
    refused: str | None = None


def search_contacts(
    client: SweoClient,
    since: int | None,
    *,
    role: str | None = None,
    segment_ids: Sequence[str] = (),
) -> Iterator[Page]:
    """Pages of contacts, newest ``updated_at`` first.

    Ends with the page that reaches behind ``since`` (Unix seconds; None reads all). Rows older
    than ``since`` on that page are left to the caller. ``role`` is ``user`` or ``lead``; with
    ``segment_ids`` only the members of any of them are found.
    """
    query = _narrowed(_updated_after(client, since), role, segment_ids)
    yield from _search(client, "/contacts/search", query, since)


def _narrowed(
    query: dict[str, Any], role: str | None, segment_ids: Sequence[str]
) -> dict[str, Any]:
    filters = [query]
    if role:
        filters.append({"field": "role", "operator": "=", "value": role})
    if segment_ids:
        filters.append({"field": "segment_id", "operator": "IN", "value": list(segment_ids)})
    return {"operator": "AND", "value": filters} if len(filters) > 1 else query


def search_companies(client: SweoClient, since: int | None) -> Iterator[Page]:
    """As ``search_contacts``, for companies that have a contact. Preview version only."""
    yield from _search(client, "/companies/search", _updated_after(client, since), since)


@dataclass(frozen=True, slots=True)
class CursorPage:
    """A page of a search, the cursor of the one after it (None: this was the last), and how many
    records all pages hold, where the API tells.
    """

    rows: Page
    following: str | None
    total: int | None = None


def search_contacts_oldest_first(
    client: SweoClient,
    *,
    role: str | None = None,
    segment_ids: Sequence[str] = (),
    cursor: str | None = None,
) -> Iterator[CursorPage]:
    """Pages of every contact, or of those in a segment, oldest ``updated_at`` first.

    A contact that changes meanwhile moves to the end and comes once more. ``cursor`` goes on
    where an earlier search stopped.

    Raises:
        SweoRefusal: The cursor is not taken any more.
        FatalError: The search is refused.
    """
    everyone: dict[str, Any] = {"field": "updated_at", "operator": ">", "value": 0}
    query = _narrowed(everyone, role, segment_ids)
    while True:
        pagination: dict[str, Any] = {"per_page": PAGE_SIZE}
        if cursor:
            pagination["starting_after"] = cursor
        sort = {"field": "updated_at", "order": "ascending"}
        body = {"query": query, "pagination": pagination, "sort": sort}
        try:
            answer = client.read("POST", "/contacts/search", body=body)
        except SweoRefusal as refusal:
            if cursor:
                raise
            raise FatalError(f"Sweo refused POST /contacts/search ({refusal.code}).") from refusal
        rows: Page = answer.body.get("data") or []
        cursor = _next_cursor(answer) if rows else None
        yield CursorPage(rows, cursor, answer.body.get("total_count"))
        if cursor is None:
            return


def contacts_among(client: SweoClient, ids: list[str], segment_ids: Sequence[str] = ()) -> set[str]:
    """Which of at most 150 contacts a search by id shows; it tells nothing of the others.

    With ``segment_ids`` it shows the members of any of them.
    """
    query = _narrowed({"field": "id", "operator": "IN", "value": ids}, None, segment_ids)
    page = next(_search(client, "/contacts/search", query, None), [])
    return {str(row["id"]) for row in page}


def contacts_with(client: SweoClient, field: str, value: str) -> Page:
    """Contacts whose ``field`` equals ``value``, from the index, the newest 150."""
    query = {"field": field, "operator": "=", "value": value}
    return next(_search(client, "/contacts/search", query, None), [])


def _updated_after(client: SweoClient, since: int | None) -> dict[str, Any]:
    # Numbered versions compare whole days in the workspace's zone, and ">" starts with the next
    # day: two days of slack are right in every zone. Rows are cut to the second by the caller.
    slack = 1 if client.settings.is_preview else 2 * _DAY_SECONDS
    return {"field": "updated_at", "operator": ">", "value": max((since or 0) - slack, 0)}


def _search(
    client: SweoClient, path: str, query: dict[str, Any], since: int | None
) -> Iterator[Page]:
    pagination: dict[str, Any] = {"per_page": PAGE_SIZE}
    while True:
        body = {
            "query": query,
            "pagination": pagination,
            "sort": {"field": "updated_at", "order": "descending"},
        }
        try:
            answer = client.read("POST", path, body=body)
        except SweoRefusal as refusal:
            raise FatalError(f"Sweo refused POST {path} ({refusal.code}).") from refusal
        page: Page = answer.body.get("data") or []
        if page:
            yield page
        after = _next_cursor(answer)
        if not page or after is None:
            return
        if since is not None and updated_at(page[-1]) < since:
            return
        pagination = {"per_page": PAGE_SIZE, "starting_after": after}


def _next_cursor(answer: Answer) -> str | None:
    following = (answer.body.get("pages") or {}).get("next")
    return following.get("starting_after") if isinstance(following, dict) else None


def updated_at(record: Row) -> int:
    """The record's time of last change in Unix seconds; 0 where it has none."""
    return int(record.get("updated_at") or record.get("created_at") or 0)


def scroll_companies(client: SweoClient) -> Iterator[Page]:
    """Pages of every company that has a contact. Read it to its end without a pause.

    A workspace has one scroll; it expires after a minute and cannot be taken up in its middle.

    Raises:
        ScrollUnavailableError: Somebody else scrolls, or this scroll broke.
    """
    params: dict[str, str | int] = {}
    while True:
        try:
            answer = client.read("GET", "/companies/scroll", params=params, repeatable=False)
        except SweoRefusal as refusal:
            if refusal.code == "scroll_exists":
                raise ScrollUnavailableError(
                    "Another program scrolls this workspace's companies, and one scroll may run."
                ) from refusal
            raise ScrollUnavailableError(
                f"The scroll over the companies ended early ({refusal.code})."
            ) from refusal
        except UnknownOutcomeError as lost:
            raise ScrollUnavailableError(
                "A page of the scroll over the companies was lost."
            ) from lost
        page: Page = answer.body.get("data") or answer.body.get("companies") or []
        if not page:
            return
        yield page
        after = answer.body.get("scroll_param")
        if not after:
            return
        params = {"scroll_param": str(after)}


def record_by_id(client: SweoClient, model: str, record_id: str) -> Lookup:
    """Read a company or a contact by its Sweo id, now. Gone means 404 or 410."""
    collection = "companies" if model == COMPANY else "contacts"
    return _lookup(client, f"/{collection}/{quote(record_id, safe='')}")


def records_by_id(
    client: SweoClient, model: str, ids: Iterable[str], *, concurrency: int
) -> Iterator[tuple[str, Lookup]]:
    """Read many records, ``concurrency`` at a time, in the order of ``ids``.

    Ids are taken as they are needed, so that an endless supply costs no memory.
    """
    supply = iter(ids)
    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        running: deque[tuple[str, Future[Lookup]]] = deque()
        try:
            while True:
                for record_id in islice(supply, 2 * concurrency - len(running)):
                    running.append((record_id, pool.submit(record_by_id, client, model, record_id)))
                if not running:
                    return
                record_id, future = running.popleft()
                yield record_id, future.result()
        finally:
            for _, future in running:
                future.cancel()


def company_by_company_id(client: SweoClient, company_id: str) -> Lookup:
    """Read the company that carries ``company_id``, with or without contacts."""
    found = _lookup(client, "/companies", {"company_id": company_id})
    if found.record is not None and isinstance(found.record.get("data"), list):
        # One generator of the API's clients expects a list here, the documents a bare company.
        rows: Page = found.record["data"]
        return Lookup(rows[0] if rows else None, found.read_at, found.answered_at)
    return found


def contact_by_external_id(client: SweoClient, external_id: str) -> Lookup:
    """Read the user that carries ``external_id``; leads are not found by it."""
    return _lookup(client, f"/contacts/find_by_external_id/{quote(external_id, safe='')}")


def _lookup(client: SweoClient, path: str, params: dict[str, str | int] | None = None) -> Lookup:
    try:
        answer = client.read("GET", path, params=params)
    except SweoRefusal as refusal:
        if refusal.status not in (404, 410):
            return Lookup(None, refusal.read_at, refusal.answered_at, refused=refusal.code)
        survivor = refusal.survivor.rstrip("/").rsplit("/", 1)[-1] if refusal.survivor else None
        return Lookup(None, refusal.read_at, refusal.answered_at, merged_into=survivor)
    # What a record held at its last change it still held when it was read.
    changed_at = updated_at(answer.body)
    return Lookup(answer.body, max(answer.read_at, changed_at), max(answer.answered_at, changed_at))


@dataclass(frozen=True, slots=True)
class Workspace:
    """What ``/me`` tells: the workspace's id and its IANA time zone."""

    id: str
    timezone: str


def workspace(client: SweoClient) -> Workspace:
    """Ask which workspace the token opens."""
    app = _all_or_nothing(client, "/me").body.get("app") or {}
    return Workspace(id=str(app.get("id_code") or ""), timezone=str(app.get("timezone") or "UTC"))


def data_attributes(client: SweoClient, model: str | None = None) -> Page:
    """Every data attribute, archived ones too, of one model or of both."""
    params: dict[str, str | int] = {"include_archived": "true"}
    if model:
        params["model"] = model
    attributes: Page = _all_or_nothing(client, "/data_attributes", params).body.get("data") or []
    return attributes


def segments(client: SweoClient, model: str | None = None) -> Page:
    """Every segment, with the number of its members; of one ``model`` where that is told.

    Of ``type=company`` only the documents of API version 1.2 speak; newer ones have no parameter.
    """
    params: dict[str, str | int] = {"include_count": "true"}
    if model == COMPANY:
        params["type"] = "company"
    answer = _all_or_nothing(client, "/segments", params)
    found: Page = answer.body.get("segments") or []
    return found


def _all_or_nothing(
    client: SweoClient, path: str, params: dict[str, str | int] | None = None
) -> Answer:
    try:
        return client.read("GET", path, params=params)
    except SweoRefusal as refusal:
        raise FatalError(f"Sweo refused GET {path} ({refusal.code}).") from refusal


def events_of(client: SweoClient, contact_id: str) -> Iterator[Page]:
    """Pages of one contact's events of the last 90 days; leads have events too."""
    path, params = "/events", {"type": "user", "intercom_user_id": contact_id}
    following: str | None = ""
    while following is not None:
        answer = client.read("GET", path, params=None if following else dict(params))
        page: Page = answer.body.get("events") or []
        if page:
            yield page
        url = (answer.body.get("pages") or {}).get("next")
        following = str(url) if url and page else None
        if following is not None:
            path = _path_of(client, following)


def _path_of(client: SweoClient, url: str) -> str:
    # The token goes to the workspace's host only, whatever address a page names.
    rest = url.split("://", 1)[-1]
    path = "/" + rest.split("/", 1)[1] if "/" in rest else "/events"
    base = client.settings.api_url.split("://", 1)[1].partition("/")[2]
    return path.removeprefix(f"/{base}") if base else path
