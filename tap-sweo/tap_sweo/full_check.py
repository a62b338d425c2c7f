"""The full check of one mapping: every listed record, then every linked one that no list shows.

The bookmark holds ``position`` while listed records are read (a search's ``cursor``, or ``at``,
the place within a scan) and ``linked``, the cursor among linked ids, after that.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from functools import partial

import msgspec
from crosswalk.mapping import Mapping, Side
from crosswalk.wire import Source, StreamNote
from sweo_client import SweoRefusal
from sweo_client.clock import iso
from sweo_client.fields import COMPANY, model_of, role_of
from sweo_client.query import (
    PAGE_SIZE,
    CursorPage,
    contacts_among,
    search_contacts_oldest_first,
    updated_at,
)

from tap_sweo.reading import refuse_other_workspace, refuse_row_of_other_workspace
from tap_sweo.streams import SweoStream, batches, index_times

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_runtime.full_check import FullCheck
    from singer_sdk.helpers.types import Context, Record

    from tap_sweo.tap import TapSweo

_MOST_SCANS: t.Final = 4
"""So often all companies are scanned for one check, however many there are."""


class FullCheckStream(SweoStream):
    """Reads one mapping in slices; neither a timestamp nor the revisit list matters here.

    The search for contacts goes on at its cursor. Companies are scanned, also where they could
    be searched, because a scan can tell whether a company is listed. A scan cannot be taken up
    in its middle: each slice scans them all, as an ordinary run does, and emits its part, a
    quarter at least.
    """

    _reads_held = True

    def __init__(self, tap: TapSweo, mapping: Mapping) -> None:
        super().__init__(tap, mapping)
        self._scans = model_of(mapping.sweo) == COMPANY
        self._seen: set[str] | None = None

    @property
    def _check(self) -> FullCheck:
        check = self.sync_tap.check
        assert check is not None  # noqa: S101 - the tap makes this stream in a full check only
        return check

    def prepare(self) -> None:
        """Learn the fields' types; scan, where only a scan shows every company."""
        mark = self.bookmark
        if "instance" not in mark or "timezone" not in mark:
            mark["instance"], mark["timezone"] = self.sync_tap.workspace()
        self._note_full = True
        self._refresh_types()
        if self._scans:
            self._reading = self._reader.scan()
            refuse_other_workspace(self._reading.spool, str(mark["instance"]))
            if self._reading.started_at is not None:
                mark.setdefault("began", iso(self._reading.started_at))

    def note(self) -> StreamNote:
        """Where the records come from, and that drift is looked for."""
        return msgspec.structs.replace(super().note(), check=True)

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the records of this run's slice."""
        del context
        mark, check = self.bookmark, self._check
        try:
            if self._scans and self._reading.started_at is None:
                return  # somebody else scans; the next run tries again
            if "linked" not in mark:
                listed = self._scanned() if self._scans else self._searched()
                if not (yield from listed):
                    check.pause(self.name)
                    return
                mark.pop("position", None)
                mark["linked"] = {"after": ""}
            if not (yield from self._unlisted()):
                check.pause(self.name)
                return
        finally:
            self._reading.spool.close()
        del mark["linked"]
        mark["whole"] = mark.pop("began")
        mark["ledger"] = self.sync_tap.ledger_id_now()
        check.finish(self.name)

    def advance(self, record: Record) -> None:
        """Positions are kept by ``get_records``: a page, or a record of a scan."""

    def _scanned(self) -> t.Generator[Record, None, bool]:
        """Rows of the scan behind the position; returns whether none is left."""
        mark, make = self.bookmark, self._shaper()
        at = mark.get("position") or {"at": 0, "id": ""}
        spool = self._reading.spool
        fewest = len(spool) / _MOST_SCANS
        self._check.expect(self.name, len(spool))
        for emitted, row in enumerate(spool.oldest_first(at["at"], after=at["id"])):
            if self._check.is_full and emitted >= fewest:
                return False
            record_id = str(row["id"])
            if self._members.lets_in(row):
                yield make(row, Source(record_id, *index_times(row)))
            mark["position"] = {"at": updated_at(row), "id": record_id}
            self._check.count(self.name)
        return True

    def _searched(self) -> t.Generator[Record, None, bool]:
        """Rows of the search behind the cursor; returns whether none is left."""
        mark, make = self.bookmark, self._shaper()
        clock = self.sync_tap.client.clock
        if "position" not in mark:
            self._seen = set()
        started = clock.local()
        for page in self._pages():
            mark.setdefault("began", iso(clock.at(started)))
            if page.total is not None:
                self._check.expect(self.name, page.total)
            if page.rows:
                refuse_row_of_other_workspace(page.rows[0], str(mark["instance"]))
            for row in page.rows:
                record_id = str(row["id"])
                if self._seen is not None:
                    self._seen.add(record_id)
                yield make(row, Source(record_id, *index_times(row)))
            self._check.count(self.name, len(page.rows))
            if page.following is None:
                return True
            mark["position"] = {"cursor": page.following}
            if self._check.is_full:
                return False
        return True

    def _pages(self) -> Iterator[CursorPage]:
        client, role = self.sync_tap.client, role_of(self.mapping.sweo)
        cursor = self.bookmark.get("position", {}).get("cursor")
        search = partial(
            search_contacts_oldest_first,
            client,
            role=role,
            segment_ids=self._members.search_ids,
        )
        try:
            yield from search(cursor=cursor)
        except SweoRefusal as refusal:
            self.logger.warning(
                "%s: Sweo takes the cursor of the last slice no more (%s); reading from the start.",
                self.name,
                refusal.code,
            )
            self.bookmark.pop("position", None)
            self._seen = set()
            yield from search()

    def _unlisted(self) -> t.Generator[Record, None, bool]:
        """Linked records that no list shows, by id: companies without contacts, deleted and
        merged records. Returns whether no linked record is left.
        """
        mark, ledger = self.bookmark, self.sync_tap.ledger
        if ledger is None:
            return True
        make = self._shaper()
        linked = ledger.linked_ids(self.name, Side.SWEO, str(mark["linked"]["after"]))
        for batch in batches(linked, PAGE_SIZE):
            if self._check.is_full:
                return False
            listed = self._listed_among(batch)
            for record_id, found in self._by_id([i for i in batch if i not in listed]):
                if found.record is not None and self._members.must_be_asked_for:
                    continue  # no search shows it, so none has found it among the members
                record = self._looked_up(record_id, found, make)
                if record is not None:
                    yield record
                self._check.count(self.name)
            mark["linked"] = {"after": batch[-1]}
        return True

    def _listed_among(self, ids: list[str]) -> set[str]:
        if self._scans:
            return {i for i in ids if self._reading.spool.get(i) is not None}
        if self._seen is not None and not self._members.must_be_asked_for:
            return self._seen.intersection(ids)
        return contacts_among(self.sync_tap.client, ids)
