"""The Preview feed of contact activity: created, role updated, merged, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweo_sandbox.sweo.errors import invalid

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

_SHOWN = ("external_id", "role", "merge_source_id", "merge_target_id")


class Activities:
    """Oldest first, with a cursor."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def record(self, event_type: str, contact_id: str, **details: str | None) -> None:
        """Add one entry; call it inside the write's transaction."""
        self._database.insert(
            "activity",
            {
                "event_type": event_type,
                "contact_id": contact_id,
                "created_at": self._workspace.clock.now_seconds(),
                **details,
            },
        )

    def page(self, per_page: int, starting_after: str | None) -> dict[str, Any]:
        """One page; ``starting_after`` is the cursor of the page before."""
        after = 0
        if starting_after is not None:
            number = starting_after.rpartition(".")[2]
            try:
                after = int(number, 16)
            except ValueError:
                raise invalid("starting_after is not a valid cursor") from None
        rows = self._database.rows(
            "SELECT * FROM activity WHERE number > ? ORDER BY number LIMIT ?",
            [min(after, 2**62), per_page + 1],
        )
        entries = [
            {
                "type": "contact_activity",
                "id": f"{row['created_at'] * 1000}.{row['number']:06x}",
                "event_type": row["event_type"],
                "contact_id": row["contact_id"],
                **{name: row[name] for name in _SHOWN if row[name] is not None},
                "created_at": row["created_at"],
            }
            for row in rows[:per_page]
        ]
        pages: dict[str, Any] = {"type": "pages", "per_page": per_page}
        if len(rows) > per_page:
            pages["next"] = {"per_page": per_page, "starting_after": entries[-1]["id"]}
        return {"type": "list", "data": entries, "pages": pages}
