"""Record ids: 15 characters where case matters, or 18 where a checksum carries the case."""

from __future__ import annotations

import re
from typing import Final

_SUFFIX: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID: Final = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\Z")


def is_record_id(text: str) -> bool:
    """Whether a text has the form of a record id."""
    return _ID.match(text) is not None


def to_18(record_id: str) -> str:
    """The 18-character form; an id that has it already comes back as it is.

    Raises:
        ValueError: the text has not the form of a record id.
    """
    if not is_record_id(record_id):
        raise ValueError("a Salesforce record id has 15 or 18 letters and digits")
    if len(record_id) == 18:
        return record_id
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, c in enumerate(record_id[start : start + 5]) if "A" <= c <= "Z")
        suffix += _SUFFIX[bits]
    return record_id + suffix
