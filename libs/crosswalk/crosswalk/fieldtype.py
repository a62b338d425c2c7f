"""A field's type as its side declares it: what ``values`` needs to parse and to render."""

from __future__ import annotations

import msgspec

from crosswalk.mapping import Side


class FieldType(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """One field of one side. It travels as ``x-sweo`` on a property of a SCHEMA.

    ``type`` is the vendor's own word: a Salesforce describe type (``string``, ``picklist``,
    ``multipicklist``, ``currency``, …) or a Sweo ``data_type`` (``string``, ``integer``,
    ``float``, ``boolean``, ``date``, ``datetime``, ``options``).
    ``length`` counts characters; ``precision`` and ``scale`` are digits as describe gives them.
    ``options`` are the active values of a picklist or of an options attribute; ``restricted``
    says that no other value is taken. ``writable`` is False for formulas, read-only fields and
    fields that field-level security protects. ``key`` marks a unique external id.
    ``missing`` marks a Sweo custom attribute that does not exist yet.
    """

    side: Side
    name: str
    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    options: tuple[str, ...] | None = None
    restricted: bool = False
    nillable: bool = True
    writable: bool = True
    createable: bool = True
    calculated: bool = False
    custom: bool = False
    key: bool = False
    missing: bool = False
