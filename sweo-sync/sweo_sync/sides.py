"""What only the two systems know of the mapped fields, looked up once for `check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Mapping, Side
from crosswalk.problems import nearest
from salesforce_client.connection import Connection
from salesforce_client.describe import describe, describe_related
from salesforce_client.fields import Description, Resolved, resolve
from sweo_client import SweoClient
from sweo_client.fields import field_types, model_of
from sweo_client.query import data_attributes

_NAME = "Name"
_PEOPLE = ("Contact", "Lead")


@dataclass(frozen=True, slots=True)
class Org:
    """The mapped objects of the org. ``missing`` says of an object why it cannot be seen."""

    described: dict[str, Description]
    missing: dict[str, str] = field(default_factory=dict)

    def description(self, mapping: Mapping) -> Description | None:
        """The mapping's object, where the user may see it."""
        return self.described.get(mapping.salesforce)

    def look_up(self, mapping: Mapping, name: str) -> FieldType | str:
        """A field, related ones too, or what is wrong with its name."""
        description = self.described[mapping.salesforce]
        found = resolve(name, description, self.described)
        if not isinstance(found, Resolved):
            return found
        if description.name in _PEOPLE and found.type.name == _NAME:
            return _written_in_parts(found.type, description)
        return found.type


def _written_in_parts(name: FieldType, description: Description) -> FieldType:
    """A person's name is shown in one field and written to FirstName and LastName."""
    parts = [description.field("FirstName"), description.field("LastName")]
    writable = all(part is not None and part.writable for part in parts)
    return msgspec.structs.replace(name, writable=writable)


def read_org(connection: Connection, mappings: Sequence[Mapping]) -> Org:
    """Describe every mapped object and what its related fields lead to.

    Raises:
        FatalError: the login is refused.
        RetryLaterError: Salesforce does not answer.
    """
    connection.org_id  # noqa: B018 - logs in, so that a refused login is not taken for an object
    org = Org({})
    names: dict[str, list[str]] = {}
    for mapping in mappings:
        if mapping.salesforce not in org.described and mapping.salesforce not in org.missing:
            try:
                org.described.update(describe(connection, [mapping.salesforce]))
            except FatalError as error:
                org.missing[mapping.salesforce] = str(error).rstrip(".")
        if mapping.salesforce in org.described:
            names.setdefault(mapping.salesforce, []).extend(mapping.read_from(Side.SALESFORCE))
    describe_related(connection, org.described, names)
    return org


@dataclass(frozen=True, slots=True)
class Workspace:
    """The attributes of companies and contacts. ``archived`` and ``custom`` are by model."""

    known: dict[str, dict[str, FieldType]]
    archived: dict[str, set[str]]
    custom: dict[str, set[str]]

    def look_up(self, mapping: Mapping, name: str) -> FieldType | None:
        """An attribute in use, or None."""
        return self.known[model_of(mapping.sweo)].get(name)

    def is_archived(self, mapping: Mapping, name: str) -> bool:
        """Whether an archived attribute has this name; a run puts it to use again."""
        return name in self.archived[model_of(mapping.sweo)]

    def is_taken_elsewhere(self, mapping: Mapping, name: str) -> bool:
        """Whether the other model has an attribute of this name; Sweo takes a name once."""
        own = model_of(mapping.sweo)
        return any(name in names for model, names in self.custom.items() if model != own)

    def nearest(self, mapping: Mapping, name: str) -> str | None:
        """The attribute in use whose name comes closest."""
        return nearest(name, self.known[model_of(mapping.sweo)])

    def slip_of(self, mapping: Mapping, name: str) -> str | None:
        """An attribute in use that ``name`` is within two edits of: probably a slip."""
        allowed = min(2, len(name) // 3)
        names = self.known[model_of(mapping.sweo)]
        return next(
            (n for n in names if 0 < _edits(name.casefold(), n.casefold()) <= allowed), None
        )


def read_workspace(client: SweoClient, mappings: Sequence[Mapping]) -> Workspace:
    """Look up every attribute, in one call.

    Raises:
        FatalError: the token is refused, or nothing answers.
        RetryLaterError: Sweo does not answer.
    """
    attributes = data_attributes(client)
    models = {model_of(mapping.sweo) for mapping in mappings} | {"company", "contact"}
    custom = [each for each in attributes if each.get("custom")]
    return Workspace(
        known={model: field_types(model, attributes) for model in models},
        archived={m: {str(a["name"]) for a in custom if a["model"] == m and a.get("archived")}
                  for m in models},
        custom={m: {str(a["name"]) for a in custom if a["model"] == m} for m in models},
    )  # fmt: skip


def _edits(one: str, other: str) -> int:
    """Insertions, deletions and replacements between two words."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]
