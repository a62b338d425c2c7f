"""What people do on both sides while the pipelines run: edits, new records, deletions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from simulation.history import PERSON, History
from simulation.plan import Plan
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

LEADS: dict[str, Any] = {
    "name": "leads",
    "salesforce": "Lead",
    "sweo": "lead",
    "match": {"salesforce": "Email", "sweo": "email", "normalise": "email"},
    "create": ["sweo"],
    "fields": [
        {"salesforce": "Name", "sweo": "name"},
        {"salesforce": "Phone", "sweo": "phone", "direction": "both"},
    ],
}


def mappings_of(plan: Plan) -> list[dict[str, Any]]:
    """The field configs of one world."""
    mappings: list[dict[str, Any]] = json.loads(json.dumps(MAPPINGS))
    for mapping, policy in zip(mappings, plan.policies, strict=True):
        mapping["conflict"] = policy
    if plan.creates:
        for mapping in mappings:
            mapping["create"] = ["sweo"]
        # Leads have a mapping of their own then.
        mappings[1]["sweo"] = "user"
        mappings.append(LEADS)
    return mappings


ATTRIBUTES = {
    "company": {"seats": "integer", "renewal_date": "date", "arr": "integer"},
    "contact": {"job_title": "string", "nps": "integer"},
}

TWO_WAY = {
    m["name"]: [(f["salesforce"], f["sweo"]) for f in m["fields"] if f.get("direction") == "both"]
    for m in [*MAPPINGS, LEADS]
}
ONE_WAY = {
    m["name"]: [
        (f["salesforce"], f["sweo"], f.get("direction", "to_sweo"))
        for f in m["fields"]
        if f.get("direction") != "both"
    ]
    for m in [*MAPPINGS, LEADS]
}

SOBJECTS = {"accounts": "Account", "contacts": "Contact", "leads": "Lead"}
TOO_LONG = {"job_title": 150}
"""Lengths of values that Sweo takes and Salesforce (128 characters) does not."""

_NOON = 43_200
_DAY = 86_400


@dataclass
class People:
    """Random but repeatable hands on both sides. ``chance`` decides everything."""

    chance: random.Random
    salesforce: Side
    sweo: Side
    history: History
    plan: Plan
    number: int = 0
    accounts: list[str] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    persons: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    """Ids of both sides that a person deleted."""

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
            return number
        if name in ("Renewal_Date__c", "renewal_date"):
            day = date(2027, 1, 1) + timedelta(days=number)
            if side == "salesforce":
                return day.isoformat()
            return (day - date(1970, 1, 1)).days * _DAY + _NOON
        if name in ("Website", "website"):
            return f"https://{tag}{number}.test"
        if name in ("Phone", "phone"):
            return f"+1415555{number:04d}"
        if name in TOO_LONG and self.chance.random() < self.plan.refused:
            return f"{tag}-{number}".ljust(TOO_LONG[name], "x")
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

    def new_lead(self, email: str) -> str:
        made = self.org.insert(
            "Lead",
            {
                "LastName": f"sa-{self.unique()}",
                "Company": "x",
                "Email": email,
                "Phone": self.value_for("Phone", "salesforce"),
            },
        )
        self.leads.append(made)
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

    def edit_something(self, near: Sequence[str] = ()) -> None:
        """One edit of one or two fields of one record on one side, or a deletion.

        Half of the edits hit a record of ``near``, if there is one: the pipeline is at it.
        """
        if near and self.chance.random() < 0.5:
            self._edit_one(self.chance.choice(near))
            return
        deeds: list[Callable[[], None]] = [
            lambda: self._edit_row("accounts", self.accounts),
            lambda: self._edit_row("contacts", self.contacts),
            lambda: self._edit_sweo("company", self.companies, "accounts"),
            lambda: self._edit_sweo("contact", self.persons, "contacts"),
        ]
        if self.leads:
            deeds.append(lambda: self._edit_row("leads", self.leads))
        if self.plan.deletes and self.chance.random() < self.plan.deletes:
            deeds = [self._delete_row, self._delete_person]
        self.chance.choice(deeds)()

    def _edit_one(self, record_id: str) -> None:
        one = [record_id]
        if record_id in self.accounts:
            self._edit_row("accounts", one)
        elif record_id in self.contacts:
            self._edit_row("contacts", one)
        elif record_id in self.companies:
            self._edit_sweo("company", one, "accounts")
        elif record_id in self.persons:
            self._edit_sweo("contact", one, "contacts")

    def _edit_row(self, mapping: str, ids: list[str]) -> None:
        if not ids:
            return
        sobject = SOBJECTS[mapping]
        names = [sf for sf, _ in TWO_WAY[mapping]]
        own = [sf for sf, _, way in ONE_WAY[mapping] if way == "to_sweo"]
        names += ["LastName" if n == "Name" and sobject != "Account" else n for n in own]
        chosen = self.chance.sample(names, self.chance.choice((1, 1, 2)))
        values = {name: self.value_for(name, "salesforce") for name in chosen}
        if values.get("LastName", "") is None:
            values["LastName"] = f"sa-{self.unique()}"
        if sobject == "Contact" and self.chance.random() < self.plan.moves:
            values["AccountId"] = self.chance.choice([None, *self.accounts])
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

    def write_what_is_refused(self) -> None:
        """A last value of one contact that Salesforce cannot take."""
        if self.persons:
            body = {"job_title": f"sw-{self.unique()}".ljust(TOO_LONG["job_title"], "x")}
            record = self.chance.choice(self.persons)
            self.workspace.contacts.update(record, {"custom_attributes": body})
            self.history.step += 1
            self.look("sweo", PERSON)

    def _delete_row(self) -> None:
        if self.contacts:
            gone = self.chance.choice(self.contacts)
            self.contacts.remove(gone)
            self.org.delete("Contact", gone)
            self.deleted.add(gone)

    def _delete_person(self) -> None:
        if self.persons:
            gone = self.chance.choice(self.persons)
            self.persons.remove(gone)
            self.workspace.contacts.delete(gone)
            self.deleted.add(gone)

    # looking

    def look(self, side: str, author: str) -> set[str]:
        """Note what every field holds now; the ids of the records that are new or changed."""
        held: list[tuple[str, dict[str, Any]]] = []
        if side == "salesforce":
            for mapping, sobject in SOBJECTS.items():
                for row in self.rows_now(sobject):
                    self.history.observe_time(row["Id"], row["LastModifiedDate"] // 1000)
                    held.append((row["Id"], self.salesforce_values(mapping, row)))
        else:
            held += [(c["id"], self.sweo_values("accounts", c)) for c in self.companies_now()]
            held += [(p["id"], self.sweo_values("contacts", p)) for p in self.persons_now()]
        return {key for key, values in held if self.history.observe(side, key, values, author)}

    def rows_now(self, sobject: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.org.rows(sobject) if not row["IsDeleted"]]

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
