"""One object of the workspace read once, in as few calls as the API allows."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crosswalk.errors import FatalError
from sweo_client import ScrollUnavailableError, SweoClient
from sweo_client.fields import COMPANY, model_of, role_of
from sweo_client.query import (
    PAGE_SIZE,
    SCROLL_PAGE_SIZE,
    Page,
    scroll_companies,
    search_companies,
    search_contacts,
    updated_at,
)

from tap_sweo.spool import Spool


@dataclass(slots=True)
class Reading:
    """What a read brought. Close its spool.

    ``started_at`` is the server's time at its start in Unix seconds; None where nothing was
    read (companies between two scans, or the scroll was taken). ``whole`` says that the
    spool holds every record that lists show.
    """

    spool: Spool = field(default_factory=Spool)
    started_at: int | None = None
    whole: bool = False


class Reader:
    """Reads contacts, users, leads or companies into a spool.

    With ``segment_ids`` only contacts in one of these segments are searched for.
    """

    def __init__(self, client: SweoClient, sweo_object: str, logger: logging.Logger) -> None:
        self._client = client
        self._object = sweo_object
        self._model = model_of(sweo_object)
        self._logger = logger
        self.segment_ids: Sequence[str] = ()

    @property
    def scans(self) -> bool:
        """Whether changes are found only by reading every record (companies up to 2.16)."""
        return self._model == COMPANY and not self._client.settings.is_preview

    def read(self, since: int | None) -> Reading:
        """Read what changed from ``since`` (Unix seconds) on; None reads everything.

        A scan keeps every row, whatever its age: it has been paid for.
        """
        reading = Reading()
        try:
            if self.scans:
                self._scan(reading)
            else:
                self._search(reading, since)
        except BaseException:
            reading.spool.close()
            raise
        return reading

    def scan(self) -> Reading:
        """Read every listed company, in any version of the API."""
        reading = Reading()
        try:
            self._scan(reading)
        except BaseException:
            reading.spool.close()
            raise
        return reading

    def _search(self, reading: Reading, since: int | None) -> None:
        started = self._client.clock.local()
        if self._model == COMPANY:
            pages = search_companies(self._client, since)
        else:
            pages = search_contacts(
                self._client, since, role=role_of(self._object), segment_ids=self.segment_ids
            )
        for page in pages:
            self._keep(reading, page, since)
        reading.started_at = self._client.clock.at(started)
        reading.whole = since is None

    def _scan(self, reading: Reading) -> None:
        started = self._client.clock.local()
        try:
            for page in scroll_companies(self._client):
                self._keep(reading, page, None)
        except ScrollUnavailableError as unavailable:
            self._logger.warning("Companies are left out of this run: %s", unavailable)
            reading.spool.close()
            reading.spool = Spool()
            return
        reading.started_at = self._client.clock.at(started)
        reading.whole = True

    def _keep(self, reading: Reading, page: Page, since: int | None) -> None:
        reading.spool.add(
            (str(row["id"]), updated_at(row), row)
            for row in page
            if since is None or updated_at(row) >= since
        )

    def pages_of(self, rows: int) -> int:
        """How many calls reading that many rows takes."""
        return math.ceil(rows / (SCROLL_PAGE_SIZE if self.scans else PAGE_SIZE))


def refuse_other_workspace(spool: Spool, expected: str) -> None:
    """Check that the rows come from the workspace that STATE speaks of.

    Raises:
        FatalError: They come from another one.
    """
    first = next(spool.oldest_first(), None)
    if first:
        refuse_row_of_other_workspace(first, expected)


def refuse_row_of_other_workspace(row: dict[str, Any], expected: str) -> None:
    """Check one row, as ``refuse_other_workspace`` does."""
    found = row.get("workspace_id") or row.get("app_id")
    if found and expected and found != expected:
        raise FatalError(
            f"STATE belongs to the Sweo workspace {expected}, but the access token opens {found}: "
            "use the token or the Meltano environment of that workspace."
        )


def is_due(scanned_at: int | None, now: int, every_minutes: float) -> bool:
    """Whether companies are to be scanned again; times are Unix seconds of one clock."""
    return scanned_at is None or not 0 <= now - scanned_at < every_minutes * 60


class Stopwatch:
    """Tells when a number of minutes is over; by this machine's steady clock."""

    def __init__(self, minutes: float) -> None:
        self._ends = time.monotonic() + minutes * 60

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._ends
