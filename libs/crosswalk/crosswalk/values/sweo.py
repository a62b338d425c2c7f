"""Sweo: parse what its API gives, fit what its attributes take. Both for one type stand together.

Text is kept as it is, except that empty text is null. Dates are seconds since 1970 UTC on the
wire; ISO 8601 text is read as well, a bare day as noon UTC, which is the same day in every zone
from UTC-12 to UTC+11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.values.choices import chosen
from crosswalk.values.kinds import SWEO_KINDS, Canonical, Kind
from crosswalk.values.moments import (
    date_from_text,
    seconds_of,
    timestamp_from_seconds,
    timestamp_from_text,
)
from crosswalk.values.numbers import significant_digits
from crosswalk.values.outcome import Parse, Refused, Render, Rendered, Unparsable
from crosswalk.values.shared import fit_unsupported, parse_number, parse_unsupported

_MAX_CHARACTERS: Final = 255
_MAX_DIGITS: Final = 15
_MAX_INTEGER: Final = 2**53 - 1
# Standard company attributes that are stored in 32 bits.
_SMALL: Final = frozenset({"monthly_spend", "size"})
_MAX_SMALL: Final = 2**31 - 1
# Sweo cuts the fraction of this standard attribute itself.
_TRUNCATED: Final = frozenset({"monthly_spend"})

_Fit = Callable[[FieldType], Render]


def sweo_parser(field: FieldType) -> Parse:
    """The function that reads this attribute's values. It raises ``Unparsable``."""
    return _PARSERS[SWEO_KINDS.get(field.type, Kind.UNSUPPORTED)](field.type)


def sweo_fit(field: FieldType) -> Render:
    """The function that makes a canonical value of the attribute's own kind ready to be written."""
    fit = _FITS[SWEO_KINDS.get(field.type, Kind.UNSUPPORTED)](field)
    if field.nillable:
        return fit

    def required(value: Canonical) -> Rendered:
        rendered = fit(value)
        if rendered.raw is None:
            raise Refused("required", "the attribute cannot be emptied")
        return rendered

    return required


# -- text: string, options


def _parse_text(type_name: str) -> Parse:
    def parse(value: object) -> Canonical:
        if type(value) is str:
            return value or None
        if value is None:
            return None
        if type(value) is int:
            # Ids of teammates (owner_id) are numbers in some answers and text in others.
            return str(value)
        raise Unparsable(f"the type {type_name} takes text")

    return parse


def _fit_text(field: FieldType) -> Render:
    limit = field.length or _MAX_CHARACTERS
    options = field.options if field.type == "options" else None

    def fit(value: Canonical) -> Rendered:
        if value is None or value == "":
            return Rendered(None, None)
        text = str(value)
        if options is not None:
            text = chosen(text, options)
        if len(text) > limit:
            raise Refused("too_long", f"the attribute takes {limit} characters")
        return Rendered(text, text)

    return fit


# -- numbers: integer, float


def _fit_number(field: FieldType) -> Render:
    integer = field.type == "integer"
    truncated = integer and not field.custom and field.name in _TRUNCATED
    small = integer and not field.custom and field.name in _SMALL
    bound = _MAX_SMALL if small else _MAX_INTEGER

    def fit(value: Canonical) -> Rendered:
        if value is None:
            return Rendered(None, None)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("wrong_form", "the attribute takes a number")
        if integer:
            if not -bound - 1 < value < bound + 1:
                raise Refused("out_of_range", f"the attribute takes whole numbers up to {bound}")
            if isinstance(value, float):
                if not truncated:
                    raise Refused("not_whole", "the attribute takes whole numbers")
                value = int(value)
        if significant_digits(value) > _MAX_DIGITS:
            raise Refused("too_precise", f"the attribute takes {_MAX_DIGITS} significant digits")
        return Rendered(value, value)

    return fit


# -- boolean


def _parse_boolean(type_name: str) -> Parse:
    def parse(value: object) -> Canonical:
        if value is None or value is True or value is False:
            return value
        if value in ("true", "false"):
            return value == "true"
        raise Unparsable(f"the type {type_name} takes true or false")

    return parse


def _fit_boolean(_field: FieldType) -> Render:
    def fit(value: Canonical) -> Rendered:
        if value is None or value is True or value is False:
            return Rendered(value, value)
        raise Refused("wrong_form", "the attribute takes true or false")

    return fit


# -- timestamps: date, datetime


def _parse_timestamp(type_name: str) -> Parse:
    def parse(value: object) -> Canonical:
        if value is None:
            return None
        try:
            if type(value) is int:
                return timestamp_from_seconds(value)
            if type(value) is float:
                return timestamp_from_seconds(int(value // 1))
            if isinstance(value, str):
                return _timestamp_of_text(value) if value else None
        except (ValueError, OverflowError):
            pass
        raise Unparsable(f"the type {type_name} takes seconds since 1970 in the years 1 to 9999")

    return parse


def _timestamp_of_text(text: str) -> str:
    if len(text) == 10 and text[4] == "-":
        return date_from_text(text) + "T12:00:00Z"
    if text.isascii() and text.isdigit():
        return timestamp_from_seconds(int(text))
    return timestamp_from_text(text)


def _fit_timestamp(_field: FieldType) -> Render:
    def fit(value: Canonical) -> Rendered:
        if value is None:
            return Rendered(None, None)
        moment = str(value)
        return Rendered(seconds_of(moment), moment)

    return fit


_PARSERS: Final[dict[Kind, Callable[[str], Parse]]] = {
    Kind.TEXT: _parse_text,
    Kind.NUMBER: parse_number,
    Kind.BOOLEAN: _parse_boolean,
    Kind.TIMESTAMP: _parse_timestamp,
    Kind.UNSUPPORTED: parse_unsupported,
}
_FITS: Final[dict[Kind, _Fit]] = {
    Kind.TEXT: _fit_text,
    Kind.NUMBER: _fit_number,
    Kind.BOOLEAN: _fit_boolean,
    Kind.TIMESTAMP: _fit_timestamp,
    Kind.UNSUPPORTED: fit_unsupported,
}
