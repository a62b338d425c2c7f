"""What a mapping reads of its object: which columns, of which type, and what became new.

A plan is made from describes and remembered in the bookmark, so that the next run can send its
queries and the describes that check them in one call.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Field, Mapping, Side
from crosswalk.values import kind_of
from salesforce_client.conditions import related_names, where_of
from salesforce_client.currencies import lone_amounts
from salesforce_client.fields import Description, Resolved, resolve
from salesforce_client.soql import Select

SYSTEM_FIELDS: Final = (
    "Id",
    "SystemModstamp",
    "LastModifiedDate",
    "LastModifiedById",
    "IsDeleted",
    "MasterRecordId",
)
PERSON_ACCOUNT: Final = "IsPersonAccount"
CONVERTED_CONTACT: Final = "ConvertedContactId"


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field that can be read. ``uses`` says where it goes: a new use is a new field."""

    type: FieldType
    path: tuple[str, ...]
    lookups: tuple[tuple[str, str], ...] = ()
    uses: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is read of one mapping. ``columns`` are by the mapping's names, in its order.

    ``hidden`` are mapped fields that could be read once and cannot now: they are absent.
    ``person_accounts`` says that the object has person accounts, which are left out.
    ``replicateable`` says that the org keeps a log of the object's deleted rows.
    ``only`` is the filter of the mapping; ``judged`` are the related fields that it reads.
    """

    columns: dict[str, Column]
    system: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    person_accounts: bool = False
    replicateable: bool = False
    only: str | None = None
    judged: dict[str, Column] = {}

    @property
    def paths(self) -> dict[str, tuple[str, ...]]:
        """Where each column stands in an answer."""
        return {name: column.path for name, column in self.columns.items()}

    @property
    def types(self) -> dict[str, FieldType]:
        """The columns' types."""
        return {name: column.type for name, column in self.columns.items()}

    @property
    def related_objects(self) -> tuple[str, ...]:
        """Objects whose describes the dotted names rest on."""
        found = [t for column in self.related for _, t in column.lookups]
        return tuple(dict.fromkeys(found))

    @property
    def related(self) -> tuple[Column, ...]:
        """The columns whose changes do not mark the row itself as changed."""
        return tuple(c for c in (*self.columns.values(), *self.judged.values()) if c.lookups)

    def select(
        self, sobject: str, where: tuple[str, ...], order_by: tuple[str, ...] = ()
    ) -> Select:
        """A query of all columns, of rows that the filter lets in."""
        names = [".".join(column.path) for column in self.columns.values()]
        if self.only:
            where = (where_of(self.only), *where)
        if self.person_accounts:
            where = (*where, f"{PERSON_ACCOUNT} = false")
        return Select(sobject, tuple(dict.fromkeys([*self.system, *names])), where, order_by)

    def select_system(self, sobject: str) -> Select:
        """A query of what every row has, whatever the filter says of it."""
        return Select(sobject, self.system)

    def remembered(self) -> dict[str, Any]:
        """The plan as a bookmark keeps it."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or what is wrong with the mapping; and the fields that just became unreadable."""

    plan: Plan
    mistakes: tuple[str, ...] = ()
    now_hidden: tuple[str, ...] = ()


def remembered_plan(kept: object) -> Plan | None:
    """The plan of an earlier run; None where there is none that this version can read."""
    try:
        return msgspec.convert(kept, Plan)
    except msgspec.ValidationError:
        return None


def plan_of(
    mapping: Mapping,
    described: MappingOf[str, Description],
    before: Plan | None,
    *,
    held: bool = False,
) -> Planned:
    """Make a mapping's plan from describes; related objects stand in ``described`` too.

    ``held`` adds, here and below, the fields that Salesforce only receives.
    """
    description = described[mapping.salesforce]
    once_readable = {*before.columns, *before.hidden} if before else set()
    columns: dict[str, Column] = {}
    mistakes: list[str] = []
    hidden: list[str] = []
    declared = _declared(mapping)
    for name in _names(mapping, held=held):
        found = resolve(name, description, described)
        if isinstance(found, Resolved):
            columns[name] = Column(found.type, found.path, found.lookups, _uses(mapping, name))
        elif name in once_readable:
            hidden.append(name)
        elif name in declared:
            mistakes.append(f"mapping {mapping.name}{_line(mapping, name)}: {found}")
    mistakes += _mixed_kinds(mapping, columns)
    mistakes += [
        f"mapping {mapping.name}{_at(lone.field)}: {lone.wrong}; {lone.right}"
        for lone in lone_amounts(mapping, Side.SWEO, description, described)
    ]
    system = tuple(name for name in _system(mapping) if description.field(name))
    if mapping.becomes and CONVERTED_CONTACT not in system:
        mistakes.append(
            f"mapping {mapping.name}: `becomes` needs {CONVERTED_CONTACT}, which this user may "
            "not read"
        )
    if "SystemModstamp" not in system:
        mistakes.append(f"mapping {mapping.name}: {mapping.salesforce} cannot be read by change")
    mistakes += [
        f"mapping {mapping.name}{_line(mapping, match.salesforce)}: {match.salesforce} is "
        "encrypted, so no record can be matched by it; match by another field"
        for match in mapping.match
        if match.salesforce.lower() in description.encrypted
    ]
    plan = Plan(
        columns,
        system,
        tuple(hidden),
        person_accounts=description.field(PERSON_ACCOUNT) is not None,
        replicateable=description.replicateable,
        only=mapping.only.salesforce,
        judged=_judged(mapping, described),
    )
    news = tuple(name for name in hidden if not before or name not in before.hidden)
    return Planned(plan, tuple(mistakes), news)


