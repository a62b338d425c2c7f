"""What the exchange asks of the side it writes to. Each target brings one ``Destination``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping as MappingOf, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Mapping, Side
from crosswalk.values import Canonical, Raw
from crosswalk.wire import StreamNote


class Presence(str, Enum):
    """What a read by id says about a record."""

    THERE = "there"
    DELETED = "deleted"
    INVISIBLE = "invisible"
    """The API neither shows it nor says that it is gone (sharing, or deleted)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A record read by id. ``values`` are canonical; a field the API did not give is absent.

    ``read_at`` and ``modified_at`` are ISO 8601 UTC by the server's clock; ``read_at`` is the
    start of the request. ``merged_into`` is the survivor's id where the API tells.
    ``keys`` are the record's match values in the mapping's order, as the API gave them.
    ``parent_ids`` are the records of this side that it belongs to, as far as the API shows.
    ``inside`` says whether this side's filter lets it in, where the record itself tells.
    """

    id: str
    presence: Presence = Presence.THERE
    values: MappingOf[str, Canonical] = field(default_factory=dict)
    keys: tuple[str | None, ...] = ()
    parent_ids: tuple[str, ...] = ()
    modified_at: str | None = None
    read_at: str | None = None
    modified_by: str | None = None
    merged_into: str | None = None
    inside: bool | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that carries a match value: what linking needs to choose among several.

    ``rank`` sorts before ``modified_at``, lower first (a Sweo user before a lead).
    """

    id: str
    keys: tuple[str | None, ...]
    modified_at: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """Fields to set on one existing record, rendered. ``guard`` asks the API to refuse with
    ``Result.CHANGED`` where the record was modified after that time.
    """

    id: str
    values: MappingOf[str, Raw]
    guard: str | None = None


@dataclass(frozen=True, slots=True)
class Creation:
    """A record to make. ``source_id`` becomes the Sweo ``external_id`` of a contact;
    ``keys`` are the raw match values in the mapping's order; ``parent_id`` the id, on this
    side, of the parent to belong to.
    """

    source_id: str
    values: MappingOf[str, Raw]
    keys: tuple[str | None, ...]
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """Let ``child_id`` belong to ``parent_id`` (None: to nobody) and no longer to ``former_id``."""

    child_id: str
    parent_id: str | None
    former_id: str | None


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """What a person did: ``who_id`` is the contact or lead, ``at`` ISO 8601 UTC to the second.

    ``key`` tells events apart; ``metadata`` is what the event says of itself.
    """

    key: str
    sweo_id: str
    who_id: str
    name: str
    at: str
    metadata: MappingOf[str, object]


class Result(str, Enum):
    """What became of one write."""

    WRITTEN = "written"
    CREATED = "created"
    EXISTS = "exists"
    """A create met an existing record, whose id is given; nothing was written."""
    REFUSED = "refused"
    CHANGED = "changed"
    GONE = "gone"
    UNKNOWN = "unknown"
    """Sent, and the answer was lost. Nobody may send it again before the record was read."""
    NOT_SENT = "not_sent"
    """Not sent, or surely not applied (a limit, a row lock, 503 before the work began)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result per ``Write`` or ``Creation``, in order.

    ``answered`` holds the canonical values of the fields as the answer shows them, where it
    shows the record. ``answered_at`` is the server's time of the answer, ISO 8601 UTC.
    ``error_code``, ``error_message`` (the vendor's, without values) and ``error_fields`` say
    why a row was refused;
    ``remedy`` is what a person can do about it.
    """

    result: Result
    id: str | None = None
    answered: MappingOf[str, Canonical] = field(default_factory=dict)
    modified_at: str | None = None
    answered_at: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_fields: tuple[str, ...] = ()
    remedy: str | None = None


class Destination(Protocol):
    """The writing side of one pipeline. Nothing may call out before ``prepare`` is called.

    Every method raises ``FatalError`` (credentials, permissions, mistakes in the mapping) or
    ``RetryLaterError`` (limits, outages) where no single row is to blame.
    """

    side: Side

    def prepare(
        self, mapping: Mapping, note: StreamNote, incoming: MappingOf[str, FieldType]
    ) -> MappingOf[str, FieldType]:
        """Check the mapping against this side and return the types of its own fields.

        ``incoming`` gives the source's type of each field by the name it has here. Raises one
        ``FatalError`` that lists every mistake (unknown field with the nearest name, not
        writable, types that cannot meet). Sweo attributes that are missing are made here.
        The result covers the incoming fields and the match fields.
        """
        ...

    def credentials(self) -> str:
        """What these credentials are, to be hashed and compared: only where they are new to the
        ledger is ``instance`` asked. Empty where asking costs no call.
        """
        ...

    def instance(self) -> str:
        """The org's or workspace's id."""
        ...

    def timezone(self) -> str | None:
        """The workspace's IANA time zone where this side knows it."""
        ...

    def read(
        self, mapping: Mapping, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Reading]:
        """Read records by id, now, never from an index. Every id has an entry."""
        ...

    def inside(self, mapping: Mapping, ids: Sequence[str]) -> set[str]:
        """Which of these records satisfy this side's filter (``only``) now.

        Asked only of mappings that have one, after ``prepare``.
        """
        ...

    def update(self, mapping: Mapping, writes: Sequence[Write]) -> list[Outcome]:
        """Write fields of existing records; one outcome per write, in order."""
        ...

    def create(self, mapping: Mapping, creations: Sequence[Creation]) -> list[Outcome]:
        """Make records; safe to repeat because each carries its key. One outcome each."""
        ...

    def find(self, mapping: Mapping, creations: Sequence[Creation]) -> dict[str, list[Candidate]]:
        """Look for existing records directly by key or id, by ``source_id`` of the creation.

        Where ``create`` itself meets and names an existing record (a 409, an upsert), an empty
        dict without a call is right.
        """
        ...

    def keys(self, mapping: Mapping) -> Iterator[Candidate]:
        """Every record's match values, in the cheapest way this API has."""
        ...

    def archive(self, mapping: Mapping, ids: Sequence[str]) -> list[Outcome]:
        """Put records where a person can still find them: Sweo's archive, Salesforce's recycle
        bin. One outcome per id, in order; a record that is gone already is ``Result.GONE``.
        """
        ...

    def attach(self, mapping: Mapping, moves: Sequence[Attachment]) -> list[Outcome]:
        """Let children belong to their parents; one outcome per move, in order. Idempotent.

        Only Sweo has such memberships; Salesforce refuses the call.
        """
        ...

    def take_over(self, mapping: Mapping, lead_id: str, user_id: str | None) -> Outcome:
        """Let a lead of this side become what ``mapping`` holds: a user, or part of the user that
        is given, which then stands for both. Doing it twice changes nothing.

        Only Sweo's leads are handed over so; Salesforce refuses the call.
        """
        ...

    def put_on_timeline(
        self, mapping: Mapping, events: Sequence[TimelineEvent], zone: str | None
    ) -> list[Outcome]:
        """Let people's timelines show events; one outcome per event, in order. Idempotent.

        ``zone`` is the IANA zone in which an event's day is told. Only Salesforce has such a
        timeline; Sweo refuses the call.
        """
        ...

    def skew_seconds(self) -> float:
        """This side's clock minus this machine's, as far as its answers have told."""
        ...

    def calls(self) -> int:
        """How many calls this side has metered so far in this run, logins apart."""
        ...
