"""A contact as the API shows it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

_EXTRA = (
    "last_email_opened_at",
    "last_email_clicked_at",
    "browser",
    "browser_version",
    "browser_language",
    "os",
    "android_app_name",
    "android_app_version",
    "android_device",
    "android_os_version",
    "android_sdk_version",
    "android_last_seen_at",
    "ios_app_name",
    "ios_app_version",
    "ios_device",
    "ios_os_version",
    "ios_sdk_version",
    "ios_last_seen_at",
    "utm_campaign",
    "utm_content",
    "utm_medium",
    "utm_source",
    "utm_term",
    "referrer",
    "enabled_push_messaging",
)
_LOCATION = ("country", "region", "city", "country_code", "continent_code")
EMBEDDED = 10


def contact_view(
    row: sqlite3.Row,
    company_ids: list[str],
    tags: list[dict[str, Any]],
    note_ids: list[str],
    workspace_id: str,
) -> dict[str, Any]:
    """A contact as the API shows it, from its row and what hangs on it."""
    extra = json.loads(row["extra"])
    location = extra.get("location", {})
    address = f"/contacts/{row['id']}"
    email = row["email"]
    return {
        "type": "contact",
        "id": row["id"],
        "workspace_id": workspace_id,
        "external_id": row["external_id"],
        "role": row["role"],
        "email": email,
        "email_domain": email.rpartition("@")[2] if email else None,
        "phone": row["phone"],
        "name": row["name"],
        "avatar": row["avatar"] and {"type": "avatar", "image_url": row["avatar"]},
        "owner_id": row["owner_id"],
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": bool(row["has_hard_bounced"]),
        "marked_email_as_spam": bool(row["marked_email_as_spam"]),
        "unsubscribed_from_emails": bool(row["unsubscribed_from_emails"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "signed_up_at": row["signed_up_at"],
        "last_seen_at": row["last_seen_at"],
        "last_replied_at": row["last_replied_at"],
        "last_contacted_at": row["last_contacted_at"],
        "language_override": row["language_override"],
        "location": {"type": "location", **{k: location.get(k) for k in _LOCATION}},
        **{name: extra.get(name) for name in _EXTRA},
        "custom_attributes": json.loads(row["custom_attributes"]),
        "tags": _embedded(
            [{"id": t["id"], "type": "tag", "url": f"/tags/{t['id']}"} for t in tags],
            f"{address}/tags",
        ),
        "notes": _embedded(
            [{"id": n, "type": "note", "url": f"/notes/{n}"} for n in note_ids],
            f"{address}/notes",
        ),
        "companies": _embedded(
            [{"id": c, "type": "company", "url": f"/companies/{c}"} for c in company_ids],
            f"{address}/companies",
        ),
        "opted_out_subscription_types": _embedded([], f"{address}/subscriptions"),
        "opted_in_subscription_types": _embedded([], f"{address}/subscriptions"),
    }


def _embedded(items: list[dict[str, Any]], url: str) -> dict[str, Any]:
    """A list inside a contact: the first ten, and where the rest is."""
    return {
        "type": "list",
        "data": items[:EMBEDDED],
        "url": url,
        "total_count": len(items),
        "has_more": len(items) > EMBEDDED,
    }
