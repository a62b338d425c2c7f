"""A small pair of worlds to sync: what a person does on each side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sweo_sandbox.testing import Sandbox

PRODUCT_ATTRIBUTES = {
    "company": {"health_score": "float"},
    "contact": {"nps": "integer", "product_role": "string", "last_login": "date"},
}
"""Attributes of the project's field configs that only the product writes."""


@dataclass
class World:
    """Both sides of a running sandbox, edited as people edit them."""

    sandbox: Sandbox

    def furnish(self) -> None:
        """Make the attributes that the product brings."""
        for model, attributes in PRODUCT_ATTRIBUTES.items():
            for name, data_type in attributes.items():
                self.attribute(model, name, data_type)

    def attribute(self, model: str, name: str, data_type: str) -> None:
        workspace = self.sandbox.workspace
        workspace.attributes.create(
            {"model": model, "name": name, "data_type": data_type},
            self.sandbox.clock_sweo.now_ms() // 1000,
        )

    # Salesforce

    def account(self, number: str | None, **values: Any) -> str:
        values.setdefault("Name", f"Account {number}")
        return self.sandbox.org.insert("Account", {"Customer_Number__c": number, **values})

    def contact(self, email: str | None, **values: Any) -> str:
        values.setdefault("LastName", "Person")
        return self.sandbox.org.insert("Contact", {"Email": email, **values})

    def edit_salesforce(self, sobject: str, record_id: str, **values: Any) -> None:
        self.sandbox.org.update(sobject, record_id, values)

    def row(self, sobject: str, record_id: str) -> dict[str, Any]:
        row = self.sandbox.org.row(sobject, record_id)
        assert row is not None
        return dict(row)

    # Sweo

    def company(self, company_id: str, **values: Any) -> str:
        values.setdefault("name", f"Company {company_id}")
        found = self.sandbox.workspace.companies.upsert({"company_id": company_id, **values})
        # A company is listed only once it has a contact.
        person = self.person(f"owner@{company_id}.test".lower())
        self.sandbox.workspace.memberships.attach(person, found["id"])
        return str(found["id"])

    def person(self, email: str, role: str = "user", **values: Any) -> str:
        made = self.sandbox.workspace.contacts.create({"email": email, "role": role, **values})
        return str(made["id"])

    def edit_company(self, company_id: str, **values: Any) -> None:
        self.sandbox.workspace.companies.update(company_id, values)

    def edit_person(self, contact_id: str, **values: Any) -> None:
        self.sandbox.workspace.contacts.update(contact_id, values)

    def company_now(self, company_id: str) -> dict[str, Any]:
        return self.sandbox.workspace.companies.get(company_id)

    def person_now(self, contact_id: str) -> dict[str, Any]:
        return self.sandbox.workspace.contacts.get(contact_id)

    # what the API meter says

    def calls(self, side: str) -> dict[str, Any]:
        return dict(self.sandbox.calls(side))  # type: ignore[arg-type]
