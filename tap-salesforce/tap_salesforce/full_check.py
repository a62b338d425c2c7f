"""The full check of one mapping: every row, then every linked row that was not among them."""

from __future__ import annotations

import typing as t
from datetime import timedelta
from functools import cached_property
from itertools import islice

import msgspec
from crosswalk.mapping import Side
from crosswalk.wire import StreamNote
from salesforce_client.composite import read_composite
from salesforce_client.deleted import LOG_DAYS, deleted_ids, deleted_request
from salesforce_client.errors import RequestRefusedError
from salesforce_client.retrieve import MAX_IDS, gone_among, retrieve

from tap_salesforce.streams import SalesforceStream
from tap_salesforce.window import LINKED

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_runtime.full_check import FullCheck
    from singer_sdk.helpers.types import Context, Record

_LINKED_IDS: t.Final = 5 * MAX_IDS  # five collections ride in one call


class FullCheckStream(SalesforceStream):
    """Reads one mapping in slices. Rows come oldest change first, or through one Bulk job whose
    results later runs go on reading; a row that is edited meanwhile comes once more at the end.
    """

    @property
    def _check(self) -> FullCheck:
        check = self.salesforce_tap.check
        assert check is not None  # noqa: S101 - the tap makes this stream in a full check only
        return check

    def note(self) -> StreamNote:
        """What the target must know of this read: that drift is looked for, too."""
        return msgspec.structs.replace(super().note(), check=True)

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the rows of this run's slice."""
        del context
        bookmark, check = self.bookmark, self._check
        bookmark["plan"] = self._plan.remembered()
        if LINKED not in bookmark:
            if self._opened.first is not None:
                check.expect(self.name, self._opened.first.total)
            if not (yield from self._rows()):
                check.pause(self.name)
                return
            bookmark.pop("at", None)
            bookmark[LINKED] = {"after": ""}
        if not (yield from self._lost()):
            check.pause(self.name)
            return
        del bookmark[LINKED]
        bookmark["whole"] = bookmark.pop("began")
        self.salesforce_tap.note_ledger(bookmark)
        check.finish(self.name)

    def _rows(self) -> t.Generator[Record, None, bool]:
        """The rows of the slice; returns whether none is left."""
        for record in self._changed():
            yield record
            self._check.count(self.name)
            # A page of a Bulk job cannot be taken up in its middle.
            if self._check.is_full and "bulk" not in self.bookmark:
                return False
        return "bulk" not in self.bookmark

    def _stops_here(self) -> bool:
        return self._check.is_full

    def _lost(self) -> t.Generator[Record, None, bool]:
        """Linked rows that are surely deleted; the others that did not come by are counted.

        Returns whether no linked row is left.
        """
        bookmark, ledger = self.bookmark, self.salesforce_tap.ledger
        connection, sobject = self.salesforce_tap.connection, self.mapping.salesforce
        ids: Iterator[str] = iter(())
        if ledger:
            ids = ledger.linked_ids(self.mapping.name, Side.SALESFORCE, bookmark[LINKED]["after"])
        invisible = 0
        while batch := list(islice(ids, _LINKED_IDS)):
            if self._check.is_full:
                return False
            found = retrieve(connection, sobject, batch, ["Id"])
            absent = [record_id for record_id in batch if found[record_id].row is None]
            deleted = self._deleted_among(absent)
            if deleted:
                yield from self._gone(sorted(deleted), found[min(deleted)].times)
            invisible += len(absent) - len(deleted)
            self._check.count(self.name, len(absent))
            bookmark[LINKED] = {"after": batch[-1]}
        if invisible:
            self.logger.warning(
                "%s: %d linked records were not found: sharing hides them from this user, or "
                "they were purged more than 15 days ago. Their links stay.",
                self.name,
                invisible,
            )
        return True

    def _deleted_among(self, ids: Sequence[str]) -> set[str]:
        """Rows of the recycle bin, and of the delete log: "not found" alone proves nothing."""
        connection, sobject = self.salesforce_tap.connection, self.mapping.salesforce
        gone = gone_among(connection, sobject, ids)
        deleted = {i for i, code in gone.items() if code == "ENTITY_IS_DELETED"}
        if len(deleted) < len(gone) and self._plan.replicateable:
            deleted |= self._delete_log & set(gone)
        return deleted

    @cached_property
    def _delete_log(self) -> set[str]:
        connection = self.salesforce_tap.connection
        now = connection.server_now()
        oldest = now - timedelta(days=LOG_DAYS)
        request = deleted_request(self.mapping.salesforce, oldest, now)
        try:
            return set(deleted_ids(read_composite(connection, [request])[0]))
        except RequestRefusedError as refusal:
            self.logger.warning(
                "%s: Salesforce did not show its delete log (%s).", self.name, refusal.code
            )
            return set()
