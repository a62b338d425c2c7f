"""One stream's plan: made once from the tap's SCHEMA and the mapping, then used for each record."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Any, Final

import msgspec
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Field, Mapping, Side
from crosswalk.match import normalise
from crosswalk.values import Kind, Parse, Unparsable, kind_of, parser
from crosswalk.wire import KEYWORD, MATCH, PARENT, REFUSED, SOURCE, StreamNote

from mapper_sweo.composed import NOT_READ, Compose, composer

# What a target that knows nothing of the keyword x-sweo may check canonical values by.
_JSON_SCHEMA: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.BOOLEAN: {"type": ["boolean", "null"]},
    Kind.DATE: {"type": ["string", "null"], "format": "date"},
    Kind.TIMESTAMP: {"type": ["string", "null"], "format": "date-time"},
    Kind.OPTIONS: {"type": ["array", "null"], "items": {"type": "string"}},
    Kind.REFERENCE: {"type": ["string", "null"]},
    Kind.UNSUPPORTED: {"type": "null"},
}


class StreamPlan:
    """How the records of one stream become records for ``to``, field by field.

    ``schema`` is the outgoing JSON schema: properties are named after the destination's fields
    and say, under ``x-sweo``, the field's direction and the type of its source.

    Raises:
        FatalError: the SCHEMA is not one that a tap of this project writes for ``mapping``.
    """

    def __init__(self, mapping: Mapping, schema: MappingOf[str, Any], to: Side) -> None:
        types = source_types(mapping, schema)
        made = {field: composer(field, types) for field in mapping.flowing_to(to) if field.first_of}
        composed = {field: found for field, found in made.items() if found}
        kinds = {field: found[0] for field, found in composed.items()}
        kinds |= {
            field: types[field.on(to.other)]
            for field in mapping.flowing_to(to)
            if not field.first_of and field.on(to.other) in types
        }
        self.schema: dict[str, Any] = {
            "type": "object",
            "properties": _properties(mapping, kinds, to),
            KEYWORD: schema[KEYWORD],
        }
        self._fields: tuple[tuple[str, str, Parse], ...] = tuple(
            (field.on(to.other), field.on(to), parser(kind))
            for field, kind in kinds.items()
            if not field.first_of
        )
        self._composed: tuple[tuple[str, Compose], ...] = tuple(
            (field.on(to), compose) for field, (_, compose) in composed.items()
        )
        self._match = tuple(
            (place, match.on(to.other), match.normalise)
            for place, match in enumerate(mapping.match)
        )
        parent = mapping.parent if to is Side.SWEO else None
        self._lookup = parent.salesforce if parent else None
        self._parent_mapping = parent.mapping if parent else None

    def record(self, values: MappingOf[str, Any]) -> dict[str, Any]:
        """The outgoing record; ``values`` are raw, by the source's field names.

        What was not read is absent. A value that cannot be parsed is absent and named in
        ``_refused``. Never raises because of a value.
        """
        mapped: dict[str, Any] = {}
        refused: dict[str, str] | None = None
        get = values.get
        not_read = NOT_READ
        for source, destination, parse in self._fields:
            value = get(source, not_read)
            if value is None:
                mapped[destination] = None
            elif value is not not_read:
                try:
                    mapped[destination] = parse(value)
                except Unparsable as unparsable:
                    refused = refused or {}
                    refused[destination] = unparsable.reason
        if self._composed:
            refused = self._compose(values, mapped, refused)
        if refused is not None:
            mapped[REFUSED] = refused
        if self._lookup is not None:
            lookup = get(self._lookup, not_read)
            if lookup is not not_read:
                mapped[PARENT] = {"mapping": self._parent_mapping, "source_id": lookup or None}
        match: list[str | None] | None = None
        for place, name, how in self._match:
            value = get(name, not_read)
            if value is not not_read:
                match = match or [None] * len(self._match)
                match[place] = normalise(value, how)
        if match is not None:
            mapped[MATCH] = match
        source_note = get(SOURCE)
        if source_note is not None:
            mapped[SOURCE] = source_note
        return mapped

    def _compose(
        self,
        values: MappingOf[str, Any],
        mapped: dict[str, Any],
        refused: dict[str, str] | None,
    ) -> dict[str, str] | None:
        for destination, compose in self._composed:
            try:
                value = compose(values)
            except Unparsable as unparsable:
                refused = refused or {}
                refused[destination] = unparsable.reason
            else:
                if value is not NOT_READ:
                    mapped[destination] = value
        return refused


def stream_note(schema: MappingOf[str, Any]) -> StreamNote | None:
    """What the tap says of the stream; None for an ordinary Singer stream.

    Raises:
        FatalError: the keyword is there and malformed.
    """
    if KEYWORD not in schema:
        return None
    try:
        return msgspec.convert(schema[KEYWORD], StreamNote)
    except msgspec.ValidationError as error:
        raise FatalError(f"The keyword {KEYWORD} of a SCHEMA is malformed: {error}.") from None


def source_types(mapping: Mapping, schema: MappingOf[str, Any]) -> dict[str, FieldType]:
    """The types of the source's fields, as a tap's SCHEMA describes them.

    Raises:
        FatalError: a description is malformed.
    """
    types: dict[str, FieldType] = {}
    for name, described in schema.get("properties", {}).items():
        if isinstance(described, dict) and KEYWORD in described:
            try:
                types[name] = msgspec.convert(described[KEYWORD], FieldType)
            except msgspec.ValidationError as error:
                raise FatalError(
                    f"The SCHEMA of {mapping.name} describes the field {name} wrongly: {error}."
                ) from None
    return types


def _properties(
    mapping: Mapping, kinds: MappingOf[Field, FieldType], to: Side
) -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = {}
    for field in mapping.flowing_to(to):
        source = kinds.get(field)
        if source is not None:
            properties[field.on(to)] = {
                **_JSON_SCHEMA[kind_of(source)],
                KEYWORD: {
                    "direction": field.direction.value,
                    "source": msgspec.to_builtins(source),
                },
            }
    properties[REFUSED] = {"type": "object"}
    if mapping.parent and to is Side.SWEO:
        properties[PARENT] = {"type": "object"}
    properties[MATCH] = {"type": "array", "items": {"type": ["string", "null"]}}
    properties[SOURCE] = {"type": "object"}
    return properties
