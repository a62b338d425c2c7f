"""The canonical form: one JSON value for each kind of value, whatever side it came from.

| kind | canonical |
|---|---|
| text | ``str``, never empty |
| number | ``int`` where it is whole and within 2**53, else ``float`` |
| boolean | ``bool`` |
| date | ``YYYY-MM-DD`` |
| timestamp | ``YYYY-MM-DDTHH:MM:SSZ``: UTC, whole seconds |
| options | sorted ``list[str]`` without repeats, never empty |
| reference | a Salesforce id of 18 characters |

Empty is ``None`` for every kind.
"""

from __future__ import annotations

from enum import Enum

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side

Canonical = str | int | float | bool | list[str] | None
"""A value as the ledger and the merge know it."""
Raw = str | int | float | bool | None
"""A value as an API takes or gives it in JSON."""


class Kind(str, Enum):
    """What a value is, apart from where it is kept."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    OPTIONS = "options"
    REFERENCE = "reference"
    UNSUPPORTED = "unsupported"
    """Compounds, files and types that this version does not know."""


SALESFORCE_KINDS: dict[str, Kind] = {
    "string": Kind.TEXT,
    "textarea": Kind.TEXT,
    "email": Kind.TEXT,
    "phone": Kind.TEXT,
    "url": Kind.TEXT,
    "picklist": Kind.TEXT,
    "combobox": Kind.TEXT,
    "encryptedstring": Kind.TEXT,
    "time": Kind.TEXT,
    "multipicklist": Kind.OPTIONS,
    "boolean": Kind.BOOLEAN,
    "int": Kind.NUMBER,
    "long": Kind.NUMBER,
    "double": Kind.NUMBER,
    "currency": Kind.NUMBER,
    "percent": Kind.NUMBER,
    "date": Kind.DATE,
    "datetime": Kind.TIMESTAMP,
    "id": Kind.REFERENCE,
    "reference": Kind.REFERENCE,
    "address": Kind.UNSUPPORTED,
    "location": Kind.UNSUPPORTED,
    "base64": Kind.UNSUPPORTED,
    "anyType": Kind.UNSUPPORTED,
    "complexvalue": Kind.UNSUPPORTED,
    "json": Kind.UNSUPPORTED,
    "datacategorygroupreference": Kind.UNSUPPORTED,
}
"""Every field type that a Salesforce describe gives."""

SWEO_KINDS: dict[str, Kind] = {
    "string": Kind.TEXT,
    "options": Kind.TEXT,
    "integer": Kind.NUMBER,
    "float": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    # A Sweo date is a number of seconds on the wire, so it holds a time of day as well.
    "date": Kind.TIMESTAMP,
    "datetime": Kind.TIMESTAMP,
}
"""Every ``data_type`` of a Sweo attribute."""


def kind_of(field: FieldType) -> Kind:
    """The kind of a field's values; ``UNSUPPORTED`` for types that cannot be carried."""
    kinds = SALESFORCE_KINDS if field.side is Side.SALESFORCE else SWEO_KINDS
    return kinds.get(field.type, Kind.UNSUPPORTED)
