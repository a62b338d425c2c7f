"""Fills the workspace with the Sweo half of a seed plan."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

from sweo_sandbox.seeding.plan import SeedPlan
from sweo_sandbox.seeding.pools import make_pools
from sweo_sandbox.seeding.records import (
    DAY_SECONDS,
    SeededAccount,
    SeededContact,
    contacts,
    placed_accounts,
)
from sweo_sandbox.sweo.workspace import Workspace

CHUNK_ROWS = 20_000
# Some of what the default field configs name; the others are for the sync to make.
_ATTRIBUTES: tuple[dict[str, Any], ...] = (
    {"model": "company", "name": "health_score", "data_type": "float"},
    {"model": "company", "name": "is_reference", "data_type": "boolean"},
    {"model": "company", "name": "csm_name", "data_type": "string"},
    {
        "model": "company",
        "name": "lifecycle_stage",
        "data_type": "options",
        "options": [{"value": "trial"}, {"value": "live"}, {"value": "churned"}],
    },
    {"model": "contact", "name": "product_role", "data_type": "string"},
    {"model": "contact", "name": "nps", "data_type": "integer"},
    {"model": "contact", "name": "last_login", "data_type": "datetime"},
    {"model": "contact", "name": "beta_tester", "data_type": "boolean"},
)
_TAGS = ("VIP", "Churn risk", "Design partner")
_EVENTS = ("invited-friend", "exported-report", "created-project")


class WorkspaceSeeder:
    """Writes rows in large transactions, past the API's checks."""

    def __init__(self, workspace: Workspace, plan: SeedPlan) -> None:
        self._workspace = workspace
        self._database = workspace.database
        self._plan = plan
        self._now = workspace.clock.now_seconds()
        # Ids repeat with the seed, as the values do.
        self._ids = random.Random(plan.random_seed * 2 + 7)  # noqa: S311
        self._company_ids: dict[int, str] = {}

    def run(self) -> dict[str, int]:
        """Insert what stands in Sweo; gives how many of each kind.

        Raises:
            ValueError: the workspace already holds companies or contacts.
        """
        for table in ("company", "contact", "data_attribute"):
            if self._database.row(f"SELECT 1 FROM {table} LIMIT 1"):  # noqa: S608
                raise ValueError("the Sweo workspace already holds data; reset it first")
        pools = make_pools(self._plan.random_seed)
        for body in _ATTRIBUTES:
            self._workspace.attributes.create(body, self._now)
        self._segments()
        companies = self._write(
            "company",
            (self._company(a) for a in placed_accounts(self._plan, pools) if a.in_sweo),
        )
        people = 0
        self._tags()
        batch: list[SeededContact] = []
        for person in contacts(self._plan, pools):
            if person.in_sweo:
                batch.append(person)
            if len(batch) == CHUNK_ROWS:
                people += self._people(batch)
                batch = []
        people += self._people(batch)
        return {"companies": companies, "contacts": people}

    def _id(self, age_seconds: int) -> str:
        return f"{self._now - age_seconds:08x}{self._ids.getrandbits(64):016x}"

    def _write(self, table: str, rows: Iterable[dict[str, Any]]) -> int:
        count, batch = 0, []
        for row in rows:
            batch.append(row)
            if len(batch) == CHUNK_ROWS:
                count += self._insert(table, batch)
                batch = []
        return count + self._insert(table, batch)

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> int:
        if not rows:
            return 0
        names = [*rows[0]]
        with self._database.transaction():
            self._database.connection.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608
                f"VALUES ({', '.join('?' * len(names))})",
                [[*row.values()] for row in rows],
            )
        return len(rows)

    def _company(self, account: SeededAccount) -> dict[str, Any]:
        record_id = self._id(account.age_seconds)
        self._company_ids[account.number] = record_id
        custom: dict[str, Any] = {"is_reference": account.is_reference}
        if account.sweo_health is not None:
            custom["health_score"] = account.sweo_health
        if account.number % 3 == 0:
            custom["lifecycle_stage"] = ("trial", "live", "churned")[account.number % 9 // 3]
        return {
            "id": record_id,
            "company_id": account.customer_number,
            "name": account.sweo_name,
            "plan": account.plan if account.number % 2 else None,
            "size": account.employees,
            "website": account.website if account.number % 4 else None,
            "industry": account.sweo_industry,
            "monthly_spend": account.monthly_spend,
            "remote_created_at": self._now - account.age_seconds,
            "created_at": self._now - account.age_seconds,
            "updated_at": self._now - account.changed_seconds,
            "last_request_at": self._now - account.changed_seconds,
            "session_count": account.number % 50,
            "custom_attributes": json.dumps(custom, ensure_ascii=False),
        }

    def _people(self, people: list[SeededContact]) -> int:
        rows, members, taggings, events = [], [], [], []
        for person in people:
            row = self._contact(person)
            rows.append(row)
            company_id = self._company_ids.get(person.account)
            if company_id is not None:
                members.append({"contact_id": row["id"], "company_id": company_id, "position": 0})
            if person.number % 20 == 4:
                taggings.append(
                    {
                        "tag_id": person.number // 20 % len(_TAGS) + 1,
                        "model": "contact",
                        "object_id": row["id"],
                        "applied_at": row["updated_at"],
                    }
                )
            if person.number % 5 == 0:
                events.append(
                    {
                        "contact_id": row["id"],
                        "name": _EVENTS[person.number // 5 % len(_EVENTS)],
                        "created_at": self._now - person.number % (80 * DAY_SECONDS),
                        "metadata": json.dumps({"source": "desktop"}),
                    }
                )
        for table, batch in (
            ("contact", rows),
            ("membership", members),
            ("tagging", taggings),
            ("event", events),
        ):
            self._insert(table, batch)
        return len(rows)

    def _contact(self, person: SeededContact) -> dict[str, Any]:
        custom: dict[str, Any] = {}
        if person.product_role is not None and person.number % 3:
            custom["product_role"] = person.product_role
        if person.nps is not None:
            custom["nps"] = person.nps
        seen = None
        if person.last_login_seconds is not None:
            seen = self._now - person.last_login_seconds
            custom["last_login"] = seen
        return {
            "id": self._id(person.age_seconds),
            "external_id": person.external_id,
            "role": "lead" if person.is_lead else "user",
            "email": person.sweo_email,
            "phone": person.sweo_phone,
            "name": f"{person.first_name} {person.last_name}",
            "created_at": self._now - person.age_seconds,
            "updated_at": self._now - person.changed_seconds,
            "signed_up_at": self._now - person.age_seconds,
            "last_seen_at": seen,
            "custom_attributes": json.dumps(custom, ensure_ascii=False),
            "extra": json.dumps({"browser": "firefox", "location": {"country": "Ireland"}}),
        }

    def _segments(self) -> None:
        add = self._workspace.segments.add
        add("Promoters", _filter("custom_attributes.nps", ">=", 9))
        add("Reachable by phone", _filter("phone", "!=", None))
        add("Leads", _filter("email", "!=", None), person_type="contact")
        add("Large spenders", _filter("monthly_spend", ">=", 10_000), model="company")

    def _tags(self) -> None:
        for name in _TAGS:
            self._workspace.tags.write({"name": name})


def _filter(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def seed_workspace(workspace: Workspace, plan: SeedPlan) -> dict[str, int]:
    """Insert the companies and contacts that stand in Sweo; gives how many of each."""
    return WorkspaceSeeder(workspace, plan).run()
