"""Sweo as the writing side of a pipeline."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping as MappingOf, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from crosswalk.errors import FatalError, SyncError, UnknownOutcomeError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Mapping, Side
from crosswalk.wire import StreamNote
from singer_runtime.destination import (
    Attachment,
    Candidate,
    Creation,
    Outcome,
    Reading,
    Result,
    TimelineEvent,
    Write,
)
from sweo_client import SweoClient, SweoRefusal
from sweo_client.clock import iso
from sweo_client.fields import (
    COMPANY,
    Record,
    body_of,
    model_of,
    role_of,
)
from sweo_client.query import (
    Workspace,
    company_by_company_id,
    contact_by_external_id,
    contacts_with,
    records_by_id,
    workspace,
)
from sweo_client.write import (
    archive_record,
    attach,
    create_contact,
    detach,
    merge,
    promote,
    update_record,
    upsert_company,
)

from target_sweo.attributes import Attributes
from target_sweo.membership import Membership
from target_sweo.records import Records
from target_sweo.refusals import (
    archived_conflict,
    refused,
    unchangeable,
    without_company,
    without_key,
)

S = TypeVar("S")
T = TypeVar("T")


class SweoDestination:
    """Writes one call a record, ``max_concurrency`` at once, within the rate limit.

    ``mappings`` are all that the run may write.

    Sweo has no conditional write: a ``Write.guard`` has no effect here.
    """

    side = Side.SWEO

    def __init__(
        self,
        client: SweoClient,
        *,
        max_concurrency: int = 10,
        logger: logging.Logger | None = None,
        dry_run: bool = False,
        mappings: Sequence[Mapping] = (),
    ) -> None:
        self._client = client
        self._concurrency = max(max_concurrency, 1)
        self._logger = logger or logging.getLogger(__name__)
        self._attributes = Attributes(client, self._logger, dry_run=dry_run, mappings=mappings)
        self._records = Records(self._attributes)
        self._membership = Membership(client, self._concurrency)
        self._workspace: Workspace | None = None
        self._stopped: SyncError | None = None
        self._lock = threading.Lock()

    # what the workspace is

    def prepare(
        self, mapping: Mapping, note: StreamNote, incoming: MappingOf[str, FieldType]
    ) -> MappingOf[str, FieldType]:
        """Check the mapping against the workspace, make missing attributes, return the types."""
        del note
        self._membership.prepare(mapping)
        self._records.types[mapping.name] = self._attributes.ensure(mapping, incoming)
        return self._records.types[mapping.name]

    def credentials(self) -> str:
        """The address and the token, to be hashed."""
        return f"{self._client.settings.api_url} {self._client.settings.access_token}"

    def instance(self) -> str:
        """The workspace's id."""
        return self._asked().id

    def timezone(self) -> str | None:
        """The workspace's IANA time zone."""
        return self._asked().timezone

    def _asked(self) -> Workspace:
        if self._workspace is None:
            self._workspace = workspace(self._client)
        return self._workspace

    def skew_seconds(self) -> float:
        """The workspace's clock minus this machine's."""
        return self._client.clock.skew_seconds

    def archive(self, mapping: Mapping, ids: Sequence[str]) -> list[Outcome]:
        """Archive contacts; a company, for which the API has no archive, is deleted."""
        model = model_of(mapping.sweo)

        def one(record_id: str) -> Outcome:
            try:
                archive_record(self._client, model, record_id)
            except SweoRefusal as refusal:
                return refused(refusal, record_id, ())
            except UnknownOutcomeError:
                return Outcome(Result.UNKNOWN, id=record_id)
            return Outcome(Result.WRITTEN, id=record_id)

        return self._each_write(one, ids)

    def calls(self) -> int:
        """Calls metered in this run."""
        return self._client.meter.calls

    # reading

    def read(
        self, mapping: Mapping, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Reading]:
        """One GET a record, now."""
        model = model_of(mapping.sweo)
        found = records_by_id(self._client, model, ids, concurrency=self._concurrency)
        return {
            record_id: self._records.reading(mapping, record_id, lookup, fields)
            for record_id, lookup in found
        }

    def find(self, mapping: Mapping, creations: Sequence[Creation]) -> dict[str, list[Candidate]]:
        """Look for companies by ``company_id`` and for leads by email.

        A user that exists is named by the answer to its create.
        """
        if model_of(mapping.sweo) == COMPANY:
            rows = self._each(lambda c: self._company_of(mapping, c), creations)
        elif role_of(mapping.sweo) == "lead":
            rows = self._each(lambda c: self._leads_of(mapping, c), creations)
        else:
            return {}
        return {
            creation.source_id: [self._records.candidate(mapping, row) for row in found]
            for creation, found in zip(creations, rows, strict=True)
            if found
        }

    def _company_of(self, mapping: Mapping, creation: Creation) -> list[Record]:
        company_id = self._company_id(mapping, creation)
        found = company_by_company_id(self._client, company_id).record if company_id else None
        return [found] if found else []

    def _leads_of(self, mapping: Mapping, creation: Creation) -> list[Record]:
        email = self._keyed(mapping, creation).get("email") or creation.values.get("email")
        if not email:
            return []
        rows = contacts_with(self._client, "email", str(email))
        return [row for row in rows if row.get("role") == "lead"]

    def keys(self, mapping: Mapping) -> Iterator[Candidate]:
        """Match values of every record that the filter lets in; the others are no partners yet."""
        self._membership.prepare(mapping)
        for page in self._membership.members(mapping):
            for row in page:
                yield self._records.candidate(mapping, row)

    def inside(self, mapping: Mapping, ids: Sequence[str]) -> set[str]:
        """Which of these records are in one of the mapping's segments now."""
        return self._membership.inside(mapping, ids)

    # writing

    def update(self, mapping: Mapping, writes: Sequence[Write]) -> list[Outcome]:
        """One PUT a record."""
        model, types = model_of(mapping.sweo), self._records.types[mapping.name]

        def one(write: Write) -> Outcome:
            fixed = tuple(name for name in write.values if not types[name].writable)
            if fixed:
                return unchangeable(write.id, fixed)
            body = body_of(write.values, types)
            try:
                answer = update_record(self._client, model, write.id, body)
            except SweoRefusal as refusal:
                return refused(refusal, write.id, write.values)
            except UnknownOutcomeError:
                return Outcome(Result.UNKNOWN, id=write.id)
            return self._records.written(Result.WRITTEN, mapping, answer, tuple(write.values))

        return self._each_write(one, writes)

    def create(self, mapping: Mapping, creations: Sequence[Creation]) -> list[Outcome]:
        """One POST a record; memberships follow by ``attach``."""
        is_company = model_of(mapping.sweo) == COMPANY
        make = self._create_company if is_company else self._create_contact
        return self._each_write(lambda creation: make(mapping, creation), creations)

    def _create_company(self, mapping: Mapping, creation: Creation) -> Outcome:
        company_id = self._company_id(mapping, creation)
        if not company_id:
            return without_key()
        values = {**self._keyed(mapping, creation), **creation.values, "company_id": company_id}
        types = self._attributes.of(COMPANY)
        try:
            answer = upsert_company(self._client, body_of(values, types))
        except SweoRefusal as refusal:
            return refused(refusal, None, values)
        except UnknownOutcomeError:
            return Outcome(Result.UNKNOWN)
        if int(answer.body.get("created_at") or answer.answered_at) < answer.read_at - 1:
            self._logger.warning(
                "%s: the company of %s was there already, although no list showed it; it was "
                "given the values of this record.",
                mapping.name,
                creation.source_id,
            )
        return self._records.written(Result.CREATED, mapping, answer, tuple(creation.values))

    def _create_contact(self, mapping: Mapping, creation: Creation) -> Outcome:
        values: dict[str, object] = {**self._keyed(mapping, creation), **creation.values}
        if role_of(mapping.sweo) == "lead":
            # A lead's external_id is Sweo's own.
            values["role"] = "lead"
        else:
            values = {"role": "user", "external_id": creation.source_id, **values}
        types = self._attributes.of(model_of(mapping.sweo))
        try:
            answer = create_contact(self._client, body_of(values, types))
        except SweoRefusal as refusal:
            return self._met(refusal, creation)
        except UnknownOutcomeError:
            return Outcome(Result.UNKNOWN)
        return self._records.written(Result.CREATED, mapping, answer, tuple(creation.values))

    def _met(self, refusal: SweoRefusal, creation: Creation) -> Outcome:
        if refusal.status != 409:
            return refused(refusal, None, creation.values)
        if refusal.conflict is None:
            found = contact_by_external_id(self._client, creation.source_id).record
            if found is None:
                return refused(refusal, None)
            return Outcome(Result.EXISTS, id=str(found["id"]))
        if refusal.conflict.archived:
            return archived_conflict(refusal.conflict.id)
        return Outcome(Result.EXISTS, id=refusal.conflict.id)

    def attach(self, mapping: Mapping, moves: Sequence[Attachment]) -> list[Outcome]:
        """Attach to the new company, then detach from the former one: one call or two each.

        In this order a contact is never without a company meanwhile, and the company that it
        leaves stays visible to lists until it has left.
        """
        del mapping
        return self._each_write(self._move, moves)

    def _move(self, move: Attachment) -> Outcome:
        outcome = Outcome(Result.WRITTEN, id=move.child_id)
        if move.parent_id:
            outcome = self._attach_one(move.child_id, move.parent_id)
        leaves = move.former_id is not None and move.former_id != move.parent_id
        if outcome.result is not Result.WRITTEN or not leaves:
            return outcome
        try:
            answer = detach(self._client, move.child_id, str(move.former_id))
        except SweoRefusal as refusal:
            return refused(refusal, move.child_id)
        except UnknownOutcomeError:
            return Outcome(Result.UNKNOWN, id=move.child_id)
        if answer is None:
            return outcome
        return Outcome(Result.WRITTEN, id=move.child_id, answered_at=iso(answer.answered_at))

    def _attach_one(self, child_id: str, parent_id: str) -> Outcome:
        try:
            answer = attach(self._client, child_id, parent_id)
        except SweoRefusal as refusal:
            if refusal.code == "company_not_found":
                return without_company(child_id)
            return refused(refusal, child_id)
        except UnknownOutcomeError:
            return Outcome(Result.UNKNOWN, id=child_id)
        return Outcome(Result.WRITTEN, id=child_id, answered_at=iso(answer.answered_at))

    def put_on_timeline(
        self, mapping: Mapping, events: Sequence[TimelineEvent], zone: str | None
    ) -> list[Outcome]:
        """Refused: events come from here.

        Raises:
            FatalError: always.
        """
        raise FatalError(f"Events of {mapping.name} go to Salesforce, not to Sweo.")

    def take_over(self, mapping: Mapping, lead_id: str, user_id: str | None) -> Outcome:
        """Make a user of a lead, or merge it into the given one; companies need neither."""
        if user_id is None and role_of(mapping.sweo) != "user":
            return Outcome(Result.WRITTEN, id=lead_id)
        try:
            if user_id is None:
                promote(self._client, lead_id)
            else:
                merge(self._client, lead_id, user_id)
        except SweoRefusal as refusal:
            return refused(refusal, lead_id)
        except UnknownOutcomeError:
            return Outcome(Result.UNKNOWN, id=lead_id)
        return Outcome(Result.WRITTEN, id=user_id or lead_id)

    # the pieces

    def _each_write(self, one: Callable[[T], Outcome], rows: Sequence[T]) -> list[Outcome]:
        """Write every row; after a limit or a lost permission nothing more is sent.

        What was written by then must be remembered, so that the error is raised only where
        nothing was, and by the next call otherwise.
        """

        def guarded(row: T) -> Outcome:
            if self._stopped is not None:
                return Outcome(Result.NOT_SENT)
            try:
                return one(row)
            except SyncError as error:
                with self._lock:
                    self._stopped = self._stopped or error
                return Outcome(Result.NOT_SENT)

        outcomes = self._each(guarded, rows)
        if all(outcome.result is Result.NOT_SENT for outcome in outcomes):
            self._raise_if_stopped()
        return outcomes

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise self._stopped

    def _each(self, one: Callable[[T], S], rows: Sequence[T]) -> list[S]:
        if len(rows) <= 1:
            return [one(row) for row in rows]
        with ThreadPoolExecutor(max_workers=min(self._concurrency, len(rows))) as pool:
            return list(pool.map(one, rows))

    def _keyed(self, mapping: Mapping, creation: Creation) -> dict[str, Any]:
        return {
            match.sweo: key
            for match, key in zip(mapping.match, creation.keys, strict=True)
            if key is not None
        }

    def _company_id(self, mapping: Mapping, creation: Creation) -> str | None:
        """The key of a new company: its match value, else the other side's id of the record."""
        if any(match.sweo == "company_id" for match in mapping.match):
            return self._keyed(mapping, creation).get("company_id")
        return creation.source_id
