"""Every route of the API with what answers it, and whether the meter calls it read or write."""

from __future__ import annotations

from typing import Literal

from starlette.responses import JSONResponse

from sweo_sandbox.sweo import handlers, paging
from sweo_sandbox.sweo.handlers import Call, Handler

Access = Literal["read", "write"]
__all__ = ["PREVIEW_ROUTES", "ROUTES", "Access", "Call", "Handler"]

ROUTES: tuple[tuple[str, str, Handler, Access], ...] = (
    ("GET", "/me", lambda c: c.workspace.me(), "read"),
    ("POST", "/companies", lambda c: c.workspace.companies.upsert(c.body), "write"),
    ("GET", "/companies", handlers.retrieve_companies, "read"),
    ("POST", "/companies/list", handlers.list_companies, "read"),
    (
        "GET",
        "/companies/scroll",
        lambda c: c.workspace.scroll.page(c.query.get("scroll_param")),
        "read",
    ),
    ("GET", "/companies/{id}", lambda c: c.workspace.companies.get(c.path["id"]), "read"),
    (
        "PUT",
        "/companies/{id}",
        lambda c: c.workspace.companies.update(c.path["id"], c.body),
        "write",
    ),
    ("DELETE", "/companies/{id}", lambda c: c.workspace.companies.delete(c.path["id"]), "write"),
    (
        "GET",
        "/companies/{id}/contacts",
        lambda c: paging.cursor_page(
            c.workspace.memberships.contacts_of(c.path["id"]), c.query, 50
        ),
        "read",
    ),
    (
        "GET",
        "/companies/{id}/segments",
        lambda c: {
            "type": "list",
            "data": c.workspace.companies.get(c.path["id"])["segments"]["segments"],
        },
        "read",
    ),
    ("GET", "/companies/{id}/notes", lambda c: handlers.notes(c, "company"), "read"),
    (
        "POST",
        "/companies/{id}/notes",
        lambda c: c.workspace.notes.create("company", c.path["id"], c.body),
        "write",
    ),
    (
        "POST",
        "/contacts/{id}/companies",
        lambda c: c.workspace.memberships.attach(c.path["id"], c.body.get("id")),
        "write",
    ),
    ("GET", "/contacts/{id}/companies", handlers.contact_companies, "read"),
    (
        "DELETE",
        "/contacts/{id}/companies/{company_id}",
        lambda c: c.workspace.memberships.detach(c.path["id"], c.path["company_id"]),
        "write",
    ),
    ("GET", "/contacts/{id}/notes", lambda c: handlers.notes(c, "contact"), "read"),
    (
        "POST",
        "/contacts/{id}/notes",
        lambda c: c.workspace.notes.create("contact", c.path["id"], c.body),
        "write",
    ),
    (
        "GET",
        "/contacts/{id}/segments",
        lambda c: {
            "type": "list",
            "data": c.workspace.segments.of_contact(c.path["id"]),
        },
        "read",
    ),
    (
        "GET",
        "/contacts/{id}/tags",
        lambda c: {"type": "list", "data": c.workspace.tags.of_contact(c.path["id"])},
        "read",
    ),
    (
        "POST",
        "/contacts/{id}/tags",
        lambda c: c.workspace.tags.add("contact", c.path["id"], c.body.get("id")),
        "write",
    ),
    (
        "DELETE",
        "/contacts/{id}/tags/{tag_id}",
        lambda c: c.workspace.tags.remove("contact", c.path["id"], c.path["tag_id"]),
        "write",
    ),
    ("POST", "/contacts/search", handlers.search_contacts, "read"),
    (
        "POST",
        "/contacts/merge",
        lambda c: handlers.with_history(c, c.workspace.contacts.merge(c.body, c.version)),
        "write",
    ),
    (
        "GET",
        "/contacts/find_by_external_id/{external_id}",
        lambda c: handlers.with_history(
            c, c.workspace.contacts.find_by_external_id(c.path["external_id"])
        ),
        "read",
    ),
    ("GET", "/contacts", handlers.list_contacts, "read"),
    ("POST", "/contacts", lambda c: c.workspace.contacts.create(c.body), "write"),
    (
        "POST",
        "/contacts/{id}/archive",
        lambda c: c.workspace.contacts.set_archived(c.path["id"], archived=True),
        "write",
    ),
    (
        "POST",
        "/contacts/{id}/unarchive",
        lambda c: c.workspace.contacts.set_archived(c.path["id"], archived=False),
        "write",
    ),
    ("POST", "/contacts/{id}/block", lambda c: c.workspace.contacts.block(c.path["id"]), "write"),
    ("GET", "/contacts/{id}/merge_history", handlers.merge_history, "read"),
    ("GET", "/data_attributes", handlers.list_attributes, "read"),
    ("POST", "/data_attributes", handlers.create_attribute, "write"),
    ("PUT", "/data_attributes/{id}", handlers.update_attribute, "write"),
    ("POST", "/events", handlers.submit_event, "write"),
    ("GET", "/events", lambda c: c.workspace.events.page(c.query, c.base_url), "read"),
    (
        "POST",
        "/events/summaries",
        handlers.summarize_events,
        "write",
    ),
    (
        "GET",
        "/segments",
        lambda c: {
            "type": "segment.list",
            "segments": c.workspace.segments.all(with_count=handlers.counted(c)),
        },
        "read",
    ),
    (
        "GET",
        "/segments/{id}",
        lambda c: c.workspace.segments.get(c.path["id"], with_count=handlers.counted(c)),
        "read",
    ),
    ("GET", "/tags", lambda c: {"type": "list", "data": c.workspace.tags.all()}, "read"),
    ("POST", "/tags", lambda c: c.workspace.tags.write(c.body), "write"),
    ("GET", "/tags/{id}", lambda c: c.workspace.tags.get(c.path["id"]), "read"),
    ("DELETE", "/tags/{id}", handlers.delete_tag, "write"),
    (
        "GET",
        "/contacts/{id}",
        lambda c: handlers.with_history(c, c.workspace.contacts.get(c.path["id"])),
        "read",
    ),
    (
        "PUT",
        "/contacts/{id}",
        lambda c: handlers.with_history(c, c.workspace.contacts.update(c.path["id"], c.body)),
        "write",
    ),
    ("DELETE", "/contacts/{id}", lambda c: c.workspace.contacts.delete(c.path["id"]), "write"),
)

