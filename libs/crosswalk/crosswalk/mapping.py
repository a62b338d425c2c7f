"""What a team declares under ``annotations.sweo`` once it has been read and checked.

Everything here is frozen data. ``crosswalk.loader`` makes it from YAML and is the only
place that reports mistakes of shape; whoever holds a ``Config`` may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from crosswalk.addresses import parts_of

Constant = str | int | float | bool
"""A value that new records are given, as it stands in the field configs."""


class Side(str, Enum):
    """One of the two systems."""

    SALESFORCE = "salesforce"
    SWEO = "sweo"

    @property
    def other(self) -> Side:
        """The system across from this one."""
        return Side.SWEO if self is Side.SALESFORCE else Side.SALESFORCE


class Direction(str, Enum):
    """Which way a field flows."""

    TO_SWEO = "to_sweo"
    TO_SALESFORCE = "to_salesforce"
    BOTH = "both"

    def flows_to(self, side: Side) -> bool:
        """Whether a pipeline that writes to ``side`` carries the field."""
        return self is Direction.BOTH or self.value == f"to_{side.value}"


class Policy(str, Enum):
    """Who wins when a field was edited on both sides since they last agreed."""

    SALESFORCE = "salesforce"
    SWEO = "sweo"
    NEWEST = "newest"
    ASK = "ask"


class Normalise(str, Enum):
    """How match values are made comparable before they are compared."""

    EXACT = "exact"
    EMAIL = "email"
    DOMAIN = "domain"
    PHONE = "phone"


class Create(str, Enum):
    """When a missing record is made on a side."""

    NEVER = "never"
    IMPORT = "import"
    ALWAYS = "always"


class OnDelete(str, Enum):
    """What the deletion of one half of a pair does to the other half."""

    UNLINK = "unlink"
    ARCHIVE = "archive"
    CLEAR = "clear"


class FirstLink(str, Enum):
    """What happens where a match finds a pair whose values differ."""

    MERGE = "merge"
    ASK = "ask"


class OnRematch(str, Enum):
    """What a changed match value does to an existing link."""

    KEEP = "keep"
    UNLINK = "unlink"


@dataclass(frozen=True, slots=True)
class Match:
    """A pair of fields whose values say that two records are the same thing."""

    salesforce: str
    sweo: str
    normalise: Normalise = Normalise.EXACT

    def on(self, side: Side) -> str:
        """The name of the match field on ``side``."""
        return self.salesforce if side is Side.SALESFORCE else self.sweo


@dataclass(frozen=True, slots=True)
class Parent:
    """The lookup in Salesforce that says which record of another mapping is the parent."""

    salesforce: str
    mapping: str


@dataclass(frozen=True, slots=True)
class Only:
    """Which records are updated and created: those that satisfy every condition of their side.

    ``salesforce`` is a SOQL condition; ``segments`` are names of Sweo segments, of which a record
    must be in one. Empty means every record. ``lines`` say where each stands in its file.
    """

    salesforce: str | None = None
    segments: tuple[str, ...] = ()
    lines: dict[Side, int | None] = field(default_factory=dict, compare=False, hash=False)

    def limits(self, side: Side) -> bool:
        """Whether records of ``side`` may be left out."""
        return bool(self.salesforce if side is Side.SALESFORCE else self.segments)

    def place(self, mapping: str, side: Side) -> str:
        """Where the condition of ``side`` stands, for messages:
        ``mapping accounts, line 12, only.salesforce``.
        """
        line = self.lines.get(side)
        return f"mapping {mapping}{f', line {line}' if line else ''}, only.{side.value}"


EVERY_EVENT = "*"
EVENT_KEY_FIELD = "Sweo_Event_Key__c"
"""The external id of a Task that an event became; it is made on Activity."""
TASK_BYTES = 2_048
"""What a Task takes of the org's data storage, for ever (Salesforce, "Record storage")."""


@dataclass(frozen=True, slots=True)
class Events:
    """Data events of the mapping's people that become completed Tasks.

    ``names`` is ``("*",)`` for every event; ``per_day`` is then the most Tasks a day, else None.
    ``on_account`` gives a Task the contact's account as its WhatId.
    """

    names: tuple[str, ...]
    on_account: bool = False
    per_day: int | None = None

    def wants(self, name: str) -> bool:
        """Whether an event of that name becomes a Task."""
        return name in self.names or self.names == (EVERY_EVENT,)


@dataclass(frozen=True, slots=True)
class Field:
    """One line under ``fields``, or one that is implied (``defaults``, the first match key).

    ``salesforce`` may run over relationships (``Account.Owner.Email``); such a field flows
    to Sweo only. ``create`` allows a new Sweo attribute although its name is close to an
    existing one. ``line`` is where the field stands in its file, for messages.

    ``first_of`` are Salesforce names in order of preference; ``salesforce`` is then only their
    label. ``missing_parts`` marks the attribute that names what the chosen address lacks.
    ``enforce`` puts back what somebody changes on the receiving side of a one-way field.
    ``fills`` lets a field that flows both ways move only into an empty value. ``at_create`` gives
    a field that flows to Sweo to new Salesforce records too. What is ``implied`` and not there, or
    hidden from this user, is left out without a word.
    """

    salesforce: str
    sweo: str
    direction: Direction = Direction.TO_SWEO
    create: bool = False
    line: int | None = None
    first_of: tuple[str, ...] = ()
    missing_parts: bool = False
    enforce: bool = False
    fills: bool = False
    at_create: bool = False
    implied: bool = False

    def on(self, side: Side) -> str:
        """The field's name on ``side``."""
        return self.salesforce if side is Side.SALESFORCE else self.sweo

    def read_on(self, side: Side) -> tuple[str, ...]:
        """The names that must be read on ``side`` to know the field's value."""
        if side is Side.SWEO or not self.first_of:
            return (self.on(side),)
        return tuple(dict.fromkeys(part for name in self.first_of for part in parts_of(name)))

    @property
    def is_related(self) -> bool:
        """Whether the Salesforce name reaches over a relationship."""
        return "." in self.salesforce


