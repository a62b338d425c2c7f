"""The records of one mapping: what changed, what a relative's change touched, what is owed."""

from __future__ import annotations

import time
import typing as t
from itertools import islice

from crosswalk.errors import RetryLaterError
from crosswalk.mapping import Side
from crosswalk.wire import StreamNote
from salesforce_client.bulk import query_results, start_query, wait_for
from salesforce_client.errors import RequestRefusedError
from salesforce_client.query import Page, next_page, pages, select_by, takes_bulk
from salesforce_client.retrieve import MAX_IDS, gone_among, retrieve
from salesforce_client.transport import ServerTimes
from singer_runtime.full_check import CheckingStream

from tap_salesforce.absent import gone_rows, left_out_rows
from tap_salesforce.plan import Plan, needs_backfill
from tap_salesforce.records import RecordMaker, completed
from tap_salesforce.window import changed_where

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping as MappingOf, Sequence

    from crosswalk.fieldtype import FieldType
    from crosswalk.mapping import Mapping
    from singer_sdk.helpers.types import Context, Record

    from tap_salesforce.opening import Opened
    from tap_salesforce.tap import TapSalesforce

_BACKFILL_IDS: t.Final = 5 * MAX_IDS  # five collections ride in one call


class SalesforceStream(CheckingStream):
    """Reads one mapping. Its bookmark is explained in ``tap_salesforce.window``; besides that
    it keeps ``plan``, ``ledger``, ``bulk`` (a job under way) and ``backfill`` (its cursor).
    """

    def __init__(self, tap: TapSalesforce, mapping: Mapping) -> None:
        super().__init__(tap, mapping)
        self.salesforce_tap = self.checking_tap = tap
        self._position: tuple[str, dict[str, str]] | None = None

    def prepare(self) -> None:
        """Send the tap's first calls, or take from them what concerns this mapping."""
        self._opened: Opened = self.salesforce_tap.opened(self.mapping.name)
        assert self._opened.plan is not None  # noqa: S101 - opened() plans every mapping
        self._plan: Plan = self._opened.plan
        self._maker = RecordMaker(self._plan)
        self._full = not self.bookmark.get("watermark")

    def note(self) -> StreamNote:
        """What the target must know of this read."""
        return StreamNote(
            mapping=self.mapping.name,
            side=Side.SALESFORCE.value,
            object=self.mapping.salesforce,
            instance=self.salesforce_tap.connection.org_id,
            full=self._full,
            skew_seconds=self.salesforce_tap.connection.session.skew_seconds,
        )

    def types(self) -> MappingOf[str, FieldType]:
        """The types of the fields that this read carries."""
        return self._plan.types

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield changed rows first; what moves no bookmark follows."""
        del context
        bookmark = self.bookmark
        before = self._opened.before
        if not self._full and before and needs_backfill(before, self._plan):
            bookmark["backfill"] = {"after": ""}
        bookmark["plan"] = self._plan.remembered()
        self.salesforce_tap.note_ledger(bookmark)
        yield from self._changed()
        yield from self._touched()
        bookmark["watermark"] = bookmark.pop("began")
        bookmark.pop("at", None)
        if self._full:
            bookmark["whole"] = bookmark["watermark"]
        yield from self._purged()
        yield from self._owed()
        yield from self._backfilled()
        self.salesforce_tap.note_ledger(bookmark)

    def advance(self, record: Record) -> None:
        """Move the bookmark to the row that was just written, where that row moves it."""
        del record
        if self._position:
            key, value = self._position
            self.bookmark[key] = value
            self._position = None

    def _sync_records(self, *args: t.Any, **kwargs: t.Any) -> t.Generator[Record, t.Any, t.Any]:
        """Read; a run that must end early (budget, limit, outage) lets its position out first."""
        try:
            yield from super()._sync_records(*args, **kwargs)
        except RetryLaterError:
            self.salesforce_tap.note_ledger(self.bookmark)
            self._write_state_message()
            raise

    def _write_state_message(self) -> None:
        # The target takes this out again, and counts it towards daily_api_calls.
        state = t.cast("dict[str, t.Any]", self.tap_state)
        state["calls"] = self.salesforce_tap.connection.calls
        if self.salesforce_tap.org is not None:
            state["org"] = self.salesforce_tap.org
        super()._write_state_message()

    # changed rows

    def _changed(self) -> Iterator[Record]:
        bookmark, first = self.bookmark, self._opened.first
        if first is None:
            if (yield from self._resumed_bulk()):
                return
            first = self._first_page()
        bookmark.setdefault("began", first.times.started_at)
        if takes_bulk(first.total, threshold_rows=self.salesforce_tap.bulk_threshold_rows):
            where = changed_where(bookmark, self.salesforce_tap.overlap_minutes)
            select = self._plan.select(self.mapping.salesforce, where)
            job_id = start_query(self.salesforce_tap.connection, select)
            bookmark["bulk"] = {
                "job": job_id,
                "columns": list(select.fields),
                "read_at": first.times.started_at,
            }
            self._opened.first = None
            self._write_state_message()  # a run that is cut off while it waits finds the job
            yield from self._bulk(job_id, None, first.times)
            return
        yield from self._pages(first)

    def _first_page(self) -> Page:
        where = changed_where(self.bookmark, self.salesforce_tap.overlap_minutes)
        select = self._plan.select(self.mapping.salesforce, where, ("SystemModstamp", "Id"))
        fitting, self._opened.rest = select.split()
        return next(pages(self.salesforce_tap.connection, fitting))

    def _pages(self, page: Page) -> Iterator[Record]:
        connection = self.salesforce_tap.connection
        self._opened.first = None
        while True:
            for row in completed(connection, self.mapping.salesforce, page, self._opened.rest):
                self._position = (
                    "at",
                    {"modified": _literal(row["SystemModstamp"]), "id": row["Id"]},
                )
                yield self._maker.record(row, page.times, revisit=self._met(row["Id"]))
            self.salesforce_tap.note_ledger(self.bookmark)
            if not page.next_url:
                return
            page = next_page(connection, page)

    def _resumed_bulk(self) -> t.Generator[Record, None, bool]:
        """Go on with the job that an earlier run began; False where it is of no use now."""
        kept = self.bookmark.get("bulk")
        if not kept or "began" not in self.bookmark:
            self.bookmark.pop("bulk", None)
            return False
        columns = list(self._plan.select(self.mapping.salesforce, ()).fields)
        if kept["columns"] == columns:
            times = ServerTimes(kept["read_at"], kept["read_at"])
            try:
                yield from self._bulk(kept["job"], kept.get("locator"), times)
            except RequestRefusedError as refusal:
                if refusal.status not in (400, 404, 409):
                    raise refusal.sorted() from None
                self.logger.warning(
                    "%s: the Bulk job of the last run is gone; reading again.", self.name
                )
            else:
                return True
        self.bookmark.pop("bulk", None)
        return False

    def _bulk(self, job_id: str, locator: str | None, times: ServerTimes) -> Iterator[Record]:
        connection = self.salesforce_tap.connection
        wait_for(
            connection,
            f"jobs/query/{job_id}",
            first_poll_seconds=self.salesforce_tap.poll_seconds,
        )
        for page in query_results(connection, job_id, locator):
            for row in page.rows:
                yield self._maker.record_of_csv(row, times, revisit=self._met(row["Id"]))
            if page.locator:
                self.bookmark["bulk"]["locator"] = page.locator
                if self._stops_here():
                    return
            self.salesforce_tap.note_ledger(self.bookmark)
        self.bookmark.pop("bulk", None)

    def _stops_here(self) -> bool:
        """Whether the read ends between two pages of a Bulk job, to be taken up by a later run."""
        return False

    # rows that move no bookmark

    def _touched(self) -> Iterator[Record]:
        """Rows of which only a relative changed."""
        connection = self.salesforce_tap.connection
        for first, rest in self._opened.related:
            page = first
            while True:
                rows = completed(connection, self.mapping.salesforce, page, rest)
                for row in rows:
                    yield self._maker.record(row, page.times, revisit=self._met(row["Id"]))
                if not page.next_url:
                    break
                page = next_page(connection, page)
        self._opened.related.clear()

    def _purged(self) -> Iterator[Record]:
        """Rows of the delete log that no query showed: they are in no recycle bin any more."""
        deleted, times = self._opened.deleted, self._opened.deleted_times
        ledger = self.salesforce_tap.ledger
        if not deleted or times is None:
            return
        wanted = deleted
        if ledger:
            linked = ledger.digests(self.mapping.name, Side.SALESFORCE, sorted(deleted))
            wanted = {i for i in deleted if i in linked or i in self._opened.revisits}
        yield from self._gone(sorted(wanted), times)

    def _gone(self, ids: Sequence[str], times: ServerTimes) -> Iterator[Record]:
        connection = self.salesforce_tap.connection
        return gone_rows(connection, self.mapping, self._plan, ids, times, self._met)

    def _owed(self) -> Iterator[Record]:
        """Rows on the revisit list that did not come by on their own."""
        owed = sorted(self._opened.revisits)
        if not owed:
            return
        connection, sobject = self.salesforce_tap.connection, self.mapping.salesforce
        select, rest = self._plan.select(sobject, ()).split(_HALF_BUDGET_BYTES)
        times: ServerTimes | None = None
        for page in select_by(connection, select, "Id", owed):
            times = page.times
            for row in completed(connection, sobject, page, rest):
                yield self._maker.record(row, page.times, revisit=self._met(row["Id"]))
        if self._plan.only:
            left = sorted(self._opened.revisits)
            yield from left_out_rows(connection, self.mapping, self._plan, left, self._met)
        missing = sorted(self._opened.revisits)
        if not missing or times is None:
            return
        gone = sorted(gone_among(connection, sobject, missing))
        yield from self._gone(gone, times)
        if self._opened.revisits:
            self.logger.warning(
                "%s: %d records to be read again are not visible to this user; check sharing.",
                self.name,
                len(self._opened.revisits),
            )

    def _backfilled(self) -> Iterator[Record]:
        """Linked rows once more, for a field that is new, as far as the time allows."""
        cursor = self.bookmark.get("backfill")
        if cursor is None:
            return
        until = time.monotonic() + 60 * self.salesforce_tap.backfill_minutes
        for row, times in self._linked_rows(cursor["after"]):
            self._position = ("backfill", {"after": row["Id"]})
            yield self._maker.record(row, times, backfill=True)
            if time.monotonic() > until:
                self.logger.info("%s: the backfill goes on in the next run.", self.name)
                return
        self._position = None
        self.bookmark.pop("backfill", None)

    def _linked_rows(self, after: str) -> Iterator[tuple[dict[str, t.Any], ServerTimes]]:
        """Linked rows in the order of their ids; the whole object where there is no ledger."""
        connection, sobject = self.salesforce_tap.connection, self.mapping.salesforce
        ledger = self.salesforce_tap.ledger
        names = [".".join(path) for path in self._plan.paths.values()]
        if ledger is None:
            where = (f"Id > '{after}'",) if after else ()
            select, rest = self._plan.select(sobject, where, ("Id",)).split()
            for page in pages(connection, select):
                for row in completed(connection, sobject, page, rest):
                    yield row, page.times
            return
        ids = ledger.linked_ids(self.mapping.name, Side.SALESFORCE, after)
        while batch := list(islice(ids, _BACKFILL_IDS)):
            if self._plan.only or any("." in name for name in names):
                select, rest = self._plan.select(sobject, (), ("Id",)).split(_HALF_BUDGET_BYTES)
                for page in select_by(connection, select, "Id", batch):
                    for row in completed(connection, sobject, page, rest):
                        if not row.get("IsDeleted"):
                            yield row, page.times
                continue
            fields = list(self._plan.select(sobject, ()).fields)
            for found in retrieve(connection, sobject, batch, fields).values():
                if found.row:
                    yield found.row, found.times

    def _met(self, record_id: str) -> list[int]:
        """Note that a row came by; returns the numbers of its revisit entries."""
        if self._opened.deleted:
            self._opened.deleted.discard(record_id)
        return self._opened.revisits.pop(record_id, []) if self._opened.revisits else []


_HALF_BUDGET_BYTES: t.Final = 7_000  # the rest of the URL holds ids


def _literal(stamp: str) -> str:
    """A SystemModstamp as SOQL takes it, fraction kept: rows of one second share it."""
    return stamp.replace("+0000", "Z")
