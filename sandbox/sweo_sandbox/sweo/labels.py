"""Tags and notes, on contacts and companies."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo import values
from sweo_sandbox.sweo.errors import ApiError, invalid, missing, not_found
from sweo_sandbox.sweo.standard_attributes import Model

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace


class Tags:
    """Tags; their names are unique in any case."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def all(self) -> list[dict[str, Any]]:
        """Every tag."""
        return [_tag(row) for row in self._database.rows("SELECT * FROM tag ORDER BY id")]

    def get(self, tag_id: Any) -> dict[str, Any]:
        """One tag, or 404."""
        row = self._database.row("SELECT * FROM tag WHERE id = ?", [str(tag_id)])
        if row is None:
            raise not_found()
        return _tag(row)

    def delete(self, tag_id: str) -> None:
        """Remove a tag from everything and for good."""
        with self._database.transaction():
            self.get(tag_id)
            self._database.execute("DELETE FROM tagging WHERE tag_id = ?", [tag_id])
            self._database.execute("DELETE FROM tag WHERE id = ?", [tag_id])

    def write(self, body: dict[str, Any]) -> dict[str, Any]:
        """``POST /tags``: make or rename a tag, or tag and untag companies or users by list."""
        name = values.text("name", body.get("name"))
        if not name or not set(body) <= {"name", "id", "companies", "users"}:
            raise invalid("invalid tag parameters")
        with self._database.transaction():
            if body.get("id") is not None:
                self.get(body["id"])
                self._database.execute(
                    "UPDATE tag SET name = ? WHERE id = ?", [name, str(body["id"])]
                )
                return self.get(body["id"])
            tag = self._named(name)
            shown: dict[str, Any] = {**tag, "users": [], "companies": []}
            for key in ("companies", "users"):
                shown[key] = [self._apply(tag, key, target) for target in body.get(key) or []]
        return shown

    def _named(self, name: str) -> dict[str, Any]:
        self._database.execute("INSERT OR IGNORE INTO tag (name) VALUES (?)", [name])
        row = self._database.row("SELECT * FROM tag WHERE name = ?", [name])
        if row is None:
            raise not_found()
        return _tag(row)

    def _apply(self, tag: dict[str, Any], key: str, target: Any) -> dict[str, Any]:
        if not isinstance(target, dict):
            raise invalid("invalid tag parameters")
        model: Model = "company" if key == "companies" else "contact"
        if model == "company" and target.get("id") is None:
            record_id = self._workspace.companies.find(company_id=str(target.get("company_id")))[
                "id"
            ]
        else:
            record_id = str(target.get("id"))
        untag = target.get("untag") in (True, "true")
        (self.remove if untag else self.add)(model, record_id, tag["id"])
        return {"id": record_id, "tagged": not untag}

    def add(self, model: Model, record_id: str, tag_id: Any) -> dict[str, Any]:
        """Tag one record."""
        with self._database.transaction():
            tag = self.get(tag_id)
            records = self._records(model)
            records.row(record_id)
            now = self._workspace.clock.now_seconds()
            added = self._database.execute(
                "INSERT OR IGNORE INTO tagging (tag_id, model, object_id, applied_at) "
                "VALUES (?, ?, ?, ?)",
                [tag["id"], model, record_id, now],
            )
            if added.rowcount:
                records.touch(record_id)
                self._tell("created", model, record_id, tag)
        return self._applied(tag, model, record_id)

    def remove(self, model: Model, record_id: str, tag_id: Any) -> dict[str, Any]:
        """Untag one record."""
        with self._database.transaction():
            records = self._records(model)
            records.row(record_id)
            tag = self.get(tag_id)
            shown = self._applied(tag, model, record_id)
            gone = self._database.execute(
                "DELETE FROM tagging WHERE tag_id = ? AND model = ? AND object_id = ?",
                [tag_id, model, record_id],
            )
            if gone.rowcount:
                records.touch(record_id)
                self._tell("deleted", model, record_id, tag)
        return shown

    def _tell(self, action: str, model: Model, record_id: str, tag: dict[str, Any]) -> None:
        """Contacts' tags have topics, companies' have none."""
        if model == "contact":
            contact = self._workspace.contacts.row(record_id)
            reference = {"type": "contact", "id": record_id, "external_id": contact["external_id"]}
            self._workspace.webhooks.notify(
                f"contact.{contact['role']}.tag.{action}",
                {"type": "contact_tag", "contact": reference, "tag": tag},
            )

    def _records(self, model: Model) -> Any:
        return self._workspace.companies if model == "company" else self._workspace.contacts

    def _applied(self, tag: dict[str, Any], model: Model, record_id: str) -> dict[str, Any]:
        row = self._database.row(
            "SELECT applied_at FROM tagging WHERE tag_id = ? AND model = ? AND object_id = ?",
            [tag["id"], model, record_id],
        )
        admin = {"type": "admin", "id": self._workspace.admin_id}
        return {**tag, "applied_at": row and row["applied_at"], "applied_by": row and admin}

    def of_contact(self, contact_id: str) -> list[dict[str, Any]]:
        """The tags of one contact, with when and by whom."""
        self._workspace.contacts.row(contact_id)
        tags = self.of("contact", [contact_id])[contact_id]
        return [self._applied(tag, "contact", contact_id) for tag in tags]

    def of(self, model: Model, ids: list[str]) -> dict[str, list[dict[str, Any]]]:
        """Tags by record id."""
        found: dict[str, list[dict[str, Any]]] = {record_id: [] for record_id in ids}
        marks = ", ".join("?" * len(ids))
        for row in self._database.rows(
            "SELECT tagging.object_id, tag.id, tag.name FROM tagging JOIN tag ON tag.id = tag_id "  # noqa: S608
            f"WHERE model = ? AND object_id IN ({marks}) ORDER BY tag.id",
            [model, *ids],
        ):
            found[row["object_id"]].append(_tag(row))
        return found


