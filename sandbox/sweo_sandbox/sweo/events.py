"""Data events of contacts, and their summaries."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo import values
from sweo_sandbox.sweo.errors import contact_not_found, invalid, missing

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

MAX_METADATA_KEYS = 10
MAX_EVENT_NAMES = 120
LISTED_SECONDS = 90 * 86_400
_KEYS = frozenset({"event_name", "created_at", "id", "user_id", "email", "metadata"})


class Events:
    """What contacts did. An event has no id of its own: contact, name and second are its key."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def submit(self, body: dict[str, Any]) -> None:
        """``POST /events``; one that is known already is accepted and ignored."""
        values.refuse_unknown(body, _KEYS)
        name = values.text("event_name", body.get("event_name"))
        if not name:
            raise missing("event_name not specified")
        created_at = values.timestamp("created_at", body.get("created_at"))
        if created_at is None:
            raise missing("created_at not specified")
        metadata = body.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise invalid("metadata must be an object")
        with self._database.transaction():
            contact = self._contact(
                record_id=body.get("id"), external_id=body.get("user_id"), email=body.get("email")
            )
            kept = dict([*metadata.items()][:MAX_METADATA_KEYS])
            self._refuse_new_name(name)
            added = self._database.execute(
                "INSERT OR IGNORE INTO event (contact_id, name, created_at, metadata) "
                "VALUES (?, ?, ?, ?)",
                [contact["id"], name, created_at, json.dumps(kept, ensure_ascii=False)],
            )
            self._workspace.contacts.touch(contact["id"])
            if added.rowcount:
                item = {"type": "event", "event_name": name, "created_at": created_at}
                self._workspace.webhooks.notify(
                    "event.created", {**item, "metadata": kept, **_person(contact)}
                )

    def _refuse_new_name(self, name: str) -> None:
        known = "SELECT 1 FROM event WHERE name = ? LIMIT 1"
        if self._database.row(known, [name]) is not None:
            return
        if self._database.number("SELECT COUNT(DISTINCT name) FROM event") >= MAX_EVENT_NAMES:
            raise invalid(
                f"The workspace has {MAX_EVENT_NAMES} active event names, which is the limit"
            )

    def _contact(
        self, *, record_id: Any = None, external_id: Any = None, email: Any = None
    ) -> sqlite3.Row:
        """The contact that an event names; leads are found by Sweo's id only."""
        if record_id is not None:
            return self._workspace.contacts.row(str(record_id))
        if external_id is not None:
            column, value = "external_id", str(external_id)
        elif email is not None:
            column, value = "email", str(email)
        else:
            raise missing("id, user_id or email must be specified")
        row = self._database.row(
            f"SELECT * FROM contact WHERE {column} = ? AND role = 'user' AND state = 'active' "  # noqa: S608
            "ORDER BY updated_at DESC LIMIT 1",
            [value],
        )
        if row is None:
            raise contact_not_found()
        return row

    def page(self, query: dict[str, str], base_url: str) -> dict[str, Any]:
        """``GET /events``: one contact's events of the last 90 days, newest first."""
        if query.get("type") != "user":
            raise invalid("type must be user")
        contact = self._contact(
            record_id=query.get("intercom_user_id"),
            external_id=query.get("user_id"),
            email=query.get("email"),
        )
        whose = {
            "email": contact["email"],
            "intercom_user_id": contact["id"],
            "user_id": contact["external_id"],
        }
        if query.get("summary") == "true":
            return {"type": "event.summary", **whose, "events": self._summaries(contact["id"])}
        per_page = min(_positive(query.get("per_page", "50"), "per_page"), 150)
        before = _positive(query.get("before", str(2**62)), "before")
        rows = self._database.rows(
            "SELECT * FROM (SELECT *, created_at * 1000000 + number % 1000000 AS place FROM event "
            "WHERE contact_id = ? AND created_at >= ?) WHERE place < ? "
            "ORDER BY place DESC LIMIT ?",
            [
                contact["id"],
                self._workspace.clock.now_seconds() - LISTED_SECONDS,
                before,
                per_page + 1,
            ],
        )
        pages: dict[str, Any] = {"next": None}
        if len(rows) > per_page:
            rows = rows[:per_page]
            pages["next"] = (
                f"{base_url}/events?type=user&intercom_user_id={contact['id']}"
                f"&per_page={per_page}&before={rows[-1]['place']}"
            )
        return {
            "type": "event.summary",
            "events": [{**_view(row), **_person(contact)} for row in rows],
            "pages": pages,
            **whose,
        }

    def summarize(self, body: dict[str, Any]) -> None:
        """``POST /events/summaries``: add to a user's counts."""
        contact = self._contact(external_id=body.get("user_id"))
        summary = body.get("event_summaries")
        if not isinstance(summary, dict) or not summary.get("event_name"):
            raise missing("event_summaries not specified")
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO event_summary VALUES (?, ?, ?, ?, ?) ON CONFLICT (contact_id, name) "
                "DO UPDATE SET count = count + excluded.count, last = excluded.last",
                [
                    contact["id"],
                    values.text("event_name", summary["event_name"]),
                    values.whole("count", summary.get("count", 1)),
                    values.timestamp("first", summary.get("first")),
                    values.timestamp("last", summary.get("last")),
                ],
            )

    def _summaries(self, contact_id: str) -> list[dict[str, Any]]:
        rows = self._database.rows(
            "SELECT name, SUM(count) AS count, MIN(first) AS first, MAX(last) AS last FROM "
            "(SELECT name, 1 AS count, created_at AS first, created_at AS last FROM event "
            "WHERE contact_id = ? UNION ALL "
            "SELECT name, count, first, last FROM event_summary WHERE contact_id = ?) "
            "GROUP BY name ORDER BY name",
            [contact_id, contact_id],
        )
        return [
            {
                "name": row["name"],
                "first": _iso(row["first"]),
                "last": _iso(row["last"]),
                "count": row["count"],
                "description": None,
            }
            for row in rows
        ]


def _view(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "type": "event",
        "event_name": row["name"],
        "created_at": row["created_at"],
        "metadata": json.loads(row["metadata"]),
    }


def _person(contact: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": contact["id"],
        "user_id": contact["external_id"],
        "email": contact["email"],
        "intercom_user_id": contact["id"],
    }


def _iso(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+00:00")


def _positive(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1 or int(text) >= 2**63:
        raise invalid(f"{name} must be a positive integer")
    return int(text)
