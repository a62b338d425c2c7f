"""Completed Tasks that tell what people did in the product."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf, Sequence
from datetime import datetime, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

from crosswalk.errors import FatalError
from crosswalk.mapping import EVENT_KEY_FIELD, Mapping
from crosswalk.values import Raw
from salesforce_client.connection import Connection
from salesforce_client.describe import describe
from salesforce_client.query import pages, select_by
from salesforce_client.soql import Select
from salesforce_client.write import upsert
from singer_runtime.destination import Outcome, TimelineEvent

from target_salesforce.outcomes import creation_outcome

TASK: Final = "Task"
_SUBJECT_LENGTH: Final = 255
_DESCRIPTION_LENGTH: Final = 32_000


class Timeline:
    """Writes events as Tasks of their person, 200 a call."""

    def __init__(self, connection: Connection, headers: MappingOf[str, str]) -> None:
        self.connection = connection
        self.headers = headers
        self._closed_status: str | None = None

    def put(
        self, mapping: Mapping, events: Sequence[TimelineEvent], zone: str | None
    ) -> list[Outcome]:
        """Upsert by the event's key; one outcome per event, in order.

        Raises:
            FatalError: this user may not make Tasks, or the key's field is not there or not for
                this user to write.
        """
        status = self._prepared()
        accounts = self._accounts(events) if mapping.events and mapping.events.on_account else {}
        rows = [self._row(event, status, zone, accounts.get(event.who_id)) for event in events]
        results = upsert(self.connection, TASK, EVENT_KEY_FIELD, rows, self.headers)
        return [creation_outcome(result) for result in results]

    def _prepared(self) -> str:
        """The status of a completed Task. A call for it, and one to look at the key's field."""
        if self._closed_status is None:
            task = describe(self.connection, [TASK])[TASK]
            if not task.createable:
                raise FatalError(
                    "This user may not make Tasks, and events become Tasks; give it the permission "
                    "Edit Tasks."
                )
            key = task.field(EVENT_KEY_FIELD)
            if key is None or not (key.key and key.createable):
                raise FatalError(
                    f"Salesforce has no field Activity.{EVENT_KEY_FIELD} that this user may write, "
                    "and events need it; `sweo-sync setup` makes it and the permission."
                )
            where, order = ("IsClosed = true",), ("SortOrder",)
            select = Select("TaskStatus", ("ApiName",), where, order)
            rows = next(pages(self.connection, select)).rows
            if not rows:
                raise FatalError("No status of a Task means completed (TaskStatus.IsClosed).")
            self._closed_status = str(rows[0]["ApiName"])
        return self._closed_status

    def _accounts(self, events: Sequence[TimelineEvent]) -> dict[str, str]:
        ids = list(dict.fromkeys(event.who_id for event in events))
        select = Select("Contact", ("Id", "AccountId"))
        return {
            row["Id"]: row["AccountId"]
            for page in select_by(self.connection, select, "Id", ids)
            for row in page.rows
            if row["AccountId"]
        }

    @staticmethod
    def _row(
        event: TimelineEvent, status: str, zone: str | None, account: str | None
    ) -> dict[str, Raw]:
        row: dict[str, Raw] = {
            EVENT_KEY_FIELD: event.key,
            "WhoId": event.who_id,
            "Subject": event.name[:_SUBJECT_LENGTH],
            "Status": status,
            "ActivityDate": _day(event.at, zone),
            "Description": _told(event),
        }
        if account:
            row["WhatId"] = account
        return row


def _day(at: str, zone: str | None) -> str:
    moment = datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return moment.astimezone(ZoneInfo(zone) if zone else timezone.utc).date().isoformat()


def _told(event: TimelineEvent) -> str:
    """The exact time, which a Task's date lacks, and what the event says of itself."""
    lines = [event.at, *(f"{name}: {_plain(value)}" for name, value in event.metadata.items())]
    return "\n".join(lines)[:_DESCRIPTION_LENGTH]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values())
    return str(value)
