"""What holds for any value of any field."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side
from crosswalk.types import meets
from crosswalk.values import (
    Canonical,
    Kind,
    Refused,
    Rendered,
    Unparsable,
    agree,
    kind_of,
    parser,
    renderer,
)
from crosswalk.values.kinds import SALESFORCE_KINDS, SWEO_KINDS
from hypothesis import given, settings, strategies as st

ZONES = ("UTC", "Pacific/Auckland", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati")
OPTIONS = ("Free", "Pro", "Größe", "x" * 300)

TYPES = {Side.SALESFORCE: SALESFORCE_KINDS, Side.SWEO: SWEO_KINDS}
lengths = st.sampled_from((None, 1, 40, 255, 32_000))


@st.composite
def fields(draw: st.DrawFn, side: Side, types: Sequence[str] | None = None) -> FieldType:
    kind = draw(st.sampled_from(types or sorted(TYPES[side])))
    scale = draw(st.sampled_from((None, 0, 2, 5)))
    restricted = draw(st.booleans()) and kind in ("picklist", "multipicklist")
    return FieldType(
        side=side,
        name=draw(st.sampled_from(("Field__c", "monthly_spend", "size"))),
        type=kind,
        length=draw(lengths) if side is Side.SALESFORCE else None,
        precision=None if scale is None else draw(st.sampled_from((0, 5, 18))),
        scale=scale,
        options=OPTIONS if restricted or kind == "options" else None,
        restricted=restricted,
        nillable=draw(st.booleans()),
        custom=draw(st.booleans()),
    )


salesforce_fields = fields(Side.SALESFORCE)
sweo_fields = fields(Side.SWEO)
any_fields = st.one_of(salesforce_fields, sweo_fields)

texts = st.one_of(
    st.text(max_size=60),
    st.sampled_from((*OPTIONS, "PRO", " a\r\nb ", "5.50", "true", "2026-02-28", "é" * 256)),
    st.dates().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
)
numbers = st.one_of(
    st.integers(-(2**66), 2**66),
    st.floats(),
    st.decimals(-(10**9), 10**9, places=3).map(float),
)
moments = st.datetimes().map(lambda t: t.isoformat(timespec="milliseconds") + "+0000")
raws = st.one_of(
    st.none(),
    texts,
    numbers,
    st.booleans(),
    st.dates().map(str),
    moments,
    st.lists(st.sampled_from(OPTIONS)).map(";".join),
    st.text("0123456789ABCdef", min_size=15, max_size=18),
)


_PYTHON_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.NUMBER: (int, float),
    Kind.BOOLEAN: (bool,),
    Kind.DATE: (str,),
    Kind.TIMESTAMP: (str,),
    Kind.OPTIONS: (list,),
    Kind.REFERENCE: (str,),
}
_raws_of = {
    Kind.TEXT: texts,
    Kind.NUMBER: numbers,
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates().map(str),
    Kind.TIMESTAMP: moments,
    Kind.OPTIONS: st.lists(st.sampled_from(OPTIONS)).map(";".join),
    Kind.REFERENCE: st.text("0123456789ABCdef", min_size=15, max_size=15),
    Kind.UNSUPPORTED: st.none(),
}


@st.composite
def parsed(draw: st.DrawFn) -> tuple[FieldType, Canonical]:
    """A field and a canonical value that its parser gave."""
    field = draw(any_fields.filter(lambda field: kind_of(field) is not Kind.UNSUPPORTED))
    raw = draw(_raws_of[kind_of(field)])
    value = parse_or_reason(field, raw)
    return field, None if isinstance(value, Unparsable) else value


def parse_or_reason(field: FieldType, raw: object) -> Canonical | Unparsable:
    try:
        return parser(field)(raw)
    except Unparsable as unparsable:
        return unparsable


def render_or_reason(
    source: FieldType | Kind, field: FieldType, zone: str | None, value: Canonical
) -> Rendered | Refused:
    try:
        return renderer(source, field, zone)(value)
    except Refused as refused:
        return refused


def meeting(source: FieldType) -> st.SearchStrategy[FieldType]:
    """Fields of the other side that values of ``source`` can be written to."""
    side = source.side.other
    types = [t for t in TYPES[side] if meets(source, FieldType(side=side, name="f", type=t)).ok]
    return fields(side, types)


@given(any_fields, raws)
def test_parsing_gives_json_of_the_fields_kind_or_a_reason(field: FieldType, raw: object) -> None:
    value = parse_or_reason(field, raw)
    if isinstance(value, Unparsable):
        assert value.reason
        assert not (isinstance(raw, str) and len(raw) > 30 and raw in value.reason)
        return
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert value != ""
    assert value != []
    if value is not None:
        assert isinstance(value, _PYTHON_TYPES[kind_of(field)])
        assert kind_of(field) is Kind.BOOLEAN or not isinstance(value, bool)


@settings(max_examples=400)
@given(st.data())
def test_what_is_rendered_is_what_will_be_read(data: st.DataObject) -> None:
    source, value = data.draw(parsed())
    field = data.draw(meeting(source))
    zone = data.draw(st.sampled_from(ZONES))
    rendered = render_or_reason(source, field, zone, value)
    if isinstance(rendered, Refused):
        assert rendered.code
        assert rendered.reason
        return
    parse = parser(field)
    assert parse(rendered.raw) == rendered.held
    assert parse(json.loads(json.dumps(rendered.raw))) == rendered.held
    again = renderer(field, field, zone)(rendered.held)
    assert again == rendered
    assert type(again.raw) is type(rendered.raw)


@settings(max_examples=400)
@given(st.data())
def test_what_was_written_agrees_with_where_it_came_from(data: st.DataObject) -> None:
    source, value = data.draw(parsed())
    field = data.draw(meeting(source))
    zone = data.draw(st.sampled_from(ZONES))
    rendered = render_or_reason(source, field, zone, value)
    if isinstance(rendered, Refused):
        return
    held = rendered.held
    assert agree(value, source, held, field, zone)
    assert agree(held, field, value, source, zone)


@given(any_fields, any_fields)
def test_meets_and_renderer_say_the_same(source: FieldType, field: FieldType) -> None:
    if meets(source, field).ok:
        assert meets(source, field).how
        assert meets(source, field).why is None
        renderer(source, field, "UTC")
    else:
        assert meets(source, field).why
        assert meets(source, field).how is None
        with pytest.raises(FatalError):
            renderer(source, field, "UTC")


@given(st.floats(allow_nan=False, allow_infinity=False, width=64), st.sampled_from((0, 2, 5)))
def test_salesforce_numbers_stay_within_half_a_step(value: float, scale: int) -> None:
    field = FieldType(side=Side.SALESFORCE, name="n", type="double", precision=18, scale=scale)
    rendered = render_or_reason(Kind.NUMBER, field, None, value)
    if isinstance(rendered, Refused):
        assert rendered.code == "out_of_range"
        assert abs(value) >= 10 ** (18 - scale) - 1
        return
    held = rendered.held
    assert isinstance(held, (int, float))
    step = 10.0**-scale
    assert abs(held - value) <= step / 2 + math.ulp(value)


@given(st.dates(), st.sampled_from(ZONES))
def test_a_day_survives_being_a_timestamp(day: object, zone: str) -> None:
    date = FieldType(side=Side.SALESFORCE, name="d", type="date")
    moment = FieldType(side=Side.SWEO, name="d", type="date")
    there = render_or_reason(date, moment, zone, str(day))
    back = there if isinstance(there, Refused) else render_or_reason(moment, date, zone, there.held)
    if isinstance(back, Refused):
        assert back.code == "out_of_range"
        assert not 1700 <= int(str(day)[:4]) <= 4000
        return
    assert back.held == str(day)
