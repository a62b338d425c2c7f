"""From one kind to another, where that has one meaning; then rendering and agreement."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side
from crosswalk.values.kinds import Canonical, Kind, kind_of
from crosswalk.values.moments import (
    date_from_text,
    day_of,
    noon,
    timestamp_from_text,
    zone,
)
from crosswalk.values.numbers import number_from_text, text_of_number
from crosswalk.values.outcome import Parse, Refused, Render, Rendered
from crosswalk.values.salesforce import salesforce_fit, salesforce_parser
from crosswalk.values.sweo import sweo_fit, sweo_parser

_Convert = Callable[[Canonical], Canonical]

# Salesforce fields that nothing can be written to, whatever their values are.
READ_ONLY_TYPES = frozenset({"id", "time", "encryptedstring"})
# Text of a form of its own, which no number, day or flag has.
FORMED_TEXT_TYPES = frozenset({"email", "phone", "url", "time", "encryptedstring"})
_NEEDS_TIMEZONE = frozenset({(Kind.DATE, Kind.TIMESTAMP), (Kind.TIMESTAMP, Kind.DATE)})


def parser(field: FieldType) -> Parse:
    """The function that turns a raw value of ``field`` into canonical form.

    Build it once per field. It raises ``Unparsable``; for a type that cannot be carried it does
    so for every value but null.
    """
    side = salesforce_parser if field.side is Side.SALESFORCE else sweo_parser
    return side(field)


def renderer(source: FieldType | Kind, field: FieldType, timezone: str | None) -> Render:
    """The function that makes a canonical value of ``source`` ready for ``field``.

    ``timezone`` is the workspace's IANA zone; only a date that meets a timestamp needs it.
    Built once per pair of fields and kept. The function raises ``Refused``.

    Raises:
        FatalError: the types cannot meet (``types.meets`` says why), or the zone is needed and
            not known.
    """
    return _renderer(source, field, timezone)


@lru_cache(maxsize=4096)
def _renderer(source: FieldType | Kind, field: FieldType, timezone: str | None) -> Render:
    kind = source if isinstance(source, Kind) else kind_of(source)
    destination = kind_of(field)
    if not can_meet(source, field):
        raise FatalError(
            f"A {kind.value} cannot be written to {field.name} of type {field.type} "
            f"in {field.side.value.capitalize()}."
        )
    fit = salesforce_fit(field) if field.side is Side.SALESFORCE else sweo_fit(field)
    if kind is destination:
        return fit
    if (kind, destination) in _NEEDS_TIMEZONE:
        if timezone is None:
            raise FatalError(
                f"A {kind.value} meets a {destination.value} in {field.name}, "
                "and the workspace's time zone is not known."
            )
        between = noon if kind is Kind.DATE else day_of
        convert: _Convert = partial(_between_days, between, zone(timezone))
    else:
        convert = _CONVERSIONS[kind, destination]

    def render(value: Canonical) -> Rendered:
        return fit(None if value is None else convert(value))

    return render


def can_meet(source: FieldType | Kind, field: FieldType) -> bool:
    """Whether values of ``source`` have one meaning as values of ``field``."""
    kind, destination = source if isinstance(source, Kind) else kind_of(source), kind_of(field)
    if Kind.UNSUPPORTED in (kind, destination) or is_read_only(field):
        return False
    if kind is destination:
        return True
    if is_formed_text(field) or (isinstance(source, FieldType) and is_formed_text(source)):
        return False
    return (kind, destination) in _CONVERSIONS or (kind, destination) in _NEEDS_TIMEZONE


def is_read_only(field: FieldType) -> bool:
    """Whether nothing can be written to any field of this type."""
    return field.side is Side.SALESFORCE and field.type in READ_ONLY_TYPES


def is_formed_text(field: FieldType) -> bool:
    """Whether the type is text of a form of its own, which meets text only."""
    return field.side is Side.SALESFORCE and field.type in FORMED_TEXT_TYPES


Agree = Callable[[Canonical, Canonical], bool]


def agree(
    v: Canonical, v_type: FieldType, y: Canonical, y_type: FieldType, timezone: str | None
) -> bool:
    """Whether two values say the same: either one, rendered for the other's field, is the other.

    ``timezone`` is the workspace's IANA zone.

    Raises:
        FatalError: a date meets a timestamp and the zone is not known.
    """
    return agreement(v_type, y_type, timezone)(v, y)


def agreement(v_type: FieldType, y_type: FieldType, timezone: str | None) -> Agree:
    """The function of two values that ``agree`` is, built once for two fields.

    Raises:
        FatalError: a date meets a timestamp and the zone is not known.
    """
    forth = renderer(v_type, y_type, timezone) if can_meet(v_type, y_type) else None
    back = renderer(y_type, v_type, timezone) if can_meet(y_type, v_type) else None
    same_kind = kind_of(v_type) is kind_of(y_type)

    def agreed(v: Canonical, y: Canonical) -> bool:
        if v is None and y is None:
            return True
        if same_kind and v == y:
            return True
        return _becomes(forth, v, y) or _becomes(back, y, v)

    return agreed


def _becomes(render: Render | None, value: Canonical, other: Canonical) -> bool:
    if render is None:
        return False
    try:
        return render(value).held == other
    except Refused:
        return False


def _between_days(between: Callable[..., str], where: object, value: Canonical) -> Canonical:
    try:
        return between(value, where)
    except ValueError as error:
        raise Refused("out_of_range", f"the time is {error}") from None


def _same(value: Canonical) -> Canonical:
    return value


def _number_to_text(value: Canonical) -> Canonical:
    return text_of_number(value) if isinstance(value, (int, float)) else value


def _text_to_number(value: Canonical) -> Canonical:
    try:
        return number_from_text(str(value).strip(), plain=True)
    except ValueError:
        raise Refused("wrong_form", "the text is not a plain decimal number") from None


def _boolean_to_text(value: Canonical) -> Canonical:
    return "true" if value else "false"


def _text_to_boolean(value: Canonical) -> Canonical:
    word = str(value).strip().lower()
    if word in ("true", "false"):
        return word == "true"
    raise Refused("wrong_form", "the text is neither true nor false")


def _text_to_date(value: Canonical) -> Canonical:
    try:
        return date_from_text(str(value).strip())
    except ValueError:
        raise Refused("wrong_form", "the text is not a day as YYYY-MM-DD") from None


def _text_to_timestamp(value: Canonical) -> Canonical:
    try:
        return timestamp_from_text(str(value).strip())
    except ValueError:
        raise Refused("wrong_form", "the text is not an ISO 8601 time with an offset") from None


def _options_to_text(value: Canonical) -> Canonical:
    return ";".join(value) if isinstance(value, list) else value


def _text_to_options(value: Canonical) -> Canonical:
    return sorted({part.strip() for part in str(value).split(";") if part.strip()}) or None


_CONVERSIONS: dict[tuple[Kind, Kind], _Convert] = {
    (Kind.NUMBER, Kind.TEXT): _number_to_text,
    (Kind.TEXT, Kind.NUMBER): _text_to_number,
    (Kind.BOOLEAN, Kind.TEXT): _boolean_to_text,
    (Kind.TEXT, Kind.BOOLEAN): _text_to_boolean,
    (Kind.DATE, Kind.TEXT): _same,
    (Kind.TEXT, Kind.DATE): _text_to_date,
    (Kind.TIMESTAMP, Kind.TEXT): _same,
    (Kind.TEXT, Kind.TIMESTAMP): _text_to_timestamp,
    (Kind.OPTIONS, Kind.TEXT): _options_to_text,
    (Kind.TEXT, Kind.OPTIONS): _text_to_options,
    (Kind.REFERENCE, Kind.TEXT): _same,
    (Kind.TEXT, Kind.REFERENCE): _same,
}