class Notes:
    """Notes, each on one contact or one company."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def create(self, model: Model, record_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Add a note and move the record's ``updated_at``."""
        values.refuse_unknown(body, frozenset({"body", "admin_id"}))
        text = body.get("body")
        if not isinstance(text, str) or not text:
            raise missing("body not specified")
        admin_id = body.get("admin_id")
        if admin_id is not None and str(admin_id) != self._workspace.admin_id:
            raise not_found()
        is_company = model == "company"
        records: Any = self._workspace.companies if is_company else self._workspace.contacts
        with self._database.transaction():
            records.row(record_id)
            number = self._database.insert(
                "note",
                {
                    "model": model,
                    "object_id": record_id,
                    "body": text if text.startswith("<p>") else f"<p>{text}</p>",
                    "created_at": self._workspace.clock.now_seconds(),
                },
            )
            records.touch(record_id)
        row = self._database.row("SELECT * FROM note WHERE id = ?", [number])
        if row is None:
            raise ApiError(404, "not_found", "Resource Not Found")
        return self._view(row)

    def of(self, model: Model, record_id: str) -> list[dict[str, Any]]:
        """The notes of one record, newest first."""
        records: Any = self._workspace.companies if model == "company" else self._workspace.contacts
        records.row(record_id)
        return [
            self._view(row)
            for row in self._database.rows(
                "SELECT * FROM note WHERE model = ? AND object_id = ? ORDER BY id DESC",
                [model, record_id],
            )
        ]

    def ids_of_contacts(self, ids: list[str]) -> dict[str, list[str]]:
        """Note ids by contact id."""
        found: dict[str, list[str]] = {record_id: [] for record_id in ids}
        marks = ", ".join("?" * len(ids))
        for row in self._database.rows(
            f"SELECT id, object_id FROM note WHERE model = 'contact' AND object_id IN ({marks}) "  # noqa: S608
            "ORDER BY id",
            ids,
        ):
            found[row["object_id"]].append(str(row["id"]))
        return found

    def _view(self, row: sqlite3.Row) -> dict[str, Any]:
        return {
            "type": "note",
            "id": str(row["id"]),
            "created_at": row["created_at"],
            row["model"]: {"type": row["model"], "id": row["object_id"]},
            "author": self._workspace.admin(),
            "body": row["body"],
        }


def _tag(row: sqlite3.Row) -> dict[str, Any]:
    return {"type": "tag", "id": str(row["id"]), "name": row["name"]}
