"""Rows that were read by id, in the words of the exchange."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Any

from crosswalk.fieldtype import FieldType
from crosswalk.values import Canonical, Unparsable, parser
from salesforce_client.fields import Description
from salesforce_client.times import normalised
from salesforce_client.transport import ServerTimes
from singer_runtime.destination import Candidate, Presence, Reading

from target_salesforce.shape import Shape


class ReadingMaker:
    """Makes readings of one mapping's rows; ``fields`` are by the mapping's names."""

    def __init__(
        self, shape: Shape, description: Description, fields: MappingOf[str, FieldType]
    ) -> None:
        self._parse = [(name, own.name, parser(own)) for name, own in fields.items()]
        self._keys = [
            own.name if (own := description.field(name)) else name for name in shape.match_fields
        ]

    def there(self, record_id: str, row: MappingOf[str, Any], times: ServerTimes) -> Reading:
        """The reading of a row."""
        values: dict[str, Canonical] = {}
        for name, own_name, parse in self._parse:
            if own_name in row:
                try:
                    values[name] = parse(row[own_name])
                except Unparsable:  # absent means unknown, which nobody takes for empty
                    continue
        modified = row.get("LastModifiedDate")
        return Reading(
            record_id,
            values=values,
            keys=tuple(_text(row.get(name)) for name in self._keys),
            modified_at=normalised(modified) if modified else None,
            read_at=times.started_at,
            modified_by=row.get("LastModifiedById"),
        )

    def absent(
        self, record_id: str, times: ServerTimes, deleted: MappingOf[str, str | None]
    ) -> Reading:
        """The reading of a row that was not given: deleted where the recycle bin has it."""
        presence = Presence.DELETED if record_id in deleted else Presence.INVISIBLE
        return Reading(
            record_id, presence, read_at=times.started_at, merged_into=deleted.get(record_id)
        )


def candidate_of(row: MappingOf[str, Any], shape: Shape) -> Candidate:
    """A row's match values; the query asked for them under the org's own names."""
    return Candidate(
        row["Id"],
        tuple(_text(row.get(shape.types[name].name)) for name in shape.match_fields),
        normalised(row["LastModifiedDate"]),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
