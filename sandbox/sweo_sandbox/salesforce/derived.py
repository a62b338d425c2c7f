"""Fields that the org fills in by itself: stages, closings, numbers, activity dates."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from .schema import SObjectType

if TYPE_CHECKING:
    from .store import Row, Store

_STAGES = {
    "Prospecting": (10, False, False, "Pipeline"),
    "Qualification": (10, False, False, "Pipeline"),
    "Needs Analysis": (20, False, False, "Pipeline"),
    "Value Proposition": (50, False, False, "Pipeline"),
    "Id. Decision Makers": (60, False, False, "Pipeline"),
    "Perception Analysis": (70, False, False, "Pipeline"),
    "Proposal/Price Quote": (75, False, False, "BestCase"),
    "Negotiation/Review": (90, False, False, "Forecast"),
    "Closed Won": (100, True, True, "Closed"),
    "Closed Lost": (0, True, False, "Omitted"),
}
_ACTIVITY_PARENTS = ("WhoId", "WhatId")


def derive(
    store: Store,
    sobject: SObjectType,
    row: Row,
    changes: dict[str, Any],
    *,
    creating: bool,
    now_ms: int,
) -> None:
    """Add to ``changes`` what follows from them. ``row`` holds the values after the change."""
    if sobject.name == "Opportunity":
        _opportunity(row, changes)
    elif sobject.name == "Case":
        _case(store, row, changes, creating=creating, now_ms=now_ms)
    elif sobject.name == "Task":
        _task(row, changes, now_ms=now_ms)
        _activity_account(store, row, changes)
    elif sobject.name == "Event":
        _event(row, changes)
        _activity_account(store, row, changes)
    elif sobject.name == "CampaignMember" and "Status" in changes:
        changes["HasResponded"] = int(row["Status"] == "Responded")


def _opportunity(row: Row, changes: dict[str, Any]) -> None:
    stage = _STAGES.get(row.get("StageName") or "")
    if stage and "StageName" in changes:
        probability, closed, won, category = stage
        changes.setdefault("Probability", float(probability))
        changes.update(IsClosed=int(closed), IsWon=int(won), ForecastCategory=category)
        changes["ForecastCategoryName"] = "Commit" if category == "Forecast" else category
    amount, probability_now = row.get("Amount"), changes.get("Probability", row.get("Probability"))
    if amount is not None and probability_now is not None:
        changes["ExpectedRevenue"] = round(amount * probability_now / 100, 2)
    close = row.get("CloseDate")
    if close:
        year, month = int(close[:4]), int(close[5:7])
        quarter = (month - 1) // 3 + 1
        changes.update(FiscalYear=year, FiscalQuarter=quarter, Fiscal=f"{year} {quarter}")


def _case(store: Store, row: Row, changes: dict[str, Any], *, creating: bool, now_ms: int) -> None:
    if creating:
        changes["CaseNumber"] = f"{store.next_number('CaseNumber') + 1000:08d}"
    if "Status" in changes:
        closed = row["Status"] == "Closed"
        changes["IsClosed"] = int(closed)
        changes["ClosedDate"] = now_ms if closed else None


def _task(row: Row, changes: dict[str, Any], *, now_ms: int) -> None:
    if "Status" in changes:
        closed = row["Status"] == "Completed"
        changes["IsClosed"] = int(closed)
        changes["CompletedDateTime"] = now_ms if closed else None
    if "Priority" in changes:
        changes["IsHighPriority"] = int(row["Priority"] == "High")


def _event(row: Row, changes: dict[str, Any]) -> None:
    start = row.get("ActivityDateTime") or row.get("StartDateTime")
    if start is None:
        return
    minutes = row.get("DurationInMinutes")
    if minutes is None and row.get("EndDateTime") is not None:
        minutes = (row["EndDateTime"] - start) // 60_000
    minutes = minutes or 0
    changes.update(ActivityDateTime=start, StartDateTime=start, DurationInMinutes=minutes)
    changes["EndDateTime"] = start + minutes * 60_000
    changes["ActivityDate"] = day_of(start)
    changes["EndDate"] = day_of(start + minutes * 60_000)


def _activity_account(store: Store, row: Row, changes: dict[str, Any]) -> None:
    what, who = row.get("WhatId"), row.get("WhoId")
    account = what if what and what.startswith("001") else None
    for parent_id in (what, who):
        if account is None and parent_id:
            parent = parent_of(store, parent_id)
            if parent is not None:
                account = parent[1].get("AccountId")
    changes["AccountId"] = account


def parent_of(store: Store, record_id: str) -> tuple[SObjectType, Row] | None:
    """The object and row of any id of this org."""
    for sobject in store.schema.sobjects.values():
        if sobject.key_prefix == record_id[:3]:
            row = store.row(sobject, record_id)
            return None if row is None else (sobject, row)
    return None


def touch_activity_parents(store: Store, row: Row, *, now_ms: int) -> None:
    """Move LastActivityDate and SystemModstamp of Who and What; LastModifiedDate stays."""
    for name in _ACTIVITY_PARENTS:
        found = parent_of(store, row[name]) if row.get(name) else None
        if found is None:
            continue
        sobject, parent = found
        changes: dict[str, Any] = {"SystemModstamp": now_ms}
        when = row.get("ActivityDate") or day_of(now_ms)
        if "lastactivitydate" in sobject.fields and when > (parent["LastActivityDate"] or ""):
            changes["LastActivityDate"] = when
        store.update(sobject, parent["Id"], changes)


def day_of(milliseconds: int) -> str:
    """The UTC day of a stored datetime."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    return moment.date().isoformat()
