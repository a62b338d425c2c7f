"""Events that become Tasks on the timeline of Salesforce, each once (``events``).

An event of Sweo has no id: whom it belongs to, its name and its second are what Sweo itself tells
events apart by. Their hash is upserted, so that an event which comes again, after a lost answer
or a lost ledger, meets its own Task. What the ledger knows costs no call.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from crosswalk.errors import RetryLaterError
from crosswalk.ledger import Link, Review
from crosswalk.ledger.commit import ChangeRow, Commit, EventRow
from crosswalk.mapping import Events, Mapping
from crosswalk.wire import SOURCE, StreamNote

from singer_runtime.context import RunContext
from singer_runtime.destination import Outcome, Result, TimelineEvent
from singer_runtime.incoming import Record

UNDECIDED: Final = frozenset({Review.NEW, Review.OPEN, Review.DECLINED})
"""Nothing moves between such a pair (``first_link``)."""
TRIES: Final = 3
"""How often an event is sent whose answer was lost, or that met a lock."""


class Timeline:
    """Puts the events of one mapping's people on their timelines, batch by batch."""

    holds = False
    """Nothing waits for the end of the stream."""

    def __init__(self, run: RunContext, mapping: Mapping, note: StreamNote) -> None:
        self.run = run
        self.mapping = mapping
        self._timezone = note.timezone
        self._events = mapping.events or Events(names=())
        self._refused: Counter[str] = Counter()

    def finish(self) -> None:
        """Nothing is left to do."""

    def process(self, records: Sequence[Record]) -> None:
        """Write what is new of a batch, and note it.

        Raises:
            RetryLaterError: Salesforce does not take them now; the next run reads them again.
            FatalError: Tasks cannot be written at all.
        """
        run, name = self.run, self.mapping.name
        run.counts.read += len(records)
        fresh = {event_key(record): record for record in records}
        known = run.ledger.known_events(list(fresh))
        links = run.ledger.links(
            name, run.x, list({record[SOURCE]["id"] for record in fresh.values()})
        )
        new = [
            self._event(key, record, links[record[SOURCE]["id"]])
            for key, record in fresh.items()
            if key not in known and self._is_open(links.get(record[SOURCE]["id"]))
        ]
        run.counts.unchanged += len(records) - len(new)
        if not new:
            return
        new.sort(key=lambda event: event.at)
        room = self._room_of_the_day(len(new))
        batch = Commit(run.direction, name, run.run_id)
        batch.events += [_left_out(event) for event in new[room:]]
        for event, outcome in zip(new[:room], self._put(new[:room]), strict=True):
            if outcome.result is Result.REFUSED:
                run.counts.events_left_out += 1
                batch.events.append(_left_out(event))
                self._tell_refusal(outcome)
                continue
            run.counts.events += 1
            batch.events.append(EventRow(event.key, event.sweo_id, event.at))
            batch.changes.append(
                ChangeRow(
                    mapping=name,
                    salesforce_id=event.who_id,
                    sweo_id=event.sweo_id,
                    field="Task",
                    side=run.y,
                    old=None,
                    new=event.name,
                    outcome="event",
                )
            )
        run.writer.commit(batch)

    @staticmethod
    def _is_open(link: Link | None) -> bool:
        return link is not None and link.review not in UNDECIDED

    def _event(self, key: str, record: Record, link: Link) -> TimelineEvent:
        return TimelineEvent(
            key=key,
            sweo_id=link.sweo_id,
            who_id=link.salesforce_id,
            name=record["name"],
            at=record[SOURCE]["modified_at"],
            metadata=record["metadata"],
        )

    def _room_of_the_day(self, wanted: int) -> int:
        """How many of so many events ``events_per_day`` allows; the others are told."""
        if self._events.per_day is None:
            return wanted
        written = self.run.ledger.events_within_days(self.mapping.name)
        room = min(max(self._events.per_day - written, 0), wanted)
        if room < wanted:
            self.run.counts.events_left_out += wanted - room
            self.run.log(
                f"{self.mapping.name}: {wanted - room:,} events are left out, because "
                f"events_per_day is {self._events.per_day:,}."
            )
        return room

    def _put(self, events: Sequence[TimelineEvent]) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(events)
        for _ in range(TRIES):
            left = [place for place, outcome in enumerate(outcomes) if outcome is None]
            if not left:
                break
            told = self.run.destination.put_on_timeline(
                self.mapping, [events[place] for place in left], self._timezone
            )
            for place, outcome in zip(left, told, strict=True):
                if outcome.result not in (Result.UNKNOWN, Result.NOT_SENT):
                    outcomes[place] = outcome
        found = [outcome for outcome in outcomes if outcome is not None]
        if len(found) < len(events):
            raise RetryLaterError(
                f"{len(events) - len(found):,} events of {self.mapping.name} could not be written "
                "now; the next run reads them again."
            )
        return found

    def _tell_refusal(self, outcome: Outcome) -> None:
        code = outcome.error_code or "REFUSED"
        self._refused[code] += 1
        if self._refused[code] == 1:
            why = outcome.error_message or "no reason given"
            todo = f" {outcome.remedy}" if outcome.remedy else ""
            self.run.log(
                f"{self.mapping.name}: Salesforce refuses Tasks of events ({code}: {why}); such an "
                f"event is not tried again.{todo}"
            )


def _left_out(event: TimelineEvent) -> EventRow:
    return EventRow(event.key, event.sweo_id, event.at, put=False)


def event_key(record: Record) -> str:
    """What stands in ``Sweo_Event_Key__c``: 64 hexadecimal digits."""
    source = record[SOURCE]
    told = "\n".join((source["id"], record["name"], source["modified_at"]))
    return hashlib.sha256(told.encode()).hexdigest()
