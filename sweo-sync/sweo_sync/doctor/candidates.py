"""Which pairs of fields could plausibly identify the same record, by type and by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Match, Normalise
from salesforce_client.fields import Description

MOST_FIELDS: Final = 12
"""Salesforce fields to try for one mapping: three calls."""


class Sort(Enum):
    """What a field's values are, as far as its type and name tell."""

    KEY = "key"
    EMAIL = "email"
    SITE = "site"
    NAME = "name"


_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_KEY_WORDS: Final = frozenset(
    {
        *("id", "ids", "key", "number", "num", "no", "code", "external", "crm", "customer"),
        *("account", "client", "tenant", "ref", "reference", "uid", "uuid", "slug", "org"),
        *("organization", "organisation", "workspace", "sweo", "salesforce", "sfdc"),
    }
)
_SITE_WORDS: Final = frozenset({"website", "site", "domain", "url", "homepage", "web"})
_EMAIL_WORDS: Final = frozenset({"email", "mail"})
_TEXTS: Final = frozenset({"string", "id", "email", "url"})
_NORMALISE: Final = {
    Sort.KEY: Normalise.EXACT,
    Sort.EMAIL: Normalise.EMAIL,
    Sort.SITE: Normalise.DOMAIN,
    Sort.NAME: Normalise.EXACT,
}


def salesforce_candidates(description: Description) -> list[tuple[FieldType, Sort]]:
    """Fields worth a query, the likeliest first: unique external ids, then by name."""
    found: list[tuple[int, str, FieldType, Sort]] = []
    for name, field in description.fields.items():
        if field.type not in _TEXTS or field.calculated or name in description.encrypted:
            continue
        sort = _sort_of_salesforce(field)
        if sort is not None:
            rank = 0 if field.key else 1 if sort is not Sort.KEY or field.type == "id" else 2
            found.append((rank, name, field, sort))
    found.sort(key=lambda each: each[:2])
    return [(field, sort) for _, _, field, sort in found[:MOST_FIELDS]]


def _sort_of_salesforce(field: FieldType) -> Sort | None:
    if field.name == "Name":
        return Sort.NAME
    if field.type == "id" or field.key:
        return Sort.KEY
    if field.type == "email":
        return Sort.EMAIL
    words = _words_of(field.name)
    if field.type == "url" or words & _SITE_WORDS:
        return Sort.SITE
    if words & _EMAIL_WORDS:
        return Sort.EMAIL
    return Sort.KEY if words & _KEY_WORDS else None


def sweo_candidates(types: Iterable[FieldType], model: str) -> list[tuple[FieldType, Sort]]:
    """Attributes worth comparing."""
    standard = {
        "company": {
            "id": Sort.KEY,
            "company_id": Sort.KEY,
            "name": Sort.NAME,
            "website": Sort.SITE,
        },
        "contact": {"id": Sort.KEY, "external_id": Sort.KEY, "email": Sort.EMAIL},
    }[model]
    found: list[tuple[FieldType, Sort]] = []
    for field in types:
        if not field.custom:
            if field.name in standard:
                found.append((field, standard[field.name]))
            continue
        words = _words_of(field.name)
        if field.type != "string":
            continue
        if words & _SITE_WORDS:
            found.append((field, Sort.SITE))
        elif words & _EMAIL_WORDS:
            found.append((field, Sort.EMAIL))
        elif words & _KEY_WORDS:
            found.append((field, Sort.KEY))
    return found


def plausible_matches(
    description: Description, types: Iterable[FieldType], model: str
) -> Iterator[tuple[Match, Sort]]:
    """Every pair of one sort."""
    own = sweo_candidates(types, model)
    for salesforce, sort in salesforce_candidates(description):
        for sweo, other in own:
            if sort is other:
                yield Match(salesforce.name, sweo.name, _NORMALISE[sort]), sort


def _words_of(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name.removesuffix("__c"))}
