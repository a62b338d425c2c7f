"""Data attributes: the standard ones, the custom ones, and what values they take."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from sweo_sandbox.sweo.database import Database
from sweo_sandbox.sweo.errors import ApiError, invalid
from sweo_sandbox.sweo.standard_attributes import Model, standard_names

MAX_TEXT_LENGTH = 255
MAX_CUSTOM_ATTRIBUTES = 250
DATA_TYPES = ("string", "integer", "float", "boolean", "datetime", "date", "options")


@dataclass
class DataAttribute:
    """One custom attribute. ``data_type`` is as it was created (one of :data:`DATA_TYPES`)."""

    id: int
    model: Model
    name: str
    data_type: str
    options: list[str] = field(default_factory=list)
    description: str | None = None
    messenger_writable: bool = False
    archived: bool = False
    created_at: int = 0
    updated_at: int = 0

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> DataAttribute:
        """Read a table row."""
        return cls(
            id=row["id"],
            model=row["model"],
            name=row["name"],
            data_type=row["data_type"],
            options=json.loads(row["options"] or "[]"),
            description=row["description"],
            messenger_writable=bool(row["messenger_writable"]),
            archived=bool(row["archived"]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )

    @property
    def shown_type(self) -> str:
        """The type that answers name: dates are ``date``, lists are ``string`` with options."""
        return {"datetime": "date", "options": "string"}.get(self.data_type, self.data_type)

    def view(self, admin_id: str) -> dict[str, Any]:
        """The JSON of the API."""
        shown: dict[str, Any] = {
            "id": self.id,
            "type": "data_attribute",
            "name": self.name,
            "full_name": f"custom_attributes.{self.name}",
            "label": self.name,
            "data_type": self.shown_type,
            "api_writable": True,
            "ui_writable": False,
            "messenger_writable": self.messenger_writable,
            "custom": True,
            "archived": self.archived,
            "admin_id": admin_id,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "model": self.model,
        }
        if self.description is not None:
            shown["description"] = self.description
        if self.data_type == "options":
            shown["options"] = self.options
        return shown

    def check(self, value: Any) -> Any:
        """The value as it is kept.

        Raises:
            ApiError: the value is not of this attribute's type, too long, or no option.
        """
        if not _CHECKS[self.data_type](value):
            raise invalid(f"Custom attribute '{self.name}' must be of type {self.shown_type}")
        if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
            raise invalid(
                f"Custom attribute '{self.name}' is too long "
                f"(maximum is {MAX_TEXT_LENGTH} characters)"
            )
        if self.data_type == "options" and value not in self.options:
            raise invalid(f"Custom attribute '{self.name}' must be one of its options")
        if self.data_type in ("integer", "datetime", "date"):
            return int(value)
        return value


def is_whole(value: Any) -> bool:
    """A JSON integer (or 5.0) that fits 64 bits; booleans are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value == int(value) and abs(value) < 2**63


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < 2**63


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_CHECKS = {
    "string": _is_text,
    "options": _is_text,
    "integer": is_whole,
    "float": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "datetime": is_whole,
    "date": is_whole,
}


def check_model(model: Any) -> Model:
    """``contact`` or ``company``, or the API's refusal."""
    if model not in ("contact", "company"):
        raise invalid("The Data Attribute model field must be either contact or company")
    return model  # type: ignore[no-any-return]