def covers(before: Plan, mapping: Mapping, *, held: bool = False) -> bool:
    """Whether a remembered plan knows every field that the mapping asks for now."""
    if mapping.becomes and CONVERTED_CONTACT not in before.system:
        return False
    return before.only == mapping.only.salesforce and all(
        name in before.columns or name in before.hidden for name in _names(mapping, held=held)
    )


def narrowed(before: Plan, mapping: Mapping, *, held: bool = False) -> Plan:
    """A remembered plan with the mapping's present fields only."""
    names = _names(mapping, held=held)
    columns = {name: before.columns[name] for name in names if name in before.columns}
    return msgspec.structs.replace(before, columns=columns)


def needs_backfill(before: Plan, now: Plan) -> bool:
    """Whether linked records must be read once more: a column, a use or a type is new."""
    for name, column in now.columns.items():
        old = before.columns.get(name)
        if old is None or old.type.type != column.type.type or set(column.uses) - set(old.uses):
            return True
    return False


def names_read(mapping: Mapping) -> tuple[str, ...]:
    """Every name that needs a describe: the mapping's own, and the related ones of its filter."""
    return (*mapping.read_from(Side.SALESFORCE), *related_names(mapping.only.salesforce or ""))


def _system(mapping: Mapping) -> tuple[str, ...]:
    return (*SYSTEM_FIELDS, CONVERTED_CONTACT) if mapping.becomes else SYSTEM_FIELDS


def _names(mapping: Mapping, *, held: bool) -> tuple[str, ...]:
    received = [f.on(Side.SALESFORCE) for f in mapping.held_on(Side.SALESFORCE)] if held else []
    return tuple(dict.fromkeys([*mapping.read_from(Side.SALESFORCE), *received]))


def _judged(mapping: Mapping, described: MappingOf[str, Description]) -> dict[str, Column]:
    """The related fields of the filter; the org itself says what is wrong with a name."""
    description = described[mapping.salesforce]
    found = {
        name: resolve(name, description, described)
        for name in related_names(mapping.only.salesforce or "")
    }
    return {
        name: Column(each.type, each.path, each.lookups)
        for name, each in found.items()
        if isinstance(each, Resolved)
    }


def _declared(mapping: Mapping) -> set[str]:
    """The names that somebody asked for; an implied field that is not there is no mistake."""
    names = {
        name
        for field in mapping.fields
        if not field.implied
        for name in field.read_on(Side.SALESFORCE)
    }
    names |= {match.salesforce for match in mapping.match}
    return names | ({mapping.parent.salesforce} if mapping.parent else set())


def _mixed_kinds(mapping: Mapping, columns: MappingOf[str, Column]) -> list[str]:
    """Fields that take the first value of several, of which not all are of one kind."""
    mistakes = []
    for field in mapping.fields:
        names = [name for name in field.first_of if name in columns]
        kinds = {kind_of(columns[name].type) for name in names}
        if len(kinds) > 1:
            told = ", ".join(f"{name} is {columns[name].type.type}" for name in names)
            place = f", line {field.line}" if field.line else ""
            mistakes.append(
                f"mapping {mapping.name}{place}: first_of takes fields of one kind, but {told}"
            )
    return mistakes


def _uses(mapping: Mapping, name: str) -> tuple[str, ...]:
    uses = [
        f"{field.sweo}:{field.direction.value}"
        for field in mapping.flowing_to(Side.SWEO)
        if name in field.read_on(Side.SALESFORCE)
    ]
    uses += [f"match:{match.sweo}" for match in mapping.match if match.salesforce == name]
    if mapping.parent and mapping.parent.salesforce == name:
        uses.append(f"parent:{mapping.parent.mapping}")
    return tuple(sorted(uses))


def _line(mapping: Mapping, name: str) -> str:
    found = next((f for f in mapping.fields if name in f.read_on(Side.SALESFORCE)), None)
    return _at(found) if found else ""


def _at(field: Field) -> str:
    return f", line {field.line}" if field.line else ""
