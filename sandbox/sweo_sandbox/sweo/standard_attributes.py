"""The attributes that every workspace has."""

from __future__ import annotations

from typing import Any, Literal

Model = Literal["contact", "company"]

# name, full_name, label, data_type, api_writable; from the contract's example list.
_COMPANY_STANDARD = (
    ("name", "name", "Company name", "string", True),
    ("company_id", "company_id", "Company ID", "string", False),
    ("last_request_at", "last_request_at", "Company last seen", "date", False),
    ("remote_created_at", "remote_created_at", "Company created at", "date", True),
    ("user_count", "user_count", "People", "integer", False),
    ("session_count", "session_count", "Company web sessions", "integer", False),
    ("name", "plan.name", "Plan", "string", False),
    ("monthly_spend", "monthly_spend", "Monthly Spend", "float", True),
    ("size", "size", "Company size", "integer", True),
    ("industry", "industry", "Company industry", "string", True),
    ("website", "website", "Company website", "string", True),
    ("id", "id", "ID", "string", False),
    ("created_at", "created_at", "Created at", "date", False),
    ("updated_at", "updated_at", "Updated at", "date", False),
    ("id", "plan.id", "Plan ID", "string", False),
    ("app_id", "app_id", "App ID", "string", False),
)
_CONTACT_STANDARD = (
    ("id", "id", "ID", "string", False),
    ("external_id", "external_id", "User ID", "string", True),
    ("role", "role", "Role", "string", True),
    ("email", "email", "Email", "string", True),
    ("phone", "phone", "Phone", "string", True),
    ("name", "name", "Name", "string", True),
    ("avatar", "avatar", "Avatar", "string", True),
    ("owner_id", "owner_id", "Owner", "integer", True),
    ("has_hard_bounced", "has_hard_bounced", "Hard bounced", "boolean", False),
    ("marked_email_as_spam", "marked_email_as_spam", "Marked email as spam", "boolean", False),
    (
        "unsubscribed_from_emails",
        "unsubscribed_from_emails",
        "Unsubscribed from emails",
        "boolean",
        True,
    ),
    ("created_at", "created_at", "First seen", "date", False),
    ("updated_at", "updated_at", "Last updated", "date", False),
    ("signed_up_at", "signed_up_at", "Signed up", "date", True),
    ("last_seen_at", "last_seen_at", "Last seen", "date", True),
    ("last_replied_at", "last_replied_at", "Last heard from", "date", False),
    ("last_contacted_at", "last_contacted_at", "Last contacted", "date", False),
    ("language_override", "language_override", "Language override", "string", False),
    ("browser", "browser", "Browser", "string", False),
    ("os", "os", "OS", "string", False),
    ("country", "location.country", "Country", "string", False),
    ("region", "location.region", "Region", "string", False),
    ("city", "location.city", "City", "string", False),
)
_STANDARD: dict[Model, tuple[tuple[str, str, str, str, bool], ...]] = {
    "company": _COMPANY_STANDARD,
    "contact": _CONTACT_STANDARD,
}


def standard_views(model: Model) -> list[dict[str, Any]]:
    """The standard attributes as ``GET /data_attributes`` lists them."""
    return [
        {
            "type": "data_attribute",
            "name": name,
            "full_name": full_name,
            "label": label,
            "data_type": data_type,
            "api_writable": api_writable,
            "ui_writable": False,
            "messenger_writable": True,
            "custom": False,
            "archived": False,
            "model": model,
        }
        for name, full_name, label, data_type, api_writable in _STANDARD[model]
    ]


def standard_names(model: Model) -> frozenset[str]:
    """Names that no custom attribute of the model may take."""
    return frozenset(name for name, full_name, *_ in _STANDARD[model] if name == full_name)
