"""Handlers that take more than a line: from a parsed call to the answer's JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import JSONResponse, Response

from sweo_sandbox.sweo import paging
from sweo_sandbox.sweo.attributes import check_model
from sweo_sandbox.sweo.errors import ApiError, bad_request, invalid
from sweo_sandbox.sweo.standard_attributes import standard_views
from sweo_sandbox.sweo.versions import ApiVersion
from sweo_sandbox.sweo.workspace import Workspace


@dataclass
class Call:
    """One request, parsed."""

    workspace: Workspace
    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    version: ApiVersion
    base_url: str


Handler = Callable[[Call], Any]


def retrieve_companies(call: Call) -> Any:
    """``GET /companies``: one by key, or a list by tag or segment."""
    companies = call.workspace.companies
    query = call.query
    keys = [key for key in ("company_id", "name", "tag_id", "segment_id") if key in query]
    if len(keys) > 1:
        raise invalid(f"only one of {', '.join(keys)} can be given")
    if "company_id" in query:
        return companies.find(company_id=query["company_id"])
    if "name" in query:
        return companies.find(name=query["name"])
    page, per_page = paging.page_numbers(query, 15, 150)
    if "tag_id" in query:
        return companies.page(
            page=page,
            per_page=per_page,
            where="id IN (SELECT object_id FROM tagging WHERE model = 'company' AND tag_id = ?)",
            parameters=(query["tag_id"],),
        )
    if "segment_id" in query:
        condition = call.workspace.segments.condition_of(query["segment_id"], "company")
        return companies.page(
            page=page,
            per_page=per_page,
            where=condition.sql,
            parameters=tuple(condition.parameters),
        )
    return companies.page(page=page, per_page=per_page)


def list_companies(call: Call) -> Any:
    """``POST /companies/list``."""
    page, per_page = paging.page_numbers(call.query, 15, 60)
    order = call.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise bad_request("order must be asc or desc")
    return call.workspace.companies.page(page=page, per_page=per_page, descending=order == "desc")


def contact_companies(call: Call) -> Any:
    """``GET /contacts/{id}/companies``."""
    items = call.workspace.memberships.companies_of(call.path["id"])
    shown = paging.linked_page(
        items, call.query, call.base_url, f"/contacts/{call.path['id']}/companies"
    )
    # Clients disagree on the key: the contract's schema says companies, its example data.
    return {**shown, "companies": shown["data"]}


def list_attributes(call: Call) -> Any:
    """``GET /data_attributes``: standard ones first."""
    model = call.query.get("model")
    checked = check_model(model) if model is not None else None
    archived = paging.switch(call.query, "include_archived")
    data: list[dict[str, Any]] = []
    for each in ("contact", "company") if checked is None else (checked,):
        which = check_model(each)
        data += standard_views(which)
        data += [
            attribute.view(call.workspace.admin_id)
            for attribute in call.workspace.attributes.all(which, include_archived=archived)
        ]
    return {"type": "list", "data": data}


def create_attribute(call: Call) -> Any:
    """``POST /data_attributes``."""
    now = call.workspace.clock.now_seconds()
    return call.workspace.attributes.create(call.body, now).view(call.workspace.admin_id)


def update_attribute(call: Call) -> Any:
    """``PUT /data_attributes/{id}``."""
    number = call.path["id"]
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise ApiError(404, "field_not_found", "We couldn't find that data attribute to update")
    now = call.workspace.clock.now_seconds()
    return call.workspace.attributes.update(int(number), call.body, now).view(
        call.workspace.admin_id
    )


def with_history(call: Call, contact: dict[str, Any]) -> dict[str, Any]:
    """Add the merge history where the request asks for it and the contact is a user."""
    if paging.switch(call.query, "include_merge_history") and contact["role"] == "user":
        contact["merge_history"] = call.workspace.contacts.merge_history(contact["id"])
    return contact


def search_contacts(call: Call) -> Any:
    """``POST /contacts/search``."""
    paging.switch(call.query, "include_merge_history")
    found = call.workspace.search("contact", call.body, call.version)
    for contact in found["data"]:
        with_history(call, contact)
    return found


def list_contacts(call: Call) -> Any:
    """``GET /contacts``."""
    pagination: dict[str, Any] = {
        k: call.query[k] for k in ("per_page", "starting_after") if k in call.query
    }
    found = call.workspace.all_contacts(pagination)
    paging.switch(call.query, "include_merge_history")
    for contact in found["data"]:
        with_history(call, contact)
    return found


def merge_history(call: Call) -> Any:
    """``GET /contacts/{id}/merge_history``."""
    call.workspace.contacts.row(call.path["id"])
    items = call.workspace.contacts.merge_history(call.path["id"])
    order = call.query.get("order", "asc")
    if order not in ("asc", "desc"):
        raise invalid("order must be asc or desc", field="order")
    per_page = paging.bounded(call.query.get("per_page", "50"), "per_page", 150)
    cursor = call.query.get("cursor")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise invalid("cursor is not a valid cursor", field="cursor")
    start = int(cursor or 0)
    ordered = items[::-1] if order == "desc" else items
    has_more = start + per_page < len(items)
    return {
        "type": "list",
        "data": ordered[start : start + per_page],
        "next_cursor": str(start + per_page) if has_more else None,
        "has_more": has_more,
    }


def submit_event(call: Call) -> Any:
    """``POST /events``: accepted with an empty body."""
    call.workspace.events.submit(call.body)
    return Response(status_code=202)


def summarize_events(call: Call) -> Any:
    """``POST /events/summaries``."""
    call.workspace.events.summarize(call.body)
    return Response(status_code=200)


def activities(call: Call) -> Any:
    """``GET /contacts/activities``."""
    per_page = paging.bounded(call.query.get("per_page", "50"), "per_page", 150)
    return call.workspace.activities.page(per_page, call.query.get("starting_after"))


def delete_tag(call: Call) -> Any:
    """``DELETE /tags/{id}``."""
    call.workspace.tags.delete(call.path["id"])
    return Response(status_code=200)


def delete_secret(call: Call) -> Any:
    """``DELETE /secure_mode_secrets/{id}``."""
    call.workspace.messenger.delete_secret(call.path["id"])
    return Response(status_code=204)


def bulk(
    model: Literal["contact", "company"], action: Literal["create", "update", "delete"]
) -> Handler:
    """The handler of one kind of bulk job."""
    return lambda call: JSONResponse(
        call.workspace.bulk.submit(model, action, call.body), status_code=202
    )


def notes(call: Call, model: Literal["contact", "company"]) -> Any:
    """The notes of one record, newest first."""
    plural = "contacts" if model == "contact" else "companies"
    items = call.workspace.notes.of(model, call.path["id"])
    return paging.linked_page(
        items, call.query, call.base_url, f"/{plural}/{call.path['id']}/notes"
    )


def counted(call: Call) -> bool:
    """Whether the request asks for the number of members."""
    return paging.switch(call.query, "include_count")
