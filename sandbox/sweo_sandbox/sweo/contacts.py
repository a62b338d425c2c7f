"""Contacts: users and leads, their uniqueness, archive and merge, and how they are shown."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo import values
from sweo_sandbox.sweo.contact_view import contact_view
from sweo_sandbox.sweo.errors import ApiError, contact_not_found, invalid, missing
from sweo_sandbox.sweo.ids import new_id
from sweo_sandbox.sweo.versions import ApiVersion

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

_CHECKS: dict[str, values.Check] = {
    "external_id": values.identifier,
    "email": values.email,
    "phone": values.text,
    "name": values.text,
    "avatar": values.text,
    "owner_id": values.identifier,
    "unsubscribed_from_emails": values.flag,
    "signed_up_at": values.timestamp,
    "last_seen_at": values.timestamp,
    "language_override": values.text,
}
_KEYS = frozenset({*_CHECKS, "role", "email_verified", "custom_attributes"})


class Contacts:
    """The workspace's contacts."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def row(self, record_id: str) -> sqlite3.Row:
        """The table row of an active contact.

        Raises:
            ApiError: 404, or 410 with the canonical contact's address when it was merged.
        """
        row = self._database.row("SELECT * FROM contact WHERE id = ?", [record_id])
        if row is None or row["state"] == "archived":
            raise contact_not_found()
        if row["state"] == "merged":
            raise _merged(row["merged_into"])
        return row

    def get(self, record_id: str, *, with_merge_history: bool = False) -> dict[str, Any]:
        """One contact, as the API shows it."""
        shown = self.views([self.row(record_id)])[0]
        if with_merge_history and shown["role"] == "user":
            shown["merge_history"] = self.merge_history(record_id)
        return shown

    def find_by_external_id(self, external_id: str) -> dict[str, Any]:
        """The user with that external id; leads are not found this way."""
        row = self._database.row(
            "SELECT * FROM contact WHERE external_id = ? AND role = 'user' "
            "ORDER BY state = 'active' DESC, state = 'merged' DESC LIMIT 1",
            [external_id],
        )
        if row is None:
            raise contact_not_found()
        return self.get(row["id"])

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """``POST /contacts``: strictly new.

        Raises:
            ApiError: 400, or 409 naming the contact that has this external id or email.
        """
        values.refuse_unknown(body, _KEYS)
        if not any(body.get(key) is not None for key in ("email", "external_id", "role")):
            raise missing("email, external_id or role must be specified")
        role = _role(body.get("role") or "user")
        columns = values.checked_columns(body, _CHECKS)
        self._check_email_verified(body)
        now = self._workspace.clock.now_seconds()
        with self._database.transaction():
            self._refuse_duplicate(role, columns)
            custom = self._workspace.attributes.merge_values(
                "contact", {}, body.get("custom_attributes")
            )
            record_id = new_id(now)
            self._workspace.index.remember("contact", record_id)
            self._database.insert(
                "contact",
                {
                    "id": record_id,
                    "role": role,
                    **columns,
                    "created_at": now,
                    "updated_at": now,
                    "custom_attributes": json.dumps(custom, ensure_ascii=False),
                },
            )
            self._workspace.activities.record(
                "contact.created", record_id, external_id=columns.get("external_id"), role=role
            )
            self.tell(f"contact.{role}.created", record_id)
        return self.get(record_id)

    def update(self, record_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """``PUT /contacts/{id}``."""
        values.refuse_unknown(body, _KEYS)
        columns = values.checked_columns(body, _CHECKS)
        self._check_email_verified(body)
        with self._database.transaction():
            row = self.row(record_id)
            role = _role(body.get("role") or row["role"])
            if row["role"] == "user" and role == "lead":
                raise invalid("A user cannot become a lead", field="role")
            signed_up = role != row["role"]
            own = {"email": row["email"], **columns} if signed_up else columns
            self._refuse_duplicate(role, own, besides=record_id)
            custom = self._workspace.attributes.merge_values(
                "contact", json.loads(row["custom_attributes"]), body.get("custom_attributes")
            )
            self._workspace.index.remember("contact", record_id)
            self._database.update(
                "contact",
                record_id,
                {
                    **columns,
                    "role": role,
                    "custom_attributes": json.dumps(custom, ensure_ascii=False),
                    "updated_at": self._workspace.clock.now_seconds(),
                },
            )
            if signed_up:
                self._workspace.activities.record(
                    "contact.role_updated",
                    record_id,
                    external_id=columns.get("external_id", row["external_id"]),
                    role=role,
                )
            for topic in _topics_of_update(row, columns, role):
                self.tell(topic, record_id)
        return self.get(record_id)

    def tell(self, topic: str, record_id: str, **more: Any) -> None:
        """Notify of a change to an active contact; call it inside the write's transaction."""
        if self._workspace.webhooks.wants(topic):
            shown = self.views([self.row(record_id)])[0]
            self._workspace.webhooks.notify(topic, {**shown, **more})

    def _check_email_verified(self, body: dict[str, Any]) -> None:
        if body.get("email_verified") is None:
            return
        values.flag("email_verified", body["email_verified"])
        if body.get("email") is None:
            raise invalid("email_verified must be sent together with an email")

    def _refuse_duplicate(self, role: str, columns: dict[str, Any], *, besides: str = "") -> None:
        """External ids are unique; a user's email is unique among users; leads share emails."""
        conditions, parameters = [], []
        if columns.get("external_id") is not None:
            conditions.append("external_id = ?")
            parameters.append(columns["external_id"])
        if role == "user" and columns.get("email") is not None:
            conditions.append("(email = ? AND role = 'user')")
            parameters.append(columns["email"])
        if not conditions:
            return
        row = self._database.row(
            f"SELECT id, state FROM contact WHERE ({' OR '.join(conditions)}) AND id != ? "  # noqa: S608
            "AND state != 'merged' ORDER BY state = 'archived', updated_at DESC LIMIT 1",
            [*parameters, besides],
        )
        if row is None:
            return
        kind = "An archived contact" if row["state"] == "archived" else "A contact"
        raise ApiError(
            409, "conflict", f"{kind} matching those details already exists with id={row['id']}"
        )

    def touch(self, record_id: str, **columns: Any) -> None:
        """Move ``updated_at`` (a membership, tag, note or visit) and set plain columns."""
        self._workspace.index.remember("contact", record_id)
        self._database.update(
            "contact", record_id, {**columns, "updated_at": self._workspace.clock.now_seconds()}
        )

    def delete(self, record_id: str) -> dict[str, Any]:
        """Remove it for good."""
        with self._database.transaction():
            row = self._database.row("SELECT * FROM contact WHERE id = ?", [record_id])
            if row is None:
                raise contact_not_found()
            if row["state"] == "merged":
                raise _merged(row["merged_into"])
            self._workspace.index.remember("contact", record_id)
            for table, condition in _DEPENDENTS:
                self._database.execute(f"DELETE FROM {table} WHERE {condition}", [record_id])  # noqa: S608
            self._database.execute("DELETE FROM contact WHERE id = ?", [record_id])
            self._workspace.activities.record(
                "contact.deleted", record_id, external_id=row["external_id"], role=row["role"]
            )
            self._workspace.webhooks.notify("contact.deleted", _reference(row))
        return {**_reference(row), "deleted": True}

    def set_archived(self, record_id: str, *, archived: bool) -> dict[str, Any]:
        """Archive or bring back; an archived contact is in no list and answers 404."""
        with self._database.transaction():
            row = self._database.row("SELECT * FROM contact WHERE id = ?", [record_id])
            if row is None:
                raise contact_not_found()
            if row["state"] == "merged":
                raise _merged(row["merged_into"])
            self.touch(record_id, state="archived" if archived else "active")
            self._workspace.webhooks.notify(
                "contact.archived" if archived else "contact.unarchive",
                {**_reference(row), "archived": archived},
            )
        return {**_reference(row), "archived": archived}

    def block(self, record_id: str) -> dict[str, Any]:
        """Block and archive."""
        with self._database.transaction():
            row = self.row(record_id)
            self.touch(record_id, state="archived", blocked=1)
            self._workspace.webhooks.notify(
                "contact.archived", {**_reference(row), "archived": True}
            )
        return {**_reference(row), "blocked": True}

    def merge(self, body: dict[str, Any], version: ApiVersion) -> dict[str, Any]:
        """``POST /contacts/merge``: a lead into a user. The lead answers 410 from then on."""
        values.refuse_unknown(body, frozenset({"from", "into", "skip_duplicate_validation"}))
        for key in ("from", "into"):
            if not isinstance(body.get(key), str):
                raise missing(f"{key} not specified")
        skip = values.flag("skip_duplicate_validation", body.get("skip_duplicate_validation"))
        with self._database.transaction():
            lead, user = self.row(body["from"]), self.row(body["into"])
            if lead["role"] != "lead" or user["role"] != "user":
                raise ApiError(400, "invalid_merge", "Only a lead can be merged into a user")
            if version.merge_wants_duplicates and not skip and not _duplicates(lead, user):
                raise ApiError(
                    400,
                    "invalid_merge",
                    "Contacts can only be merged when they are duplicates (matching email or "
                    "phone). Pass skip_duplicate_validation=true to override this check.",
                )
            self._absorb(lead, user)
            self.tell("contact.merged", user["id"], merged_from=_reference(lead))
        return self.get(user["id"])

    def _absorb(self, lead: sqlite3.Row, user: sqlite3.Row) -> None:
        """Move what hangs on the lead to the user; the user's own values stand."""
        pair = [user["id"], lead["id"]]
        for table, column in (("membership", "contact_id"), ("event", "contact_id")):
            self._database.execute(
                f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608
                pair,
            )
        for table in ("tagging", "note"):
            self._database.execute(
                f"UPDATE OR IGNORE {table} SET object_id = ? "  # noqa: S608
                "WHERE object_id = ? AND model = 'contact'",
                pair,
            )
        for table, condition in _DEPENDENTS:
            self._database.execute(f"DELETE FROM {table} WHERE {condition}", [lead["id"]])  # noqa: S608
        filled = {
            name: lead[name]
            for name in ("email", "phone", "name", "avatar", "owner_id", "signed_up_at")
            if user[name] is None and lead[name] is not None
        }
        custom = json.loads(lead["custom_attributes"]) | json.loads(user["custom_attributes"])
        self.touch(user["id"], **filled, custom_attributes=json.dumps(custom, ensure_ascii=False))
        self.touch(lead["id"], state="merged", merged_into=user["id"])
        self._database.execute("UPDATE contact SET merged_into = ? WHERE merged_into = ?", pair)
        now = self._workspace.clock.now_seconds()
        self._database.insert(
            "merge_history",
            {
                "contact_id": user["id"],
                "source_id": lead["id"],
                "source_role": lead["role"],
                "merged_at": now,
            },
        )
        self._workspace.activities.record(
            "contact.merged",
            user["id"],
            external_id=user["external_id"],
            role="user",
            merge_source_id=lead["id"],
            merge_target_id=user["id"],
        )

    def merge_history(self, record_id: str) -> list[dict[str, Any]]:
        """Who was merged into this contact."""
        return [
            {
                "type": "merge_history",
                "source_contact_id": row["source_id"],
                "source_contact_role": row["source_role"],
                "merged_at": row["merged_at"],
            }
            for row in self._database.rows(
                "SELECT * FROM merge_history WHERE contact_id = ? ORDER BY merged_at", [record_id]
            )
        ]

    def views(self, rows: list[sqlite3.Row]) -> list[dict[str, Any]]:
        """Rows as the API shows them."""
        ids = [row["id"] for row in rows]
        companies = self._workspace.memberships.of_contacts(ids)
        tags = self._workspace.tags.of("contact", ids)
        notes = self._workspace.notes.ids_of_contacts(ids)
        workspace_id = self._workspace.settings.workspace_id
        return [
            contact_view(row, companies[row["id"]], tags[row["id"]], notes[row["id"]], workspace_id)
            for row in rows
        ]


_DEPENDENTS = (
    ("membership", "contact_id = ?"),
    ("event", "contact_id = ?"),
    ("event_summary", "contact_id = ?"),
    ("tagging", "model = 'contact' AND object_id = ?"),
    ("note", "model = 'contact' AND object_id = ?"),
)


def _topics_of_update(row: sqlite3.Row, columns: dict[str, Any], role: str) -> list[str]:
    topics = [f"contact.{role}.updated"]
    if role != row["role"]:
        topics.append("contact.lead.signed_up")
    email = columns.get("email", row["email"])
    if email is not None and email != row["email"]:
        added = row["email"] is None and role == "lead"
        topics.append("contact.lead.added_email" if added else "contact.email.updated")
    return topics


def _reference(row: sqlite3.Row) -> dict[str, Any]:
    return {"type": "contact", "id": row["id"], "external_id": row["external_id"]}


def _role(role: Any) -> str:
    if role not in ("user", "lead"):
        raise invalid("role must be either user or lead", field="role")
    return str(role)


def _duplicates(lead: sqlite3.Row, user: sqlite3.Row) -> bool:
    return any(
        lead[name] is not None
        and user[name] is not None
        and lead[name].casefold() == user[name].casefold()
        for name in ("email", "phone")
    )


def _merged(canonical_id: str) -> ApiError:
    return ApiError(
        410,
        "contact_merged",
        "This contact has been merged. See the 'Link' header for the canonical contact.",
        headers={"Link": f'</contacts/{canonical_id}>; rel="canonical"'},
    )
