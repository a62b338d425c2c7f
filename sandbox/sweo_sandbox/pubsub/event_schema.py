"""The Avro schema of an object's change events, and the bitmaps that name its fields.

The shape is the vendor's: namespace ``com.sforce.eventbus``, ``ChangeEventHeader`` first, then
every field as a union with null; parts of an address or a person's name are nested records.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..salesforce.schema import SObjectField, SObjectType
from .journal import is_sent

HEADER = "ChangeEventHeader"
_NAMESPACE = "com.sforce.eventbus"
_CHANGE_TYPES = [
    "CREATE",
    "UPDATE",
    "DELETE",
    "UNDELETE",
    "GAP_CREATE",
    "GAP_UPDATE",
    "GAP_DELETE",
    "GAP_UNDELETE",
    "GAP_OVERFLOW",
]
_STRINGS = {"type": "array", "items": "string"}
_HEADER_TYPE = {
    "type": "record",
    "name": HEADER,
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": _STRINGS},
        {
            "name": "changeType",
            "type": {"type": "enum", "name": "ChangeType", "symbols": _CHANGE_TYPES},
        },
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": _STRINGS},
        {"name": "diffFields", "type": _STRINGS},
        {"name": "changedFields", "type": _STRINGS},
    ],
}
_ADDRESS = (
    ("Street", "string"),
    ("City", "string"),
    ("State", "string"),
    ("PostalCode", "string"),
    ("Country", "string"),
    ("StateCode", "string"),
    ("CountryCode", "string"),
    ("Latitude", "double"),
    ("Longitude", "double"),
    ("Xyz", "string"),
    ("GeocodeAccuracy", "string"),
)
_PERSON_NAME = (
    ("Salutation", "string"),
    ("FirstName", "string"),
    ("LastName", "string"),
    ("MiddleName", "string"),
    ("InformalName", "string"),
    ("Suffix", "string"),
)
_AVRO_TYPES = {
    "boolean": "boolean",
    "int": "int",
    "double": "double",
    "currency": "double",
    "percent": "double",
    # Milliseconds since 1970 UTC, a date as its midnight, a time since midnight.
    "date": "long",
    "datetime": "long",
    "time": "long",
}
_DOC_TYPES = {
    "boolean": "Data:Boolean",
    "combobox": "Data:DynamicEnum",
    "currency": "Data:Currency",
    "date": "Data:DateOnly",
    "datetime": "Data:DateTime",
    "double": "Data:Double",
    "email": "Data:Email",
    "int": "Data:Integer",
    "multipicklist": "Data:MultiEnum",
    "percent": "Data:Percent",
    "phone": "Data:Phone",
    "picklist": "Data:DynamicEnum",
    "reference": "ForeignKey:EntityId",
    "textarea": "Data:MultiLineText",
    "time": "Data:TimeOnly",
    "url": "Data:Url",
}
_DOC_NAMES = {
    "CreatedById": "CreatedBy:EntityId",
    "CreatedDate": "CreatedDate:DateTime",
    "LastModifiedById": "LastModifiedBy:EntityId",
    "LastModifiedDate": "LastModifiedDate:DateTime",
}


@dataclass(frozen=True, slots=True)
class EventField:
    """One field of the event. ``parts`` maps nested names to columns; empty for a plain field."""

    name: str
    type: str
    parts: dict[str, str]


@dataclass(frozen=True, slots=True)
class EventSchema:
    """``text`` is the schema as GetSchema answers it, ``id`` its fingerprint."""

    id: str
    text: str
    fields: list[EventField]
    nested: dict[str, tuple[tuple[str, str], ...]]

    def bitmaps(self, columns: Iterable[str]) -> list[str]:
        """The columns as the header names them: ``0x…``, then ``<position>-0x…`` per compound.

        Bit n, from the least significant one, stands for the field at position n of the schema.
        """
        wanted = set(columns)
        plain = 0
        nested: list[str] = []
        for position, field in enumerate(self.fields, start=1):
            if not field.parts:
                plain |= (field.name in wanted) << position
                continue
            names = [name for name, _ in self.nested[field.name]]
            bits = sum(
                1 << names.index(part) for part, column in field.parts.items() if column in wanted
            )
            if bits:
                nested.append(f"{position}-{_hex(bits)}")
        return [_hex(plain), *nested] if plain else nested


def _hex(bits: int) -> str:
    width = (bits.bit_length() + 7) // 8 * 2
    return f"0x{bits:0{width}X}"


def event_name(sobject: SObjectType) -> str:
    """``AccountChangeEvent``; ``Project__ChangeEvent`` for the custom object ``Project__c``."""
    if sobject.custom and sobject.name.endswith("__c"):
        return f"{sobject.name.removesuffix('__c')}__ChangeEvent"
    return f"{sobject.name}ChangeEvent"


def event_schema(sobject: SObjectType) -> EventSchema:
    """The schema of an object's events as its fields are now."""
    parts = {
        part for field in sobject.fields.values() for part in _columns_of(field, sobject).values()
    }
    fields: list[EventField] = []
    nested: dict[str, tuple[tuple[str, str], ...]] = {}
    avro: list[dict[str, Any]] = [{"name": HEADER, "type": _HEADER_TYPE}]
    defined: set[str] = set()
    for field in sobject.fields.values():
        if not is_sent(field) or field.name in parts:
            continue
        columns = _columns_of(field, sobject)
        if columns:
            nested[field.name] = _ADDRESS if field.type == "address" else _PERSON_NAME
        fields.append(EventField(field.name, field.type, columns))
        avro.append(
            {
                "name": field.name,
                "type": _union(field, sobject, nested.get(field.name), defined),
                "doc": _doc(field, sobject),
                "default": None,
            }
        )
    text = json.dumps(
        {
            "type": "record",
            "name": event_name(sobject),
            "namespace": _NAMESPACE,
            "fields": avro,
        },
        separators=(",", ":"),
    )
    digest = hashlib.sha256(text.encode()).digest()[:16]
    return EventSchema(base64.urlsafe_b64encode(digest).decode().rstrip("="), text, fields, nested)


