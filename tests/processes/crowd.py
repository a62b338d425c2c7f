"""Enough records that a run has a middle, and how both sides stand, told without ids."""

from __future__ import annotations

import json
from typing import Any

from world import World

ACCOUNTS = 2_300
"""More than one page of 2,000."""

COMPANIES = 60
CONTACTS = 60


def number_of(index: int) -> str:
    return f"C-{index:05d}"


def gather(world: World) -> None:
    """Accounts on two pages, companies for some of them, contacts that Sweo has not met."""
    org, workspace = world.sandbox.org, world.sandbox.workspace
    rows = [
        {
            "Name": f"Account {n}",
            "Customer_Number__c": number_of(n),
            "Industry": "Energy",
            "Seats__c": n,
        }
        for n in range(ACCOUNTS)
    ]
    account_ids = org.bulk_load("Account", rows)
    for n in range(0, ACCOUNTS, ACCOUNTS // COMPANIES):
        company = workspace.companies.upsert(
            {
                "company_id": number_of(n),
                "name": f"Old name {n}",
                "custom_attributes": {"health_score": n / 4},
            }
        )
        person = workspace.contacts.create({"role": "user", "email": f"owner{n}@crowd.test"})
        workspace.memberships.attach(person["id"], company["id"])
    org.bulk_load(
        "Contact",
        [
            {
                "LastName": f"Person {n}",
                "Email": f"person{n}@crowd.test",
                "Phone": f"+1 555 {n:04d}",
                "AccountId": account_ids[n * (ACCOUNTS // COMPANIES)],
            }
            for n in range(CONTACTS)
        ],
    )


def standing(world: World) -> dict[str, Any]:
    """Both sides by match value; a duplicate shows as a second entry in its list."""
    org, workspace = world.sandbox.org, world.sandbox.workspace
    companies: dict[str, list[Any]] = {}
    by_id: dict[str, str] = {}
    for company in every(workspace.database, "company"):
        by_id[company["id"]] = company["company_id"]
        companies.setdefault(company["company_id"], []).append(
            [company["name"], company["industry"], json.loads(company["custom_attributes"])]
        )
    contacts: dict[str, list[Any]] = {}
    for person in every(workspace.database, "contact"):
        members = workspace.contacts.get(person["id"])["companies"]["data"]
        contacts.setdefault(person["email"], []).append(
            [
                person["name"],
                person["phone"],
                json.loads(person["custom_attributes"]),
                sorted(by_id[member["id"]] for member in members),
            ]
        )
    accounts = {
        row["Customer_Number__c"]: [row["Industry"], row["Website"], row["Health__c"]]
        for row in org.rows("Account")
    }
    return {"companies": companies, "contacts": contacts, "accounts": accounts}


def every(database: Any, table: str) -> list[Any]:
    rows: list[Any] = database.rows(f"SELECT * FROM {table}")
    return rows
