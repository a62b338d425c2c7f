"""Rows that were deleted, as the org's delete log tells (``getDeleted``), purged ones too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from salesforce_client.composite import Part, Subrequest
from salesforce_client.times import iso_z

LOG_DAYS: Final = 15
"""How far back the delete log goes, at most: a busy org purges it after two hours."""
_SHORTEST_SPAN: Final = timedelta(minutes=2)  # seconds are ignored, and a minute must lie between


def deleted_request(sobject: str, start: datetime, end: datetime) -> Subrequest:
    """The subrequest that asks for the log between two moments of the server's clock.

    ``end`` must not lie in the server's future. A start that is too late or too early for the
    API is moved.
    """
    oldest = end - timedelta(days=LOG_DAYS) + timedelta(hours=1)
    start = max(min(start, end - _SHORTEST_SPAN), oldest)
    span = urlencode({"start": iso_z(start), "end": iso_z(end)})
    return Subrequest("GET", f"sobjects/{sobject}/deleted/?{span}")


def deleted_ids(part: Part) -> list[str]:
    """The ids in the log's answer; undeleted rows are not among them.

    Raises:
        RequestRefusedError: the log does not reach back so far, or the object keeps none.
    """
    return [str(entry["id"]) for entry in part.checked()["deletedRecords"]]
