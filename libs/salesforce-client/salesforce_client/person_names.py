"""A person's name, which Salesforce shows in one field and takes in two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from crosswalk.fieldtype import FieldType
from crosswalk.values import Raw

from salesforce_client.fields import Description

NAME: Final = "Name"
_PEOPLE: Final = frozenset({"Contact", "Lead"})


def is_person(sobject: str) -> bool:
    """Whether the object's ``Name`` is made of FirstName and LastName."""
    return sobject in _PEOPLE


def writable_name(description: Description, found: FieldType) -> FieldType:
    """The type of a person's ``Name`` as this target writes it: through its two parts."""
    first, last = description.field("FirstName"), description.field("LastName")
    if not (is_person(description.name) and found.name == NAME and first and last):
        return found
    return msgspec.structs.replace(
        found,
        writable=first.writable and last.writable,
        createable=first.createable and last.createable,
        nillable=False,
    )


def split_name(sobject: str, values: Mapping[str, Raw]) -> dict[str, Raw]:
    """``Name`` of a person as FirstName and LastName, split at its last space."""
    split = dict(values)
    if not is_person(sobject) or NAME not in split:
        return split
    first, _, last = str(split.pop(NAME) or "").strip().rpartition(" ")
    split["FirstName"] = first.strip() or None
    split["LastName"] = last or None
    return split
