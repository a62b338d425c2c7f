"""What both sides parse alike, and what neither can carry."""

from __future__ import annotations

from crosswalk.fieldtype import FieldType
from crosswalk.values.kinds import Canonical
from crosswalk.values.numbers import canonical_number, number_from_text
from crosswalk.values.outcome import Parse, Refused, Render, Rendered, Unparsable


def parse_number(type_name: str) -> Parse:
    """Numbers, and their digits as text (CSV)."""

    def parse(value: object) -> Canonical:
        if value is None:
            return None
        try:
            if type(value) is int or type(value) is float:
                return canonical_number(value)
            if isinstance(value, str):
                return number_from_text(value) if value else None
        except ValueError as error:
            raise Unparsable(f"the type {type_name} takes a number ({error})") from None
        raise Unparsable(f"the type {type_name} takes a number")

    return parse


def parse_unsupported(type_name: str) -> Parse:
    """Compounds, files and types that this version does not know: null only."""

    def parse(value: object) -> Canonical:
        if value is None:
            return None
        raise Unparsable(f"the type {type_name} cannot be carried")

    return parse


def fit_unsupported(field: FieldType) -> Render:
    """Nothing can be written."""

    def fit(_value: Canonical) -> Rendered:
        raise Refused("wrong_form", f"the type {field.type} cannot be written")

    return fit
