"""Salesforce: parse what its API gives, fit what its fields take. Both for one type stand together.

What Salesforce does to a value on its own is done here beforehand, so that what is remembered is
what it will say: text is trimmed and empty text is null, line ends are one character, numbers are
rounded to the field's scale, times keep whole seconds, a checkbox is never null.
Bulk API results are CSV, so numbers and booleans are taken as text as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.values.choices import chosen
from crosswalk.values.kinds import SALESFORCE_KINDS, Canonical, Kind
from crosswalk.values.moments import date_from_text, timestamp_from_text
from crosswalk.values.numbers import rounded
from crosswalk.values.outcome import Parse, Refused, Render, Rendered, Unparsable
from crosswalk.values.references import fit_reference, parse_reference
from crosswalk.values.shared import fit_unsupported, parse_number, parse_unsupported

# Java's trim() takes everything up to U+0020; the rest is what Unicode calls white space. Where
# Salesforce trims less than this, a value that comes trimmed stays as it is.
_TRIMMED: Final = "".join(map(chr, range(0x21))) + (
    "\x7f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_MAX_TEXT: Final = {"email": 80, "phone": 40, "url": 255, "picklist": 255, "multipicklist": 4099}
_MAX_INT: Final = {"int": 2**31 - 1, "long": 2**63 - 1}
_MAX_DIGITS: Final = 18
_FIRST_YEAR, _LAST_YEAR = "1700", "4000"

_Fit = Callable[[FieldType], Render]


def salesforce_parser(field: FieldType) -> Parse:
    """The function that reads this field's values. It raises ``Unparsable``."""
    return _PARSERS[SALESFORCE_KINDS.get(field.type, Kind.UNSUPPORTED)](field.type)


def salesforce_fit(field: FieldType) -> Render:
    """The function that makes a canonical value of the field's own kind ready to be written."""
    fit = _FITS[SALESFORCE_KINDS.get(field.type, Kind.UNSUPPORTED)](field)
    if field.nillable or field.type == "boolean":
        return fit

    def required(value: Canonical) -> Rendered:
        rendered = fit(value)
        if rendered.raw is None:
            raise Refused("required", "the field cannot be emptied")
        return rendered

    return required


# -- text: string, textarea, email, phone, url, picklist, combobox, encryptedstring, time


def _parse_text(type_name: str) -> Parse:
    def parse(value: object) -> Canonical:
        if type(value) is str:
            if "\r" in value:
                value = value.replace("\r\n", "\n").replace("\r", "\n")
            return value or None
        if value is None:
            return None
        raise Unparsable(f"the type {type_name} takes text")

    return parse


def _fit_text(field: FieldType) -> Render:
    # Characters are counted as code points; Salesforce has the last word on what it counts.
    limit = field.length or _MAX_TEXT.get(field.type)
    options = field.options if field.restricted else None

    def fit(value: Canonical) -> Rendered:
        if value is None:
            return Rendered(None, None)
        text = str(value)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = text.strip(_TRIMMED)
        if not text:
            return Rendered(None, None)
        if "\0" in text:
            raise Refused("wrong_form", "text cannot contain the character NUL")
        if options is not None:
            text = chosen(text, options)
        if limit is not None and len(text) > limit:
            raise Refused("too_long", f"the field takes {limit} characters")
        return Rendered(text, text)

    return fit


# -- options: multipicklist


def _parse_options(type_name: str) -> Parse:
    def parse(value: object) -> Canonical:
        if value is None:
            return None
        if isinstance(value, str):
            return list(_options_of(value)) or None
        raise Unparsable(f"the type {type_name} takes text joined by semicolons")

    return parse


@lru_cache(maxsize=1024)
def _options_of(text: str) -> tuple[str, ...]:
    return tuple(sorted({part for part in map(_trim, text.split(";")) if part}))


def _fit_options(field: FieldType) -> Render:
    limit = field.length or _MAX_TEXT["multipicklist"]
    options = field.options if field.restricted else None

    def fit(value: Canonical) -> Rendered:
        if value is None:
            return Rendered(None, None)
        if not isinstance(value, list):
            raise Refused("wrong_form", "the field takes a set of options")
        parts = {part for part in map(_trim, value) if part}
        if any(";" in part or "\0" in part for part in parts):
            raise Refused("wrong_form", "an option cannot contain a semicolon or NUL")
        if options is not None:
            parts = {chosen(part, options) for part in parts}
        if not parts:
            return Rendered(None, None)
        held = sorted(parts)
        raw = ";".join(held)
        if len(raw) > limit:
            raise Refused("too_long", f"the field takes {limit} characters in all")
        return Rendered(raw, list(held))

    return fit


