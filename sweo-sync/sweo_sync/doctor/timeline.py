"""Events on the activity timeline: the field they need, and the storage that their Tasks take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswalk.mapping import EVENT_KEY_FIELD, Mapping

from sweo_sync.doctor.finding import Finding, Level
from sweo_sync.doctor.visit import Visit
from sweo_sync.show import storage_text
from sweo_sync.sides import TASK

EVENTS: Final = "events"
_DAYS: Final = 30


def look_at_events(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Whether Tasks can be told apart, and what those of a month take of the org's storage."""
    if mapping.events is None:
        return
    task = visit.org.described.get(TASK)
    key = task.field(EVENT_KEY_FIELD) if task else None
    if key is None or not (key.key and key.createable):
        yield Finding(
            EVENTS,
            Level.FAILURE,
            f"Activity has no field {EVENT_KEY_FIELD} that this user may write, so that no event "
            "becomes a Task.",
            "run `sweo-sync setup`",
            mapping.name,
        )
        return
    told = f"In {_DAYS} days events made {storage_text(visit.events_in(mapping, _DAYS))}"
    if mapping.events.per_day is not None:
        told += f"; events_per_day allows {storage_text(mapping.events.per_day * _DAYS)}"
    yield Finding(EVENTS, Level.OK, f"{told}. They stay for ever.", mapping=mapping.name)
