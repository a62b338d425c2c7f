"""Fields as describe tells them, and what a mapping's names mean on an object."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field as data_field
from typing import Any

import msgspec
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side


@dataclass(frozen=True, slots=True)
class Relationship:
    """A lookup: the name that dotted paths use, the field behind it, where it may lead."""

    name: str
    lookup: str
    targets: tuple[str, ...]

    @property
    def target(self) -> str:
        """The object whose fields a path reaches; of several the user, else the first."""
        return "User" if "User" in self.targets else self.targets[0]


@dataclass(frozen=True, slots=True)
class Description:
    """An object as the user's permissions show it; a hidden field is not there.

    ``fields`` and ``relationships`` are by lower-cased name, for Salesforce ignores case.
    ``encrypted`` are the names, in lower case too, of fields that are masked (Classic Encryption)
    or encrypted at rest (Shield): they are read, never written, and no query may filter by them.
    ``replicateable`` says that the org keeps a log of its deleted rows. ``label`` is what people
    call one record of the object. ``permissionable`` are the names, in lower case, of fields that a
    permission set can show; ``compounds`` the addresses that parts belong to, by part.
    """

    name: str
    fields: Mapping[str, FieldType]
    relationships: Mapping[str, Relationship]
    createable: bool = True
    updateable: bool = True
    encrypted: frozenset[str] = frozenset()
    replicateable: bool = False
    label: str = ""
    permissionable: frozenset[str] = frozenset()
    compounds: Mapping[str, str] = data_field(default_factory=dict)

    def field(self, name: str) -> FieldType | None:
        """The field of that name in any case."""
        return self.fields.get(name.lower())

    def relationship(self, name: str) -> Relationship | None:
        """The relationship of that name in any case."""
        return self.relationships.get(name.lower())

    def nearest(self, name: str) -> str | None:
        """The field whose name comes closest to a mistyped one."""
        close = difflib.get_close_matches(name.lower(), self.fields, n=1, cutoff=0.6)
        return self.fields[close[0]].name if close else None


def description_of(body: Mapping[str, Any]) -> Description:
    """Read the answer of ``sobjects/<object>/describe``."""
    fields = {}
    relationships = {}
    for entry in body["fields"]:
        fields[entry["name"].lower()] = field_type(entry)
        if entry.get("relationshipName") and entry.get("referenceTo"):
            relationships[entry["relationshipName"].lower()] = Relationship(
                entry["relationshipName"], entry["name"], tuple(entry["referenceTo"])
            )
    return Description(
        body["name"],
        fields,
        relationships,
        createable=bool(body.get("createable", True)),
        updateable=bool(body.get("updateable", True)),
        encrypted=frozenset(e["name"].lower() for e in body["fields"] if _is_encrypted(e)),
        replicateable=bool(body.get("replicateable", False)),
        label=str(body.get("label") or ""),
        permissionable=frozenset(
            e["name"].lower() for e in body["fields"] if e.get("permissionable")
        ),
        compounds={
            e["name"].lower(): e["compoundFieldName"]
            for e in body["fields"]
            if e.get("compoundFieldName") not in (None, "Name", e["name"])
        },
    )


def field_type(entry: Mapping[str, Any]) -> FieldType:
    """One field of a describe."""
    values = entry.get("picklistValues") or ()
    options = tuple(value["value"] for value in values if value.get("active", True))
    return FieldType(
        side=Side.SALESFORCE,
        name=entry["name"],
        type=entry["type"],
        # describe says 0 where a limit means nothing for the type
        length=entry.get("length") or None,
        precision=_digits(entry),
        scale=entry.get("scale") if _digits(entry) is not None else None,
        options=options or None,
        restricted=bool(entry.get("restrictedPicklist", False)),
        nillable=bool(entry.get("nillable", True)),
        writable=bool(entry.get("updateable", False)) and not _is_encrypted(entry),
        createable=bool(entry.get("createable", False)) and not _is_encrypted(entry),
        calculated=bool(entry.get("calculated", False)),
        custom=bool(entry.get("custom", False)),
        key=bool(entry.get("externalId", False) and entry.get("unique", False)),
    )


def _is_encrypted(entry: Mapping[str, Any]) -> bool:
    return entry["type"] == "encryptedstring" or bool(entry.get("encrypted", False))


def _digits(entry: Mapping[str, Any]) -> int | None:
    """The most digits of a number; other types use ``precision`` for things of their own."""
    if entry["type"] == "int":
        return int(entry.get("digits") or 0) or None
    if entry["type"] in ("double", "currency", "percent"):
        return int(entry.get("precision") or 0) or None
    return None


def related_objects(
    description: Description, names: Iterable[str], known: Mapping[str, Description]
) -> set[str]:
    """The objects, not yet ``known``, whose describes the dotted names still need."""
    wanted: set[str] = set()
    for name in names:
        at: Description | None = description
        for relationship in name.split(".")[:-1]:
            step = at.relationship(relationship) if at else None
            if step is None:
                break
            at = known.get(step.target)
            if at is None:
                wanted.add(step.target)
    return wanted


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field that was found: its type, under the name it was asked for, and where it stands.

    ``path`` leads through an answer in Salesforce's own spelling: ``("Owner", "Email")``.
    ``lookups`` are the fields and objects it passes: ``(("OwnerId", "User"),)``.
    """

    type: FieldType
    path: tuple[str, ...]
    lookups: tuple[tuple[str, str], ...] = ()


def resolve(
    name: str, description: Description, known: Mapping[str, Description]
) -> Resolved | str:
    """Find a field, related ones (``Account.Owner.Email``) too.

    A name that cannot be resolved comes back as what is wrong with it, nearest name included.
    """
    at = description
    *steps, last = name.split(".")
    path: list[str] = []
    lookups: list[tuple[str, str]] = []
    for step in steps:
        relationship = at.relationship(step)
        if relationship is None or relationship.target not in known:
            return f"{at.name} has no relationship {step} that this user may see"
        path.append(relationship.name)
        lookups.append((relationship.lookup, relationship.target))
        at = known[relationship.target]
    found = at.field(last)
    if found is None:
        nearest = at.nearest(last)
        hint = f"; did you mean {nearest}?" if nearest else ""
        return (
            f"{at.name} has no field {last}, or field-level security hides it from this user{hint}"
        )
    own = found
    if steps:
        own = msgspec.structs.replace(found, name=name, writable=False, createable=False, key=False)
    elif found.name != name:
        own = msgspec.structs.replace(found, name=name)
    return Resolved(own, (*path, found.name), tuple(lookups))
