"""What a field makes of a value that a client writes: checked, coerced, in storage form.

``coerce`` takes JSON values (numbers with a point as :class:`~decimal.Decimal`); CSV cells come as
text and go through the same checks, with ``true``/``false`` and numbers read from text.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from . import ids
from .errors import SalesforceError, json_parser_error
from .json_body import token_of
from .schema import SObjectField

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?$",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)$")
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?Z?$")
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@(?:[A-Za-z0-9_-]+\.)+[A-Za-z0-9-]{2,}$")
_INT_LIMIT = 2**31


def coerce(field: SObjectField, value: Any) -> Any:
    """The stored form of ``value``; None for empty.

    Raises:
        SalesforceError: the vendor's refusal of it.
    """
    if value is None or value == "":
        if field.type == "boolean":
            raise SalesforceError(
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                f"{field.label}: value not of required type: {value or ''}",
                400,
                [field.name],
            )
        return None
    return _COERCIONS.get(field.type, _text)(field, value)


def datetime_ms(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 datetime, cut to whole seconds; None if it is none.

    The vendor's years are 1700 to 4000.
    """
    found = _DATETIME.match(text.strip())
    if not found or not 1700 <= int(found[1]) <= 4000:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            tzinfo=timezone.utc,
        )
        if zone and zone not in "Zz":
            sign = -1 if zone[0] == "-" else 1
            moment -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    except (ValueError, OverflowError):
        return None
    return round((moment - _EPOCH).total_seconds()) * 1000


def iso_datetime(milliseconds: int) -> str:
    """REST's form of a stored datetime."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}+0000"


def _wrong_type(wanted: str, value: Any) -> SalesforceError:
    shown = "{" if isinstance(value, dict) else "[" if isinstance(value, list) else value
    shown = str(shown).lower() if isinstance(shown, bool) else shown
    return json_parser_error(
        f"Cannot deserialize instance of {wanted} from {token_of(value)} value {shown} or request "
        "may be missing a required field"
    )


def _text(field: SObjectField, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _wrong_type("string", value)
    trimmed = value.replace("\x00", "").strip()
    if not trimmed:
        return None
    if field.length and len(trimmed) > field.length:
        raise SalesforceError(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {trimmed} (max length={field.length})",
            400,
            [field.name],
        )
    return trimmed


def _email(field: SObjectField, value: Any) -> str | None:
    text = _text(field, value)
    if text is not None and not _EMAIL.match(text):
        raise SalesforceError(
            "INVALID_EMAIL_ADDRESS",
            f"{field.label}: invalid email address: {text}",
            400,
            [field.name],
        )
    return text


def _boolean(_field: SObjectField, value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "1", "0"):
        return int(value.strip().lower() in ("true", "1"))
    raise _wrong_type("boolean", value)


def _number(field: SObjectField, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise _wrong_type(field.type if field.type != "percent" else "double", value)
    try:
        exact = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise _wrong_type(field.type if field.type != "percent" else "double", value) from None
    if not exact.is_finite():
        raise _wrong_type("double", value)
    digits = field.precision or 18
    if exact and exact.adjusted() >= digits - field.scale:
        raise _out_of_range(field, value)
    rounded = exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    if rounded and rounded.adjusted() >= digits - field.scale:
        raise _out_of_range(field, value)
    return float(rounded) + 0.0


def _out_of_range(field: SObjectField, value: Any) -> SalesforceError:
    return SalesforceError(
        "NUMBER_OUTSIDE_VALID_RANGE",
        f"{field.label}: value outside of valid range on numeric field: {value}",
        400,
        [field.name],
    )


def _int(field: SObjectField, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise _wrong_type("int", value)
    try:
        exact = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise _wrong_type("int", value) from None
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise _wrong_type("int", value)
    if not -_INT_LIMIT <= exact < _INT_LIMIT:
        raise _wrong_type("int", value)
    number = int(exact)
    digits = field.extra.get("digits", 0)
    if digits and len(str(abs(number))) > digits:
        raise _out_of_range(field, value)
    return number


def _date(field: SObjectField, value: Any) -> str:
    if isinstance(value, str):
        found = _DATE.match(value.strip())
        if found:
            try:
                day = date(*map(int, found.groups()))
            except ValueError:
                day = None
            if day is not None and 1700 <= day.year <= 4000:
                return day.isoformat()
    raise _wrong_type("date", value)


def _datetime(field: SObjectField, value: Any) -> int:
    if isinstance(value, str):
        moment = datetime_ms(value)
        if moment is not None:
            return moment
    raise _wrong_type("datetime", value)


def _time(field: SObjectField, value: Any) -> str:
    if isinstance(value, str) and _TIME.match(value.strip()):
        return value.strip()
    raise _wrong_type("time", value)


def _picklist(field: SObjectField, value: Any) -> str | None:
    text = _text(field, value)
    if text is None:
        return None
    return _picked(field, text)


def _picked(field: SObjectField, text: str) -> str:
    for entry in field.picklist_values:
        if entry.active and entry.value.lower() == text.lower():
            return entry.value
    if field.restricted_picklist:
        raise SalesforceError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            400,
            [field.name],
        )
    return text


def _multipicklist(field: SObjectField, value: Any) -> str | None:
    text = _text(field, value)
    if text is None:
        return None
    chosen = {_picked(field, part.strip()) for part in text.split(";") if part.strip()}
    known = [entry.value for entry in field.picklist_values]
    ordered = [value for value in known if value in chosen]
    return ";".join(ordered + sorted(chosen.difference(known))) or None


def _reference(field: SObjectField, value: Any) -> str | None:
    text = _text_of_id(field, value)
    record_id = ids.to_18(text)
    if record_id is None:
        raise malformed_id(field, text)
    return record_id


def _text_of_id(field: SObjectField, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type("reference", value)
    return value.strip()


def malformed_id(field: SObjectField, text: str) -> SalesforceError:
    """An id that is none, or one of another object."""
    return SalesforceError(
        "MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", 400, [field.name]
    )


_COERCIONS = {
    "email": _email,
    "boolean": _boolean,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "int": _int,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "picklist": _picklist,
    "multipicklist": _multipicklist,
    "reference": _reference,
    "id": _reference,
}
