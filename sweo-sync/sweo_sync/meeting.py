"""Whether the mapped fields of both sides can meet: every mistake, none of them fixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Create, Direction, Field, Mapping, Side
from crosswalk.problems import Mistake, Problems
from crosswalk.types import meets
from crosswalk.values import Kind, kind_of
from sweo_client.fields import ATTRIBUTE_LIMIT

from sweo_sync.sides import Org, Workspace

_NEW_TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.NUMBER: "float",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "date",
}


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """One line of the field configs as both sides see it. A type is None where its side was not
    asked or has no such field; ``note`` says what happens to values, or that the attribute will
    be made.
    """

    mapping: str
    salesforce: str
    sweo: str
    direction: Direction
    line: int | None
    salesforce_type: str | None
    sweo_type: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it."""

    mistakes: list[Mistake]
    fields: list[FieldCheck]


def check_sides(
    mappings: Sequence[Mapping], org: Org | None, workspace: Workspace | None, file: str | None
) -> Checked:
    """Put every mapped field before the sides that could be asked."""
    problems = Problems(file)
    fields = [
        check
        for mapping in mappings
        for check in _Checker(mapping, org, workspace, problems).checks()
    ]
    if workspace:
        _check_room(mappings, workspace, problems)
    return Checked(problems.mistakes, fields)


def _check_room(mappings: Sequence[Mapping], workspace: Workspace, problems: Problems) -> None:
    needed = workspace.to_make(mappings)
    if len(needed) > workspace.room:
        problems.add(
            f"Sweo takes {ATTRIBUTE_LIMIT} custom attributes and has room for {workspace.room}, "
            f"but {len(needed)} are missing ({', '.join(needed)})",
            "archive some in Sweo, or map fewer fields",
        )


