"""The least that the integration user must be allowed, by object and field.

Salesforce lets no permission set speak of a field that everybody may see (ids, names, required
fields), and knows an address's parts by the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from crosswalk.mapping import EVENT_KEY_FIELD, Mapping, OnDelete, Side
from salesforce_client.fields import Description
from salesforce_client.person_names import NAME, is_person

from sweo_sync.sides import TASK, Org

_UNGOVERNED = frozenset({"User", "Group", "Profile", "RecordType", "Organization", "UserRole"})
_UNDER_ACCOUNT = frozenset({"Contact", "Opportunity", "Case"})
"""Reading these takes reading accounts."""
TASK_FIELDS = ("WhoId", "WhatId", "Subject", "Status", "ActivityDate", "Description")
"""What an event's Task is made of."""
_WORD = re.compile(r"'(?:\\.|[^'\\])*'|[A-Za-z]\w*(?:\.\w+)*")


@dataclass(slots=True)
class ObjectRight:
    """What may be done with an object's records; all of them are read, whoever owns them."""

    edit: bool = False
    create: bool = False
    delete: bool = False


@dataclass(slots=True)
class Rights:
    """``objects`` by name; ``fields`` (``Account.Industry``) with whether they are edited.

    ``edit_tasks`` is the user permission Edit Tasks: no permission set speaks of the object.
    """

    objects: dict[str, ObjectRight] = field(default_factory=dict)
    fields: dict[str, bool] = field(default_factory=dict)
    edit_tasks: bool = False

    def field(self, sobject: str, name: str, *, edit: bool) -> None:
        """Add a field, or the right to edit one that is there."""
        full_name = f"{sobject}.{name}"
        self.fields[full_name] = self.fields.get(full_name, False) or edit


def rights_of(mappings: Sequence[Mapping], org: Org) -> Rights:
    """The rights that both pipelines need in the primary org; objects that ``org`` does not show
    are left out.
    """
    rights = Rights()
    for mapping in mappings:
        description = org.description(mapping)
        if description is not None and mapping.org is None:
            _Adder(mapping, description, org, rights).add()
            if mapping.events:
                _add_tasks(org, rights)
    return rights


def _add_tasks(org: Org, rights: Rights) -> None:
    """Tasks are governed by the user permission Edit Tasks, and their fields like any other."""
    rights.edit_tasks = True
    task = org.described.get(TASK)
    for name in (*TASK_FIELDS, EVENT_KEY_FIELD):
        if task is not None and name.lower() in task.permissionable:
            rights.field(TASK, name, edit=True)


class _Adder:
    def __init__(
        self, mapping: Mapping, description: Description, org: Org, rights: Rights
    ) -> None:
        self.mapping = mapping
        self.description = description
        self.org = org
        self.rights = rights

    def add(self) -> None:
        mapping = self.mapping
        written, makes = mapping.flowing_to(Side.SALESFORCE), mapping.makes(Side.SALESFORCE)
        right = self._object(self.description.name)
        right.edit |= bool(written)
        right.create |= makes
        right.delete |= mapping.on_delete is OnDelete.ARCHIVE
        if self.description.name in _UNDER_ACCOUNT:
            self._object("Account")
        for name in (*mapping.read_from(Side.SALESFORCE), *self._filtered()):
            self._read(name)
        for field_ in written:
            self._edit(field_.salesforce)
        if makes:
            keys = [match.salesforce for match in mapping.match]
            parent = [mapping.parent.salesforce] if mapping.parent else []
            for name in (*keys, *parent, *mapping.constants):
                self._edit(name)

    def _object(self, name: str) -> ObjectRight:
        if name in _UNGOVERNED:
            return ObjectRight()
        return self.rights.objects.setdefault(name, ObjectRight())

    def _filtered(self) -> Iterator[str]:
        """The fields that a filter names."""
        for word in _WORD.findall(self.mapping.only.salesforce or ""):
            if not word.startswith("'") and (
                "." in word or self.description.field(word) is not None
            ):
                yield word

    def _read(self, name: str) -> None:
        at = self.description
        *steps, last = name.split(".")
        for step in steps:
            relationship = at.relationship(step)
            related = self.org.described.get(relationship.target) if relationship else None
            if relationship is None or related is None:
                return
            self._grant(at, relationship.lookup, edit=False)
            self._object(related.name)
            at = related
        self._grant(at, last, edit=False)

    def _edit(self, name: str) -> None:
        parts = [name]
        if is_person(self.description.name) and name.lower() == NAME.lower():
            parts = ["FirstName", "LastName"]
        for part in parts:
            self._grant(self.description, part, edit=True)

    def _grant(self, on: Description, name: str, *, edit: bool) -> None:
        found = on.field(name)
        if found is None or on.name in _UNGOVERNED:
            return
        own = on.compounds.get(found.name.lower(), found.name)
        if own.lower() in on.permissionable:
            self.rights.field(on.name, own, edit=edit and (found.writable or found.createable))
