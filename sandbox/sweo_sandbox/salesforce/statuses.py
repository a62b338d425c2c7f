"""Picklists of which each value is a record too, which tells what it means: closed, won, converted.

The records are what an org comes with. The control desk may add others, an org in another language
has them; the picklist follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .schema import PicklistValue

if TYPE_CHECKING:
    from .org import Org
    from .store import Row, Store

PICKLISTS = {
    "TaskStatus": ("Task", "Status"),
    "CaseStatus": ("Case", "Status"),
    "LeadStatus": ("Lead", "Status"),
    "OpportunityStage": ("Opportunity", "StageName"),
}
_FORECAST_NAMES = {"BestCase": "Best Case", "Forecast": "Commit"}
_STAGES = (
    ("Prospecting", 10, "Pipeline"),
    ("Qualification", 10, "Pipeline"),
    ("Needs Analysis", 20, "Pipeline"),
    ("Value Proposition", 50, "Pipeline"),
    ("Id. Decision Makers", 60, "Pipeline"),
    ("Perception Analysis", 70, "Pipeline"),
    ("Proposal/Price Quote", 75, "BestCase"),
    ("Negotiation/Review", 90, "Forecast"),
    ("Closed Won", 100, "Closed"),
    ("Closed Lost", 0, "Omitted"),
)
_ROWS: dict[str, tuple[dict[str, Any], ...]] = {
    "TaskStatus": (
        {"MasterLabel": "Not Started", "IsDefault": True},
        {"MasterLabel": "In Progress"},
        {"MasterLabel": "Completed", "IsClosed": True},
        {"MasterLabel": "Waiting on someone else"},
        {"MasterLabel": "Deferred"},
    ),
    "CaseStatus": (
        {"MasterLabel": "New", "IsDefault": True},
        {"MasterLabel": "Working"},
        {"MasterLabel": "Escalated"},
        {"MasterLabel": "Closed", "IsClosed": True},
    ),
    "LeadStatus": (
        {"MasterLabel": "Open - Not Contacted", "IsDefault": True},
        {"MasterLabel": "Working - Contacted"},
        {"MasterLabel": "Closed - Converted", "IsConverted": True},
        {"MasterLabel": "Closed - Not Converted"},
    ),
    "OpportunityStage": tuple(
        {
            "MasterLabel": label,
            "DefaultProbability": probability,
            "ForecastCategory": category,
            "ForecastCategoryName": _FORECAST_NAMES.get(category, category),
            "IsActive": True,
            "IsClosed": label.startswith("Closed"),
            "IsWon": label == "Closed Won",
        }
        for label, probability, category in _STAGES
    ),
}


def load(org: Org) -> None:
    """Write the records that are missing, and bring the picklists in line with them."""
    with org.store.unobserved(), org.store.transaction():
        for name, rows in _ROWS.items():
            if not org.rows(name):
                for order, row in enumerate(rows, 1):
                    values = {"ApiName": row["MasterLabel"], "SortOrder": order, **row}
                    org.insert(name, values)
            refresh(org, name)


def refresh(org: Org, name: str) -> None:
    """Make the picklist of what its records say."""
    sobject, field_name = PICKLISTS[name]
    field = org.schema.sobjects[sobject.lower()].fields[field_name.lower()]
    rows = sorted(org.rows(name), key=lambda row: (row["SortOrder"] or 0, row["Id"]))
    field.picklist_values = [
        PicklistValue(
            row["ApiName"] or row["MasterLabel"],
            row["MasterLabel"],
            active=bool(row.get("IsActive", 1)),
            default=bool(row.get("IsDefault", 0)),
        )
        for row in rows
    ]
    field.default_value = next(
        (entry.value for entry in field.picklist_values if entry.default), None
    )


def meaning(store: Store, name: str, value: str | None) -> Row | None:
    """The record of a picklist's value, None for a value that the picklist does not list."""
    rows = store.rows(store.schema.sobjects[name.lower()], '"ApiName" = ?', (value,))
    return rows[0] if rows else None