class _Checker:
    def __init__(
        self, mapping: Mapping, org: Org | None, workspace: Workspace | None, problems: Problems
    ) -> None:
        self.mapping = mapping
        self.workspace = workspace
        self.problems = problems
        self.org = org
        if org is not None and org.description(mapping) is None:
            self._wrong(org.missing[mapping.salesforce], line=mapping.line)
            self.org = None

    def checks(self) -> Iterator[FieldCheck]:
        self._check_match()
        self._check_parent_and_create()
        for field in self.mapping.fields:
            yield self._check_field(field)
        for alone in self.org.lone_amounts(self.mapping) if self.org else ():
            field = alone.field
            self._wrong(alone.wrong, alone.right, field=field.salesforce, line=field.line)

    def _check_match(self) -> None:
        made_here = {field.sweo for field in self.mapping.flowing_to(Side.SWEO)}
        for match in self.mapping.match:
            found = self.org.look_up(self.mapping, match.salesforce) if self.org else None
            if isinstance(found, str):
                self._wrong(f"the match field cannot be read: {found}", line=self.mapping.line)
            if self.workspace is None or match.sweo in made_here:
                continue
            if self.workspace.look_up(self.mapping, match.sweo) is None:
                self._wrong(
                    f"the match field {match.sweo} does not exist in Sweo",
                    self._nearest(match.sweo),
                    line=self.mapping.line,
                )

    def _check_parent_and_create(self) -> None:
        mapping = self.mapping
        if self.org is None:
            return
        if mapping.parent:
            found = self.org.look_up(mapping, mapping.parent.salesforce)
            if isinstance(found, str):
                self._wrong(f"the parent cannot be read: {found}", line=mapping.line)
        description = self.org.described[mapping.salesforce]
        if mapping.flowing_to(Side.SALESFORCE) and not description.updateable:
            self._wrong(
                f"the user lacks the permission Edit on {mapping.salesforce}",
                "give it in the permission set",
                line=mapping.line,
            )
        if mapping.create[Side.SALESFORCE] is Create.NEVER:
            return
        keys = [self.org.look_up(mapping, match.salesforce) for match in mapping.match]
        if not any(isinstance(key, FieldType) and key.key for key in keys):
            self._wrong(
                f"creating {mapping.salesforce} records needs a match field that is an external "
                "id and unique",
                "add such a field, or leave salesforce out of create",
                line=mapping.line,
            )
        if not description.createable:
            self._wrong(
                f"the user lacks the permission Create on {mapping.salesforce}", line=mapping.line
            )

    def _check_field(self, field: Field) -> FieldCheck:
        mapping, note = self.mapping, ""
        found = self.org.look_up(mapping, field.salesforce) if self.org else None
        if isinstance(found, str):
            self._wrong(found, field=field.salesforce, line=field.line)
        salesforce = found if isinstance(found, FieldType) else None
        sweo = self.workspace.look_up(mapping, field.sweo) if self.workspace else None
        if salesforce and field.direction.flows_to(Side.SALESFORCE):
            self._check_writable_in_salesforce(field, salesforce)
        if self.workspace and sweo is None:
            note = self._check_missing(field)
        if sweo and field.direction.flows_to(Side.SWEO):
            self._check_writable_in_sweo(field, sweo)
        if salesforce and self.workspace:
            note = self._check_types(field, salesforce, sweo) or note
        return FieldCheck(
            mapping=mapping.name,
            salesforce=field.salesforce,
            sweo=field.sweo,
            direction=field.direction,
            line=field.line,
            salesforce_type=salesforce.type if salesforce else None,
            sweo_type=sweo.type if sweo else None,
            note=note,
        )

    def _check_writable_in_salesforce(self, field: Field, found: FieldType) -> None:
        assert self.org is not None  # noqa: S101 - the field was found there
        if found.writable or not self.org.described[self.mapping.salesforce].updateable:
            return
        if found.calculated:
            wrong, right = f"{field.salesforce} is a formula", "let it flow to_sweo"
        else:
            wrong = f"{field.salesforce} cannot be written by this user"
            right = "let it flow to_sweo, or check field-level security"
        self._wrong(wrong, right, field=field.salesforce, line=field.line)

    def _check_missing(self, field: Field) -> str:
        """An attribute that Sweo does not have: made, where it flows there, or a mistake."""
        assert self.workspace is not None  # noqa: S101 - asked by then
        mapping, name = self.mapping, field.sweo
        if not field.direction.flows_to(Side.SWEO):
            self._wrong(
                f"{name} does not exist in Sweo", self._nearest(name), field=name, line=field.line
            )
            return ""
        if self.workspace.is_archived(mapping, name):
            return "archived; the next run uses it again"
        if self.workspace.is_taken_elsewhere(mapping, name):
            self._wrong(
                f"{name} is the name of an attribute of the other model in Sweo",
                "choose another name",
                field=name,
                line=field.line,
            )
            return ""
        near = self.workspace.slip_of(mapping, name)
        if near and not field.create:
            self._wrong(
                f"{name} does not exist in Sweo and is close to {near}",
                f"write {near}, or create: true to make a new attribute",
                field=name,
                line=field.line,
            )
            return ""
        return "the next run makes it in Sweo"

    def _check_writable_in_sweo(self, field: Field, found: FieldType) -> None:
        keys = {match.sweo for match in self.mapping.match}
        if found.writable or (found.createable and field.sweo in keys):
            return
        self._wrong(
            f"{field.sweo} is set when the record is made and never changed"
            if found.createable
            else f"{field.sweo} cannot be written in Sweo",
            "remove the line, or let it flow to_salesforce",
            field=field.sweo,
            line=field.line,
        )

    def _check_types(self, field: Field, salesforce: FieldType, sweo: FieldType | None) -> str:
        held = sweo or FieldType(
            side=Side.SWEO, name=field.sweo, type=_NEW_TYPES.get(kind_of(salesforce), "string")
        )
        notes: list[str] = []
        for to, pair in ((Side.SWEO, (salesforce, held)), (Side.SALESFORCE, (held, salesforce))):
            if not field.direction.flows_to(to):
                continue
            meeting = meets(*pair)
            if not meeting.ok:
                self._wrong(
                    f"{salesforce.type} in Salesforce and {held.type} in Sweo cannot meet "
                    f"{'to_' + to.value}: {meeting.why}",
                    "docs/types.md lists what meets",
                    field=field.salesforce,
                    line=field.line,
                )
            elif meeting.converted:
                notes.append(f"to {to.value.capitalize()}: {meeting.note}")
        return "; ".join(notes) if sweo else ""

    def _nearest(self, name: str) -> str | None:
        near = self.workspace.nearest(self.mapping, name) if self.workspace else None
        return f"did you mean {near}?" if near else None

    def _wrong(
        self,
        wrong: str,
        right: str | None = None,
        *,
        field: str | None = None,
        line: int | None = None,
    ) -> None:
        self.problems.add(wrong, right, mapping=self.mapping.name, field=field, line=line)
