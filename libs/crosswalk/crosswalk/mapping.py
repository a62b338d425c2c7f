"""What a team declares under ``annotations.sweo`` once it has been read and checked.

Everything here is frozen data. ``crosswalk.loader`` makes it from YAML and is the only
place that reports mistakes of shape; whoever holds a ``Config`` may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


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
class Field:
    """One line under ``fields``.

    ``salesforce`` may run over relationships (``Account.Owner.Email``); such a field flows
    to Sweo only. ``create`` allows a new Sweo attribute although its name is close to an
    existing one. ``line`` is where the field stands in its file, for messages.
    """

    salesforce: str
    sweo: str
    direction: Direction = Direction.TO_SWEO
    create: bool = False
    line: int | None = None

    def on(self, side: Side) -> str:
        """The field's name on ``side``."""
        return self.salesforce if side is Side.SALESFORCE else self.sweo

    @property
    def is_related(self) -> bool:
        """Whether the Salesforce name reaches over a relationship."""
        return "." in self.salesforce


@dataclass(frozen=True, slots=True)
class Mapping:
    """One kind of record that exists on both sides.

    ``sweo`` is ``company``, ``contact`` (users and leads), ``user`` or ``lead``.
    ``match`` is in order of preference and has at least one entry.
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
    parent: Parent | None = None
    on_delete: OnDelete = OnDelete.UNLINK
    on_rematch: OnRematch = OnRematch.KEEP
    enabled: bool = True
    line: int | None = None

    def object_on(self, side: Side) -> str:
        """The vendor's name of the object on ``side``."""
        return self.salesforce if side is Side.SALESFORCE else self.sweo

    def flowing_to(self, side: Side) -> tuple[Field, ...]:
        """The fields that a pipeline which writes to ``side`` carries, as declared."""
        return tuple(f for f in self.fields if f.direction.flows_to(side))

    def read_from(self, side: Side) -> tuple[str, ...]:
        """Every field name that a tap on ``side`` must read: values, match fields, parent.

        Names are unique and keep the order of the declaration. Fields that each API needs
        for itself (``Id``, ``SystemModstamp``, ``updated_at``) are not among them.
        """
        names = [f.on(side) for f in self.flowing_to(side.other)]
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

    @property
    def enabled(self) -> tuple[Mapping, ...]:
        """The mappings that are switched on, parents before their children."""
        ordered: list[Mapping] = []
        left = [m for m in self.mappings if m.enabled]
        while left:
            placed = {m.name for m in ordered}
            waiting = {m.name for m in left}
            ready = [
                m
                for m in left
                if not m.parent or m.parent.mapping in placed or m.parent.mapping not in waiting
            ]
            ordered += ready
            left = [m for m in left if m not in ready]
        return tuple(ordered)
