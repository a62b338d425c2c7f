"""Third stage's result: the query with its names looked up and its values typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf, TypeAlias

from sweo_sandbox.salesforce.schema import SObjectField, SObjectType
from sweo_sandbox.soql.dates import Range

Kind: TypeAlias = OneOf[
    "text",
    "picklist",
    "multipicklist",
    "id",
    "boolean",
    "int",
    "double",
    "date",
    "datetime",
    "time",
    "address",
    "location",
]

_KINDS: dict[str, Kind] = {
    "id": "id",
    "reference": "id",
    "boolean": "boolean",
    "int": "int",
    "long": "int",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "picklist": "picklist",
    "multipicklist": "multipicklist",
    "address": "address",
    "location": "location",
}


def kind_of(field: SObjectField) -> Kind:
    """How values of a field are stored, compared and printed."""
    return _KINDS.get(field.type, "text")


@dataclass(slots=True, frozen=True)
class Step:
    """One lookup of ``holder`` that a path follows. Several ``targets``: it is polymorphic."""

    lookup: SObjectField
    holder: SObjectType
    targets: tuple[SObjectType, ...]

    @property
    def is_polymorphic(self) -> bool:
        """Whether the record at its end may be of several types."""
        return len(self.targets) > 1


@dataclass(slots=True, frozen=True)
class FieldRef:
    """A field at the end of a path.

    ``holders`` are the objects that may have it: one, but for a polymorphic lookup's ``Name``
    fields. ``name`` is the dotted path in describe's case.
    """

    steps: tuple[Step, ...]
    holders: tuple[SObjectType, ...]
    field: SObjectField
    name: str
    position: int


@dataclass(slots=True, frozen=True)
class Value:
    """A field, perhaps inside a function (``CALENDAR_YEAR``, ``TOLABEL``) and an aggregate."""

    ref: FieldRef
    function: str | None
    aggregate: str | None
    kind: Kind

    @property
    def identity(self) -> tuple[str | None, str | None, str]:
        """Equal for two mentions of the same value."""
        return self.aggregate, self.function, self.ref.name.lower()


Operand: TypeAlias = "str | int | float | Range | None"


@dataclass(slots=True, frozen=True)
class SemiJoin:
    """The ids that a subquery selects."""

    query: CheckedQuery
    selected: FieldRef


@dataclass(slots=True, frozen=True)
class Test:
    """A comparison; ``IN`` and its like have several operands, all others one.

    Operands are as stored: ids of 18 characters, datetimes in milliseconds, booleans 0 or 1,
    LIKE patterns with a backslash for escape.
    """

    value: Value
    operator: str
    operands: tuple[Operand, ...] | SemiJoin


@dataclass(slots=True, frozen=True)
class All:
    """Every one of them."""

    conditions: tuple[Condition, ...]


@dataclass(slots=True, frozen=True)
class AnyOf:
    """At least one of them."""

    conditions: tuple[Condition, ...]


@dataclass(slots=True, frozen=True)
class Opposite:
    """Not that."""

    condition: Condition


Condition: TypeAlias = "Test | All | AnyOf | Opposite"


@dataclass(slots=True, frozen=True)
class Column:
    """A value of the record under its key; ``name`` is its flat name (``Owner.Name``)."""

    key: str
    name: str
    value: Value


@dataclass(slots=True)
class Parent:
    """A nested parent record, under the relationship's name."""

    key: str
    steps: tuple[Step, ...]
    outputs: list[Output]


@dataclass(slots=True)
class Children:
    """A nested result of child records, whose ``link`` points to this record."""

    key: str
    query: CheckedQuery
    link: SObjectField


@dataclass(slots=True)
class TypeOf:
    """A polymorphic parent whose fields depend on its type.

    ``otherwise`` serves the types without a branch; None makes them null.
    """

    key: str
    step: Step
    branches: list[tuple[SObjectType, list[Output]]]
    otherwise: list[Output] | None


Output: TypeAlias = "Column | Parent | Children | TypeOf"


@dataclass(slots=True, frozen=True)
class Sorting:
    """One term of ORDER BY."""

    value: Value
    descending: bool
    nulls_last: bool


@dataclass(slots=True)
class CheckedQuery:
    """A query that the schema can answer.

    ``outputs`` nest as the record does; ``columns`` are their plain values as the query lists
    them.
    """

    sobject: SObjectType
    outputs: list[Output]
    columns: list[Column]
    counts_rows: bool = False
    is_aggregate: bool = False
    uses_fields_function: bool = False
    only_mine: bool = False
    where: Condition | None = None
    group_by: tuple[Value, ...] = ()
    having: Condition | None = None
    order_by: tuple[Sorting, ...] = ()
    limit: int | None = None
    offset: int | None = None
    for_clauses: tuple[str, ...] = ()
    all_rows: bool = False
