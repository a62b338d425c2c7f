"""One entry of ``mappings``, from plain YAML data to a ``Mapping``, with every mistake noted."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf

from crosswalk.declaration.fields import FieldsReader
from crosswalk.declaration.implied import default_fields, first_key
from crosswalk.declaration.nodes import Node, is_api_name, line_of
from crosswalk.declaration.options import OptionsReader
from crosswalk.mapping import (
    Direction,
    Field,
    FirstLink,
    Mapping,
    OnDelete,
    OnRematch,
    Policy,
    Side,
)
from crosswalk.problems import Problems, one_of

SWEO_OBJECTS = ("company", "contact", "user", "lead")

_KEYS = (
    "name",
    "salesforce",
    "sweo",
    "match",
    "fields",
    "defaults",
    "create",
    "set",
    "conflict",
    "first_meeting",
    "first_link",
    "parent",
    "only",
    "enforce",
    "becomes",
    "events",
    "events_on_account",
    "events_per_day",
    "on_delete",
    "on_rematch",
    "org",
    "enabled",
    "prefix",
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class MappingReader(OptionsReader):
    """Reads one entry of ``mappings``; ``read`` gives None where too much is wrong."""

    def __init__(self, node: object, line: int | None, number: int, problems: Problems) -> None:
        name = node.get("name") if isinstance(node, MappingOf) else None
        super().__init__(str(name) if name else f"number {number}", line, problems)
        self._node = node

    def read(self) -> Mapping | None:
        """The mapping, or None where its name, objects, match or fields cannot be told."""
        node = self._node
        if not isinstance(node, MappingOf):
            self.wrong("a mapping is a map of settings", None, self.line)
            return None
        self.known_keys(node, _KEYS)
        name = self._plain_name(node, "name", "a name of letters, digits, - and _")
        salesforce = self._object_name(node)
        sweo = self._sweo_object(node)
        match = self.matches(node)
        fields = self._fields(node, salesforce, sweo)
        create = self.create(node)
        org = self._plain_name(node, "org", "the name of an org") if "org" in node else None
        mapping = Mapping(
            name=name or "",
            salesforce=salesforce or "",
            sweo=sweo or "",
            match=match,
            fields=(*fields, *first_key(match, fields, only_read=org is not None)),
            create=create,
            conflict=self.choice(node, "conflict", Policy, Policy.SALESFORCE),
            first_meeting=self.choice(node, "first_meeting", Side, Side.SALESFORCE),
            first_link=self.choice(node, "first_link", FirstLink, FirstLink.MERGE),
            parent=self.parent(node, sweo),
            on_delete=self.choice(node, "on_delete", OnDelete, OnDelete.UNLINK),
            on_rematch=self.choice(node, "on_rematch", OnRematch, OnRematch.KEEP),
            only=self.only(node),
            constants=self.constants(node, create),
            becomes=self._becomes(node, salesforce),
            events=self.events(node, salesforce, sweo),
            org=org,
            enabled=self.flag(node, "enabled", default=True),
            line=self.line,
        )
        if not (name and salesforce and sweo and match and fields):
            return None
        self._check_org(mapping)
        return mapping

    def _plain_name(self, node: Node, key: str, what: str) -> str | None:
        name = self.text(node, key, what)
        if name and not _NAME.fullmatch(name):
            thing = "a mapping" if key == "name" else "an org"
            self.wrong(
                f"{name} cannot be the name of {thing}",
                "it is made of letters, digits, - and _ and begins with a letter",
                line_of(node, key),
            )
            return None
        return name

    def _object_name(self, node: Node) -> str | None:
        name = self.text(node, "salesforce", "the API name of an object, such as Account")
        if name and not is_api_name(name):
            self.wrong(
                f"{name} is not the API name of a Salesforce object",
                "it is a name such as Account or Invoice__c",
                line_of(node, "salesforce"),
            )
            return None
        return name

    def _sweo_object(self, node: Node) -> str | None:
        name = self.text(node, "sweo", f"one of {', '.join(SWEO_OBJECTS)}")
        if name and name not in SWEO_OBJECTS:
            self.wrong(
                f"unknown Sweo object {name}", one_of(name, SWEO_OBJECTS), line_of(node, "sweo")
            )
            return None
        return name

    def _fields(self, node: Node, salesforce: str | None, sweo: str | None) -> list[Field]:
        reader = FieldsReader(
            self.name,
            self.line,
            self.problems,
            sweo_object=sweo,
            prefix=self.prefix(node),
            enforce=self.flag(node, "enforce", default=False),
        )
        before = len(self.problems.mistakes)
        fields = reader.read(node)
        if self.flag(node, "defaults", default=True) and salesforce and sweo:
            fields += default_fields(salesforce, sweo, fields)
        if not fields and len(self.problems.mistakes) == before:
            self.wrong(
                "no fields",
                "fields is a list such as [{salesforce: Name, sweo: name}]",
                line_of(node, "fields"),
            )
        return fields

    def _becomes(self, node: Node, salesforce: str | None) -> str | None:
        if "becomes" not in node:
            return None
        name = self.text(node, "becomes", "the mapping of the contacts that leads become")
        if salesforce and salesforce.lower() != "lead":
            self.wrong(
                f"a {salesforce} is never converted",
                "only a Lead becomes another record",
                line_of(node, "becomes"),
            )
            return None
        return name

    def _check_org(self, mapping: Mapping) -> None:
        """Product edits are written to the primary org; others are only read."""
        if mapping.org is None:
            return
        for field in mapping.fields:
            if field.direction.flows_to(Side.SALESFORCE):
                self.wrong(
                    f"{field.sweo} flows to the org {mapping.org}, which is only read",
                    f"its direction is {Direction.TO_SWEO.value}",
                    field.line,
                )
        for what, is_there in (
            ("create: salesforce", mapping.makes(Side.SALESFORCE)),
            ("events", mapping.events is not None),
        ):
            if is_there:
                self.wrong(
                    f"{what} writes to the org {mapping.org}, which is only read",
                    "leave it out, or map the primary org",
                    self.line,
                )
