"""Fields that nobody has to declare: the defaults of an object, and the first match key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crosswalk.mapping import Direction, Field, Match, Side

_PERSON: Final = (("Email", "email"), ("Name", "name"), ("Phone", "phone"))
_ACCOUNT: Final = (("Name", "name"), ("Website", "website"))
_PARTS: Final = {"Name": {"name", "firstname", "lastname"}}
"""Salesforce fields that are written through others."""


def default_fields(salesforce: str, sweo: str, declared: Sequence[Field]) -> list[Field]:
    """Name, email and phone of people, name and website of companies, as far as no line says
    otherwise. They flow to Sweo, and new Salesforce records are given them.
    """
    pairs: tuple[tuple[str, str], ...] = ()
    if sweo == "company" and salesforce.lower() == "account":
        pairs = _ACCOUNT
    elif sweo != "company" and salesforce.lower() in ("contact", "lead"):
        pairs = _PERSON
    taken = {field.sweo for field in declared}
    written = {
        field.salesforce.lower() for field in declared if field.direction.flows_to(Side.SALESFORCE)
    }
    return [
        Field(
            own,
            attribute,
            at_create=not written & _PARTS.get(own, {own.lower()}),
            implied=True,
        )
        for own, attribute in pairs
        if attribute not in taken
    ]


def first_key(matches: Sequence[Match], fields: Sequence[Field], *, only_read: bool) -> list[Field]:
    """The first of several match keys, which the side that lacks it is given once linked.

    ``only_read`` says that the Salesforce org is one that nothing is written to.
    """
    if len(matches) < 2:
        return []
    key = matches[0]
    taken = any(
        field.sweo == key.sweo or field.salesforce.lower() == key.salesforce.lower()
        for field in fields
    )
    direction = Direction.TO_SWEO if only_read else Direction.BOTH
    return [] if taken else [Field(key.salesforce, key.sweo, direction, fills=True, implied=True)]
