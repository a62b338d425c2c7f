"""Streams of an ordinary Singer tap, for use without field configs."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from singer_sdk import Stream, typing as th
from sweo_client import SweoRefusal
from sweo_client.fields import COMPANY, CONTACT, STANDARD
from sweo_client.query import data_attributes, events_of, segments, updated_at

from tap_sweo.reading import Reader

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record

    from tap_sweo.tap import TapSweo

_JSON_TYPES: t.Final = {
    "integer": th.IntegerType,
    "float": th.NumberType,
    "boolean": th.BooleanType,
    "date": th.IntegerType,
}
_NESTED: t.Final = {
    COMPANY: ("plan", "tags", "segments", "notes"),
    CONTACT: ("companies", "tags", "notes", "location", "social_profiles", "avatar"),
}


def plain_streams(tap: TapSweo) -> list[Stream]:
    """Every plain stream that the settings ask for."""
    streams: list[Stream] = [
        RecordStream(tap, "companies", COMPANY),
        RecordStream(tap, "contacts", CONTACT),
        SegmentStream(tap),
        DataAttributeStream(tap),
    ]
    if tap.config.get("data_events"):
        streams.append(DataEventStream(tap))
    return streams


def _record_schema(model: str) -> dict[str, t.Any]:
    nested = _NESTED[model]
    properties: list[th.Property[t.Any]] = [
        th.Property(name, _JSON_TYPES.get(field.type, th.StringType))
        for name, field in STANDARD[model].items()
        if "." not in name and name not in nested
    ]
    properties += [th.Property("type", th.StringType)]
    properties += [th.Property(name, th.ObjectType(additional_properties=True)) for name in nested]
    properties += [
        th.Property("custom_attributes", th.ObjectType(additional_properties=True)),
    ]
    return th.PropertiesList(*properties).to_dict()


class RecordStream(Stream):
    """Companies or contacts, oldest change first; ``updated_at`` is the bookmark."""

    primary_keys: t.ClassVar = ("id",)
    is_sorted = True

    def __init__(self, tap: TapSweo, name: str, model: str) -> None:
        super().__init__(tap=tap, name=name, schema=_record_schema(model))
        self.replication_key = "updated_at"
        self._reader = Reader(tap.client, model, self.logger)

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield what changed since the bookmark, the second of the bookmark included."""
        start = self.get_starting_replication_key_value(context)
        since = int(start) if start is not None else None
        reading = self._reader.read(since)
        try:
            yield from reading.spool.oldest_first(since)
        finally:
            reading.spool.close()


class SegmentStream(Stream):
    """Segments with the number of their contacts."""

    primary_keys: t.ClassVar = ("id",)

    def __init__(self, tap: TapSweo) -> None:
        schema = th.PropertiesList(
            th.Property("type", th.StringType),
            th.Property("id", th.StringType),
            th.Property("name", th.StringType),
            th.Property("person_type", th.StringType),
            th.Property("count", th.IntegerType),
            th.Property("created_at", th.IntegerType),
            th.Property("updated_at", th.IntegerType),
        ).to_dict()
        super().__init__(tap=tap, name="segments", schema=schema)
        self._client = tap.client

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield every segment."""
        del context
        yield from segments(self._client)


class DataAttributeStream(Stream):
    """Data attributes of companies and contacts, archived ones too."""

    primary_keys: t.ClassVar = ("model", "full_name")

    def __init__(self, tap: TapSweo) -> None:
        texts = ("type", "model", "name", "full_name", "label", "description", "data_type")
        flags = ("api_writable", "messenger_writable", "ui_writable", "custom", "archived")
        schema = th.PropertiesList(
            *(th.Property(name, th.StringType) for name in texts),
            *(th.Property(name, th.BooleanType) for name in flags),
            th.Property("id", th.IntegerType),
            th.Property("options", th.ArrayType(th.StringType)),
            th.Property("admin_id", th.StringType),
            th.Property("created_at", th.IntegerType),
            th.Property("updated_at", th.IntegerType),
        ).to_dict()
        super().__init__(tap=tap, name="data_attributes", schema=schema)
        self._client = tap.client

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield every attribute."""
        del context
        yield from data_attributes(self._client)


class DataEventStream(Stream):
    """Events of the last 90 days of every contact that changed since the bookmark.

    The API gives an event no id; what Sweo itself takes for the same event is the key.
    """

    primary_keys: t.ClassVar = ("contact_id", "event_name", "created_at")

    def __init__(self, tap: TapSweo) -> None:
        schema = th.PropertiesList(
            th.Property("contact_id", th.StringType),
            th.Property("event_name", th.StringType),
            th.Property("created_at", th.IntegerType),
            th.Property("user_id", th.StringType),
            th.Property("email", th.StringType),
            th.Property("metadata", th.ObjectType(additional_properties=True)),
            th.Property("contact_updated_at", th.IntegerType),
        ).to_dict()
        super().__init__(tap=tap, name="data_events", schema=schema)
        self.replication_key = "contact_updated_at"
        self._client = tap.client
        self._reader = Reader(tap.client, CONTACT, self.logger)

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the events of one contact after another."""
        start = self.get_starting_replication_key_value(context)
        since = int(start) if start is not None else None
        reading = self._reader.read(since)
        try:
            for contact in reading.spool.oldest_first(since):
                yield from self._events_of(contact)
        finally:
            reading.spool.close()

    def _events_of(self, contact: dict[str, t.Any]) -> Iterator[Record]:
        try:
            for page in events_of(self._client, str(contact["id"])):
                for event in page:
                    wanted = {k: v for k, v in event.items() if k in self.schema["properties"]}
                    yield {
                        **wanted,
                        "contact_id": str(contact["id"]),
                        "contact_updated_at": updated_at(contact),
                    }
        except SweoRefusal as refusal:
            self.logger.warning("Sweo did not show the events of a contact (%s).", refusal.code)
