"""Salesforce as the side that is written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping as MappingOf, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Mapping, Side
from crosswalk.match import normalise
from crosswalk.values import Raw
from crosswalk.wire import StreamNote
from salesforce_client import bulk
from salesforce_client.conditions import refusal_of, where_of
from salesforce_client.connection import Connection
from salesforce_client.describe import describe
from salesforce_client.errors import VendorError
from salesforce_client.fields import Description
from salesforce_client.person_names import is_person, split_name
from salesforce_client.query import Page, next_page, pages, select_by, takes_bulk
from salesforce_client.retrieve import deleted_among, retrieve
from salesforce_client.rows import RowResult, RowState, RowUpdate, write_headers
from salesforce_client.soql import Select
from salesforce_client.write import delete, update, update_guarded, upsert
from singer_runtime.destination import (
    Attachment,
    Candidate,
    Creation,
    Outcome,
    Reading,
    TimelineEvent,
    Write,
)

from target_salesforce.outcomes import creation_outcome, outcome_of
from target_salesforce.readings import ReadingMaker, candidate_of
from target_salesforce.shape import CONVERTED, Shape, shape_of
from target_salesforce.timeline import Timeline

MOST_GUARDED_ROWS: Final = 250
"""Up to so many guarded rows go one by one, 25 a call; more go as unguarded collections."""
_STAMPS: Final = ("LastModifiedDate", "LastModifiedById")


@dataclass(slots=True)
class WriteSettings:
    """How this target writes. ``write_guard`` is ``composite`` or ``none``."""

    write_guard: str = "composite"
    assignment_rules: bool = False
    bulk_poll_seconds: float = bulk.FIRST_POLL_SECONDS


@dataclass
class SalesforceDestination:
    """Implements ``singer_runtime.destination.Destination``."""

    connection: Connection
    settings: WriteSettings = field(default_factory=WriteSettings)
    side: Side = Side.SALESFORCE

    def __post_init__(self) -> None:
        self._described: dict[str, Description] = {}
        self._shapes: dict[str, Shape] = {}
        self._converted: dict[str, bool] = {}
        self._timeline: Timeline | None = None

    def prepare(
        self, mapping: Mapping, note: StreamNote, incoming: MappingOf[str, FieldType]
    ) -> MappingOf[str, FieldType]:
        """Describe the object and check the mapping against it; one call an object."""
        del note
        shape = shape_of(mapping, self._description(mapping), incoming)
        self._shapes[mapping.name] = shape
        return shape.types

    def credentials(self) -> str:
        """Nothing to remember: the token itself tells the org, without a call."""
        return ""

    def instance(self) -> str:
        """The org's id."""
        return self.connection.org_id

    def timezone(self) -> str | None:
        """Only the workspace has one."""
        return None

    def archive(self, mapping: Mapping, ids: Sequence[str]) -> list[Outcome]:
        """Delete rows: they lie in the recycle bin for 15 days."""
        del mapping
        results = delete(self.connection, ids, self._headers)
        return [outcome_of(result, i) for result, i in zip(results, ids, strict=True)]

    def skew_seconds(self) -> float:
        """The org's clock minus this machine's, from its last answer."""
        return self.connection.session.skew_seconds

    def calls(self) -> int:
        """Calls of the data API so far."""
        return self.connection.calls

    def attach(self, mapping: Mapping, moves: Sequence[Attachment]) -> list[Outcome]:
        """Refused: a lookup in Salesforce is an ordinary field.

        Raises:
            FatalError: always.
        """
        raise FatalError(
            f"Salesforce has no memberships; map the lookup of {mapping.name} as a field "
            f"({len(moves)} moves refused)."
        )

    def put_on_timeline(
        self, mapping: Mapping, events: Sequence[TimelineEvent], zone: str | None
    ) -> list[Outcome]:
        """Completed Tasks, upserted by the event's key."""
        if self._timeline is None:
            self._timeline = Timeline(self.connection, self._headers)
        return self._timeline.put(mapping, events, zone)

    def take_over(self, mapping: Mapping, lead_id: str, user_id: str | None) -> Outcome:
        """Refused: people convert leads in Salesforce.

        Raises:
            FatalError: always.
        """
        raise FatalError(f"No lead of {mapping.name} is converted in Salesforce by a pipeline.")

    # reading

    def read(
        self, mapping: Mapping, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Reading]:
        """Read rows by id, up to 10,000 a call."""
        if not ids:
            return {}
        shape, description = self._shape(mapping), self._description(mapping)
        known = {name: own for name in fields if (own := description.field(name))}
        names = [*_STAMPS, *shape.match_fields, *known]
        if shape.is_convertible:
            names.append(CONVERTED)
        asked = dict.fromkeys(own.name for name in names if (own := description.field(name)))
        rows = retrieve(self.connection, shape.sobject, ids, ["Id", *asked])
        self._converted = {
            record_id: bool(found.row.get(CONVERTED))
            for record_id, found in rows.items()
            if shape.is_convertible and found.row is not None
        }
        missing = [record_id for record_id, found in rows.items() if found.row is None]
        deleted = deleted_among(
            self.connection, shape.sobject, missing, has_master=shape.is_mergeable
        )
        maker = ReadingMaker(shape, description, known)
        return {
            record_id: maker.there(record_id, found.row, found.times)
            if found.row is not None
            else maker.absent(record_id, found.times, deleted)
            for record_id, found in rows.items()
        }

    def keys(self, mapping: Mapping) -> Iterator[Candidate]:
        """Every row's match values: pages of 2,000, or Bulk where that takes fewer calls."""
        shape = self._shape(mapping)
        fields = ("Id", "LastModifiedDate", *shape.match_fields)
        # What the filter leaves out is no partner yet.
        where = (*_filter_of(mapping), *shape.only)
        select = Select(shape.sobject, tuple(dict.fromkeys(fields)), where, ("Id",))
        page = next(pages(self.connection, select, sort=partial(refusal_of, mapping)))
        if takes_bulk(page.total):
            yield from self._keys_by_bulk(shape, select)
            return
        for row in _all_rows(self.connection, page):
            yield candidate_of(row, shape)

    def _keys_by_bulk(self, shape: Shape, select: Select) -> Iterator[Candidate]:
        job_id = bulk.start_query(self.connection, select)
        bulk.wait_for(
            self.connection,
            f"jobs/query/{job_id}",
            first_poll_seconds=self.settings.bulk_poll_seconds,
        )
        for page in bulk.query_results(self.connection, job_id):
            for row in page.rows:
                yield candidate_of({name: cell or None for name, cell in row.items()}, shape)

    def inside(self, mapping: Mapping, ids: Sequence[str]) -> set[str]:
        """Which of these rows satisfy the mapping's condition now; thousands of ids a call."""
        select = Select(self._shape(mapping).sobject, ("Id",), _filter_of(mapping))
        found = select_by(self.connection, select, "Id", ids, sort=partial(refusal_of, mapping))
        return {str(row["Id"]) for page in found for row in page.rows}

    def find(self, mapping: Mapping, creations: Sequence[Creation]) -> dict[str, list[Candidate]]:
        """Look for rows that carry the match values, so that an upsert overwrites nobody."""
        shape = self._shape(mapping)
        fields = tuple(dict.fromkeys(("Id", "LastModifiedDate", *shape.match_fields)))
        select = Select(shape.sobject, fields, shape.only)
        found: dict[str, dict[str, Candidate]] = {}
        for place, match in enumerate(mapping.match):
            wanted: dict[str, list[str]] = {}
            for creation in creations:
                raw = creation.keys[place]
                key = normalise(raw, match.normalise)
                if raw and key:
                    wanted.setdefault(key.casefold(), []).append(creation.source_id)
            values = [str(c.keys[place]) for c in creations if c.keys[place]]
            for page in select_by(self.connection, select, match.salesforce, values):
                for row in page.rows:
                    candidate = candidate_of(row, shape)
                    key = normalise(candidate.keys[place], match.normalise)
                    for source_id in wanted.get((key or "").casefold(), ()):
                        found.setdefault(source_id, {})[candidate.id] = candidate
        return {source_id: list(candidates.values()) for source_id, candidates in found.items()}

    # writing

    def update(self, mapping: Mapping, writes: Sequence[Write]) -> list[Outcome]:
        """Write fields of existing rows, guarded where few enough rows ask for it."""
        sobject = self._shape(mapping).sobject
        rows = [
            RowUpdate(write.id, split_name(sobject, write.values), write.guard) for write in writes
        ]
        results = self._refused_leads(mapping, rows)
        guarded = [
            place for place, row in enumerate(rows) if row.unmodified_since and place not in results
        ]
        if self.settings.write_guard != "composite" or len(guarded) > MOST_GUARDED_ROWS:
            guarded = []
        if guarded:
            told = update_guarded(
                self.connection, sobject, [rows[place] for place in guarded], self._headers
            )
            results.update(zip(guarded, told, strict=True))
        others = [place for place in range(len(rows)) if place not in results]
        if others:
            told = self._update(mapping, sobject, [rows[place] for place in others])
            results.update(zip(others, told, strict=True))
        return [outcome_of(results[place], row.id) for place, row in enumerate(rows)]

    def _refused_leads(self, mapping: Mapping, rows: Sequence[RowUpdate]) -> dict[int, RowResult]:
        """Rows that are converted leads, by place. A user with the permission to edit them would
        not be refused by Salesforce. What the last reading told is not asked again.
        """
        if not self._shape(mapping).is_convertible:
            return {}
        unknown = [row.id for row in rows if row.id not in self._converted]
        if unknown:
            found = retrieve(self.connection, self._shape(mapping).sobject, unknown, [CONVERTED])
            self._converted |= {
                i: bool(each.row.get(CONVERTED)) for i, each in found.items() if each.row
            }
        error = VendorError("CANNOT_UPDATE_CONVERTED_LEAD")
        return {
            place: RowResult(RowState.REFUSED, row.id, error)
            for place, row in enumerate(rows)
            if self._converted.get(row.id)
        }

    def _update(self, mapping: Mapping, sobject: str, rows: Sequence[RowUpdate]) -> list[RowResult]:
        if not bulk.takes_bulk_ingest(len(rows)):
            return update(self.connection, sobject, rows, self._headers)
        results = bulk.ingest_update(
            self.connection,
            sobject,
            rows,
            parent_field=mapping.parent.salesforce if mapping.parent else None,
            first_poll_seconds=self.settings.bulk_poll_seconds,
        )
        again = [i for i, result in enumerate(results) if result.state is RowState.NOT_SENT]
        told = update(self.connection, sobject, [rows[i] for i in again], self._headers)
        for place, result in zip(again, told, strict=True):
            results[place] = result
        return results

    def create(self, mapping: Mapping, creations: Sequence[Creation]) -> list[Outcome]:
        """Make rows by upsert on the mapping's external id; a repeat meets its own row."""
        shape = self._shape(mapping)
        if shape.key is None:
            raise FatalError(
                f"Mapping {mapping.name} has no external id among its match fields, so nothing "
                "is created in Salesforce."
            )
        place, key_field = shape.key
        outcomes: list[Outcome | None] = [None] * len(creations)
        sent: list[int] = []
        payloads: list[dict[str, Raw]] = []
        for i, creation in enumerate(creations):
            values = split_name(shape.sobject, creation.values)
            key = creation.keys[place]
            reason = _incomplete(shape.sobject, values, key, key_field)
            if reason:
                outcomes[i] = outcome_of(reason)
                continue
            for name, value in mapping.constants.items():
                values.setdefault(name, value)
            values[key_field] = key
            if shape.parent_field and creation.parent_id:
                values[shape.parent_field] = creation.parent_id
            for name, match_key in zip(shape.match_fields, creation.keys, strict=True):
                if match_key is not None and shape.types[name].createable:
                    values.setdefault(name, match_key)
            payloads.append({name: value for name, value in values.items() if value is not None})
            sent.append(i)
        results = upsert(self.connection, shape.sobject, key_field, payloads, self._headers)
        for i, result in zip(sent, results, strict=True):
            outcomes[i] = creation_outcome(result)
        return [outcome for outcome in outcomes if outcome is not None]

    @property
    def _headers(self) -> dict[str, str]:
        return write_headers(assignment_rules=self.settings.assignment_rules)

    def _description(self, mapping: Mapping) -> Description:
        name = mapping.salesforce
        if name not in self._described:
            self._described.update(describe(self.connection, [name]))
        return self._described[name]

    def _shape(self, mapping: Mapping) -> Shape:
        if mapping.name not in self._shapes:
            self._shapes[mapping.name] = shape_of(mapping, self._description(mapping), {})
        return self._shapes[mapping.name]


def _filter_of(mapping: Mapping) -> tuple[str, ...]:
    condition = mapping.only.salesforce
    return (where_of(condition),) if condition else ()


def _incomplete(
    sobject: str, values: MappingOf[str, Raw], key: str | None, key_field: str
) -> RowResult | None:
    missing = key_field if not key else None
    if is_person(sobject) and not values.get("LastName"):
        missing = missing or "LastName"
    if missing is None:
        return None
    return RowResult(RowState.REFUSED, None, VendorError("REQUIRED_FIELD_MISSING", "", (missing,)))


def _all_rows(connection: Connection, page: Page) -> Iterator[dict[str, Any]]:
    yield from page.rows
    while page.next_url:
        page = next_page(connection, page)
        yield from page.rows
