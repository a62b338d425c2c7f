"""Segments: groups of contacts or companies, computed from filters."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo.attributes import check_model
from sweo_sandbox.sweo.errors import ApiError, invalid
from sweo_sandbox.sweo.ids import new_id
from sweo_sandbox.sweo.search import Condition, SearchCompiler
from sweo_sandbox.sweo.standard_attributes import Model
from sweo_sandbox.sweo.versions import ApiVersion

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

_EXACT = ApiVersion(preview=True, minor=999)


class Segments:
    """The workspace's segments; the API only reads them, the control desk makes them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def add(
        self, name: str, query: dict[str, Any], *, model: Any = "contact", person_type: str = "user"
    ) -> str:
        """Make a segment and give its id; ``query`` is in the search language, times exact.

        Raises:
            ApiError: the query is wrong, or refers to another segment.
        """
        if person_type not in ("user", "contact"):
            raise invalid("person_type must be user or contact")
        checked = check_model(model)
        if "segment_id" in json.dumps(query):
            raise invalid("a segment cannot be made of segments")
        self._compiler(checked).compile(query)
        now = self._workspace.clock.now_seconds()
        segment_id = new_id(now)
        with self._database.transaction():
            self._database.insert(
                "segment",
                {
                    "id": segment_id,
                    "name": name,
                    "model": checked,
                    "person_type": person_type,
                    "query": json.dumps(query),
                    "created_at": now,
                    "updated_at": now,
                },
            )
        return segment_id

    def all(self, *, with_count: bool = False) -> list[dict[str, Any]]:
        """Every segment, with the number of members if asked for."""
        return [self._shown(row, with_count) for row in self._rows()]

    def get(self, segment_id: str, *, with_count: bool = False) -> dict[str, Any]:
        """One segment, or 404."""
        for row in self._rows():
            if row["id"] == segment_id:
                return self._shown(row, with_count)
        raise ApiError(404, "not_found", "Resource Not Found")

    def _rows(self, model: Model | None = None) -> list[sqlite3.Row]:
        rows = self._database.rows("SELECT * FROM segment ORDER BY id")
        return [row for row in rows if model is None or row["model"] == model]

    def _shown(self, row: sqlite3.Row, with_count: bool) -> dict[str, Any]:
        shown = _view(row)
        if with_count:
            condition = self.condition(row)
            shown["count"] = self._database.number(
                f"SELECT COUNT(*) FROM {row['model']} WHERE {condition.sql}",  # noqa: S608
                condition.parameters,
            )
        return shown

    def queries(self, model: Model) -> dict[str, Any]:
        """Stored queries by segment id, for ``segment_id`` filters."""
        return {row["id"]: self._whole_query(row) for row in self._rows(model)}

    def _whole_query(self, row: sqlite3.Row) -> dict[str, Any]:
        query: dict[str, Any] = json.loads(row["query"])
        if row["model"] == "company":
            return query
        role = "user" if row["person_type"] == "user" else "lead"
        return {
            "operator": "AND",
            "value": [query, {"field": "role", "operator": "=", "value": role}],
        }

    def condition(self, row: sqlite3.Row) -> Condition:
        """Who belongs to a segment, as SQL on the model's table."""
        compiled = self._compiler(row["model"]).compile(self._whole_query(row), -1)
        if row["model"] == "contact":
            compiled.sql = f"({compiled.sql} AND contact.state = 'active')"
        return compiled

    def condition_of(self, segment_id: str, model: Model) -> Condition:
        """Who belongs to the segment with that id, or 404."""
        for row in self._rows(model):
            if row["id"] == segment_id:
                return self.condition(row)
        raise ApiError(404, "not_found", "Resource Not Found")

    def of_contact(self, contact_id: str) -> list[dict[str, Any]]:
        """The segments of one contact."""
        self._workspace.contacts.row(contact_id)
        return self.of("contact", [contact_id])[contact_id]

    def of(self, model: Model, ids: list[str]) -> dict[str, list[dict[str, Any]]]:
        """Segments by record id."""
        found: dict[str, list[dict[str, Any]]] = {record_id: [] for record_id in ids}
        marks = ", ".join("?" * len(ids))
        for row in self._rows(model):
            condition = self.condition(row)
            for member in self._database.rows(
                f"SELECT id FROM {model} WHERE id IN ({marks}) AND {condition.sql}",  # noqa: S608
                [*ids, *condition.parameters],
            ):
                found[member["id"]].append(_view(row))
        return found

    def _compiler(self, model: Model) -> SearchCompiler:
        return SearchCompiler(
            model, self._workspace.attributes, _EXACT, self._workspace.settings.timezone, {}
        )


def _view(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "type": "segment",
        "id": row["id"],
        "name": row["name"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "person_type": row["person_type"],
    }
