"""The ledger's rows as the rest of the code sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from crosswalk.mapping import Side
from crosswalk.values import Canonical

Base = dict[str, Canonical]
"""Agreed values by field number (as text); hashes for fields that flow one way."""


EVERY_FIELD = "*"
FIRST_EXCHANGE = "first exchange"
FROM_INDEX = frozenset({FIRST_EXCHANGE, "not sent", "outcome unknown", "quarantine"})
"""Reasons for which a reading from an index is good enough: where it turns out to be older than
what it contradicts, the record is asked for again for that reason, which is not among these.
"""


class Review(str, Enum):
    """Where a pair of a mapping with ``first_link: ask`` stands. Without one nobody has to ask.

    ``NEW`` waits for the pipeline to Sweo, which sees every field that a first exchange would
    overwrite there; ``OPEN`` for a person. What a person declined is left alone on both sides;
    what was accepted meets with Salesforce's values standing, and so does the person of a lead
    with the contact that it became.
    """

    NEW = "new"
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(slots=True)
class Link:
    """A pair. ``base`` and ``as_of`` are by side; ``written`` is the record's time of modification
    that our own last write made.

    ``as_of`` says how new the reading is that a field's base rests on: seconds since 1970 by that
    side's clock, by field number, with ``*`` for the fields that are not named.
    """

    id: int
    mapping: str
    salesforce_id: str
    sweo_id: str
    version: int
    closed: str | None = None
    base: dict[Side, Base] = field(default_factory=lambda: {s: {} for s in Side})
    as_of: dict[Side, dict[str, int]] = field(default_factory=lambda: {s: {} for s in Side})
    written: dict[Side, str | None] = field(default_factory=lambda: dict.fromkeys(Side))
    digest: dict[Side, bytes | None] = field(default_factory=lambda: dict.fromkeys(Side))
    parent_id: str | None = None
    key_hash: str | None = None
    run_id: str = ""
    review: Review | None = None

    def id_on(self, side: Side) -> str:
        """The id of the half on ``side``."""
        return self.salesforce_id if side is Side.SALESFORCE else self.sweo_id

    def age_of(self, side: Side, number: str) -> int | None:
        """How new the reading on ``side`` is that the base of this field rests on."""
        return self.as_of[side].get(number, self.as_of[side].get(EVERY_FIELD))

    def rests_on(self, side: Side, number: str, seconds: int) -> None:
        """Note a reading that a base rests on; an older one changes nothing."""
        known = self.age_of(side, number)
        if known is None or known < seconds:
            self.as_of[side][number] = seconds


@dataclass(slots=True)
class IntendedField:
    """What was known when a write was decided: X's value, Y's value then, the value to come."""

    x: Canonical
    old: Canonical
    to: Canonical
    old_known: bool = True


@dataclass(slots=True)
class Intent:
    """A write that was about to happen. ``fields`` are by field number (as text).

    ``link_id`` is None for a create. ``put_at`` is the written side's server time.
    """

    id: int
    link_id: int | None
    mapping: str
    direction: str
    source_id: str
    run_id: str
    fields: dict[str, IntendedField]
    put_at: str


@dataclass(frozen=True, slots=True)
class Revisit:
    """A record that must be read again. Numbers only grow.

    Any reason that is not in ``FROM_INDEX`` asks for the record as it is now, by id.
    """

    number: int
    source_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Waiter:
    """A record that waits for its other half. ``rank`` sorts before recency, lower first."""

    record_id: str
    modified_at: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One definition of a field, with the number that bases use for it."""

    number: int
    salesforce: str
    sweo: str
    direction: str
    salesforce_kind: str
    sweo_kind: str


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who runs a direction now, and since when."""

    run_id: str
    host: str
    pid: int
    since: str
    heartbeat_at: str


@dataclass(slots=True)
class Quarantined:
    """A record (``field`` empty) or one field of it that could not be written."""

    mapping: str
    source_id: str
    field: str
    code: str
    message: str
    remedy: str
    direction: str = ""
    tries: int = 1
    first_at: str = ""
    last_at: str = ""
    next_at: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A conflict as it stands: the two values it is about, and who won (None: open).

    ``value`` is a third value that a person decided on, as JSON ``{"kind", "value"}``.
    """

    id: int
    salesforce: Canonical
    sweo: Canonical
    winner: Side | None
    status: str
    value: str | None = None
