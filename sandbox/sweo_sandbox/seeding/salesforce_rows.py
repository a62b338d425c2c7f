"""Fills the org with the Salesforce half of a seed plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any, TypeVar

from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.seeding.plan import SeedPlan
from sweo_sandbox.seeding.pools import make_pools
from sweo_sandbox.seeding.records import (
    SeededAccount,
    SeededContact,
    contacts,
    placed_accounts,
)

CHUNK_ROWS = 20_000
_Item = TypeVar("_Item")


def seed_org(org: Org, plan: SeedPlan) -> dict[str, int]:
    """Insert the accounts and contacts that stand in Salesforce; gives how many of each.

    Raises:
        ValueError: the org already holds accounts.
    """
    if org.store.rows(org.schema.sobjects["account"], '"IsDeleted" = 0 LIMIT 1'):
        raise ValueError("the Salesforce org already holds accounts; reset it first")
    with org.store.loading():
        return _fill(org, plan)


def _fill(org: Org, plan: SeedPlan) -> dict[str, int]:
    pools = make_pools(plan.random_seed)
    now_ms = org.now_ms()
    today = datetime.fromtimestamp(now_ms / 1000, timezone.utc).date()
    account_ids: dict[int, str] = {}
    for batch in _chunks(a for a in placed_accounts(plan, pools) if a.in_salesforce):
        rows = [
            {
                **_account_row(account),
                "Renewal_Date__c": None
                if account.renewal_day is None
                else (today + timedelta(days=account.renewal_day)).isoformat(),
                **_stamps(account, now_ms),
            }
            for account in batch
        ]
        made = org.bulk_load("Account", rows)
        account_ids.update(zip((a.number for a in batch), made, strict=True))
    count = 0
    for people in _chunks(c for c in contacts(plan, pools) if c.in_salesforce):
        org.bulk_load(
            "Contact",
            [
                {**_contact_row(person, account_ids, now_ms), **_stamps(person, now_ms)}
                for person in people
            ],
        )
        count += len(people)
    return {"Account": len(account_ids), "Contact": count}


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, CHUNK_ROWS)):
        yield batch


def _stamps(record: SeededAccount | SeededContact, now_ms: int) -> dict[str, int]:
    changed_ms = now_ms - record.changed_seconds * 1000
    return {
        "CreatedDate": now_ms - record.age_seconds * 1000,
        "LastModifiedDate": changed_ms,
        "SystemModstamp": changed_ms,
    }


def _account_row(account: SeededAccount) -> dict[str, Any]:
    return {
        "Name": account.name,
        "Customer_Number__c": account.customer_number,
        "Type": account.account_type,
        "Industry": account.industry,
        "NumberOfEmployees": account.employees,
        "AnnualRevenue": account.revenue,
        "Website": account.website,
        "Phone": account.phone,
        "BillingStreet": account.street[:255],
        "BillingCity": account.city,
        "Description": account.notes,
        "Success_Notes__c": account.notes,
        "Plan__c": account.plan,
        "Is_Reference__c": int(account.is_reference),
        "Regions__c": account.regions,
        "ARR__c": account.arr,
        "Seats__c": account.seats,
        "Health__c": account.health,
    }


def _contact_row(person: SeededContact, account_ids: dict[int, str], now_ms: int) -> dict[str, Any]:
    login = person.last_login_seconds
    return {
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "AccountId": account_ids.get(person.account),
        "Email": person.email,
        "Title": person.title,
        "Phone": person.phone,
        "Product_Role__c": person.product_role,
        "Last_Login__c": None if login is None else now_ms - login * 1000,
        "NPS__c": person.nps if person.number % 2 else None,
        "Opted_In__c": int(person.opted_in),
    }
