"""Whether mapped fields can meet, and which of them change without anyone being told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Field, Mapping, Side
from crosswalk.types import meets

from sweo_sync.doctor.finding import Finding, Level, UnavailableError
from sweo_sync.doctor.visit import Visit

TYPES: Final = "field types"
ATTRIBUTES: Final = "Sweo attributes"
AMOUNTS: Final = "amounts"
FORMULAS: Final = "formula fields"


def look_at_attributes(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Whether Sweo has what is read from it, and takes what is written to it."""
    workspace = visit.workspace
    keys = {match.sweo for match in mapping.match}
    findings: list[Finding] = []
    for field in mapping.fields:
        held = workspace.look_up(mapping, field.sweo)
        to_sweo = field.direction.flows_to(Side.SWEO)
        near = workspace.slip_of(mapping, field.sweo)
        found = todo = ""
        if held is None and not to_sweo:
            nearest = workspace.nearest(mapping, field.sweo)
            found = f"Sweo has no attribute {field.sweo} to read."
            todo = f"write {nearest}" if nearest else "correct the name, or make the attribute"
        elif held is None and workspace.is_taken_elsewhere(mapping, field.sweo):
            found = f"{field.sweo} is an attribute of the other model, and Sweo takes a name once."
            todo = "choose another name"
        elif held is None and near and not field.create:
            found = f"Sweo has no attribute {field.sweo}, which is close to {near}."
            todo = f"write {near}, or create: true to make a new attribute"
        elif held and to_sweo and not _takes(held, is_key=field.sweo in keys):
            found = f"{field.sweo} cannot be changed in Sweo."
            todo = "let it flow to_salesforce, or remove the line"
        if found:
            findings.append(Finding(ATTRIBUTES, Level.FAILURE, found, todo, mapping.name))
    yield from findings or [
        Finding(ATTRIBUTES, Level.OK, "Every attribute is there or will be made.", None,
                mapping.name)
    ]  # fmt: skip


def _takes(held: FieldType, *, is_key: bool) -> bool:
    """A key is named when the record is made, even where it never changes afterwards."""
    return held.writable or (held.createable and is_key)


def look_at_types(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Whether the types of both fields of a line can meet in the line's direction."""
    findings: list[Finding] = []
    for field, salesforce in _seen(visit, mapping):
        sweo = visit.workspace.look_up(mapping, field.sweo)
        if sweo is None:
            continue
        for to, pair in ((Side.SWEO, (salesforce, sweo)), (Side.SALESFORCE, (sweo, salesforce))):
            meeting = meets(*pair)
            if field.direction.flows_to(to) and not meeting.ok:
                findings.append(
                    Finding(
                        TYPES,
                        Level.FAILURE,
                        f"{field.salesforce} ({salesforce.type}) and {field.sweo} ({sweo.type}) "
                        f"cannot meet to_{to.value}: {meeting.why}.",
                        "map it to an attribute of a type that docs/types.md lists beside it",
                        mapping.name,
                    )
                )
    yield from findings or [
        Finding(TYPES, Level.OK, "The types of all mapped fields can meet.", None, mapping.name)
    ]


def look_at_amounts(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Whether amounts flow with their currency, in an org that has several."""
    org = visit.org
    if org.description(mapping) is None:
        raise UnavailableError(f"{mapping.salesforce} cannot be seen.")
    findings = [
        Finding(
            AMOUNTS,
            Level.FAILURE,
            f"{alone.wrong}.",
            "add the line to fields" if alone.line else alone.right,
            mapping.name,
            paste=(f"- {alone.line}",) if alone.line else (),
        )
        for alone in org.lone_amounts(mapping)
    ]
    yield from findings or [
        Finding(AMOUNTS, Level.OK, "No amount flows without its currency.", None, mapping.name)
    ]


def look_at_formulas(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Formulas and roll-ups change without moving SystemModstamp, so that no run sees them."""
    names = [
        field.salesforce
        for field, found in _seen(visit, mapping)
        if found.calculated and field.direction.flows_to(Side.SWEO)
    ]
    if names:
        yield Finding(
            FORMULAS,
            Level.WARNING,
            f"{', '.join(names)}: a formula's change does not mark the record as changed, so it "
            "flows with the record's next edit.",
            "map the fields behind the formula, or count on the nightly full check",
            mapping.name,
        )
    else:
        yield Finding(FORMULAS, Level.OK, "No mapped field is a formula.", None, mapping.name)


def _seen(visit: Visit, mapping: Mapping) -> Iterator[tuple[Field, FieldType]]:
    org = visit.org
    if org.description(mapping) is None:
        raise UnavailableError(f"{mapping.salesforce} cannot be seen.")
    for field in mapping.fields:
        found = org.look_up(mapping, field.salesforce)
        if isinstance(found, FieldType):
            yield field, found
