"""The workspace as a whole: one database, and a part for each kind of thing in it.

The parts answer with the JSON of the API and raise :class:`ApiError`; tests may call them
directly, as a person at the screen would change a record.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sweo_sandbox.clock import Clock
from sweo_sandbox.sweo import values
from sweo_sandbox.sweo.activities import Activities
from sweo_sandbox.sweo.attributes import Attributes
from sweo_sandbox.sweo.bulk import BulkJobs
from sweo_sandbox.sweo.companies import Companies
from sweo_sandbox.sweo.contacts import Contacts
from sweo_sandbox.sweo.database import Database
from sweo_sandbox.sweo.events import Events
from sweo_sandbox.sweo.history import Index
from sweo_sandbox.sweo.labels import Notes, Tags
from sweo_sandbox.sweo.memberships import Memberships
from sweo_sandbox.sweo.messenger import Messenger
from sweo_sandbox.sweo.scroll import Scroll
from sweo_sandbox.sweo.search import Condition, SearchCompiler
from sweo_sandbox.sweo.search_pages import cursor, parse_order, parse_paging
from sweo_sandbox.sweo.segments import Segments
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.sweo.standard_attributes import Model
from sweo_sandbox.sweo.versions import ApiVersion
from sweo_sandbox.sweo.webhooks import Webhooks

_SEARCH_KEYS = frozenset({"query", "pagination", "sort"})


class Workspace:
    """One Sweo workspace on an SQLite file (``path`` None: in memory)."""

    admin_id = "991267459"

    def __init__(self, settings: WorkspaceSettings, path: Path | None, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.database = Database(path)
        self.attributes = Attributes(self.database)
        self.index = Index(self.database, settings, clock)
        self.webhooks = Webhooks(self)
        self.activities = Activities(self)
        self.companies = Companies(self)
        self.contacts = Contacts(self)
        self.memberships = Memberships(self)
        self.tags = Tags(self)
        self.notes = Notes(self)
        self.segments = Segments(self)
        self.events = Events(self)
        self.scroll = Scroll(self)
        self.messenger = Messenger(self)
        self.bulk = BulkJobs(self)
        self._furnish()

    def _furnish(self) -> None:
        if not self.database.number("SELECT COUNT(*) FROM messenger_secret"):
            self.messenger.create_secret(
                {"name": "Sandbox", "supports_web": True}, secret=self.settings.jwt_secret
            )

    def admin(self) -> dict[str, Any]:
        """The teammate to whom the access token belongs."""
        return {
            "type": "admin",
            "id": self.admin_id,
            "name": "Sandbox Admin",
            "email": "admin@sandbox.example",
            "away_mode_enabled": False,
            "away_mode_reassign": False,
        }

    def me(self) -> dict[str, Any]:
        """``GET /me``."""
        settings = self.settings
        return {
            "type": "admin",
            "id": self.admin_id,
            "email": "admin@sandbox.example",
            "name": "Sandbox Admin",
            "email_verified": True,
            "app": {
                "type": "app",
                "id_code": settings.workspace_id,
                "name": settings.name,
                "created_at": 1_734_537_243,
                "secure": settings.enforce_identity,
                "identity_verification": settings.enforce_identity,
                "timezone": settings.timezone,
                "region": "US",
            },
            "avatar": {"type": "avatar", "image_url": None},
            "has_inbox_seat": True,
        }

    def search(
        self, model: Model, body: dict[str, Any], version: ApiVersion, *, per_page: int = 50
    ) -> dict[str, Any]:
        """``POST /contacts/search`` and ``/companies/search``.

        Raises:
            ApiError: the query, sort order, page size or cursor is wrong.
        """
        values.refuse_unknown(body, _SEARCH_KEYS)
        compiler = SearchCompiler(
            model,
            self.attributes,
            version,
            self.settings.timezone,
            self.segments.queries(model),
        )
        condition = compiler.compile(body.get("query"))
        return self._page(model, compiler, condition, body, per_page)

    def all_contacts(self, pagination: dict[str, Any], per_page: int = 50) -> dict[str, Any]:
        """``GET /contacts``: every active contact."""
        version = ApiVersion(preview=False, minor=16)
        compiler = SearchCompiler("contact", self.attributes, version, self.settings.timezone, {})
        everyone = Condition("1", [])
        return self._page("contact", compiler, everyone, {"pagination": pagination}, per_page)

    def _page(
        self,
        model: Model,
        compiler: SearchCompiler,
        condition: Condition,
        body: dict[str, Any],
        default_per_page: int,
    ) -> dict[str, Any]:
        paging = parse_paging(body.get("pagination"), default_per_page)
        sort_name, descending = parse_order(body.get("sort"))
        sort_field = compiler.field(sort_name or "created_at")
        # Rows that lack the sort field come as if it held the least value.
        order_by = sort_field.sql
        if order_by not in (f"{model}.created_at", f"{model}.updated_at", "contact.id"):
            order_by = f"COALESCE({order_by}, '')"
        listed = (
            "contact.state = 'active'"
            if model == "contact"
            else "EXISTS (SELECT 1 FROM membership WHERE membership.company_id = company.id)"
        )
        source = self.index.source(model)
        where, bound = f"{listed} AND {condition.sql}", [*condition.parameters]
        total = self.database.number(f"SELECT COUNT(*) FROM {source} WHERE {where}", bound)  # noqa: S608
        direction, comparison = ("DESC", "<") if descending else ("ASC", ">")
        if paging.after is not None:
            where += f" AND ({order_by}, {model}.id) {comparison} (?, ?)"
            bound += paging.after
        rows = self.database.rows(
            f"SELECT {model}.*, {order_by} AS sort_value FROM {source} WHERE {where} "  # noqa: S608
            f"ORDER BY {order_by} {direction}, {model}.id {direction} LIMIT ?",
            [*bound, paging.per_page + 1],
        )
        shown = rows[: paging.per_page]
        pages: dict[str, Any] = {
            "type": "pages",
            "page": paging.page,
            "per_page": paging.per_page,
            "total_pages": -(-total // paging.per_page),
        }
        if len(rows) > len(shown):
            last = shown[-1]
            pages["next"] = {
                "page": paging.page + 1,
                "per_page": paging.per_page,
                "starting_after": cursor(paging.page + 1, last["sort_value"], last["id"]),
            }
        records = self.contacts if model == "contact" else self.companies
        return {
            "type": "list",
            "data": records.views(shown),
            "total_count": total,
            "pages": pages,
        }

    def reset(self) -> None:
        """Empty the workspace."""
        with self.database.transaction():
            self.database.clear()
        self.scroll.close()
        self.webhooks.forget()
        self._furnish()

    def snapshot(self) -> sqlite3.Connection:
        """A copy of all data, for :meth:`restore`."""
        return self.database.snapshot()

    def restore(self, copy: sqlite3.Connection) -> None:
        """Go back to an earlier :meth:`snapshot`; an open scroll is closed."""
        self.database.restore(copy)
        self.scroll.close()
        self.webhooks.forget()

    def close(self) -> None:
        """Send no more notifications and close the database file."""
        self.webhooks.close()
        self.database.close()