def _columns_of(field: SObjectField, sobject: SObjectType) -> dict[str, str]:
    """Nested name to column; a person's name has the salutation too."""
    if field.type == "address":
        prefix = field.name.removesuffix("Address")
        return {column.removeprefix(prefix): column for column in field.compound_parts}
    columns = {column: column for column in field.compound_parts}
    for optional in ("Salutation", "MiddleName", "Suffix"):
        if columns and sobject.field_named(optional):
            columns[optional] = optional
    return columns


def _union(
    field: SObjectField,
    sobject: SObjectType,
    parts: tuple[tuple[str, str], ...] | None,
    defined: set[str],
) -> list[Any]:
    if parts is None:
        plain = ["null", _AVRO_TYPES.get(field.type, "string")]
        if sobject.name == "Account" and field.name == "Name":
            # A person account sends its name in parts; every org's schema provides for it.
            return [*plain, _record("Switchable_PersonName", _PERSON_NAME)]
        return plain
    name = "Address" if field.type == "address" else "PersonName"
    if name in defined:
        return ["null", name]
    defined.add(name)
    return ["null", _record(name, parts)]


def _record(name: str, parts: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [
            {"name": part, "type": ["null", avro_type], "default": None}
            for part, avro_type in parts
        ],
    }


def _doc(field: SObjectField, sobject: SObjectType) -> str:
    if field.name in _DOC_NAMES:
        return _DOC_NAMES[field.name]
    if field.type == "address":
        return "Data:Address"
    if field.name == "Name" and (field.compound_parts or sobject.name == "Account"):
        return "Data:PersonName" if field.compound_parts else "Data:Switchable_PersonName"
    return _DOC_TYPES.get(field.type, "Data:Text")
