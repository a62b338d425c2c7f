"""Formula fields: references to other fields, and texts joined with ``&``.

Anything else that a real formula may do is refused when the field is made, never guessed.
"""

from __future__ import annotations

import re

from .schema import Schema, SObjectField, SObjectType

_TERM = re.compile(
    r"""\s*(?:"(?P<text>[^"']*)"|TEXT\(\s*(?P<shown>[A-Za-z_][\w.]*)\s*\)|"""
    r"""(?P<path>[A-Za-z_][\w.]*))\s*(?P<join>&|\+|$)""",
    re.ASCII | re.IGNORECASE,
)


class FormulaError(ValueError):
    """The formula is none that this org computes; says which part."""


def terms_of(text: str) -> list[str]:
    """The paths and quoted literals (``'-'``) that a formula joins.

    Raises:
        FormulaError: it does something else.
    """
    terms: list[str] = []
    at = 0
    while at < len(text) or not terms:
        found = _TERM.match(text, at)
        if found is None:
            raise FormulaError(f"Syntax error at: {text[at : at + 20].strip() or 'the end'}")
        literal = found["text"]
        terms.append(f"'{literal}'" if literal is not None else found["shown"] or found["path"])
        at = found.end()
        if found["join"] and at >= len(text):
            raise FormulaError("Syntax error: a term is missing at the end")
    return terms


def check_terms(schema: Schema, sobject: SObjectType, terms: list[str]) -> None:
    """Hold a formula's paths against the schema.

    Raises:
        FormulaError: a field or relationship is not there.
    """
    for term in terms:
        if not term.startswith("'"):
            field_at(schema, sobject, term)


def field_at(schema: Schema, sobject: SObjectType, path: str) -> SObjectField:
    """The field at the end of a path.

    Raises:
        FormulaError: there is none.
    """
    *relationships, name = path.split(".")
    holder: SObjectType | None = sobject
    for relationship in relationships:
        lookup = holder.relationship(relationship) if holder else None
        holder = schema.sobject(lookup.reference_to[0]) if lookup else None
    found = holder.field_named(name) if holder else None
    if found is None:
        raise FormulaError(f"Field {path} does not exist. Check spelling.")
    return found
