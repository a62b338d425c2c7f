from __future__ import annotations

import pytest
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side
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


def sf(type_name: str, **limits: object) -> FieldType:
    return FieldType(side=Side.SALESFORCE, name="F__c", type=type_name, **limits)  # type: ignore[arg-type]


def sw(type_name: str, name: str = "f", **limits: object) -> FieldType:
    return FieldType(side=Side.SWEO, name=name, type=type_name, **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "raw", "canonical"),
    [
        (sf("string"), "", None),
        (sf("string"), "é", "é"),
        (sf("textarea"), "a\r\nb\rc", "a\nb\nc"),
        (sf("picklist"), "Pro", "Pro"),
        (sf("time"), "10:30:00.000Z", "10:30:00.000Z"),
        (sf("multipicklist"), "EMEA;AMER; EMEA", ["AMER", "EMEA"]),
        (sf("multipicklist"), ";", None),
        (sf("double"), 5.0, 5),
        (sf("double"), "5.50", 5.5),
        (sf("currency"), 1e300, 1e300),
        (sf("int"), "", None),
        (sf("boolean"), "true", True),
        (sf("boolean"), None, None),
        (sf("date"), "2024-02-29", "2024-02-29"),
        (sf("datetime"), "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05Z"),
        (sf("datetime"), "2026-01-02T03:04:05.999+0000", "2026-01-02T03:04:05Z"),
        (sf("datetime"), "2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:05Z"),
        (sf("datetime"), "2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05Z"),
        (sf("datetime"), "2026-01-02T23:04:05.1-0230", "2026-01-03T01:34:05Z"),
        (sf("reference"), "001D000000IRFma", "001D000000IRFmaIAH"),
        (sf("id"), "001D000000IRFmaIAH", "001D000000IRFmaIAH"),
        (sf("address"), None, None),
        (sw("string"), " a\r\n", " a\r\n"),
        (sw("string"), "", None),
        (sw("string", "owner_id"), 42, "42"),
        (sw("options"), "Pro", "Pro"),
        (sw("integer"), 7, 7),
        (sw("float"), 0.1, 0.1),
        (sw("boolean"), False, False),
        (sw("date"), 1_767_323_045, "2026-01-02T03:04:05Z"),
        (sw("date"), -1, "1969-12-31T23:59:59Z"),
        (sw("date"), 1.9, "1970-01-01T00:00:01Z"),
        (sw("date"), "1767323045", "2026-01-02T03:04:05Z"),
        (sw("date"), "2026-01-02", "2026-01-02T12:00:00Z"),
        (sw("datetime"), "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
    ],
)
def test_parse(field: FieldType, raw: object, canonical: Canonical) -> None:
    value = parser(field)(raw)
    assert value == canonical
    assert type(value) is type(canonical)


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        (sf("string"), 5),
        (sf("string"), {"street": "x"}),
        (sf("double"), "five"),
        (sf("double"), True),
        (sf("double"), float("nan")),
        (sf("double"), 2**70),
        (sf("boolean"), 1),
        (sf("date"), "2026-02-30"),
        (sf("date"), "20260228"),
        (sf("datetime"), "2026-01-02"),
        (sf("datetime"), "2026-01-02T25:04:05.000+0000"),
        (sf("datetime"), "2026-01-02 03:04:05.000+0000x"),
        (sf("datetime"), "2026-W01-1T03:04:05.000+0000"),
        (sf("datetime"), "2026-01-02T030405.1.000+0000"),
        (sf("datetime"), "0001-01-01T00:00:00+01:00"),
        (sf("reference"), "001D000000IRFm!"),
        (sf("address"), {"city": "x"}),
        (sf("flux"), "x"),
        (sw("string"), True),
        (sw("date"), 10**15),
        (sw("date"), float("inf")),
        (sw("boolean"), "yes"),
        (sw("flux"), "x"),
    ],
)
def test_parse_refuses(field: FieldType, raw: object) -> None:
    with pytest.raises(Unparsable) as caught:
        parser(field)(raw)
    assert field.type in caught.value.reason