def _trim(text: str) -> str:
    return text.strip(_TRIMMED)


# -- numbers: int, long, double, currency, percent


def _fit_number(field: FieldType) -> Render:
    whole = _MAX_INT.get(field.type)
    if whole is not None:
        scale, bound = 0, whole + 1
        limit = f"whole numbers up to {whole}"
    else:
        scale = field.scale if field.scale is not None else _MAX_DIGITS - 1
        before_point = max(0, field.precision - scale) if field.precision else _MAX_DIGITS
        bound = 10**before_point
        limit = f"{before_point} digits before the decimal point"

    def fit(value: Canonical) -> Rendered:
        if value is None:
            return Rendered(None, None)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("wrong_form", "the field takes a number")
        if -bound < value < bound:
            number = rounded(value, scale)
            if -bound < number < bound:
                return Rendered(number, number)
        raise Refused("out_of_range", f"the field takes {limit}")

    return fit


# -- boolean: a checkbox is never null


def _parse_boolean(type_name: str) -> Parse:
    known: dict[object, bool | None] = {
        "true": True,
        "false": False,
        "": None,
        "True": True,
        "False": False,
    }

    def parse(value: object) -> Canonical:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str) and value in known:
            return known[value]
        raise Unparsable(f"the type {type_name} takes true or false")

    return parse


def _fit_boolean(_field: FieldType) -> Render:
    def fit(value: Canonical) -> Rendered:
        if value is None or value is False:
            return Rendered(False, False)
        if value is True:
            return Rendered(True, True)
        raise Refused("wrong_form", "the field takes true or false")

    return fit


# -- date and datetime


def _parse_date(type_name: str) -> Parse:
    def parse(value: object) -> Canonical:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return date_from_text(value)
            except ValueError:
                pass
        raise Unparsable(f"the type {type_name} takes a day as YYYY-MM-DD")

    return parse


def _parse_timestamp(type_name: str) -> Parse:
    def parse(value: object) -> Canonical:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return timestamp_from_text(value)
            except ValueError:
                pass
        raise Unparsable(f"the type {type_name} takes an ISO 8601 time with an offset")

    return parse


def _fit_date(_field: FieldType) -> Render:
    def fit(value: Canonical) -> Rendered:
        if value is None:
            return Rendered(None, None)
        day = str(value)
        _check_years(day)
        return Rendered(day, day)

    return fit


def _fit_timestamp(_field: FieldType) -> Render:
    def fit(value: Canonical) -> Rendered:
        if value is None:
            return Rendered(None, None)
        moment = str(value)
        _check_years(moment)
        return Rendered(moment[:-1] + ".000+0000", moment)

    return fit


def _check_years(text: str) -> None:
    if not _FIRST_YEAR <= text[:4] <= _LAST_YEAR:
        raise Refused("out_of_range", f"the field takes the years {_FIRST_YEAR} to {_LAST_YEAR}")


_PARSERS: Final[dict[Kind, Callable[[str], Parse]]] = {
    Kind.TEXT: _parse_text,
    Kind.NUMBER: parse_number,
    Kind.BOOLEAN: _parse_boolean,
    Kind.DATE: _parse_date,
    Kind.TIMESTAMP: _parse_timestamp,
    Kind.OPTIONS: _parse_options,
    Kind.REFERENCE: parse_reference,
    Kind.UNSUPPORTED: parse_unsupported,
}
_FITS: Final[dict[Kind, _Fit]] = {
    Kind.TEXT: _fit_text,
    Kind.NUMBER: _fit_number,
    Kind.BOOLEAN: _fit_boolean,
    Kind.DATE: _fit_date,
    Kind.TIMESTAMP: _fit_timestamp,
    Kind.OPTIONS: _fit_options,
    Kind.REFERENCE: fit_reference,
    Kind.UNSUPPORTED: fit_unsupported,
}
