"""Fields that take the first value of several: plain ones, and addresses made of their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping as MappingOf
from typing import Any, Final

import msgspec
from crosswalk.addresses import composed, is_address, missing_parts, parts_of
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Field, Side
from crosswalk.values import Canonical, parser

NOT_READ: Final = object()
"""A value that cannot be told, because something that it rests on was not read."""

Compose = Callable[[MappingOf[str, Any]], Canonical | object]
"""From a record's raw values to the canonical one, or ``NOT_READ``; raises ``Unparsable``."""


def composer(field: Field, types: MappingOf[str, FieldType]) -> tuple[FieldType, Compose] | None:
    """What a ``first_of`` field is made by, and its type; None where nothing of it is read."""
    read = [types[name] for name in field.read_on(Side.SALESFORCE) if name in types]
    if not read:
        return None
    if is_address(field.first_of[0]):
        kind = FieldType(side=Side.SALESFORCE, name=field.salesforce, type="string")
        return kind, _address(field)
    kind = msgspec.structs.replace(read[0], name=field.salesforce)
    return kind, _first_value(field, types)


def _first_value(field: Field, types: MappingOf[str, FieldType]) -> Compose:
    sources = [(name, parser(types[name]) if name in types else None) for name in field.first_of]

    def compose(values: MappingOf[str, Any]) -> Canonical | object:
        for name, parse in sources:
            value = values.get(name, NOT_READ)
            if value is NOT_READ or parse is None:
                return NOT_READ
            if value not in (None, ""):
                return parse(value)
        return None

    return compose


def _address(field: Field) -> Compose:
    tell = missing_parts if field.missing_parts else composed
    addresses = [parts_of(name) for name in field.first_of]

    def compose(values: MappingOf[str, Any]) -> Canonical | object:
        chosen: list[str | None] = []
        for names in addresses:
            parts = [values.get(name, NOT_READ) for name in names]
            if any(part is NOT_READ for part in parts):
                return NOT_READ
            chosen = [part or None for part in parts]
            if any(chosen):
                break
        return tell(chosen)

    return compose