class Attributes:
    """The workspace's custom attributes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(
        self, model: Model | None = None, *, include_archived: bool = False
    ) -> list[DataAttribute]:
        """Custom attributes in the order in which they were made."""
        return [
            attribute
            for row in self._database.rows("SELECT * FROM data_attribute ORDER BY id")
            if (attribute := DataAttribute.from_row(row))
            and (model is None or attribute.model == model)
            and (include_archived or not attribute.archived)
        ]

    def by_name(self, model: Model) -> dict[str, DataAttribute]:
        """The writable custom attributes of a model, by exact name."""
        return {attribute.name: attribute for attribute in self.all(model)}

    def create(self, body: dict[str, Any], now: int) -> DataAttribute:
        """Make one from the body of ``POST /data_attributes``.

        Raises:
            ApiError: bad or taken name, unknown type or model, too few options, or 250 exist.
        """
        model = check_model(body.get("model"))
        data_type = body.get("data_type")
        if data_type not in DATA_TYPES:
            raise invalid("Data Type isn't an option")
        name = body.get("name")
        if not isinstance(name, str) or not re.fullmatch(r"[\w\s\-$€£¥₹]{1,190}", name):
            raise invalid(
                "Your name for this attribute must only contain alphanumeric characters, "
                "currency symbols, and hyphens"
            )
        if data_type == "options":
            options = _options(body.get("options"))
        elif body.get("options"):
            raise invalid("Options can only be set on a list attribute")
        else:
            options = []
        if not isinstance(body.get("messenger_writable", False), bool):
            raise invalid("messenger_writable must be a boolean")
        self._refuse_taken(name, model)
        count = self._database.number("SELECT COUNT(*) FROM data_attribute WHERE archived = 0")
        if count >= MAX_CUSTOM_ATTRIBUTES:
            raise invalid(
                f"You have reached the limit of {MAX_CUSTOM_ATTRIBUTES} custom data attributes"
            )
        with self._database.transaction():
            number = self._database.insert(
                "data_attribute",
                {
                    "model": model,
                    "name": name,
                    "description": _description(body.get("description")),
                    "data_type": data_type,
                    "options": json.dumps(options),
                    "messenger_writable": int(body.get("messenger_writable") is True),
                    "created_at": now,
                    "updated_at": now,
                },
            )
        return self.get(number)

    def _refuse_taken(self, name: str, model: Model) -> None:
        if name in standard_names(model):
            raise invalid(
                f"You already have '{name}' in your {model} data. "
                f"To save this as new {_data_of(model)} data, use a different name."
            )
        taken = self._database.row("SELECT model FROM data_attribute WHERE name = ?", [name])
        if taken is not None:
            raise invalid(
                f"You already have '{name}' in your {_data_of(taken['model'])} data. "
                f"To save this as new {_data_of(model)} data, use a different name."
            )

    def get(self, number: int) -> DataAttribute:
        """The attribute with that id.

        Raises:
            ApiError: there is none (404).
        """
        row = self._database.row("SELECT * FROM data_attribute WHERE id = ?", [number])
        if row is None:
            raise ApiError(404, "field_not_found", "We couldn't find that data attribute to update")
        return DataAttribute.from_row(row)

    def update(self, number: int, body: dict[str, Any], now: int) -> DataAttribute:
        """Apply ``PUT /data_attributes/{id}``: options, description, archived; never the type."""
        attribute = self.get(number)
        changes: dict[str, Any] = {"updated_at": now}
        if "options" in body:
            if attribute.data_type not in ("options", "string"):
                raise invalid("Options can only be set on a list attribute")
            changes["options"] = json.dumps(_options(body["options"]))
        if "description" in body:
            changes["description"] = _description(body["description"])
        for switch in ("archived", "messenger_writable"):
            if switch in body:
                if not isinstance(body[switch], bool):
                    raise invalid(f"{switch} must be a boolean")
                changes[switch] = int(body[switch])
        with self._database.transaction():
            self._database.update("data_attribute", number, changes)
        return self.get(number)

    def merge_values(self, model: Model, present: dict[str, Any], changes: Any) -> dict[str, Any]:
        """Custom values after a write; ``null`` takes a value away.

        Raises:
            ApiError: an attribute does not exist or is archived, or a value does not fit.
        """
        if changes is None:
            return present
        if not isinstance(changes, dict):
            raise invalid("custom_attributes must be an object")
        known = self.by_name(model)
        merged = dict(present)
        for name, value in changes.items():
            attribute = known.get(name)
            if attribute is None:
                raise invalid(f"Custom attribute '{name}' does not exist")
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = attribute.check(value)
        return merged


def _description(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid("description must be a string", field="description")
    return value


def _data_of(model: Model) -> str:
    return "people" if model == "contact" else "company"


def _options(options: Any) -> list[str]:
    if not isinstance(options, list):
        raise invalid("Options isn't an array")
    values = [
        option["value"]
        for option in options
        if isinstance(option, dict) and isinstance(option.get("value"), str) and option["value"]
    ]
    if len(values) != len(options):
        raise invalid("Each option must be an object with a 'value'")
    if len(set(values)) < 2:
        raise invalid("The Data Attribute must have at least two options")
    return [*dict.fromkeys(values)]
