"""The fields of companies and contacts: standard attributes, custom attributes, their types.

Types are named as ``GET /data_attributes`` names them. A ``date`` attribute holds Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Mapping as Declared, Side

COMPANY: Final = "company"
CONTACT: Final = "contact"
STRING_LENGTH: Final = 255
"""A string value may not be longer than this, in characters."""
ATTRIBUTE_LIMIT: Final = 250
"""So many custom attributes one workspace may have."""

Record = Mapping[str, Any]


def _field(
    name: str, data_type: str, writable: bool = False, createable: bool | None = None, **more: Any
) -> FieldType:
    return FieldType(
        side=Side.SWEO,
        name=name,
        type=data_type,
        length=STRING_LENGTH if data_type == "string" else None,
        writable=writable,
        createable=writable if createable is None else createable,
        **more,
    )


_COMPANY: Final = (
    _field("id", "string"),
    # Named at creation, never changed afterwards.
    _field("company_id", "string", createable=True, key=True),
    _field("name", "string", writable=True),
    _field("plan", "string", writable=True),
    _field("size", "integer", writable=True),
    _field("website", "string", writable=True),
    _field("industry", "string", writable=True),
    # Whole numbers only: the API cuts the fraction off, whatever its type says.
    _field("monthly_spend", "integer", writable=True),
    _field("remote_created_at", "date", createable=True),
    _field("app_id", "string"),
    _field("created_at", "date"),
    _field("updated_at", "date"),
    _field("last_request_at", "date"),
    _field("session_count", "integer"),
    _field("user_count", "integer"),
)

_CONTACT_READ_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "string": (
        *("id", "workspace_id", "email_domain", "language_override"),
        *("browser", "browser_version", "browser_language", "os"),
        *("android_app_name", "android_app_version", "android_device", "android_os_version"),
        *("android_sdk_version", "ios_app_name", "ios_app_version", "ios_device"),
        *("ios_os_version", "ios_sdk_version"),
        *("location.country", "location.region", "location.city"),
    ),
    "date": (
        *("created_at", "updated_at", "last_replied_at", "last_contacted_at"),
        *("last_email_opened_at", "last_email_clicked_at"),
        *("android_last_seen_at", "ios_last_seen_at"),
    ),
    "boolean": ("has_hard_bounced", "marked_email_as_spam"),
}

_CONTACT: Final = (
    _field("email", "string", writable=True),
    _field("name", "string", writable=True),
    _field("phone", "string", writable=True),
    _field("external_id", "string", writable=True, key=True),
    _field("role", "options", writable=True, options=("user", "lead"), restricted=True),
    _field("owner_id", "string", writable=True),
    _field("unsubscribed_from_emails", "boolean", writable=True),
    _field("signed_up_at", "date", writable=True),
    _field("last_seen_at", "date", writable=True),
    *(_field(name, kind) for kind, names in _CONTACT_READ_ONLY.items() for name in names),
)

STANDARD: Final[Mapping[str, Mapping[str, FieldType]]] = {
    COMPANY: {f.name: f for f in _COMPANY},
    CONTACT: {f.name: f for f in _CONTACT},
}
"""Standard attributes by model and name; the descriptions of the API list them."""


OBJECTS: Final[Mapping[str, str]] = {
    "company": COMPANY,
    "companies": COMPANY,
    "contact": CONTACT,
    "contacts": CONTACT,
    "user": CONTACT,
    "users": CONTACT,
    "lead": CONTACT,
    "leads": CONTACT,
}
"""The model of every object that a mapping or a stream may name."""


def model_of(sweo_object: str) -> str:
    """The model that a mapping's object belongs to: users and leads are contacts.

    Raises:
        FatalError: There is no such object.
    """
    if sweo_object not in OBJECTS:
        raise FatalError(
            f"Sweo has no object `{sweo_object}`: it has company, contact, user and lead."
        )
    return OBJECTS[sweo_object]


def role_of(sweo_object: str) -> str | None:
    """The role that a mapping's object is limited to, ``user`` or ``lead``, if it is."""
    role = sweo_object.removesuffix("s")
    return role if role in ("user", "lead") else None


def custom_field(attribute: Mapping[str, Any]) -> FieldType:
    """The type of one custom attribute as ``GET /data_attributes`` gives it."""
    options = tuple(
        str(o.get("value") if isinstance(o, Mapping) else o) for o in attribute.get("options") or ()
    )
    data_type = str(attribute.get("data_type") or "string")
    if options:
        # A list attribute is shown as a string that has options.
        data_type = "options"
    writable = bool(attribute.get("api_writable", True))
    return FieldType(
        side=Side.SWEO,
        name=str(attribute["name"]),
        type=data_type,
        length=STRING_LENGTH if data_type == "string" else None,
        options=options or None,
        restricted=bool(options),
        writable=writable,
        createable=writable,
        custom=True,
    )


def field_types(model: str, attributes: Iterable[Mapping[str, Any]]) -> dict[str, FieldType]:
    """Every field of ``model`` by name: standard ones, then custom ones that are in use.

    A custom attribute with the name of a standard one is left out: the name means the standard.
    """
    custom = {
        str(a["name"]): custom_field(a)
        for a in attributes
        if a.get("model") == model and a.get("custom") and not a.get("archived")
    }
    return {**custom, **STANDARD[model]}


def missing_attributes(mapping: Declared, known: Mapping[str, FieldType]) -> tuple[str, ...]:
    """The attributes that writing a mapping's records would make; what is implied is not made."""
    flowing = mapping.flowing_to(Side.SWEO)
    names = (field.sweo for field in flowing if not field.implied and field.sweo not in known)
    return tuple(dict.fromkeys(names))


def reader(model: str, field: FieldType) -> Callable[[Record], object]:
    """A function that takes the field's raw value out of a record.

    An attribute that a record does not list has no value: the API leaves empty ones out.
    """
    name = field.name
    if field.custom:
        return lambda record: (record.get("custom_attributes") or {}).get(name)
    if model == COMPANY and name == "plan":
        return _plan
    if "." in name:
        outer, inner = name.split(".", 1)
        return lambda record: (record.get(outer) or {}).get(inner)
    return lambda record: record.get(name)


def _plan(record: Record) -> object:
    # Written as a string, answered as {"type": "plan", "id", "name"}, {} where there is none.
    plan = record.get("plan")
    return plan.get("name") if isinstance(plan, Mapping) else plan


def companies_of(contact: Record) -> tuple[str, ...]:
    """Ids of the companies that a contact shows itself: its first ten."""
    shown = contact.get("companies") or {}
    # The API's own descriptions disagree on the name of the list.
    rows = shown.get("data") or shown.get("companies") or []
    return tuple(str(row["id"]) for row in rows if row.get("id"))


def body_of(values: Mapping[str, object], types: Mapping[str, FieldType]) -> dict[str, Any]:
    """The JSON body that sets these values: standard ones on top, the others inside."""
    body: dict[str, Any] = {n: v for n, v in values.items() if not types[n].custom}
    custom = {n: v for n, v in values.items() if types[n].custom}
    if custom:
        body["custom_attributes"] = custom
    return body
