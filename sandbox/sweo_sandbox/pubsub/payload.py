"""Writes an event of the journal as the Avro bytes that a subscriber receives."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import fastavro

from .event_schema import HEADER, EventField, EventSchema
from .journal import ChangeEvent

Visible = Callable[[str, str], bool]


class PayloadWriter:
    """Writes events with one schema."""

    def __init__(self, schema: EventSchema) -> None:
        self.schema = schema
        self._parsed = fastavro.parse_schema(json.loads(schema.text))

    def write(self, event: ChangeEvent, visible: Visible) -> bytes:
        """The event as a user sees it: fields that are hidden from him are left out."""
        values = {
            name: value for name, value in event.values.items() if visible(event.sobject, name)
        }
        changed = [name for name in event.changed if visible(event.sobject, name)]
        nulled = [name for name in changed if name not in values]
        header = {
            "entityName": event.sobject,
            "recordIds": event.record_ids,
            "changeType": event.change_type,
            "changeOrigin": event.origin,
            "transactionKey": event.transaction_key,
            "sequenceNumber": event.sequence,
            "commitTimestamp": event.commit_ms,
            "commitNumber": event.commit_number,
            "commitUser": event.user_id,
            "nulledFields": self.schema.bitmaps(nulled),
            "diffFields": [],
            "changedFields": self.schema.bitmaps(changed),
        }
        body = {field.name: _value(field, values) for field in self.schema.fields}
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, self._parsed, {HEADER: header, **body})
        return buffer.getvalue()


def _value(field: EventField, values: dict[str, Any]) -> Any:
    if not field.parts:
        return _converted(field.type, values.get(field.name))
    parts = {part: values.get(column) for part, column in field.parts.items()}
    return parts if any(value is not None for value in parts.values()) else None


def _converted(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    if kind == "date":
        midnight = datetime.fromisoformat(value).replace(tzinfo=timezone.utc)
        return int(midnight.timestamp()) * 1000
    if kind == "time":
        hours, minutes, *rest = value.rstrip("Z").split(":")
        seconds = float(rest[0]) if rest else 0.0
        return (int(hours) * 60 + int(minutes)) * 60_000 + round(seconds * 1000)
    return value
