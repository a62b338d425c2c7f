"""The tap: settings, connection, streams."""

from __future__ import annotations

import typing as t
from functools import cached_property

from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger, direction_to
from crosswalk.ledger.usage import calls_within_a_day, spenders
from crosswalk.mapping import Side
from crosswalk.problems import one_of
from salesforce_client.settings import connection_from
from singer_runtime.full_check import CheckingTap

from tap_salesforce.full_check import FullCheckStream
from tap_salesforce.opening import Opened, open_reads
from tap_salesforce.plain import plain_streams
from tap_salesforce.settings import SETTINGS
from tap_salesforce.streams import SalesforceStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from crosswalk.mapping import Mapping
    from salesforce_client.connection import Connection
    from singer_sdk import Stream


class TapSalesforce(CheckingTap):
    """Reads what changed in a Salesforce org."""

    name = "tap-salesforce"
    package_name = "sweo-tap-salesforce"
    side = Side.SALESFORCE
    kept_by_a_check = ("plan",)
    config_jsonschema = SETTINGS.to_dict()

    @cached_property
    def connection(self) -> Connection:
        """The connection; nothing is sent before it is first used."""
        return connection_from(
            self.config, limit_calls=self.config.get("max_calls"), earlier_calls=self._earlier_calls
        )

    def calls(self) -> int:
        """Metered API calls of this run so far."""
        return self.connection.calls if "connection" in self.__dict__ else 0

    def _earlier_calls(self) -> int:
        if self.ledger is None:
            return 0
        return calls_within_a_day(self.ledger, *spenders(self.org))

    @property
    def org(self) -> str | None:
        """The name of the org that this tap reads; None for the primary one."""
        return self.config.get("org") or None

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """The mappings of this tap's org that are switched on, parents first.

        Raises:
            FatalError: no mapping names that org.
        """
        declared = self.sync_config
        if self.org is not None and all(m.org != self.org for m in declared.mappings):
            names = sorted({m.org for m in declared.mappings if m.org})
            hint = one_of(self.org, names) if names else "write `org:` into its mappings"
            raise FatalError(f"No mapping is of the org {self.org} (setting org); {hint}.")
        return tuple(mapping for mapping in declared.enabled if mapping.org == self.org)

    @property
    def overlap_minutes(self) -> int:
        """How far before the watermark a read begins."""
        return int(self.config["overlap_minutes"])

    @property
    def backfill_minutes(self) -> float:
        """How long a backfill may take in one run."""
        return float(self.config["backfill_minutes"])

    @property
    def bulk_threshold_rows(self) -> int:
        """The fewest rows that Bulk API 2.0 is used for."""
        return int(self.config["bulk_threshold_rows"])

    @property
    def poll_seconds(self) -> float:
        """The pause before the first poll of a Bulk job."""
        return float(self.config["bulk_poll_seconds"])

    def mapped_stream(self, mapping: Mapping) -> SalesforceStream:
        """The stream of one mapping."""
        if self.config.get("full_check"):
            return FullCheckStream(self, mapping)
        return SalesforceStream(self, mapping)

    def discover_plain_streams(self) -> Iterable[Stream]:
        """One stream an object, as describe tells it."""
        return plain_streams(self)

    def opened(self, mapping: str) -> Opened:
        """What the first calls brought for a mapping; they are sent when this is first asked."""
        return self._opened[mapping]

    @cached_property
    def _opened(self) -> dict[str, Opened]:
        bookmarks = {}
        mappings = [mapping for mapping in self.active if self.reads(mapping.name)]
        for mapping in mappings:
            stream = self.streams[mapping.name]
            assert isinstance(stream, SalesforceStream)  # noqa: S101 - mapped_stream makes them
            if self.check is None:
                self._forget_other_ledgers(stream)
            bookmarks[stream.name] = stream.bookmark
        return open_reads(
            self.connection,
            mappings,
            bookmarks,
            # A full check leaves the revisit list to the ordinary runs.
            self.ledger if self.check is None else None,
            overlap_minutes=self.overlap_minutes,
            held=self.check is not None,
        )

    def _forget_other_ledgers(self, stream: SalesforceStream) -> None:
        """Read everything again where STATE was made beside another ledger than this one."""
        bookmark, ledger = stream.bookmark, self.ledger
        if not bookmark or bookmark.get("ledger") == (ledger.id if ledger else None):
            return
        if ledger and "ledger" not in bookmark:
            # The first run of all begins before its target has made the ledger.
            whole_at, _ = ledger.progress(direction_to(Side.SWEO), stream.name)
            if whole_at:
                return
        self.logger.warning(
            "%s: STATE belongs to another ledger than this one; reading everything.", stream.name
        )
        bookmark.clear()

    def note_ledger(self, bookmark: dict[str, t.Any]) -> None:
        """Keep the ledger's id in a bookmark, as soon as there is a ledger."""
        url = self.sync_config.ledger_url
        if self.ledger is None and url:
            found = Ledger.open_existing(url)
            if found:
                self.__dict__["ledger"] = found  # the target has made it meanwhile
        if self.ledger:
            bookmark["ledger"] = self.ledger.id

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        """The SDK's stream maps and flattening would change what the mapper reads."""
