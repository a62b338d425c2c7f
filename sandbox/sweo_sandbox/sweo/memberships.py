"""Which contacts belong to which companies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo.errors import ApiError, company_not_found, missing

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

MAX_COMPANIES = 1000


class Memberships:
    """Contacts in companies; both records' ``updated_at`` move with each change."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def attach(self, contact_id: str, record_id: Any) -> dict[str, Any]:
        """Put a contact into a company (by Sweo's id) and show the company.

        Raises:
            ApiError: no id (400), no such contact or company (404), over 1,000 companies (400).
        """
        if not isinstance(record_id, str) or not record_id:
            raise missing("company not specified")
        companies, contacts = self._workspace.companies, self._workspace.contacts
        with self._database.transaction():
            contacts.row(contact_id)
            companies.row(record_id)
            pair = [contact_id, record_id]
            if not self._database.row(
                "SELECT 1 FROM membership WHERE contact_id = ? AND company_id = ?", pair
            ):
                count = self._database.number(
                    "SELECT COUNT(*) FROM membership WHERE contact_id = ?", [contact_id]
                )
                if count >= MAX_COMPANIES:
                    raise ApiError(
                        400,
                        "contact_company_limit_exceeded",
                        f"Contact has reached the maximum of {MAX_COMPANIES} company associations",
                    )
                self._database.execute("INSERT INTO membership VALUES (?, ?, ?)", [*pair, count])
                contacts.touch(contact_id)
                companies.touch(record_id)
                self._tell("company.contact.attached", contact_id, record_id)
        return companies.get(record_id)

    def detach(self, contact_id: str, record_id: str) -> dict[str, Any]:
        """Take a contact out of a company and show the company.

        Raises:
            ApiError: 404 when either does not exist or they are not attached.
        """
        companies, contacts = self._workspace.companies, self._workspace.contacts
        with self._database.transaction():
            contacts.row(contact_id)
            companies.row(record_id)
            gone = self._database.execute(
                "DELETE FROM membership WHERE contact_id = ? AND company_id = ?",
                [contact_id, record_id],
            )
            if not gone.rowcount:
                raise company_not_found()
            contacts.touch(contact_id)
            companies.touch(record_id)
            self._tell("company.contact.detached", contact_id, record_id)
        return companies.get(record_id)

    def _tell(self, topic: str, contact_id: str, record_id: str) -> None:
        webhooks = self._workspace.webhooks
        if webhooks.wants(topic):
            contact = self._workspace.contacts.row(contact_id)
            person = {
                "type": "contact",
                "id": contact_id,
                "external_id": contact["external_id"],
                "role": contact["role"],
            }
            company = self._workspace.companies.get(record_id)
            webhooks.notify(topic, {**company, "contact": person})

    def companies_of(self, contact_id: str) -> list[dict[str, Any]]:
        """The companies of one contact, in the order of attachment."""
        self._workspace.contacts.row(contact_id)
        rows = self._database.rows(
            "SELECT company.* FROM membership JOIN company ON company.id = membership.company_id "
            "WHERE contact_id = ? ORDER BY position, company.id",
            [contact_id],
        )
        return self._workspace.companies.views(rows)

    def contacts_of(self, record_id: str) -> list[dict[str, Any]]:
        """The active contacts of one company."""
        self._workspace.companies.row(record_id)
        rows = self._database.rows(
            "SELECT contact.* FROM membership JOIN contact ON contact.id = membership.contact_id "
            "WHERE company_id = ? AND state = 'active' ORDER BY contact.id",
            [record_id],
        )
        return self._workspace.contacts.views(rows)

    def of_contacts(self, ids: list[str]) -> dict[str, list[str]]:
        """Company ids by contact id."""
        found: dict[str, list[str]] = {contact_id: [] for contact_id in ids}
        marks = ", ".join("?" * len(ids))
        for row in self._database.rows(
            f"SELECT contact_id, company_id FROM membership WHERE contact_id IN ({marks}) "  # noqa: S608
            "ORDER BY contact_id, position, company_id",
            ids,
        ):
            found[row["contact_id"]].append(row["company_id"])
        return found
