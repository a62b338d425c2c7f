"""Singer tap for Sweo."""

from __future__ import annotations

import typing as t
from functools import cached_property

from crosswalk.fieldtype import FieldType
from crosswalk.ledger import Ledger
from crosswalk.mapping import Mapping, Side
from singer_runtime.command import MAPPING_SETTINGS
from singer_runtime.full_check import CHECK_SETTINGS, CheckingTap
from singer_runtime.progress import PROGRESS_SETTING
from singer_sdk import typing as th
from sweo_client import SweoClient, SweoSettings
from sweo_client.fields import field_types, model_of
from sweo_client.query import data_attributes, workspace
from sweo_client.segments import Ids, chosen, segment_ids

from tap_sweo.full_check import FullCheckStream
from tap_sweo.members import remembered
from tap_sweo.outline import refuse_unknown_fields
from tap_sweo.plain import plain_streams
from tap_sweo.streams import SweoStream
from tap_sweo.timeline import TimelineStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Stream


class TapSweo(CheckingTap):
    """Reads companies, contacts, users and leads of one Sweo workspace."""

    name = "tap-sweo"
    package_name = "sweo-tap-sweo"
    side = Side.SWEO
    kept_by_a_check = ("types", "declared", "readable", "instance", "timezone")

    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_url",
            th.StringType,
            required=True,
            title="API address",
            description="Address of the Sweo API in the workspace's region. Plain http is taken "
            "for this machine only.",
        ),
        th.Property(
            "access_token",
            th.StringType,
            required=True,
            secret=True,
            title="Access token",
            description="Token of an app that may read people, companies and data attributes.",
        ),
        th.Property(
            "sweo_version",
            th.StringType,
            default="2.16",
            title="API version",
            description="A numbered version from 2.16 on, or `Preview`, which searches companies "
            "instead of scanning them.",
        ),
        th.Property(
            "environment",
            th.StringType,
            allowed_values=["sandbox", "prod"],
            title="Environment",
            description="`sandbox` talks to this machine only, `prod` never does. Default: no "
            "guard.",
        ),
        th.Property(
            "overlap_minutes",
            th.NumberType,
            default=10,
            title="Overlap in minutes",
            description="How far behind the last read the next one begins: Sweo's search index "
            "runs minutes behind. What is read twice costs no write.",
        ),
        th.Property(
            "company_scan_minutes",
            th.NumberType,
            default=15,
            title="Minutes between company scans",
            description="Numbered versions show changed companies only by a scan of all; between "
            "two scans companies come from the revisit list alone.",
        ),
        th.Property(
            "backfill_minutes",
            th.NumberType,
            default=10,
            title="Backfill in minutes",
            description="How long a run may read linked records once more after a field was added.",
        ),
        th.Property(
            "data_events",
            th.BooleanType,
            default=False,
            title="Data events",
            description="Without mappings: offer the stream `data_events` too, which takes a call "
            "for each contact that changed.",
        ),
        th.Property(
            "max_event_calls",
            th.IntegerType,
            default=500,
            title="Calls for events",
            description="How many calls a run may spend on the events of people (`events`), about "
            "one for each that changed, in equal parts for each mapping; the next run goes on.",
        ),
        *CHECK_SETTINGS,
        PROGRESS_SETTING,
        *MAPPING_SETTINGS,
    ).to_dict()

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        """The field configs choose and name fields; the SDK's stream maps would come between."""

    @cached_property
    def client(self) -> SweoClient:
        """The workspace; nothing is called before the first read."""
        return SweoClient(SweoSettings.from_config(self.config))

    def calls(self) -> int:
        """Metered API calls of this run so far."""
        return self.client.meter.calls if "client" in self.__dict__ else 0

    def mapped_stream(self, mapping: Mapping) -> SweoStream:
        """The stream of one mapping."""
        if self.config.get("full_check"):
            return FullCheckStream(self, mapping)
        return SweoStream(self, mapping)

    def further_streams(self) -> Iterable[Stream]:
        """The data events of mappings that put them on the timeline; a full check reads none."""
        if self.config.get("full_check"):
            return ()
        wanted = [(mapping, mapping.events) for mapping in self.mappings if mapping.events]
        most_calls = max(int(self.config["max_event_calls"]) // max(len(wanted), 1), 1)
        return [TimelineStream(self, mapping, events, most_calls) for mapping, events in wanted]

    def discover_plain_streams(self) -> Iterable[Stream]:
        """Companies, contacts, segments, data attributes and, if asked for, data events."""
        return plain_streams(self)

    def known_fields(self) -> dict[str, dict[str, FieldType]]:
        """The workspace's fields by the Sweo objects of all mappings; looked up once a run.

        Raises:
            FatalError: A mapping names attributes that do not exist.
        """
        return self._known_fields

    @cached_property
    def _known_fields(self) -> dict[str, dict[str, FieldType]]:
        attributes = data_attributes(self.client)
        objects = {mapping.sweo for mapping in self.mappings}
        known = {name: field_types(model_of(name), attributes) for name in objects}
        refuse_unknown_fields(self.mappings, known)
        return known

    @cached_property
    def segments(self) -> dict[str, Ids]:
        """The ids of every mapping's segments, by mapping: as the bookmarks remember them, or
        looked up for all of them where one names others than at its last read.

        Raises:
            UnknownSegmentsError: a mapping names segments that do not exist.
        """
        marks = self.state.get("bookmarks", {})
        kept = {m.name: remembered(m, marks.get(m.name, {}).get("segments")) for m in self.active}
        known = {name: ids for name, ids in kept.items() if ids is not None}
        return known if len(known) == len(kept) else self.current_segments

    @cached_property
    def current_segments(self) -> dict[str, Ids]:
        """The ids of every mapping's segments as they are now; one call for companies and one
        for contacts, once a run.

        Raises:
            UnknownSegmentsError: as above.
        """
        models = {model_of(m.sweo) for m in self.active if m.only.segments}
        known = {model: segment_ids(self.client, model) for model in models}
        return {m.name: chosen(m, known.get(model_of(m.sweo), {})) for m in self.active}

    def workspace(self) -> tuple[str, str]:
        """The workspace's id and time zone: from STATE if any stream knows them, else asked."""
        for mark in self.state.get("bookmarks", {}).values():
            if mark.get("instance") and mark.get("timezone"):
                return str(mark["instance"]), str(mark["timezone"])
        found = workspace(self.client)
        return found.id, found.timezone

    def ledger_id_now(self) -> str | None:
        """The ledger's id, looked up anew: the target may have made the ledger meanwhile."""
        url = self.sync_config.ledger_url
        ledger = Ledger.open_existing(url) if url else None
        if ledger is None:
            return None
        try:
            return ledger.id
        finally:
            ledger.close()


if __name__ == "__main__":
    TapSweo.cli()