@pytest.mark.parametrize(
    ("kind", "field", "value", "raw", "held"),
    [
        (Kind.TEXT, sf("string", length=5), "  abc \u3000", "abc", "abc"),
        (Kind.TEXT, sf("string"), " \t", None, None),
        (Kind.TEXT, sf("textarea"), "a\r\nb", "a\nb", "a\nb"),
        (Kind.TEXT, sf("picklist", options=("Pro",), restricted=True), "pro", "Pro", "Pro"),
        (Kind.TEXT, sf("picklist", options=("Pro",)), "new", "new", "new"),
        (Kind.TEXT, sf("multipicklist"), "b; a;b", "a;b", ["a", "b"]),
        (Kind.TEXT, sf("double", precision=5, scale=2), "3.14159", 3.14, 3.14),
        (Kind.TEXT, sf("boolean"), "TRUE", True, True),
        (Kind.TEXT, sf("date"), "2026-01-02", "2026-01-02", "2026-01-02"),
        (Kind.TEXT, sf("reference"), "001D000000IRFma", "001D000000IRFmaIAH", "001D000000IRFmaIAH"),
        (Kind.NUMBER, sf("double", precision=18, scale=2), 2.675, 2.68, 2.68),
        (Kind.NUMBER, sf("double", precision=18, scale=2), -2.675, -2.68, -2.68),
        (Kind.NUMBER, sf("double", precision=18, scale=0), 0.5, 1, 1),
        (Kind.NUMBER, sf("int"), 1.4, 1, 1),
        (Kind.NUMBER, sf("string"), 1e21, "1000000000000000000000", "1000000000000000000000"),
        (Kind.NUMBER, sf("string"), 0.00001, "0.00001", "0.00001"),
        (Kind.BOOLEAN, sf("boolean", nillable=False), None, False, False),
        (
            Kind.TIMESTAMP,
            sf("datetime"),
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.000+0000",
            "2026-01-02T03:04:05Z",
        ),
        (Kind.TEXT, sw("string"), " a ", " a ", " a "),
        (Kind.OPTIONS, sw("string"), ["a", "b"], "a;b", "a;b"),
        (Kind.NUMBER, sw("integer", "monthly_spend"), 12.9, 12, 12),
        (Kind.NUMBER, sw("integer", custom=True), 3 * 10**9, 3 * 10**9, 3 * 10**9),
        (Kind.BOOLEAN, sw("boolean"), None, None, None),
        (Kind.TIMESTAMP, sw("date"), "2026-01-02T03:04:05Z", 1_767_323_045, "2026-01-02T03:04:05Z"),
    ],
)
def test_render(
    kind: Kind, field: FieldType, value: Canonical, raw: object, held: Canonical
) -> None:
    rendered = renderer(kind, field, None)(value)
    assert rendered == Rendered(raw, held)  # type: ignore[arg-type]
    assert type(rendered.raw) is type(raw)


@pytest.mark.parametrize(
    ("kind", "field", "value", "code", "limit"),
    [
        (Kind.TEXT, sf("string", length=3), "abcd", "too_long", "3 characters"),
        (Kind.TEXT, sf("string"), "a\0b", "wrong_form", "NUL"),
        (Kind.TEXT, sf("string", nillable=False), " ", "required", "cannot be emptied"),
        (
            Kind.TEXT,
            sf("picklist", options=("a", "b"), restricted=True),
            "secret",
            "not_an_option",
            "2 options",
        ),
        (Kind.TEXT, sf("multipicklist", length=3), "ab;cd", "too_long", "3 characters"),
        (Kind.OPTIONS, sf("multipicklist"), ["a;b"], "wrong_form", "semicolon"),
        (Kind.NUMBER, sf("double", precision=5, scale=2), 999.995, "out_of_range", "3 digits"),
        (Kind.NUMBER, sf("int"), 2**31, "out_of_range", "2147483647"),
        (Kind.TEXT, sf("double"), "5 apples", "wrong_form", "decimal number"),
        (Kind.TEXT, sf("boolean"), "1", "wrong_form", "neither true nor false"),
        (Kind.TEXT, sf("reference"), "Acme", "wrong_form", "record id"),
        (Kind.DATE, sf("date"), "1699-12-31", "out_of_range", "1700 to 4000"),
        (Kind.TEXT, sw("string"), "x" * 256, "too_long", "255 characters"),
        (Kind.TEXT, sw("options", options=("a",)), "secret", "not_an_option", "1 options"),
        (Kind.NUMBER, sw("integer", custom=True), 1.5, "not_whole", "whole numbers"),
        (Kind.NUMBER, sw("integer", "size"), 2**31, "out_of_range", "2147483647"),
        (Kind.NUMBER, sw("integer", custom=True), 2**53, "out_of_range", "9007199254740991"),
        (Kind.NUMBER, sw("float"), 0.1 + 0.2, "too_precise", "15 significant digits"),
    ],
)
def test_render_refuses_and_names_the_limit(
    kind: Kind, field: FieldType, value: Canonical, code: str, limit: str
) -> None:
    with pytest.raises(Refused) as caught:
        renderer(kind, field, None)(value)
    assert caught.value.code == code
    assert limit in caught.value.reason
    assert "secret" not in caught.value.reason


