"""What only the two systems know of the mapped fields, looked up once for `check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Mapping, Side
from crosswalk.problems import nearest
from salesforce_client.connection import Connection
from salesforce_client.currencies import LoneAmounts, lone_amounts
from salesforce_client.describe import describe_related, describe_visible
from salesforce_client.fields import Description, Resolved, resolve
from salesforce_client.person_names import writable_name
from sweo_client import SweoClient
from sweo_client.fields import ATTRIBUTE_LIMIT, field_types, missing_attributes, model_of
from sweo_client.query import data_attributes
from sweo_client.slips import slip_of

TASK: Final = "Task"
"""What events become on the timeline."""


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
        return writable_name(description, found.type)

    def lone_amounts(self, mapping: Mapping) -> list[LoneAmounts]:
        """Amounts that would flow without their currency, each missing line once."""
        own = self.described[mapping.salesforce]
        found = [each for to in Side for each in lone_amounts(mapping, to, own, self.described)]
        return list({each.right: each for each in reversed(found)}.values())


def read_org(connection: Connection, mappings: Sequence[Mapping]) -> Org:
    """Describe every mapped object and what its related fields lead to.

    Raises:
        FatalError: the login is refused.
        RetryLaterError: Salesforce does not answer.
    """
    connection.org_id  # noqa: B018 - logs in, so that a refused login is not taken for an object
    wanted = [mapping.salesforce for mapping in mappings]
    wanted += [TASK for mapping in mappings if mapping.events][:1]
    found, missing = describe_visible(connection, wanted)
    org = Org(found, {name: why.rstrip(".") for name, why in missing.items()})
    names: dict[str, list[str]] = {}
    for mapping in mappings:
        if mapping.salesforce in found:
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

    @property
    def room(self) -> int:
        """How many more custom attributes the workspace takes."""
        used = sum(len(self.custom[model] - self.archived[model]) for model in self.custom)
        return ATTRIBUTE_LIMIT - used

    def to_make(self, mappings: Sequence[Mapping]) -> list[str]:
        """The attributes that a run of these mappings would make."""
        names = (
            name
            for mapping in mappings
            for name in missing_attributes(mapping, self.known[model_of(mapping.sweo)])
        )
        return list(dict.fromkeys(names))

    def slip_of(self, mapping: Mapping, name: str) -> str | None:
        """An attribute in use that ``name``, which is not, may be a slip of."""
        return slip_of(name, self.known[model_of(mapping.sweo)])


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