PREVIEW_ROUTES: tuple[tuple[str, str, Handler, Access], ...] = (
    (
        "POST",
        "/companies/search",
        lambda c: c.workspace.search("company", c.body, c.version, per_page=15),
        "read",
    ),
    ("POST", "/companies/bulk", handlers.bulk("company", "create"), "write"),
    ("PUT", "/companies/bulk", handlers.bulk("company", "update"), "write"),
    ("POST", "/companies/bulk/delete", handlers.bulk("company", "delete"), "write"),
    (
        "GET",
        "/companies/bulk/{id}",
        lambda c: c.workspace.bulk.get("company", c.path["id"]),
        "read",
    ),
    ("GET", "/contacts/activities", handlers.activities, "read"),
    ("POST", "/contacts/bulk", handlers.bulk("contact", "create"), "write"),
    ("PUT", "/contacts/bulk", handlers.bulk("contact", "update"), "write"),
    ("POST", "/contacts/bulk/delete", handlers.bulk("contact", "delete"), "write"),
    (
        "GET",
        "/contacts/bulk/{id}",
        lambda c: c.workspace.bulk.get("contact", c.path["id"]),
        "read",
    ),
    (
        "GET",
        "/secure_mode_secrets",
        lambda c: {"type": "list", "data": c.workspace.messenger.secrets()},
        "read",
    ),
    (
        "POST",
        "/secure_mode_secrets",
        lambda c: JSONResponse(c.workspace.messenger.create_secret(c.body), status_code=201),
        "write",
    ),
    ("DELETE", "/secure_mode_secrets/{id}", handlers.delete_secret, "write"),
)
