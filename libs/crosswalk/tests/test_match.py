from __future__ import annotations

import pytest
from crosswalk.mapping import Field, Mapping, Match, Normalise, Side
from crosswalk.match import match_values, normalise
from hypothesis import given, settings, strategies as st


@pytest.mark.parametrize(
    ("value", "how", "expected"),
    [
        (" C-1 ", "exact", "C-1"),
        ("Ab", "exact", "Ab"),
        (5.0, "exact", "5"),
        (12, "exact", "12"),
        (True, "exact", None),
        (None, "exact", None),
        (" ", "exact", None),
        (float("nan"), "exact", None),
        (" Ann@Example.COM ", "email", "ann@example.com"),
        ("ann@example.com.invalid", "email", "ann@example.com"),
        ("STRASSE@ß.de", "email", "strasse@ss.de"),
        ("https://www.Example.com:8443/path?q", "domain", "example.com"),
        ("www.example.com/", "domain", "example.com"),
        ("ann@www.example.com", "domain", "example.com"),
        ("mailto:ann@example.com", "domain", "example.com"),
        ("example.com.", "domain", "example.com"),
        ("http://[broken", "domain", None),
        ("+1 (555) 010-99", "phone", "+155501099"),
        ("0049 30 123", "phone", "+4930123"),
        ("(030) 123 ext. 45", "phone", "030123"),
        ("555-0100x7", "phone", "5550100"),
        ("n/a", "phone", None),
        ("00", "phone", None),
    ],
)
def test_normalise(value: object, how: str, expected: str | None) -> None:
    assert normalise(value, Normalise(how)) == expected


@settings(max_examples=300)
@given(st.text() | st.text("0+x (1", max_size=8), st.sampled_from(Normalise))
def test_normalising_never_fails_and_never_gives_empty_text(text: str, how: Normalise) -> None:
    once = normalise(text, how)
    assert once != ""
    if once is not None and how in (Normalise.EXACT, Normalise.PHONE):
        assert normalise(once, how) == once


def test_match_values_in_order_of_preference() -> None:
    mapping = Mapping(
        name="contacts",
        salesforce="Contact",
        sweo="contact",
        match=(Match("Sweo_Id__c", "external_id"), Match("Email", "email", Normalise.EMAIL)),
        fields=(Field("Name", "name"),),
    )
    assert match_values(mapping, Side.SALESFORCE, {"Email": "A@b.c", "Sweo_Id__c": ""}) == [
        None,
        "a@b.c",
    ]
    assert match_values(mapping, Side.SWEO, {"external_id": "x"}) == ["x", None]
    assert match_values(mapping, Side.SWEO, {"name": "x"}) is None
