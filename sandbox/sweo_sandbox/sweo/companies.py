"""Companies: upsert by ``company_id``, lookups, lists, and how they are shown."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo import values
from sweo_sandbox.sweo.errors import ApiError, company_not_found, missing
from sweo_sandbox.sweo.ids import new_id

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

_CHECKS: dict[str, values.Check] = {
    "name": values.text,
    "plan": values.text,
    "size": values.whole,
    "website": values.text,
    "industry": values.text,
    "monthly_spend": values.spend,
}
_UPDATE_KEYS = frozenset({*_CHECKS, "custom_attributes"})
_UPSERT_KEYS = _UPDATE_KEYS | {"company_id", "remote_created_at", "update_last_request_at"}
LIST_CAP = 10_000


class Companies:
    """The workspace's companies. Those without a contact are absent from lists and scroll."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def row(self, record_id: str) -> sqlite3.Row:
        """The table row.

        Raises:
            ApiError: 404.
        """
        row = self._database.row("SELECT * FROM company WHERE id = ?", [record_id])
        if row is None:
            raise company_not_found()
        return row

    def get(self, record_id: str) -> dict[str, Any]:
        """One company by Sweo's id, as the API shows it."""
        return self.views([self.row(record_id)])[0]

    def find(self, *, company_id: str | None = None, name: str | None = None) -> dict[str, Any]:
        """One company by its ``company_id`` or by name.

        Raises:
            ApiError: 404.
        """
        column, value = ("company_id", company_id) if company_id is not None else ("name", name)
        row = self._database.row(
            f"SELECT * FROM company WHERE {column} = ? ORDER BY id LIMIT 1",  # noqa: S608
            [value],
        )
        if row is None:
            raise company_not_found()
        return self.views([row])[0]

    def upsert(self, body: dict[str, Any]) -> dict[str, Any]:
        """``POST /companies``: make the company of that ``company_id``, or update it."""
        values.refuse_unknown(body, _UPSERT_KEYS)
        company_id = values.identifier("company_id", body.get("company_id"))
        if company_id is None:
            raise missing("company_id not specified")
        columns = values.checked_columns(body, {**_CHECKS, "remote_created_at": values.timestamp})
        if columns.get("remote_created_at") is None:
            columns.pop("remote_created_at", None)
        now = self._workspace.clock.now_seconds()
        if values.flag("update_last_request_at", body.get("update_last_request_at")):
            columns["last_request_at"] = now
        with self._database.transaction():
            row = self._database.row("SELECT * FROM company WHERE company_id = ?", [company_id])
            if row is not None:
                self._write(row, columns, body)
                return self.get(row["id"])
            custom = self._workspace.attributes.merge_values(
                "company", {}, body.get("custom_attributes")
            )
            record_id = new_id(now)
            self._workspace.index.remember("company", record_id)
            self._database.insert(
                "company",
                {
                    "id": record_id,
                    "company_id": company_id,
                    "created_at": now,
                    "updated_at": now,
                    "remote_created_at": now,
                    "monthly_spend": 0,
                    **columns,
                    "custom_attributes": json.dumps(custom, ensure_ascii=False),
                },
            )
            self._tell("company.created", record_id)
        return self.get(record_id)

    def update(self, record_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """``PUT /companies/{id}``; ``company_id`` cannot be changed."""
        values.refuse_unknown(body, _UPDATE_KEYS)
        with self._database.transaction():
            self._write(self.row(record_id), values.checked_columns(body, _CHECKS), body)
        return self.get(record_id)

    def _write(self, row: sqlite3.Row, columns: dict[str, Any], body: dict[str, Any]) -> None:
        custom = self._workspace.attributes.merge_values(
            "company", json.loads(row["custom_attributes"]), body.get("custom_attributes")
        )
        self._workspace.index.remember("company", row["id"])
        self._database.update(
            "company",
            row["id"],
            {
                **columns,
                "custom_attributes": json.dumps(custom, ensure_ascii=False),
                "updated_at": self._workspace.clock.now_seconds(),
            },
        )
        self._tell("company.updated", row["id"])

    def _tell(self, topic: str, record_id: str) -> None:
        if self._workspace.webhooks.wants(topic):
            self._workspace.webhooks.notify(topic, self.get(record_id))

    def touch(self, record_id: str) -> None:
        """Move ``updated_at``: a membership, tag or note was written."""
        self._workspace.index.remember("company", record_id)
        self._database.update(
            "company", record_id, {"updated_at": self._workspace.clock.now_seconds()}
        )

    def delete(self, record_id: str) -> dict[str, Any]:
        """Archive it: contacts are detached and the record is gone from every answer."""
        with self._database.transaction():
            row = self.row(record_id)
            self._workspace.index.remember("company", record_id)
            self._database.execute("DELETE FROM membership WHERE company_id = ?", [record_id])
            self._database.execute(
                "DELETE FROM tagging WHERE model = 'company' AND object_id = ?", [record_id]
            )
            self._database.execute("DELETE FROM company WHERE id = ?", [record_id])
            self._workspace.webhooks.notify(
                "company.deleted",
                {"type": "company", "id": record_id, "company_id": row["company_id"]},
            )
        return {"id": record_id, "object": "company", "deleted": True}

    def page(
        self,
        *,
        page: int,
        per_page: int,
        descending: bool = True,
        where: str = "1",
        parameters: tuple[Any, ...] = (),
    ) -> dict[str, Any]:
        """One page of the list, by last request.

        Raises:
            ApiError: the page lies beyond the first 10,000 companies.
        """
        if page * per_page > LIST_CAP + per_page - 1:
            raise ApiError(400, "page_limit_reached", "page limit reached, please use scroll API")
        source = self._workspace.index.source("company")
        condition = f"{_HAS_CONTACT} AND {where}"
        total = self._database.number(
            f"SELECT COUNT(*) FROM {source} WHERE {condition}",  # noqa: S608
            parameters,
        )
        order = "DESC" if descending else "ASC"
        rows = self._database.rows(
            f"SELECT company.* FROM {source} WHERE {condition} "  # noqa: S608
            f"ORDER BY COALESCE(last_request_at, 0) {order}, id {order} LIMIT ? OFFSET ?",
            [*parameters, per_page, (page - 1) * per_page],
        )
        pages = -(-total // per_page)
        following = {"page": page + 1, "per_page": per_page} if page < pages else None
        return {
            "type": "list",
            "data": self.views(rows),
            "pages": {
                "type": "pages",
                "next": following,
                "page": page,
                "per_page": per_page,
                "total_pages": pages,
            },
            "total_count": total,
        }

    def scroll_page(self, after_id: str, size: int) -> list[dict[str, Any]]:
        """The next ``size`` listed companies behind an id, in order of id."""
        source = self._workspace.index.source("company")
        rows = self._database.rows(
            f"SELECT company.* FROM {source} WHERE id > ? AND {_HAS_CONTACT} "  # noqa: S608
            "ORDER BY id LIMIT ?",
            [after_id, size],
        )
        return self.views(rows)

    def views(self, rows: list[sqlite3.Row]) -> list[dict[str, Any]]:
        """Rows as the API shows them."""
        ids = [row["id"] for row in rows]
        counts = self._user_counts(ids)
        tags = self._workspace.tags.of("company", ids)
        segments = self._workspace.segments.of("company", ids)
        return [
            self._view(row, counts.get(row["id"], 0), tags[row["id"]], segments[row["id"]])
            for row in rows
        ]

    def _user_counts(self, ids: list[str]) -> dict[str, int]:
        marks = ", ".join("?" * len(ids))
        return {
            row[0]: row[1]
            for row in self._database.rows(
                f"SELECT company_id, COUNT(*) FROM membership WHERE company_id IN ({marks}) "  # noqa: S608
                "GROUP BY company_id",
                ids,
            )
        }

    def _view(
        self,
        row: sqlite3.Row,
        user_count: int,
        tags: list[dict[str, Any]],
        segments: list[dict[str, Any]],
    ) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "type": "company",
            "company_id": row["company_id"],
            "id": row["id"],
            "app_id": self._workspace.settings.workspace_id,
            "name": row["name"],
            "remote_created_at": row["remote_created_at"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
            "last_request_at": row["last_request_at"],
            "monthly_spend": row["monthly_spend"],
            "session_count": row["session_count"],
            "user_count": user_count,
            "size": row["size"],
            "website": row["website"],
            "industry": row["industry"],
            "tags": {"type": "tag.list", "tags": tags},
            "segments": {"type": "segment.list", "segments": segments},
            "plan": {},
            "custom_attributes": json.loads(row["custom_attributes"]),
        }
        if row["plan"] is not None:
            shown["plan"] = {"type": "plan", "id": _plan_id(row["plan"]), "name": row["plan"]}
        return {name: value for name, value in shown.items() if value is not None or name in _KEPT}


_HAS_CONTACT = "EXISTS (SELECT 1 FROM membership WHERE membership.company_id = company.id)"
# Keys that answers carry even when empty; the contract gives the others no null.
_KEPT = frozenset({"company_id", "name", "remote_created_at"})


def _plan_id(name: str) -> str:
    """A stable number for a plan's name."""
    return str(sum(ord(letter) * 31**place for place, letter in enumerate(name)) % 10**6)
