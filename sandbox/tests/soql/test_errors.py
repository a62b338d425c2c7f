from __future__ import annotations

from typing import Any

import pytest
from sweo_sandbox.soql import SoqlError

REFERENCE = "Please reference your WSDL or the describe call for the appropriate names."


def refusal(org: Any, soql: str) -> SoqlError:
    with pytest.raises(SoqlError) as refused:
        org.compile(soql)
    return refused.value


def test_unknown_field_in_the_vendors_layout(org: Any) -> None:
    error = refusal(org, "SELECT Foo FROM Account")
    assert error.code == "INVALID_FIELD"
    assert error.message == (
        "\nSELECT Foo FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Foo' on "
        "entity 'Account'. If you are attempting to use a custom field, be sure to append the "
        f"'__c' after the custom field name. {REFERENCE}"
    )


def test_the_layout_cuts_a_long_row(org: Any) -> None:
    # As users quote it from a real org.
    error = refusal(org, "select Id, Code__c from Account where Code__c = 3999")
    assert error.message.startswith(
        "\nCode__c from Account where Code__c = 3999\n                           ^\n"
        "ERROR at Row:1:Column:39\nvalue of filter criterion for field 'Code__c'"
    )


def test_the_layout_counts_rows(org: Any) -> None:
    error = refusal(org, "SELECT Id\nFROM Account\nWHERE Nope = 1")
    assert error.message.startswith("\nWHERE Nope = 1\n      ^\nERROR at Row:3:Column:7\n")


def test_invisible_fields_are_as_if_absent(org: Any) -> None:
    for soql in (
        "SELECT Secret__c FROM Contact",
        "SELECT Id FROM Contact WHERE Secret__c = 'x'",
        "SELECT Id FROM Contact ORDER BY Secret__c",
    ):
        error = refusal(org, soql)
        assert error.code == "INVALID_FIELD"
        assert "No such column 'Secret__c' on entity 'Contact'" in error.message
    org.hidden.add(("Contact", "AccountId"))
    assert "Didn't understand relationship 'Account'" in (
        refusal(org, "SELECT Account.Name FROM Contact").message
    )
    assert "Didn't understand relationship 'Contacts'" in (
        refusal(org, "SELECT (SELECT Id FROM Contacts) FROM Account").message
    )
    org.hidden.add(("Lead", "Id"))
    assert refusal(org, "SELECT Id FROM Lead").code == "INVALID_TYPE"


def test_unknown_object(org: Any) -> None:
    error = refusal(org, "SELECT Id FROM Nope")
    assert error.code == "INVALID_TYPE"
    assert error.message == (
        "\nSELECT Id FROM Nope\n               ^\nERROR at Row:1:Column:16\nsObject type 'Nope' is "
        "not supported. If you are attempting to use a custom object, be sure to append the '__c' "
        f"after the entity name. {REFERENCE}"
    )


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Nope.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope'"),
        ("SELECT Who.Account FROM Task", "INVALID_FIELD", "No such column 'Account' on entity 'Na"),
        ("SELECT Who.Account.Name FROM Task", "INVALID_FIELD", "relationship 'Account'"),
        ("SELECT (SELECT Id FROM Nopes) FROM Account", "INVALID_TYPE", "relationship 'Nopes'"),
        ("SELECT Id, id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT Id, Account.Id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT NOPE(Id) FROM Account", "MALFORMED_QUERY", "unexpected token: 'NOPE'"),
        (
            "SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account",
            "MALFORMED_QUERY",
            "more than 5 levels",
        ),
        (
            "SELECT TYPEOF Owner WHEN User THEN Id END FROM Account",
            "MALFORMED_QUERY",
            "TYPEOF is not supported",
        ),
        (
            "SELECT TYPEOF Who WHEN Case THEN Id END FROM Task",
            "INVALID_TYPE",
            "sObject type 'Case'",
        ),
        ("SELECT Id FROM User USING SCOPE mine", "MALFORMED_QUERY", "SCOPE mine is not supported"),
    ],
)
def test_refusals(org: Any, soql: str, code: str, message: str) -> None:
    error = refusal(org, soql)
    assert error.code == code
    assert message in error.message


def test_objects_that_cannot_be_queried(org: Any) -> None:
    org.schema.sobjects["lead"].queryable = False
    error = refusal(org, "SELECT Id FROM Lead")
    assert error.code == "INVALID_TYPE_FOR_OPERATION"
