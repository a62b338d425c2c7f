"""The Preview bulk jobs: up to 100 items a request, done at once, reported without items."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from sweo_sandbox.sweo import values
from sweo_sandbox.sweo.errors import ApiError, bad_request
from sweo_sandbox.sweo.standard_attributes import Model

if TYPE_CHECKING:
    from sweo_sandbox.sweo.workspace import Workspace

Action = Literal["create", "update", "delete"]
MAX_ITEMS = 100
_PLURAL: dict[Model, str] = {"contact": "contacts", "company": "companies"}
_COMPANY_KEYS = ("name", "plan", "size", "website", "industry", "monthly_spend")
_CONTACT_KEYS = (
    "external_id",
    "email",
    "name",
    "phone",
    "avatar",
    "signed_up_at",
    "last_seen_at",
    "owner_id",
    "unsubscribed_from_emails",
    "language_override",
    "custom_attributes",
)


class BulkJobs:
    """Jobs take items until a minute after they were made.

    Fields of an item that an endpoint does not list are ignored, as the contract's prose says.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace.database

    def submit(self, model: Model, action: Action, body: dict[str, Any]) -> dict[str, Any]:
        """Carry out the items and show the job as it was when they were taken.

        Raises:
            ApiError: 422 for the shape, 404 or 403 for a job to append to.
        """
        values.refuse_unknown(body, frozenset({_PLURAL[model], "job"}))
        items = self._items(model, action, body)
        now = self._workspace.clock.now_seconds()
        job = self._job_to_append(model, body.get("job"), now)
        failed = 0
        for item in items:
            try:
                self._apply(model, action, item)
            except ApiError:
                failed += 1
        with self._database.transaction():
            count = self._database.number("SELECT COUNT(*) FROM bulk_job")
            tasks: list[dict[str, Any]] = json.loads(job["tasks"]) if job is not None else []
            task = {"id": f"task_v2_{count}_{len(tasks) + 1}", "item_count": len(items)}
            taken = {**task, "state": "pending", "created_at": now}
            done = {**taken, "state": "completed_with_errors" if failed else "completed"}
            tasks.append({**done, "started_at": now, "completed_at": now})
            job_id = job["id"] if job is not None else f"job_v2_{count + 1}"
            failed_before = job is not None and job["state"] == "completed_with_errors"
            state = "completed_with_errors" if failed or failed_before else "completed"
            self._database.execute(
                "INSERT INTO bulk_job VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "state = excluded.state, updated_at = excluded.updated_at, tasks = excluded.tasks",
                [job_id, model, state, now, now, json.dumps(tasks)],
            )
        shown = self.get(model, job_id)
        shown |= {"state": "running", "completed_at": None}
        shown["tasks"][-1] = {**taken, "started_at": None, "completed_at": None}
        return shown

    def get(self, model: Model, job_id: str) -> dict[str, Any]:
        """A job's state.

        Raises:
            ApiError: 404.
        """
        row = self._row(model, job_id)
        return {
            "id": row["id"],
            "type": f"{_PLURAL[model]}.bulk.job",
            "state": row["state"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
            "completed_at": row["updated_at"],
            "tasks": json.loads(row["tasks"]),
            "url": f"/{_PLURAL[model]}/bulk/{row['id']}",
        }

    def _row(self, model: Model, job_id: str) -> sqlite3.Row:
        row = self._database.row(
            "SELECT * FROM bulk_job WHERE id = ? AND model = ?", [job_id, model]
        )
        if row is None:
            raise ApiError(404, "job_not_found", f"job {job_id} not found")
        return row

    def _job_to_append(self, model: Model, job: Any, now: int) -> sqlite3.Row | None:
        if job is None:
            return None
        if not isinstance(job, dict):
            raise ApiError(422, "type_mismatch", "job must be an object")
        if job.get("id") is None:
            return None
        row = self._row(model, str(job["id"]))
        if now - row["created_at"] > 60:
            raise ApiError(403, "forbidden", f"job {row['id']} is closed for new task updates")
        return row

    def _items(self, model: Model, action: Action, body: dict[str, Any]) -> list[dict[str, Any]]:
        plural = _PLURAL[model]
        items = body.get(plural)
        if items is None:
            raise ApiError(422, "field_not_found", f"{plural} field must be supplied")
        if not isinstance(items, list):
            raise ApiError(422, "type_mismatch", f"{plural} must be an array")
        if not all(isinstance(item, dict) for item in items):
            raise ApiError(422, "type_mismatch", f"each {model} must be an object")
        if len(items) > MAX_ITEMS:
            raise ApiError(
                422, "parameter_invalid", f"maximum number of {plural} per request is {MAX_ITEMS}"
            )
        if action != "create" and not all(isinstance(item.get("id"), str) for item in items):
            raise ApiError(422, "field_not_found", f"{plural} must be identified by id")
        return items

    def _apply(self, model: Model, action: Action, item: dict[str, Any]) -> None:
        actions: dict[tuple[Model, Action], Callable[[dict[str, Any]], object]] = {
            ("company", "create"): self._workspace.companies.upsert,
            ("company", "update"): self._update_company,
            ("company", "delete"): lambda item: self._workspace.companies.delete(item["id"]),
            ("contact", "create"): self._create_contact,
            ("contact", "update"): self._update_contact,
            ("contact", "delete"): lambda item: self._workspace.contacts.delete(item["id"]),
        }
        with self._database.transaction():
            actions[model, action](item)

    def _update_company(self, item: dict[str, Any]) -> None:
        known = {k: item[k] for k in (*_COMPANY_KEYS, "custom_attributes") if k in item}
        self._workspace.companies.update(item["id"], known)

    def _create_contact(self, item: dict[str, Any]) -> None:
        known = {k: item[k] for k in (*_CONTACT_KEYS, "role") if k in item}
        record = self._workspace.contacts.create(known)
        self._relate(record["id"], item)

    def _update_contact(self, item: dict[str, Any]) -> None:
        known = {k: item[k] for k in _CONTACT_KEYS if k in item}
        self._workspace.contacts.update(item["id"], known)
        self._relate(item["id"], item)

    def _relate(self, contact_id: str, item: dict[str, Any]) -> None:
        """Attach and detach the companies and tags that an item names."""
        for company in _objects(item.get("companies"), "companies"):
            if values.flag("remove", company.get("remove")):
                found = self._workspace.companies.find(company_id=str(company["company_id"]))
                self._workspace.memberships.detach(contact_id, found["id"])
            else:
                keys = {k: company[k] for k in ("company_id", *_COMPANY_KEYS) if k in company}
                made = self._workspace.companies.upsert(keys)
                self._workspace.memberships.attach(contact_id, made["id"])
        tags = item.get("tags") or {}
        if not isinstance(tags, dict):
            raise bad_request("bad 'tags' parameter")
        known = {tag["id"] for tag in self._workspace.tags.all()}
        for verb, apply in (
            ("add", self._workspace.tags.add),
            ("remove", self._workspace.tags.remove),
        ):
            for tag in _objects(tags.get(verb), verb):
                if str(tag.get("id")) in known:
                    apply("contact", contact_id, str(tag["id"]))


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise bad_request(f"bad '{name}' parameter")
    return value
