from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st
from sweo_sandbox.salesforce.errors import SalesforceError
from sweo_sandbox.salesforce.facts import load_schema
from sweo_sandbox.salesforce.values import coerce, datetime_ms, iso_datetime

SCHEMA = load_schema()


def field(path: str) -> Any:
    sobject, name = path.split(".")
    found = SCHEMA.sobjects[sobject.lower()].field_named(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "given_value", "stored"),
    [
        ("Account.Name", "  Acme  ", "Acme"),
        ("Account.Name", "", None),
        ("Account.Name", "   ", None),
        ("Account.Health__c", Decimal("3.145"), 3.15),
        ("Account.Health__c", Decimal("-3.145"), -3.15),
        ("Account.Seats__c", "12", 12.0),
        ("Account.NumberOfEmployees", 7, 7),
        ("Account.Plan__c", "pro", "Pro"),
        ("Account.Regions__c", "EMEA;AMER;EMEA", "AMER;EMEA"),
        ("Account.Is_Reference__c", True, 1),
        ("Account.Renewal_Date__c", "2026-02-28", "2026-02-28"),
        ("Contact.Last_Login__c", "2026-01-02T03:04:05.987654+02:00", 1767315845000),
        ("Contact.Product_Role__c", "Owner", "Owner"),
        ("Contact.AccountId", "001Dn0000000001", "001Dn0000000001IAA"),
    ],
)
def test_a_value_is_stored_as_the_field_holds_it(path: str, given_value: Any, stored: Any) -> None:
    assert coerce(field(path), given_value) == stored


@pytest.mark.parametrize(
    ("path", "given_value", "code", "message"),
    [
        (
            "Account.Name",
            "x" * 256,
            "STRING_TOO_LONG",
            f"Account Name: data value too large: {'x' * 256} (max length=255)",
        ),
        (
            "Account.Plan__c",
            "Gold",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Plan: bad value for restricted picklist field: Gold",
        ),
        (
            "Account.Health__c",
            1000,
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Health: value outside of valid range on numeric field: 1000",
        ),
        (
            "Account.Health__c",
            Decimal("999.995"),
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Health: value outside of valid range on numeric field: 999.995",
        ),
        ("Contact.Email", "no at", "INVALID_EMAIL_ADDRESS", "Email: invalid email address: no at"),
        (
            "Account.Is_Reference__c",
            None,
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "Reference Customer: value not of required type: ",
        ),
        ("Contact.AccountId", "xyz", "MALFORMED_ID", "Account ID: id value of incorrect type: xyz"),
    ],
)
def test_a_value_is_refused_in_the_vendors_words(
    path: str, given_value: Any, code: str, message: str
) -> None:
    with pytest.raises(SalesforceError) as refused:
        coerce(field(path), given_value)
    assert (refused.value.code, refused.value.message) == (code, message)


@pytest.mark.parametrize(
    ("path", "given_value", "start"),
    [
        (
            "Account.Name",
            12,
            "Cannot deserialize instance of string from VALUE_NUMBER_INT value 12",
        ),
        ("Account.Name", {}, "Cannot deserialize instance of string from START_OBJECT"),
        (
            "Account.ARR__c",
            "abc",
            "Cannot deserialize instance of currency from VALUE_STRING value abc",
        ),
        (
            "Account.ARR__c",
            True,
            "Cannot deserialize instance of currency from VALUE_TRUE value true",
        ),
        (
            "Account.Is_Reference__c",
            "yes",
            "Cannot deserialize instance of boolean from VALUE_STRING",
        ),
        ("Account.Renewal_Date__c", "2026-02-30", "Cannot deserialize instance of date from"),
        ("Contact.Last_Login__c", "2026-02-03", "Cannot deserialize instance of datetime from"),
        ("Account.NumberOfEmployees", Decimal("1.5"), "Cannot deserialize instance of int from"),
    ],
)
def test_a_wrong_json_type_is_a_parser_error(path: str, given_value: Any, start: str) -> None:
    with pytest.raises(SalesforceError) as refused:
        coerce(field(path), given_value)
    assert refused.value.code == "JSON_PARSER_ERROR"
    assert refused.value.message.startswith(start)


@given(st.decimals(min_value=-999, max_value=999, allow_nan=False, places=5))
def test_numbers_are_rounded_half_up_to_the_scale(number: Decimal) -> None:
    expected = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if abs(expected) < 1000:
        assert coerce(field("Account.Health__c"), number) == float(expected)


@given(st.integers(min_value=-8_000_000_000, max_value=64_000_000_000))
def test_a_printed_datetime_reads_back(seconds: int) -> None:
    assert datetime_ms(iso_datetime(seconds * 1000)) == seconds * 1000


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(), st.lists(st.text()))
)
def test_no_value_breaks_a_field(value: Any) -> None:
    for sobject in SCHEMA.sobjects.values():
        for each in sobject.fields.values():
            try:
                stored = coerce(each, value)
            except SalesforceError:
                continue
            assert stored is None or isinstance(stored, (str, int, float))
