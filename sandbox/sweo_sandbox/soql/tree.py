"""Second stage's result: the query as written, names not yet looked up.

Every ``position`` is the 0-based place in the query's text, for error messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf, TypeAlias

LiteralKind: TypeAlias = OneOf[
    "string", "number", "boolean", "null", "date", "datetime", "range", "name"
]


@dataclass(slots=True, frozen=True)
class Literal:
    """A value as written.

    ``text`` is a string's raw text (see tokens), a number's digits, the upper-cased name of a
    date range such as ``LAST_N_DAYS`` with its ``count``. Kind ``name`` is any other bare word,
    which no filter may be compared with.
    """

    kind: LiteralKind
    text: str
    position: int
    count: int | None = None


@dataclass(slots=True, frozen=True)
class FieldPath:
    """A dotted path, ``Account.Owner.Name``."""

    parts: tuple[str, ...]
    position: int


@dataclass(slots=True, frozen=True)
class Call:
    """A function of one path or none; ``name`` is upper-cased."""

    name: str
    argument: FieldPath | Call | None
    position: int


Operand: TypeAlias = "FieldPath | Call"


@dataclass(slots=True, frozen=True)
class SelectedField:
    """A field or function of the SELECT list."""

    operand: Operand
    alias: str | None
    position: int


@dataclass(slots=True, frozen=True)
class SelectedFields:
    """``FIELDS(ALL)``, ``FIELDS(STANDARD)`` or ``FIELDS(CUSTOM)``."""

    group: OneOf["ALL", "STANDARD", "CUSTOM"]
    position: int


@dataclass(slots=True, frozen=True)
class TypeOfBranch:
    """``WHEN sobject THEN fields``."""

    sobject: str
    fields: tuple[FieldPath, ...]
    position: int


@dataclass(slots=True, frozen=True)
class SelectedTypeOf:
    """``TYPEOF relationship WHEN … THEN … ELSE … END``."""

    relationship: str
    branches: tuple[TypeOfBranch, ...]
    otherwise: tuple[FieldPath, ...]
    position: int


@dataclass(slots=True, frozen=True)
class SelectedChildren:
    """A subquery over a child relationship, whose name is the query's ``source``."""

    query: Query
    position: int


SelectItem: TypeAlias = "SelectedField | SelectedFields | SelectedTypeOf | SelectedChildren"


@dataclass(slots=True, frozen=True)
class Comparison:
    """``operator`` is one of ``= != < <= > >= LIKE IN NOT IN INCLUDES EXCLUDES``."""

    operand: Operand
    operator: str
    value: Literal | tuple[Literal, ...] | Query
    position: int


@dataclass(slots=True, frozen=True)
class And:
    """All of them."""

    conditions: tuple[Condition, ...]


@dataclass(slots=True, frozen=True)
class Or:
    """Any of them."""

    conditions: tuple[Condition, ...]


@dataclass(slots=True, frozen=True)
class Not:
    """Its opposite."""

    condition: Condition


Condition: TypeAlias = "Comparison | And | Or | Not"


@dataclass(slots=True, frozen=True)
class Ordering:
    """One term of ORDER BY. Empty values come first unless ``nulls_last``."""

    operand: Operand
    descending: bool
    nulls_last: bool


@dataclass(slots=True, frozen=True)
class Query:
    """A whole query; ``counts_rows`` is ``SELECT COUNT()``."""

    select: tuple[SelectItem, ...]
    counts_rows: bool
    source: str
    source_position: int
    alias: str | None
    position: int
    scope: str | None = None
    where: Condition | None = None
    group_by: tuple[Operand, ...] = ()
    having: Condition | None = None
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None
    for_clauses: tuple[str, ...] = ()
    all_rows: bool = False
