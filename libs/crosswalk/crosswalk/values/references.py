"""Salesforce record ids: 15 characters in which case counts, or 18 in which it does not."""

from __future__ import annotations

import re
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.values.kinds import Canonical
from crosswalk.values.outcome import Parse, Refused, Render, Rendered, Unparsable

_ID_15: Final = re.compile(r"[A-Za-z0-9]{15}", re.ASCII)
_ID_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def id_18(text: str) -> str:
    """The 18-character form of a record id of 15 or 18 characters.

    Raises:
        ValueError: it is no record id.
    """
    if len(text) == 18 and text.isalnum() and text.isascii() and text[15:] == text[15:].upper():
        return text
    if not _ID_15.fullmatch(text):
        raise ValueError("not a record id")
    checks = []
    for start in (0, 5, 10):
        bits = sum(1 << place for place in range(5) if text[start + place].isupper())
        checks.append(_ID_CHECK[bits])
    return text + "".join(checks)


def parse_reference(type_name: str) -> Parse:
    """Ids of either length, always as 18 characters."""

    def parse(value: object) -> Canonical:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return id_18(value)
            except ValueError:
                pass
        raise Unparsable(f"the type {type_name} takes a record id of 15 or 18 characters")

    return parse


def fit_reference(_field: FieldType) -> Render:
    """Ids of either length, always written as 18 characters."""

    def fit(value: Canonical) -> Rendered:
        text = "" if value is None else str(value).strip()
        if not text:
            return Rendered(None, None)
        try:
            held = id_18(text)
        except ValueError:
            raise Refused(
                "wrong_form", "the field takes a record id of 15 or 18 characters"
            ) from None
        return Rendered(held, held)

    return fit
