"""Names of Salesforce fields that are made for Sweo attributes which have none of their own."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from crosswalk.mapping import Field, Mapping, Side

DEFAULT_PREFIX: Final = "sweo"
_LONGEST_NAME: Final = 40
"""Salesforce's limit for the name of a custom field, ``__c`` apart."""
_HASH_LENGTH: Final = 4
_SUFFIX: Final = "__c"
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9]+")
_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,14}")


def is_prefix(text: str) -> bool:
    """Whether names may begin with it: up to 15 letters and digits, a letter first."""
    return _PREFIX.fullmatch(text) is not None


def salesforce_field_name(sweo_object: str, attribute: str, prefix: str = DEFAULT_PREFIX) -> str:
    """``<prefix>_<object>_<attribute>__c``, always the same for the same three.

    What Salesforce does not take in a name becomes ``_``. A name over 40 characters, and one of
    which nothing would be left, ends in a 4-character hash of the attribute's whole name.
    """
    words = _FOREIGN.sub("_", attribute).strip("_")
    name = f"{prefix}_{sweo_object}_{words}"
    if not words or len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(attribute.encode()).hexdigest()[:_HASH_LENGTH]
        room = _LONGEST_NAME - _HASH_LENGTH - 1
        name = f"{name[:room].rstrip('_')}_{digest}"
    return name + _SUFFIX


def is_made_for(field: Field, mapping: Mapping) -> bool:
    """Whether the field's Salesforce name is the one that it gets where none is declared."""
    if not field.direction.flows_to(Side.SALESFORCE):
        return False
    prefix = field.salesforce.split("_", 1)[0]
    made = is_prefix(prefix) and salesforce_field_name(mapping.sweo, field.sweo, prefix)
    return made == field.salesforce
