"""One entry of ``mappings``, from plain YAML data to a ``Mapping``, with every mistake noted."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf

from crosswalk.declared import Node, NodeReader, is_api_name, line_of
from crosswalk.mapping import (
    Create,
    Direction,
    Field,
    Mapping,
    Match,
    Normalise,
    OnDelete,
    OnRematch,
    Parent,
    Policy,
    Side,
)
from crosswalk.naming import DEFAULT_PREFIX, is_prefix, salesforce_field_name
from crosswalk.problems import Problems, one_of

SWEO_OBJECTS = ("company", "contact", "user", "lead")
PEOPLE = ("contact", "user", "lead")

_MAPPING_KEYS = (
    "name",
    "salesforce",
    "sweo",
    "match",
    "fields",
    "create",
    "conflict",
    "first_meeting",
    "parent",
    "on_delete",
    "on_rematch",
    "enabled",
    "prefix",
)
_FIELD_KEYS = ("salesforce", "sweo", "direction", "create")
_MATCH_KEYS = ("salesforce", "sweo", "normalise")
_PARENT_KEYS = ("salesforce", "mapping")

_STREAM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class MappingReader(NodeReader):
    """Reads one entry of ``mappings``; ``read`` gives None where too much is wrong."""

    def __init__(self, node: object, line: int | None, number: int, problems: Problems) -> None:
        name = node.get("name") if isinstance(node, MappingOf) else None
        super().__init__(str(name) if name else f"number {number}", line, problems)
        self._node = node

    def read(self) -> Mapping | None:
        """The mapping, or None where its name, objects, match or fields cannot be told."""
        node = self._node
        if not isinstance(node, MappingOf):
            self._wrong("a mapping is a map of settings", None, self._line)
            return None
        self._known_keys(node, _MAPPING_KEYS)
        name = self._stream_name(node)
        salesforce = self._object_name(node)
        sweo = self._sweo_object(node)
        match = self._matches(node)
        prefix = self._prefix(node)
        fields = self._fields(node, sweo, prefix)
        parent = self._parent(node, sweo)
        create = self._create(node)
        conflict = self._choice(node, "conflict", Policy, Policy.SALESFORCE)
        first_meeting = self._choice(node, "first_meeting", Side, Side.SALESFORCE)
        on_delete = self._choice(node, "on_delete", OnDelete, OnDelete.UNLINK)
        on_rematch = self._choice(node, "on_rematch", OnRematch, OnRematch.KEEP)
        enabled = self._flag(node, "enabled", default=True)
        if not (name and salesforce and sweo and match and fields):
            return None
        return Mapping(
            name=name,
            salesforce=salesforce,
            sweo=sweo,
            match=match,
            fields=fields,
            create=create,
            conflict=conflict,
            first_meeting=first_meeting,
            parent=parent,
            on_delete=on_delete,
            on_rematch=on_rematch,
            enabled=enabled,
            line=self._line,
        )

    def _stream_name(self, node: Node) -> str | None:
        name = self._text(node, "name", "a name of letters, digits, - and _")
        if name and not _STREAM_NAME.fullmatch(name):
            self._wrong(
                f"{name} cannot be the name of a mapping",
                "it is made of letters, digits, - and _ and begins with a letter",
                line_of(node, "name"),
            )
            return None
        return name

    def _object_name(self, node: Node) -> str | None:
        name = self._text(node, "salesforce", "the API name of an object, such as Account")
        if name and not is_api_name(name):
            self._wrong(
                f"{name} is not the API name of a Salesforce object",
                "it is a name such as Account or Invoice__c",
                line_of(node, "salesforce"),
            )
            return None
        return name

    def _sweo_object(self, node: Node) -> str | None:
        name = self._text(node, "sweo", f"one of {', '.join(SWEO_OBJECTS)}")
        if name and name not in SWEO_OBJECTS:
            self._wrong(
                f"unknown Sweo object {name}", one_of(name, SWEO_OBJECTS), line_of(node, "sweo")
            )
            return None
        return name

    def _matches(self, node: Node) -> tuple[Match, ...]:
        declared = node.get("match")
        example = "such as {salesforce: Email, sweo: email}"
        entries = declared if isinstance(declared, list) else [declared]
        if declared is None or not entries:
            self._wrong("no match field", f"match is a pair of fields {example}", None)
            return ()
        found: list[Match] = []
        for index, entry in enumerate(entries):
            line = line_of(declared, index) if entries is declared else line_of(node, "match")
            if not isinstance(entry, MappingOf):
                self._wrong("match is not a pair of fields", f"it is a pair {example}", line)
                continue
            self._known_keys(entry, _MATCH_KEYS)
            salesforce = self._salesforce_field(entry, "a field of the object itself")
            sweo = self._sweo_field(entry)
            normalise = self._choice(entry, "normalise", Normalise, Normalise.EXACT)
            if salesforce and "." in salesforce:
                self._wrong(
                    f"the match field {salesforce} belongs to a related record",
                    "a match field is a field of the object itself",
                    line_of(entry, "salesforce") or line,
                )
            elif salesforce and sweo:
                match = Match(salesforce, sweo, normalise)
                if any(m.salesforce == match.salesforce and m.sweo == match.sweo for m in found):
                    self._wrong(f"the match {salesforce} and {sweo} stands twice", "keep one", line)
                found.append(match)
        return tuple(found)

    def _parent(self, node: Node, sweo: str | None) -> Parent | None:
        if "parent" not in node:
            return None
        declared, line = node["parent"], line_of(node, "parent")
        if not isinstance(declared, MappingOf):
            self._wrong(
                "parent is not a map",
                "it is such as {salesforce: AccountId, mapping: accounts}",
                line,
            )
            return None
        self._known_keys(declared, _PARENT_KEYS)
        lookup = self._salesforce_field(declared, "a lookup of the object, such as AccountId")
        mapping = self._text(declared, "mapping", "the name of a mapping of companies")
        if lookup and "." in lookup:
            self._wrong(
                f"the parent's lookup {lookup} belongs to a related record",
                "it is a lookup of the object itself, such as AccountId",
                line,
            )
            return None
        if sweo and sweo not in PEOPLE:
            self._wrong(
                f"a {sweo} has no parent in Sweo", "only contacts, users and leads have one", line
            )
            return None
        return Parent(lookup, mapping) if lookup and mapping else None

    def _create(self, node: Node) -> dict[Side, Create]:
        create = {Side.SALESFORCE: Create.NEVER, Side.SWEO: Create.NEVER}
        if "create" not in node:
            return create
        declared, line = node["create"], line_of(node, "create")
        sides = [side.value for side in Side]
        if isinstance(declared, list):
            for side in declared:
                if isinstance(side, str) and side in sides:
                    create[Side(str(side))] = Create.ALWAYS
                else:
                    self._wrong(f"unknown side {side} in create", one_of(side, sides), line)
        elif isinstance(declared, MappingOf):
            self._known_keys(declared, sides)
            for side in Side:
                create[side] = self._choice(declared, side.value, Create, Create.NEVER)
        else:
            self._wrong(
                "create is neither a list nor a map",
                "it is such as [sweo] or {sweo: always, salesforce: import}",
                line,
            )
        return create

    def _prefix(self, node: Node) -> str:
        if "prefix" not in node:
            return DEFAULT_PREFIX
        prefix = node["prefix"]
        if isinstance(prefix, str) and is_prefix(prefix):
            return str(prefix)
        self._wrong(
            "prefix cannot begin the name of a Salesforce field",
            "it is up to 15 letters and digits, a letter first, such as sweo",
            line_of(node, "prefix"),
        )
        return DEFAULT_PREFIX

    def _fields(self, node: Node, sweo_object: str | None, prefix: str) -> tuple[Field, ...]:
        declared = node.get("fields")
        if not isinstance(declared, list) or not declared:
            self._wrong(
                "no fields" if not declared else "fields is not a list",
                "fields is a list such as [{salesforce: Name, sweo: name}]",
                line_of(node, "fields"),
            )
            return ()
        found: list[Field] = []
        for index, entry in enumerate(declared):
            line = line_of(declared, index)
            if not isinstance(entry, MappingOf):
                self._wrong("a field is not a map", "it is {salesforce: Name, sweo: name}", line)
                continue
            self._field = _title(entry, index)
            field = self._read_field(entry, line, sweo_object, prefix)
            if field is not None:
                self._check_against(found, field)
                found.append(field)
            self._field = None
        return tuple(found)

    def _read_field(
        self, entry: Node, line: int | None, sweo_object: str | None, prefix: str
    ) -> Field | None:
        outer, self._line = self._line, line or self._line
        try:
            self._known_keys(entry, _FIELD_KEYS)
            sweo = self._sweo_field(entry)
            direction = self._choice(entry, "direction", Direction, Direction.TO_SWEO)
            salesforce: str | None = None
            if "salesforce" not in entry and direction.flows_to(Side.SALESFORCE):
                # A field is made for the attribute, and this is what it is called.
                if sweo and sweo_object:
                    salesforce = salesforce_field_name(sweo_object, sweo, prefix)
            else:
                salesforce = self._salesforce_field(
                    entry, "a field such as Industry, or of a related record such as Owner.Email"
                )
            create = self._flag(entry, "create", default=False)
        finally:
            self._line = outer
        if not (salesforce and sweo):
            return None
        field = Field(salesforce, sweo, direction, create, line)
        if field.is_related and direction.flows_to(Side.SALESFORCE):
            self._wrong(
                f"{salesforce} belongs to a related record and cannot be written from here",
                "its direction is to_sweo",
                line,
            )
        return field

    def _check_against(self, earlier: list[Field], field: Field) -> None:
        for other in earlier:
            same_salesforce = other.salesforce.lower() == field.salesforce.lower()
            same_sweo = other.sweo == field.sweo
            where = f" (line {other.line})" if other.line else ""
            if same_salesforce and same_sweo:
                both = other.direction is not field.direction
                self._wrong(
                    f"{field.salesforce} and {field.sweo} stand together twice{where}",
                    "write one line with direction: both" if both else "keep one line",
                    field.line,
                )
                continue
            for side, same in ((Side.SWEO, same_sweo), (Side.SALESFORCE, same_salesforce)):
                if same and field.direction.flows_to(side) and other.direction.flows_to(side):
                    self._wrong(
                        f"two fields flow into {field.on(side)} of {side.value.capitalize()}: "
                        f"{other.on(side.other)}{where} and {field.on(side.other)}",
                        "keep one of them",
                        field.line,
                    )


def _title(entry: Node, index: int) -> str:
    name = entry.get("salesforce") or entry.get("sweo")
    return str(name) if name else f"number {index + 1}"