@dataclass(frozen=True, slots=True)
class Mapping:
    """One kind of record that exists on both sides.

    ``sweo`` is ``company``, ``contact`` (users and leads), ``user`` or ``lead``.
    ``match`` is in order of preference and has at least one entry.
    ``constants`` are values, by Salesforce field, that new Salesforce records are given.
    ``becomes`` is the mapping that takes over a lead once it is converted.
    ``org`` names a Salesforce org besides the primary one; its records are only read.
    """

    name: str
    salesforce: str
    sweo: str
    match: tuple[Match, ...]
    fields: tuple[Field, ...]
    create: dict[Side, Create] = field(
        default_factory=lambda: {Side.SALESFORCE: Create.NEVER, Side.SWEO: Create.NEVER}
    )
    conflict: Policy = Policy.SALESFORCE
    first_meeting: Side = Side.SALESFORCE
    first_link: FirstLink = FirstLink.MERGE
    parent: Parent | None = None
    on_delete: OnDelete = OnDelete.UNLINK
    on_rematch: OnRematch = OnRematch.KEEP
    only: Only = Only()
    constants: dict[str, Constant] = field(default_factory=dict)
    becomes: str | None = None
    events: Events | None = None
    org: str | None = None
    enabled: bool = True
    line: int | None = None

    def is_only_read_on(self, side: Side) -> bool:
        """Whether nothing is ever written to ``side``: a Salesforce org besides the primary one."""
        return side is Side.SALESFORCE and self.org is not None

    def object_on(self, side: Side) -> str:
        """The vendor's name of the object on ``side``."""
        return self.salesforce if side is Side.SALESFORCE else self.sweo

    def makes(self, side: Side) -> bool:
        """Whether missing records are ever made on ``side``."""
        return self.create[side] is not Create.NEVER

    def flowing_to(self, side: Side) -> tuple[Field, ...]:
        """The fields that a pipeline which writes to ``side`` carries, as declared.

        Those that only new records are given are among them.
        """
        makes = side is Side.SALESFORCE and self.makes(side)
        return tuple(
            f for f in self.fields if f.direction.flows_to(side) or (makes and f.at_create)
        )

    def held_on(self, side: Side) -> tuple[Field, ...]:
        """The fields that ``side`` only receives. A full check looks at what it holds of them."""
        return tuple(
            f
            for f in self.fields
            if f.direction.flows_to(side) and not f.direction.flows_to(side.other)
        )

    def read_from(self, side: Side) -> tuple[str, ...]:
        """Every field name that a tap on ``side`` must read: values, match fields, parent.

        Names are unique and keep the order of the declaration. Fields that each API needs
        for itself (``Id``, ``SystemModstamp``, ``updated_at``) are not among them.
        """
        names = [name for f in self.flowing_to(side.other) for name in f.read_on(side)]
        names += [m.on(side) for m in self.match]
        if self.parent and side is Side.SALESFORCE:
            names.append(self.parent.salesforce)
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Config:
    """All of ``annotations.sweo``.

    ``ledger_url`` is an SQLAlchemy URL, or None where neither the file nor
    ``SWEO_LEDGER_URL`` names one and there is no project directory to put it in.
    """

    mappings: tuple[Mapping, ...]
    ledger_url: str | None = None
    file: str | None = None

    def mapping(self, name: str) -> Mapping | None:
        """The mapping of that name, if there is one."""
        return next((m for m in self.mappings if m.name == name), None)

    def of_org(self, org: str | None) -> Config:
        """The mappings of one Salesforce org; None is the primary one."""
        return replace(self, mappings=tuple(m for m in self.mappings if m.org == org))

    @property
    def orgs(self) -> tuple[str, ...]:
        """The Salesforce orgs besides the primary one that mappings which are switched on name."""
        return tuple(dict.fromkeys(m.org for m in self.mappings if m.enabled and m.org))

    @property
    def enabled(self) -> tuple[Mapping, ...]:
        """The mappings that are switched on: parents before their children, and what becomes of
        a record behind what it was.
        """
        left = {m.name: m for m in self.mappings if m.enabled}
        before = {name: {m.parent.mapping} if m.parent else set() for name, m in left.items()}
        for mapping in left.values():
            before.get(mapping.becomes or "", set()).add(mapping.name)
        ordered: list[Mapping] = []
        while left:
            ready = [m for name, m in left.items() if not before[name] & left.keys()]
            # The loader refuses circles; one that was made by hand still gives every mapping.
            ordered += ready or left.values()
            left = {m.name: m for m in left.values() if m not in ordered}
        return tuple(ordered)
