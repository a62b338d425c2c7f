"""Addresses: compound fields of Salesforce, read by their parts and told as one line of text.

A compound is read-only, and Bulk API 2.0 refuses to select it; its parts are ordinary fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_SUFFIX: Final = "Address"
_COMPOUNDS: Final = frozenset(
    {"Address", "BillingAddress", "ShippingAddress", "MailingAddress", "OtherAddress"}
)
PARTS: Final = ("Street", "City", "State", "PostalCode", "Country")
"""The parts of an address, in the order in which they are told."""

_NEEDED: Final = {
    "PostalCode": "postal code",
    "State": "state",
    "City": "city",
    "Street": "street",
}
"""The parts that an address is incomplete without, as they are named to people."""


def is_address(name: str) -> bool:
    """Whether a Salesforce name, related or not, is that of a standard address."""
    return name.rpartition(".")[2] in _COMPOUNDS


def parts_of(name: str) -> tuple[str, ...]:
    """The fields that an address is made of, in the order of ``PARTS``; any other name itself."""
    if not is_address(name):
        return (name,)
    stem = name[: -len(_SUFFIX)]
    return tuple(stem + part for part in PARTS)


def composed(parts: Sequence[str | None]) -> str | None:
    """The parts that have a value, as one line; ``parts`` are in the order of ``PARTS``."""
    told = [", ".join(part.split("\n")) for part in _trimmed(parts) if part]
    return ", ".join(told) or None


def missing_parts(parts: Sequence[str | None]) -> str | None:
    """What the address lacks of postal code, state, city and street; None where it has all."""
    told = dict(zip(PARTS, _trimmed(parts), strict=True))
    return ", ".join(name for part, name in _NEEDED.items() if not told[part]) or None


def _trimmed(parts: Sequence[str | None]) -> list[str]:
    return [(part or "").replace("\r\n", "\n").strip() for part in parts]
