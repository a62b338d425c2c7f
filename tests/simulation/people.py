"""What people do on both sides while the pipelines run: edits, new records, deletions."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from simulation.history import PERSON, History
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.side import Side
from sweo_sandbox.sweo.workspace import Workspace

MAPPINGS: list[dict[str, Any]] = [
    {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
        "fields": [
            {"salesforce": "Name", "sweo": "name"},
            {"salesforce": "Website", "sweo": "website", "direction": "both"},
            {"salesforce": "Industry", "sweo": "industry", "direction": "both"},
            {"salesforce": "Seats__c", "sweo": "seats", "direction": "both"},
            {"salesforce": "Renewal_Date__c", "sweo": "renewal_date", "direction": "both"},
            {"salesforce": "ARR__c", "sweo": "arr", "direction": "to_salesforce"},
        ],
    },
    {
        "name": "contacts",
        "salesforce": "Contact",
        "sweo": "contact",
        "match": {"salesforce": "Email", "sweo": "email", "normalise": "email"},
        "parent": {"salesforce": "AccountId", "mapping": "accounts"},
        "fields": [
            {"salesforce": "Name", "sweo": "name"},
            {"salesforce": "Phone", "sweo": "phone", "direction": "both"},
            {"salesforce": "Title", "sweo": "job_title", "direction": "both"},
            {"salesforce": "NPS__c", "sweo": "nps", "direction": "to_salesforce"},
        ],
    },
]

ATTRIBUTES = {
    "company": {"seats": "integer", "renewal_date": "date", "arr": "integer"},
    "contact": {"job_title": "string", "nps": "integer"},
}

TWO_WAY = {
    m["name"]: [(f["salesforce"], f["sweo"]) for f in m["fields"] if f.get("direction") == "both"]
    for m in MAPPINGS
}
ONE_WAY = {
    m["name"]: [
        (f["salesforce"], f["sweo"], f.get("direction", "to_sweo"))
        for f in m["fields"]
        if f.get("direction") != "both"
    ]
    for m in MAPPINGS
}

_NOON = 43_200
_DAY = 86_400


@dataclass
class People:
    """Random but repeatable hands on both sides. ``chance`` decides everything."""

    chance: random.Random
    salesforce: Side
    sweo: Side
    history: History
    number: int = 0
    accounts: list[str] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    persons: list[str] = field(default_factory=list)

    @property
    def org(self) -> Org:
        org: Org = self.salesforce.state
        return org

    @property
    def workspace(self) -> Workspace:
        workspace: Workspace = self.sweo.state
        return workspace

    def furnish(self) -> None:
        for model, attributes in ATTRIBUTES.items():
            for name, data_type in attributes.items():
                self.workspace.attributes.create(
                    {"model": model, "name": name, "data_type": data_type}, 0
                )

    # unique values

    def unique(self) -> int:
        self.number += 1
        return self.number

    def value_for(self, name: str, side: str) -> Any:
        if self.chance.random() < 0.08 and name not in ("Name", "name"):
            return None
        number = self.unique()
        tag = side[:2]
        if name in ("Seats__c", "seats", "ARR__c", "arr", "NPS__c", "nps"):
            return number if name.lower() in ("nps__c", "nps") else number
        if name in ("Renewal_Date__c", "renewal_date"):
            day = date(2027, 1, 1) + timedelta(days=number)
            if side == "salesforce":
                return day.isoformat()
            return (day - date(1970, 1, 1)).days * _DAY + _NOON
        if name in ("Website", "website"):
            return f"https://{tag}{number}.test"
        if name in ("Phone", "phone"):
            return f"+1415555{number:04d}"
        return f"{tag}-{number}"

    # records

    def new_account(self, number: str) -> str:
        made = self.org.insert(
            "Account",
            {
                "Name": f"sa-{self.unique()}",
                "Customer_Number__c": number,
                "Industry": self.value_for("Industry", "salesforce"),
            },
        )
        self.accounts.append(made)
        self.history.step += 1
        self.look("salesforce", PERSON)
        return made

    def new_company(self, number: str) -> str:
        made = self.workspace.companies.upsert(
            {
                "company_id": number,
                "name": f"sw-{self.unique()}",
                "website": self.value_for("website", "sweo"),
            }
        )
        owner = self.workspace.contacts.create(
            {"external_id": f"owner-of-{number}", "role": "user"}
        )
        self.workspace.memberships.attach(owner["id"], made["id"])
        self.companies.append(made["id"])
        self.history.step += 1
        self.look("sweo", PERSON)
        return str(made["id"])

    def new_contact(self, email: str, account: str | None) -> str:
        made = self.org.insert(
            "Contact",
            {"LastName": f"sa-{self.unique()}", "Email": email, "AccountId": account},
        )
        self.contacts.append(made)
        self.history.step += 1
        self.look("salesforce", PERSON)
        return made

    def new_person(self, email: str) -> str:
        made = self.workspace.contacts.create(
            {"email": email, "role": "user", "name": f"sw-{self.unique()}"}
        )
        self.persons.append(made["id"])
        self.history.step += 1
        self.look("sweo", PERSON)
        return str(made["id"])

    # edits

    def edit_something(self) -> None:
        """One edit of one or two fields of one record on one side."""
        deeds: list[Callable[[], None]] = [
            lambda: self._edit_row("Account", self.accounts, "accounts"),
            lambda: self._edit_row("Contact", self.contacts, "contacts"),
            lambda: self._edit_sweo("company", self.companies, "accounts"),
            lambda: self._edit_sweo("contact", self.persons, "contacts"),
        ]
        self.chance.choice(deeds)()

    def _edit_row(self, sobject: str, ids: list[str], mapping: str) -> None:
        if not ids:
            return
        names = [sf for sf, _ in TWO_WAY[mapping]]
        own = [sf for sf, _, way in ONE_WAY[mapping] if way == "to_sweo"]
        names += ["LastName" if n == "Name" and sobject == "Contact" else n for n in own]
        chosen = self.chance.sample(names, self.chance.choice((1, 1, 2)))
        values = {name: self.value_for(name, "salesforce") for name in chosen}
        if values.get("LastName", "") is None:
            values["LastName"] = f"sa-{self.unique()}"
        self.org.update(sobject, self.chance.choice(ids), values)
        self.history.step += 1
        self.look("salesforce", PERSON)

    def _edit_sweo(self, kind: str, ids: list[str], mapping: str) -> None:
        if not ids:
            return
        names = [sw for _, sw in TWO_WAY[mapping]]
        names += [sw for _, sw, way in ONE_WAY[mapping] if way == "to_salesforce"]
        chosen = self.chance.sample(names, self.chance.choice((1, 1, 2)))
        body: dict[str, Any] = {}
        for name in chosen:
            value = self.value_for(name, "sweo")
            if name in ATTRIBUTES[kind]:
                body.setdefault("custom_attributes", {})[name] = value
            else:
                body[name] = value
        record = self.chance.choice(ids)
        if kind == "company":
            self.workspace.companies.update(record, body)
        else:
            self.workspace.contacts.update(record, body)
        self.history.step += 1
        self.look("sweo", PERSON)

    # looking

    def look(self, side: str, author: str) -> None:
        """Note what every field holds now."""
        if side == "salesforce":
            for sobject, mapping in (("Account", "accounts"), ("Contact", "contacts")):
                for row in self.org.rows(sobject):
                    self.history.observe(
                        side, row["Id"], self.salesforce_values(mapping, dict(row)), author
                    )
        else:
            for company in self.companies_now():
                values = self.sweo_values("accounts", company)
                self.history.observe(side, company["id"], values, author)
            for person in self.persons_now():
                values = self.sweo_values("contacts", person)
                self.history.observe(side, person["id"], values, author)

    def companies_now(self) -> list[dict[str, Any]]:
        rows = self.workspace.database.rows("SELECT * FROM company")
        return self.workspace.companies.views(rows)

    def persons_now(self) -> list[dict[str, Any]]:
        rows = self.workspace.database.rows("SELECT * FROM contact")
        return self.workspace.contacts.views(rows)

    @staticmethod
    def salesforce_values(mapping: str, row: dict[str, Any]) -> dict[str, Any]:
        """By the name in Sweo, in a form that both sides share."""
        return {sw: shared(sf, row.get(sf)) for sf, sw in TWO_WAY[mapping]}

    @staticmethod
    def sweo_values(mapping: str, record: dict[str, Any]) -> dict[str, Any]:
        custom = record.get("custom_attributes") or {}
        return {
            sw: shared(sf, record[sw] if sw in record else custom.get(sw))
            for sf, sw in TWO_WAY[mapping]
        }


def shared(name: str, value: Any) -> Any:
    """A value of either side in one form."""
    if value in (None, ""):
        return None
    if name == "Renewal_Date__c":
        if isinstance(value, int):
            return (date(1970, 1, 1) + timedelta(seconds=value)).isoformat()
        return value
    if name == "Seats__c":
        return int(value)
    return value
