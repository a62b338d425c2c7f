"""What people do to records in the browser and no REST call does: merge, convert, undelete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import currencies, derived
from .errors import SalesforceError, not_found
from .schema import SObjectType
from .store import quoted

ARCHIVED_AFTER_DAYS = 365
_ARCHIVED_WHEN = {
    "Task": (
        "IsClosed = 1 AND (ActivityDate < :day OR ActivityDate IS NULL AND CreatedDate < :ms)"
    ),
    "Event": "COALESCE(EndDate, ActivityDate) < :day",
}

if TYPE_CHECKING:
    from .org import Org
    from .store import Row

_MERGEABLE = frozenset({"Account", "Contact", "Lead"})
_DAYS_TO_CLOSE = 90
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_TO_ACCOUNT = {
    "Company": "Name",
    **{
        name: name
        for name in (
            *("Phone", "Fax", "Website", "Industry", "AnnualRevenue", "NumberOfEmployees"),
            *("Rating", currencies.FIELD),
        )
    },
    **{name: f"Billing{name}" for name in _ADDRESS},
}
_TO_CONTACT = {
    **{
        name: name
        for name in (
            *("Salutation", "FirstName", "LastName", "Title", "Email", "Phone", "MobilePhone"),
            *("Fax", "LeadSource", "Description", currencies.FIELD),
        )
    },
    **{name: f"Mailing{name}" for name in _ADDRESS},
}
_TO_OPPORTUNITY = {name: name for name in ("LeadSource", currencies.FIELD)}


def merge(org: Org, sobject: SObjectType, master_id: str, loser_ids: list[str]) -> None:
    """Keep the master; the losers are deleted, point to it, and their children move to it.

    Raises:
        SalesforceError: the object cannot be merged, or a record is not there.
    """
    if sobject.name not in _MERGEABLE:
        raise SalesforceError("INVALID_OPERATION", f"{sobject.name} cannot be merged")
    with org.store.transaction():
        org.writer.live_row(sobject, master_id)
        now_ms = org.now_ms()
        stamp = {
            "SystemModstamp": now_ms,
            "LastModifiedDate": now_ms,
            "LastModifiedById": org.human_user_id,
        }
        for loser_id in loser_ids:
            org.writer.live_row(sobject, loser_id)
            _move_children(org, sobject, loser_id, master_id, stamp)
            org.writer.delete(sobject, loser_id, org.as_human())
            org.store.update(sobject, loser_id, {"MasterRecordId": master_id})
        org.store.update(sobject, master_id, stamp)


def _move_children(
    org: Org, sobject: SObjectType, loser_id: str, master_id: str, stamp: dict[str, Any]
) -> None:
    for relation in sobject.child_relationships:
        child = org.schema.sobject(relation.child_sobject)
        if child is None or relation.field == "MasterRecordId":
            continue
        for row in org.store.rows(child, f"{quoted(relation.field)} = ?", (loser_id,)):
            changes = {name: value for name, value in stamp.items() if name in row}
            org.store.update(child, row["Id"], {relation.field: master_id, **changes})


def undelete(org: Org, sobject: SObjectType, record_id: str) -> None:
    """Take a record out of the recycle bin, with the children that went in with it.

    Raises:
        SalesforceError: it is not in the recycle bin.
    """
    with org.store.transaction():
        row = org.store.row(sobject, record_id)
        if row is None or not row.get("IsDeleted"):
            raise not_found()
        deleted_ms = row["SystemModstamp"]
        _restore(org, sobject, record_id)
        for relation in sobject.child_relationships:
            child = org.schema.sobject(relation.child_sobject)
            if child is None or not relation.cascade_delete or "isdeleted" not in child.fields:
                continue
            gone = org.store.rows(
                child,
                f'{quoted(relation.field)} = ? AND "IsDeleted" = 1 AND "SystemModstamp" = ?',
                (record_id, deleted_ms),
            )
            for each in gone:
                undelete(org, child, each["Id"])


def _restore(org: Org, sobject: SObjectType, record_id: str) -> None:
    now_ms = org.now_ms()
    changes: dict[str, Any] = {
        "IsDeleted": 0,
        "SystemModstamp": now_ms,
        "LastModifiedDate": now_ms,
        "LastModifiedById": org.human_user_id,
    }
    if "masterrecordid" in sobject.fields:
        changes["MasterRecordId"] = None
    org.store.update(sobject, record_id, changes)
    org.store.writer.execute("DELETE FROM _deletion WHERE id = ?", (record_id,))


def convert_lead(
    org: Org,
    lead_id: str,
    *,
    account_id: str | None = None,
    contact_id: str | None = None,
    opportunity_name: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> dict[str, str | None]:
    """Make the three of a lead, or take a given account and contact as they are.

    ``fields`` says where fields of the org's own go (``{"Sweo_Id__c": "Contact.Sweo_Id__c"}``).
    The lead's activities move to the contact, its campaigns get it as their member. Returns the
    three ids.

    Raises:
        SalesforceError: the lead is not there, or converted already.
    """
    lead_type = org.schema.sobjects["lead"]
    with org.store.transaction():
        lead = org.writer.live_row(lead_type, lead_id)
        if lead["IsConverted"]:
            raise SalesforceError("CANNOT_UPDATE_CONVERTED_LEAD", "lead is converted already")
        own = dict(fields or {})
        if account_id is None:
            account_id = org.insert("Account", _taken(lead, "Account", _TO_ACCOUNT, own))
        if contact_id is None:
            contact = _taken(lead, "Contact", _TO_CONTACT, own)
            contact_id = org.insert("Contact", {**contact, "AccountId": account_id})
        opportunity_id = None
        if opportunity_name is not None:
            close_ms = org.now_ms() + _DAYS_TO_CLOSE * 86_400_000
            opportunity_id = org.insert(
                "Opportunity",
                {
                    **_taken(lead, "Opportunity", _TO_OPPORTUNITY, own),
                    "Name": opportunity_name,
                    "AccountId": account_id,
                    "StageName": "Prospecting",
                    "CloseDate": derived.day_of(close_ms),
                },
            )
        _move_activities(org, lead_id, contact_id)
        _close(org, lead_id, account_id, contact_id, opportunity_id)
    return {
        "account_id": account_id,
        "contact_id": contact_id,
        "opportunity_id": opportunity_id,
    }


def _taken(
    lead: Row, target: str, names: Mapping[str, str], own: Mapping[str, str]
) -> dict[str, Any]:
    prefix = f"{target}."
    mapped = {
        **names,
        **{
            source: wanted.removeprefix(prefix)
            for source, wanted in own.items()
            if wanted.startswith(prefix)
        },
    }
    return {
        wanted: lead[source] for source, wanted in mapped.items() if lead.get(source) is not None
    }


def _move_activities(org: Org, lead_id: str, contact_id: str) -> None:
    for name in ("Task", "Event"):
        for row in org.rows(name, WhoId=lead_id):
            org.update(name, row["Id"], {"WhoId": contact_id})
    for row in org.rows("CampaignMember", LeadId=lead_id):
        org.update("CampaignMember", row["Id"], {"ContactId": contact_id})


def _close(
    org: Org, lead_id: str, account_id: str, contact_id: str, opportunity_id: str | None
) -> None:
    now_ms = org.now_ms()
    changes = {
        "IsConverted": 1,
        "Status": org.rows("LeadStatus", IsConverted=1)[0]["ApiName"],
        "ConvertedDate": derived.day_of(now_ms),
        "ConvertedAccountId": account_id,
        "ConvertedContactId": contact_id,
        "ConvertedOpportunityId": opportunity_id,
        "LastModifiedDate": now_ms,
        "LastModifiedById": org.human_user_id,
        "SystemModstamp": now_ms,
    }
    org.store.update(org.schema.sobjects["lead"], lead_id, changes)


def empty_recycle_bin(org: Org) -> int:
    """Take away for good what is deleted; how many records that were."""
    removed = 0
    with org.store.transaction():
        for sobject in org.schema.sobjects.values():
            if "isdeleted" in sobject.fields:
                removed += org.store.writer.execute(
                    f'DELETE FROM {quoted(sobject.name)} WHERE "IsDeleted" = 1'  # noqa: S608
                ).rowcount
    return removed


def archive_activities(org: Org) -> int:
    """Archive events that ended and closed tasks that were due over 365 days ago.

    A task without a due date counts from its creation. Archived activities are seen by
    ``queryAll`` only. No stamp moves: whether the vendor's does is not documented. Returns how
    many were archived.
    """
    oldest_kept_ms = org.now_ms() - ARCHIVED_AFTER_DAYS * 86_400_000
    oldest_kept_day = derived.day_of(oldest_kept_ms)
    archived = 0
    with org.store.transaction():
        for name, condition in _ARCHIVED_WHEN.items():
            changed = org.store.writer.execute(
                f"UPDATE {quoted(name)} SET IsArchived = 1 "  # noqa: S608
                f"WHERE IsArchived = 0 AND {condition}",
                {"day": oldest_kept_day, "ms": oldest_kept_ms},
            )
            archived += changed.rowcount
    return archived
