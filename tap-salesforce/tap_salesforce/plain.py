"""Streams of an ordinary Singer tap: any object, all of its readable fields."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from salesforce_client.describe import describe, list_objects
from salesforce_client.query import pages
from salesforce_client.soql import Select
from salesforce_client.times import iso_z, parse_time
from singer_sdk import Stream, typing as th

from tap_salesforce.records import completed

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from salesforce_client.fields import Description
    from singer_sdk.helpers.types import Context, Record

    from tap_salesforce.tap import TapSalesforce

_COMPOUND: t.Final = frozenset({"address", "location", "complexvalue", "base64"})
_JSON_TYPES: t.Final = {
    "boolean": th.BooleanType,
    "int": th.IntegerType,
    "double": th.NumberType,
    "currency": th.NumberType,
    "percent": th.NumberType,
    "date": th.DateType,
    "datetime": th.DateTimeType,
}


def plain_streams(tap: TapSalesforce) -> Iterator[Stream]:
    """One stream an object: those of the setting ``objects``, else all that show changes."""
    names = list(tap.config.get("objects") or list_objects(tap.connection))
    for name, description in describe(tap.connection, names).items():
        if tap.config.get("objects") or description.field("SystemModstamp"):
            yield ObjectStream(tap, name, description)


class ObjectStream(Stream):
    """All rows of an object by SystemModstamp, deleted ones included."""

    primary_keys: t.ClassVar = ("Id",)

    def __init__(self, tap: TapSalesforce, name: str, description: Description) -> None:
        self._salesforce_tap = tap
        self._sobject = description.name
        self._fields = tuple(
            field.name for field in description.fields.values() if field.type not in _COMPOUND
        )
        properties: list[th.Property[t.Any]] = [
            th.Property(
                field.name,
                _JSON_TYPES.get(field.type, th.StringType),
                required=field.name == "Id",
            )
            for field in description.fields.values()
            if field.type not in _COMPOUND
        ]
        super().__init__(tap=tap, name=name, schema=th.PropertiesList(*properties).to_dict())
        if description.field("SystemModstamp"):
            self.replication_key = "SystemModstamp"

    @property
    def is_sorted(self) -> bool:
        """Rows come oldest change first."""
        return self.replication_key is not None

    @property
    def check_sorted(self) -> bool:
        """The overlap begins before the last bookmark."""
        return False

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield rows page by page."""
        start = self.get_starting_replication_key_value(context) if self.replication_key else None
        where: tuple[str, ...] = ()
        if start:
            overlap = timedelta(minutes=self._salesforce_tap.overlap_minutes)
            where = (f"SystemModstamp >= {iso_z(parse_time(str(start)) - overlap)}",)
        order = ("SystemModstamp", "Id") if self.replication_key else ("Id",)
        select, rest = Select(self._sobject, self._fields, where, order).split()
        connection = self._salesforce_tap.connection
        for page in pages(connection, select):
            for row in completed(connection, self._sobject, page, rest):
                yield {name: row.get(name) for name in self._fields}