def test_a_day_is_noon_in_the_workspaces_zone() -> None:
    render = renderer(Kind.DATE, sw("date"), "Pacific/Auckland")
    assert render("2026-01-02").held == "2026-01-01T23:00:00Z"
    assert render("2026-07-02").held == "2026-07-02T00:00:00Z"
    back = renderer(Kind.TIMESTAMP, sf("date"), "Pacific/Auckland")
    assert back("2026-01-02T10:59:59Z").held == "2026-01-02"
    assert back("2026-01-02T11:00:00Z").held == "2026-01-03"


def test_the_zone_must_be_known_where_it_is_needed() -> None:
    with pytest.raises(FatalError, match="time zone is not known"):
        renderer(Kind.DATE, sw("date"), None)
    with pytest.raises(FatalError, match="Atlantis"):
        renderer(Kind.DATE, sw("date"), "Mid/Atlantis")
    renderer(Kind.TIMESTAMP, sw("date"), None)


@pytest.mark.parametrize(
    ("v", "v_type", "y", "y_type", "expected"),
    [
        (None, sf("string"), None, sw("string"), True),
        (None, sf("string"), "a", sw("string"), False),
        (" a ", sw("string"), "a", sf("string"), True),
        ("a", sf("string"), "b", sw("string"), False),
        (["a", "b"], sf("multipicklist"), "b; a", sw("string"), True),
        (["a", "b"], sf("multipicklist"), "a", sw("string"), False),
        (None, sw("boolean"), False, sf("boolean"), True),
        (None, sw("boolean"), True, sf("boolean"), False),
        (True, sf("boolean"), "true", sw("string"), True),
        (True, sf("boolean"), 1, sw("integer"), False),
        (12.5, sf("currency"), 12, sw("integer", "monthly_spend"), True),
        (12.344, sw("float"), 12.34, sf("double", precision=5, scale=2), True),
        ("007", sw("string"), 7, sf("double"), True),
        ("2026-01-02", sf("date"), "2026-01-02T00:30:00Z", sw("date"), True),
        ("2026-01-02", sf("date"), "2026-01-01T23:30:00Z", sw("date"), False),
        ("001D000000IRFmaIAH", sf("reference"), "001D000000IRFma", sw("string"), True),
        ("x" * 300, sf("textarea"), "x" * 255, sw("string"), False),
        ("x", sf("address"), "x", sw("string"), False),
    ],
)
def test_agree(
    v: Canonical, v_type: FieldType, y: Canonical, y_type: FieldType, expected: bool
) -> None:
    assert agree(v, v_type, y, y_type, "UTC") is expected
    assert agree(y, y_type, v, v_type, "UTC") is expected


def test_unknown_types_have_no_kind() -> None:
    assert kind_of(sf("flux")) is Kind.UNSUPPORTED
    assert kind_of(sw("date")) is Kind.TIMESTAMP
    assert kind_of(sf("date")) is Kind.DATE


def test_a_parsed_list_is_the_callers_own() -> None:
    parse = parser(sf("multipicklist"))
    first = parse("a;b")
    assert isinstance(first, list)
    first.append("c")
    assert parse("a;b") == ["a", "b"]
