"""Validation rules and duplicate rules, as small checks that the control desk declares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import SalesforceError
from .schema import SObjectType
from .store import Row, quoted

if TYPE_CHECKING:
    from .org import Org
    from .writes import WriteContext


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Refuses a record whose ``field`` matches ``pattern`` (a regular expression; "" is empty)."""

    sobject: str
    field: str
    pattern: str
    message: str


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Refuses a record that agrees with another in every one of ``fields``."""

    sobject: str
    fields: tuple[str, ...]


def check(
    org: Org, sobject: SObjectType, row: Row, given: dict[str, Any], context: WriteContext
) -> None:
    """Hold a record that is about to be written against the declared rules."""
    if not context.enforce:
        return
    for rule in org.validation_rules:
        if rule.sobject == sobject.name and re.search(rule.pattern, str(row.get(rule.field) or "")):
            raise SalesforceError("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, 400, [])
    if context.allow_duplicates:
        return
    for duplicates in org.duplicate_rules:
        if duplicates.sobject == sobject.name and set(duplicates.fields) & set(given):
            _check_duplicates(org, sobject, duplicates, row)


def _check_duplicates(org: Org, sobject: SObjectType, rule: DuplicateRule, row: Row) -> None:
    if any(row.get(name) is None for name in rule.fields):
        return
    where = " AND ".join(f"{quoted(name)} = ? COLLATE NOCASE" for name in rule.fields)
    params = [row[name] for name in rule.fields]
    where += ' AND "IsDeleted" = 0 AND "Id" IS NOT ?'
    others = org.store.rows(sobject, where, [*params, row.get("Id")])
    if others:
        result = {
            "allowSave": True,
            "duplicateRule": f"Standard_{sobject.name}_Duplicate_Rule",
            "duplicateRuleEntityType": sobject.name,
            "errorMessage": "Use one of these records?",
            "matchResults": [
                {
                    "entityType": sobject.name,
                    "errors": [],
                    "matchEngine": "FuzzyMatchEngine",
                    "matchRecords": [
                        {
                            "additionalInformation": [],
                            "fieldDiffs": [],
                            "matchConfidence": 100.0,
                            "record": {
                                "attributes": {"type": sobject.name},
                                "Id": other["Id"],
                            },
                        }
                        for other in others[:5]
                    ],
                    "rule": f"Standard_{sobject.name}_Match_Rule",
                    "size": len(others[:5]),
                    "success": True,
                }
            ],
        }
        raise SalesforceError(
            "DUPLICATES_DETECTED",
            "Use one of these records?",
            400,
            [],
            {"duplicateResult": result},
        )
