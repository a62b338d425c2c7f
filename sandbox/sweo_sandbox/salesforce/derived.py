"""Fields that the org fills in by itself: stages, closings, numbers, activity dates."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from . import statuses
from .schema import SObjectType

if TYPE_CHECKING:
    from .store import Row, Store

_ACTIVITY_PARENTS = ("WhoId", "WhatId", "AccountId")


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
        _opportunity(store, row, changes)
    elif sobject.name == "Case":
        _case(store, row, changes, creating=creating, now_ms=now_ms)
    elif sobject.name == "Task":
        _task(store, row, changes, now_ms=now_ms)
        _activity_account(store, row, changes)
    elif sobject.name == "Event":
        _event(row, changes)
        _activity_account(store, row, changes)
    elif sobject.name == "CampaignMember" and "Status" in changes:
        changes["HasResponded"] = int(row["Status"] == "Responded")


def _opportunity(store: Store, row: Row, changes: dict[str, Any]) -> None:
    stage = None
    if "StageName" in changes:
        stage = statuses.meaning(store, "OpportunityStage", row["StageName"])
    if stage:
        changes.setdefault("Probability", stage["DefaultProbability"])
        copied = ("IsClosed", "IsWon", "ForecastCategory", "ForecastCategoryName")
        changes.update({name: stage[name] for name in copied})
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
        closed = _is_closed(store, "CaseStatus", row)
        changes["IsClosed"] = int(closed)
        changes["ClosedDate"] = now_ms if closed else None


def _is_closed(store: Store, name: str, row: Row) -> bool:
    found = statuses.meaning(store, name, row["Status"])
    return found is not None and bool(found["IsClosed"])


def _task(store: Store, row: Row, changes: dict[str, Any], *, now_ms: int) -> None:
    if "Status" in changes:
        closed = _is_closed(store, "TaskStatus", row)
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
    """Move SystemModstamp of Who, What and their account; LastModifiedDate stays.

    LastActivityDate follows events and closed tasks, never an open task.
    """
    happened = bool(row.get("IsClosed", 1))
    for record_id in dict.fromkeys(row[name] for name in _ACTIVITY_PARENTS if row.get(name)):
        found = parent_of(store, record_id)
        if found is None:
            continue
        sobject, parent = found
        changes: dict[str, Any] = {"SystemModstamp": now_ms}
        when = row.get("ActivityDate") or day_of(now_ms)
        known = "lastactivitydate" in sobject.fields
        if happened and known and when > (parent["LastActivityDate"] or ""):
            changes["LastActivityDate"] = when
        store.update(sobject, parent["Id"], changes)


def day_of(milliseconds: int) -> str:
    """The UTC day of a stored datetime."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    return moment.date().isoformat()
