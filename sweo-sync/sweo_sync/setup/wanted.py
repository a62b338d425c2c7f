"""Which Salesforce fields the mappings need made, and what each is to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import EVENT_KEY_FIELD, Config, Field, Mapping
from crosswalk.naming import is_made_for
from crosswalk.problems import Problems
from sweo_client.fields import STRING_LENGTH

from sweo_sync.sides import TASK, Org, Workspace

_ACTIVITIES: Final = frozenset({"Task", "Event"})
_LONGEST_LABEL: Final = 40
_DIGITS: Final = 18
_FRACTION_DIGITS: Final = 6
_DESCRIBED: Final = {
    "Text": "string",
    "Number": "double",
    "Checkbox": "boolean",
    "DateTime": "datetime",
    "Picklist": "picklist",
}
"""What describe calls each type of the metadata API."""


@dataclass(frozen=True, slots=True)
class WantedField:
    """A field to make. ``metadata`` is as the Tooling API takes it, without the name.

    ``exists`` is None where Salesforce was not asked.
    """

    mapping: str
    sobject: str
    name: str
    attribute: str
    metadata: dict[str, Any]
    exists: bool | None = None

    @property
    def table(self) -> str:
        """The object that bears the field: those of tasks and events stand on ``Activity``."""
        return "Activity" if self.sobject in _ACTIVITIES else self.sobject

    @property
    def full_name(self) -> str:
        """``Account.sweo_company_health_score__c``."""
        return f"{self.table}.{self.name}"

    @property
    def permission(self) -> str:
        """The name under which field-level security knows the field."""
        return f"{self.sobject}.{self.name}"

    @property
    def type_name(self) -> str:
        """The metadata API's name of the type, such as ``Text``."""
        return str(self.metadata["type"])


def wanted_fields(config: Config, workspace: Workspace, org: Org | None) -> list[WantedField]:
    """Every field that bears the name of a made one, existing ones included, each once.

    Raises:
        MappingErrors: an attribute is unknown, or a field exists with another type.
    """
    problems = Problems(config.file)
    found: dict[str, WantedField] = {}
    for mapping in config.enabled:
        for field in mapping.fields:
            if not is_made_for(field, mapping):
                continue
            attribute = workspace.look_up(mapping, field.sweo)
            if attribute is None:
                problems.add(
                    f"{field.sweo} does not exist in Sweo, so that its type is not known",
                    "make the attribute first, or correct its name",
                    line=field.line,
                    mapping=mapping.name,
                    field=field.sweo,
                )
                continue
            wanted = _wanted(mapping, field, attribute, org, problems)
            found.setdefault(wanted.full_name, wanted)
        if mapping.events:
            wanted = _event_key(mapping, org, problems)
            found.setdefault(wanted.full_name, wanted)
    problems.raise_any()
    return list(found.values())


def missing(fields: Sequence[WantedField]) -> list[WantedField]:
    """Those that are not known to exist."""
    return [field for field in fields if not field.exists]


def _wanted(
    mapping: Mapping, field: Field, attribute: FieldType, org: Org | None, problems: Problems
) -> WantedField:
    metadata = {
        "label": field.sweo.replace("_", " ").strip().capitalize()[:_LONGEST_LABEL],
        "description": f"The {mapping.sweo} attribute {field.sweo} of Sweo; Sweo Sync writes it.",
        **_type_of(attribute),
    }
    exists = None
    description = org.description(mapping) if org else None
    if org and description is None:
        problems.add(org.missing[mapping.salesforce], line=mapping.line, mapping=mapping.name)
    if description:
        held = description.field(field.salesforce)
        exists = held is not None
        expected = _DESCRIBED[metadata["type"]]
        if held and held.type != expected:
            problems.add(
                f"{mapping.salesforce} has a field {field.salesforce} of the type {held.type}, and "
                f"{field.sweo} ({attribute.type}) needs {expected}",
                "rename or delete that field, or name another one by salesforce:",
                line=field.line,
                mapping=mapping.name,
                field=field.salesforce,
            )
    return WantedField(
        mapping.name, mapping.salesforce, field.salesforce, field.sweo, metadata, exists
    )


def _event_key(mapping: Mapping, org: Org | None, problems: Problems) -> WantedField:
    metadata = {
        "label": "Sweo event key",
        "description": "Tells the events of Sweo apart; Sweo Sync writes it.",
        "type": "Text",
        "length": 64,
        "externalId": True,
        "unique": True,
    }
    task = org.described.get(TASK) if org else None
    held = task.field(EVENT_KEY_FIELD) if task else None
    if held and not (held.type == "string" and held.key):
        problems.add(
            f"{TASK} has a field {EVENT_KEY_FIELD} that is no external id",
            "rename or delete that field",
            line=mapping.line,
            mapping=mapping.name,
            field=EVENT_KEY_FIELD,
        )
    exists = held is not None if task else None
    return WantedField(mapping.name, TASK, EVENT_KEY_FIELD, "", metadata, exists)


def _type_of(attribute: FieldType) -> dict[str, Any]:
    """The field that carries whatever the attribute can hold."""
    if attribute.type == "boolean":
        return {"type": "Checkbox", "defaultValue": "false"}
    if attribute.type == "integer":
        return {"type": "Number", "precision": _DIGITS, "scale": 0}
    if attribute.type == "float":
        return {"type": "Number", "precision": _DIGITS, "scale": _FRACTION_DIGITS}
    if attribute.type in ("date", "datetime"):
        # A date of Sweo has a time of day.
        return {"type": "DateTime"}
    if attribute.options:
        # Not restricted, so that an option that Sweo gets later is no error here.
        values = [{"fullName": o, "label": o, "default": False} for o in attribute.options]
        definition = {"sorted": False, "value": values}
        return {
            "type": "Picklist",
            "valueSet": {"restricted": False, "valueSetDefinition": definition},
        }
    return {"type": "Text", "length": STRING_LENGTH}
