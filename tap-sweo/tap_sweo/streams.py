"""The records of one mapping as Sweo holds them: what changed, what is owed, what is new.

Live changes come first and alone move the bookmark. Then come the records of the revisit list,
read by id, and, where the mapping asks for other fields than before, the backfill.

The bookmark of a stream holds
``since``       everything that changed before this time has been emitted,
``complete``    whether the read that ``since`` comes from reached its end,
``whole``       when every record had been emitted once for this ledger,
``rows``        how many records the last whole read saw,
``scanned_at``  when companies were last scanned, by this machine's clock,
``ledger instance timezone``  what the bookmark belongs to,
``declared readable types``   what was read of a record,
``segments``    ids of the segments that the read was narrowed to, by their names, and
``backfill``    ``{"after": id}`` while linked records are read once more.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import msgspec
from crosswalk.fieldtype import FieldType
from crosswalk.ledger import FROM_INDEX
from crosswalk.mapping import Mapping, Side
from crosswalk.wire import SOURCE, Source, StreamNote
from singer_runtime.full_check import CheckingStream
from sweo_client.clock import iso, unix
from sweo_client.fields import model_of, reader, role_of
from sweo_client.query import Lookup, records_by_id, updated_at

from tap_sweo.members import Members, has_changed
from tap_sweo.outline import declared_fingerprint, outline, readable_fingerprint
from tap_sweo.reading import Reader, Reading, Stopwatch, is_due, refuse_other_workspace

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_sdk.helpers.types import Context, Record
    from sweo_client.segments import Ids

    from tap_sweo.tap import TapSweo

A_FEW = 25
"""So many records of the revisit list are read by id whatever a full read would cost."""

CONCURRENCY = 8
"""Reads by id that run at once; well within a rate limit of 166 a second."""


class SweoStream(CheckingStream):
    """One mapping's companies, contacts, users or leads."""

    sync_tap: TapSweo
    _reads_held: t.ClassVar[bool] = False

    def __init__(self, tap: TapSweo, mapping: Mapping) -> None:
        super().__init__(tap, mapping)
        self.checking_tap = tap
        self._reader = Reader(tap.client, mapping.sweo, self.logger)
        self._reading = Reading()
        self._revisits: dict[str, list[int]] = {}
        self._by_id_only: set[str] = set()
        self._cutoff: int | None = None
        self._note_full = False
        self._refreshed = False

    # before the SCHEMA

    def prepare(self) -> None:
        """Read into the spool, and learn the fields' types if anything will be emitted."""
        mark = self.bookmark
        self._forget_what_another_ledger_knew()
        self._narrow(self.sync_tap.segments[self.name])
        if "instance" not in mark or "timezone" not in mark:
            mark["instance"], mark["timezone"] = self.sync_tap.workspace()
        self._revisits = self._owed()
        if mark.get("declared") != declared_fingerprint(self.mapping) or "types" not in mark:
            self._refresh_types()
        self._note_full = "whole" not in mark
        self._read()
        refuse_other_workspace(self._reading.spool, str(mark["instance"]))
        if not self._refreshed and (self._has_live_rows() or self._revisits):
            self._refresh_types()

    def _forget_what_another_ledger_knew(self) -> None:
        mark, ledger = self.bookmark, self.sync_tap.ledger
        known = ledger.id if ledger else None
        if "ledger" in mark and mark["ledger"] is not None and mark["ledger"] != known:
            self.logger.info("This ledger is new to STATE: %s is read in full.", self.name)
            for key in ("since", "complete", "whole", "backfill", "scanned_at"):
                mark.pop(key, None)
        mark["ledger"] = known

    def _narrow(self, segments: Ids) -> None:
        """Read the members of these segments only; of others than before, everything once."""
        mark = self.bookmark
        if has_changed(self.mapping, mark.get("segments")) and "since" in mark:
            self.logger.info("%s: only.sweo has changed; reading everything.", self.name)
            for key in ("since", "complete", "scanned_at"):
                mark.pop(key, None)
        self._remember(segments)

    def _remember(self, segments: Ids) -> None:
        self._members = Members(self.sync_tap.client, self.mapping, segments, CONCURRENCY)
        self._reader.segment_ids = self._members.search_ids
        self.bookmark.pop("segments", None)
        if segments:
            self.bookmark["segments"] = dict(segments)

    def _owed(self) -> dict[str, list[int]]:
        owed: dict[str, list[int]] = {}
        if self.sync_tap.ledger:
            for entry in self.sync_tap.ledger.revisits("to_salesforce", self.name):
                owed.setdefault(entry.source_id, []).append(entry.number)
                if entry.reason not in FROM_INDEX:
                    self._by_id_only.add(entry.source_id)
        return owed

    def _refresh_types(self) -> None:
        mark = self.bookmark
        known = self.sync_tap.known_fields()[self.mapping.sweo]
        found = outline(self.mapping, known, held=self._reads_held)
        for name in found.missing:
            self.logger.info(
                "Sweo has no attribute `%s` yet; it is left out until target-sweo makes it.", name
            )
        readable = readable_fingerprint(self.mapping, found.types)
        if mark.get("readable") not in (None, readable) and "since" in mark:
            self.logger.info("Mapping %s reads other fields than before: backfill.", self.name)
            mark["backfill"] = {"after": ""}
        mark["readable"] = readable
        mark["declared"] = declared_fingerprint(self.mapping)
        mark["types"] = {name: msgspec.to_builtins(f) for name, f in found.types.items()}
        self._remember(self.sync_tap.current_segments[self.name])
        self._refreshed = True

    def _read(self) -> None:
        mark = self.bookmark
        since = unix(mark["since"]) if "since" in mark else None
        if since is not None:
            self._cutoff = max(since - int(60 * float(self.config["overlap_minutes"])), 0)
        whole = since is None or self._owed_is_much() or self._backfill_is_much()
        if self._reader.scans and not whole and not self._scan_is_due():
            return
        self._reading = self._reader.read(None if whole else self._cutoff)
        if self._reading.whole:
            mark["rows"] = len(self._reading.spool)
        if self._reader.scans and self._reading.started_at is not None:
            mark["scanned_at"] = iso(self.sync_tap.client.clock.local())

    def _owed_is_much(self) -> bool:
        # By id a record is read as it is now, so a short list is never read from an index.
        pages = self._reader.pages_of(int(self.bookmark.get("rows", 0)))
        return len(self._revisits) - len(self._by_id_only) > max(pages, A_FEW)

    def _backfill_is_much(self) -> bool:
        """Whether reading everything takes fewer calls than the linked records one by one."""
        if "backfill" not in self.bookmark:
            return False
        linked = self.sync_tap.ledger.count_linked(self.name) if self.sync_tap.ledger else 0
        return linked > max(self._reader.pages_of(int(self.bookmark.get("rows", 0))), A_FEW)

    def _scan_is_due(self) -> bool:
        scanned_at = self.bookmark.get("scanned_at")
        return is_due(
            unix(scanned_at) if scanned_at else None,
            int(self.sync_tap.client.clock.local()),
            float(self.config["company_scan_minutes"]),
        )

    def _has_live_rows(self) -> bool:
        return self._reading.spool.holds_since(self._cutoff)

    def note(self) -> StreamNote:
        """Where the records come from."""
        return StreamNote(
            mapping=self.name,
            side=Side.SWEO.value,
            object=self.mapping.sweo,
            instance=str(self.bookmark["instance"]) or None,
            timezone=str(self.bookmark["timezone"]),
            full=self._note_full,
            skew_seconds=self.sync_tap.client.clock.skew_seconds,
        )

    def types(self) -> dict[str, FieldType]:
        """The fields that could be read when they were last looked up."""
        return {
            name: msgspec.convert(field, FieldType)
            for name, field in self.bookmark["types"].items()
        }

    # after the SCHEMA

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Live changes oldest first, then the revisit list, then the backfill."""
        del context
        try:
            yield from self._live()
            yield from self._revisited()
            yield from self._backfilled()
        finally:
            self._reading.spool.close()
        self._remember_ledger()

    def advance(self, record: Record) -> None:
        """Move ``since``, or the backfill's cursor; a revisited record moves nothing."""
        source = record[SOURCE]
        if source.get("backfill"):
            self.bookmark["backfill"] = {"after": source["id"]}
        elif not source.get("revisit"):
            self.bookmark["since"] = source["modified_at"]

    def _live(self) -> Iterator[Record]:
        if self._reading.started_at is None:
            return
        mark, make = self.bookmark, self._shaper()
        mark["complete"] = False
        for row in self._reading.spool.oldest_first(self._cutoff):
            # A fresher reading of the same record follows with the revisit list.
            if str(row["id"]) not in self._revisits and self._members.lets_in(row):
                yield make(row, Source(row["id"], *index_times(row)))
        started = iso(self._reading.started_at)
        mark.update(since=started, complete=True)
        mark.setdefault("whole", started)

    def _revisited(self) -> Iterator[Record]:
        make, spool = self._shaper(), self._reading.spool
        unread = []
        for record_id, numbers in self._revisits.items():
            indexed = self._reading.whole and record_id not in self._by_id_only
            row = spool.get(record_id) if indexed else None
            if row is None:
                unread.append(record_id)
            elif self._members.lets_in(row):
                yield make(row, Source(record_id, *index_times(row), revisit=numbers))
            else:
                yield _outside(Source(record_id, *index_times(row), revisit=numbers))
        inside = self._members.among(unread)
        for record_id, found in self._by_id(unread):
            if found.record is not None and record_id not in inside:
                at = iso(found.read_at)
                yield _outside(Source(record_id, at, at, revisit=self._revisits[record_id]))
                continue
            record = self._looked_up(record_id, found, make, revisit=self._revisits[record_id])
            if record is not None:
                yield record

    def _backfilled(self) -> Iterator[Record]:
        mark, ledger = self.bookmark, self.sync_tap.ledger
        if "backfill" not in mark:
            return
        just_read = self._cutoff is None and self._reading.started_at is not None
        if just_read or ledger is None:
            # Every record has just been emitted with all its fields, or nothing is linked.
            del mark["backfill"]
            return
        if not self._reading.whole and self._backfill_is_much():
            return  # somebody else scans; the next run tries again
        watch = Stopwatch(float(self.config["backfill_minutes"]))
        make, spool = self._shaper(), self._reading.spool
        linked = ledger.linked_ids(self.name, Side.SWEO, str(mark["backfill"]["after"]))
        for batch in batches(linked, 500):
            rows = {i: spool.get(i) if self._reading.whole else None for i in batch}
            unlisted = [i for i in batch if rows[i] is None]
            if self._members.must_be_asked_for and self._reading.whole:
                members = set()  # the search has shown all of them
            else:
                members = self._members.among(unlisted)
            unread = self._by_id([i for i in unlisted if i in members])
            for record_id in batch:
                row = rows[record_id]
                if row is not None:
                    if self._members.lets_in(row):
                        yield make(row, Source(record_id, *index_times(row), backfill=True))
                elif record_id in members:
                    _, found = next(unread)
                    record = self._looked_up(record_id, found, make, backfill=True)
                    if record is not None:
                        yield record
                if watch.is_over:
                    self.logger.info("The backfill of %s goes on in the next run.", self.name)
                    return
        del mark["backfill"]

    def _by_id(self, ids: list[str]) -> Iterator[tuple[str, Lookup]]:
        return records_by_id(
            self.sync_tap.client, model_of(self.mapping.sweo), ids, concurrency=CONCURRENCY
        )

    def _looked_up(
        self,
        record_id: str,
        found: Lookup,
        make: Callable[[dict[str, t.Any], Source], Record],
        **why: t.Any,
    ) -> Record | None:
        read_at = iso(found.read_at)
        if found.refused:
            self.logger.warning("Sweo did not show a %s (%s).", self.mapping.sweo, found.refused)
            return None
        if found.record is None:
            source = Source(
                record_id, read_at, read_at, deleted=True, merged_into=found.merged_into, **why
            )
            return {SOURCE: msgspec.to_builtins(source)}
        if not self._belongs(found.record):
            # A lead that has become a user, say: not of this mapping any more.
            return _outside(Source(record_id, read_at, read_at, **why)) if why else None
        if not self._members.lets_in(found.record):
            return _outside(Source(record_id, read_at, read_at, **why)) if why else None
        return make(found.record, Source(record_id, iso(updated_at(found.record)), read_at, **why))

    def _belongs(self, row: dict[str, t.Any]) -> bool:
        role = role_of(self.mapping.sweo)
        return role is None or row.get("role") == role

    def _shaper(self) -> Callable[[dict[str, t.Any], Source], Record]:
        model = model_of(self.mapping.sweo)
        readers = [(name, reader(model, field)) for name, field in self.types().items()]

        def make(row: dict[str, t.Any], source: Source) -> Record:
            record: dict[str, t.Any] = {name: read(row) for name, read in readers}
            record[SOURCE] = msgspec.to_builtins(source)
            return record

        return make

    def _remember_ledger(self) -> None:
        # On the first run the target makes the ledger while this tap reads.
        mark = self.bookmark
        if mark.get("ledger") is None:
            mark["ledger"] = self.sync_tap.ledger_id_now()


def _outside(source: Source) -> Record:
    """A record that is there and that the filter leaves out: nothing of its fields."""
    source.outside = True
    return {SOURCE: msgspec.to_builtins(source)}


def index_times(row: dict[str, t.Any]) -> tuple[str, str]:
    """``modified_at`` and ``read_at`` of a row from an index, which runs minutes behind."""
    moment = iso(updated_at(row))
    return moment, moment


def batches(ids: Iterator[str], size: int) -> Iterator[list[str]]:
    """Lists of ``size`` ids; the last may be shorter."""
    batch: list[str] = []
    for record_id in ids:
        batch.append(record_id)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
