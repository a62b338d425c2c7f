"""Data events of linked people, for the activity timeline of Salesforce (``events``).

Sweo lists events contact by contact, so those contacts are asked about that changed since: an
event moves ``updated_at``. A contact that was linked meanwhile is asked about as well, for all it
did since the option was switched on.

The bookmark holds
``begun``   when the events of this mapping were first asked for; nothing older is carried,
``from``    everything older than this was carried for every contact,
``since``   the ``updated_at`` up to which changed contacts were asked about,
``linked``  up to which link they were: its time, by the ledger's clock, and its number, and
``polled``  contacts within the overlap that need no second question, with their ``updated_at``.
"""

from __future__ import annotations

import typing as t

import msgspec
from crosswalk.mapping import Side
from crosswalk.wire import SOURCE, Source, StreamNote
from singer_runtime.full_check import CheckingStream
from sweo_client import SweoRefusal
from sweo_client.clock import iso, unix
from sweo_client.fields import role_of
from sweo_client.query import events_of, search_contacts, updated_at

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crosswalk.fieldtype import FieldType
    from crosswalk.ledger import Ledger
    from crosswalk.mapping import Events, Mapping
    from singer_sdk.helpers.types import Context, Record

    from tap_sweo.tap import TapSweo


_LATE_SECONDS: t.Final = 86_400
"""How late an event may reach Sweo: its time is what the sender says."""
_SETTLED_SECONDS: t.Final = 60
"""A contact that changed no longer ago than this is asked about again: ``updated_at`` is of whole
seconds, and a further event of the same second does not move it."""


class _Asked(t.NamedTuple):
    """A contact to ask about: its pages back to ``pages_from``, on these its events from
    ``events_from`` on. ``updated_at`` is of one that changed, ``link`` of one that is new.
    """

    contact_id: str
    pages_from: int
    events_from: int
    updated_at: int | None = None
    link: tuple[str, int] | None = None


class TimelineStream(CheckingStream):
    """The events of one mapping's people, oldest change first, with at most about ``most_calls``:
    one contact is always asked about, to the end.
    """

    sync_tap: TapSweo

    def __init__(self, tap: TapSweo, mapping: Mapping, events: Events, most_calls: int) -> None:
        super().__init__(tap, mapping)
        self.name = f"{mapping.name}.events"
        self.checking_tap = tap
        self._events = events
        self._most_calls = most_calls

    @property
    def selected(self) -> bool:
        """Whether the mapping is read now."""
        return self.checking_tap.reads(self.mapping.name)

    @selected.setter
    def selected(self, value: bool | None) -> None:
        del value

    def note(self) -> StreamNote:
        """Where the events come from, and that they are events."""
        instance, timezone = self.sync_tap.workspace()
        return StreamNote(
            mapping=self.mapping.name,
            side=Side.SWEO.value,
            object="event",
            instance=instance or None,
            timezone=timezone,
            events=True,
        )

    def types(self) -> dict[str, FieldType]:
        """An event has no mapped fields."""
        return {}

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield wanted events, contact by contact; a run out of calls leaves the rest."""
        del context
        mark, ledger = self.bookmark, self.sync_tap.ledger
        clock = self.sync_tap.client.clock
        started = int(clock.at(clock.local()))
        if ledger is None or "begun" not in mark:
            self._begin(started, ledger)
            return
        calls = 0
        for asked in self._contacts(ledger):
            if calls >= self._most_calls:
                self.logger.info(
                    "%s: the events of more people are read by the next run (max_event_calls).",
                    self.mapping.name,
                )
                return
            before = self.sync_tap.calls()
            asked_at = int(clock.at(clock.local()))
            yield from self._asked(asked)
            calls += self.sync_tap.calls() - before
            if asked.link is not None:
                mark["linked"] = list(asked.link)
            if asked.updated_at is not None:
                mark["since"] = iso(asked.updated_at)
                if asked.updated_at < asked_at - _SETTLED_SECONDS:
                    mark["polled"][asked.contact_id] = asked.updated_at
        mark.update({"from": iso(started), "since": iso(started)})
        edge = started - self._overlap_seconds
        mark["polled"] = {i: at for i, at in mark["polled"].items() if at >= edge}

    @property
    def _overlap_seconds(self) -> int:
        return int(60 * float(self.config["overlap_minutes"]))

    def _begin(self, started: int, ledger: Ledger | None) -> None:
        """Carry what happens from now on; where STATE was lost, from the last event that came."""
        latest = ledger.latest_event(self.mapping.name) if ledger else None
        begun = latest or iso(started)
        now = ledger.now() if ledger else iso(started)
        self.bookmark.update(
            {"begun": begun, "from": begun, "since": begun, "linked": [now, 0], "polled": {}}
        )

    def _contacts(self, ledger: Ledger) -> Iterator[_Asked]:
        """Those linked meanwhile, then those that changed, in the order of their changes."""
        mark, name = self.bookmark, self.mapping.name
        begun = unix(mark["begun"])
        linked_at, number = mark["linked"]
        for contact_id, made_at, place in ledger.linked_after(name, Side.SWEO, linked_at, number):
            yield _Asked(contact_id, begun, begun, link=(made_at, place))
        changed = self._changed(unix(mark["since"]) - self._overlap_seconds)
        linked = ledger.links(name, Side.SWEO, list(changed))
        pages_from = max(unix(mark["from"]) - self._overlap_seconds, begun)
        events_from = max(unix(mark["from"]) - _LATE_SECONDS, begun)
        for contact_id, moved_at in sorted(changed.items(), key=lambda each: each[1]):
            if contact_id in linked and mark["polled"].get(contact_id) != moved_at:
                yield _Asked(contact_id, pages_from, events_from, updated_at=moved_at)

    def _changed(self, since: int) -> dict[str, int]:
        found: dict[str, int] = {}
        role = role_of(self.mapping.sweo)
        for page in search_contacts(self.sync_tap.client, since, role=role):
            found.update({str(r["id"]): updated_at(r) for r in page if updated_at(r) >= since})
        return found

    def _asked(self, asked: _Asked) -> Iterator[Record]:
        """The wanted events as records; what the target knows of them costs no call."""
        try:
            for page in events_of(self.sync_tap.client, asked.contact_id):
                for event in page:
                    if int(event["created_at"]) >= asked.events_from and self._events.wants(
                        str(event["event_name"])
                    ):
                        yield self._record(asked.contact_id, event)
                if int(page[-1]["created_at"]) < asked.pages_from:
                    return
        except SweoRefusal as refusal:
            # The contact is gone meanwhile, or it may not be seen.
            self.logger.info(
                "%s: Sweo did not show the events of a contact (%s).",
                self.mapping.name,
                refusal.code,
            )

    @staticmethod
    def _record(contact_id: str, event: dict[str, t.Any]) -> Record:
        at = iso(int(event["created_at"]))
        return {
            "name": str(event["event_name"]),
            "metadata": event.get("metadata") or {},
            SOURCE: msgspec.to_builtins(Source(contact_id, at, at)),
        }
