from __future__ import annotations

from typing import Any

import pytest
from sweo_sandbox.soql import SoqlError, quoted

NOW_MS = 1_772_539_445_000
DAY_MS = 86_400_000


@pytest.fixture
def accounts(org: Any) -> Any:
    owner = org.add("User", Name="Ann")
    org.add(
        "Account",
        Name="Alpha",
        Industry="Media",
        AnnualRevenue=10.0,
        Active__c=1,
        Renewal__c="2026-03-03",
        Regions__c="AMER;EMEA",
        CreatedDate=NOW_MS,
        OwnerId=owner,
        Code__c="abc",
    )
    org.add(
        "Account",
        Name="beta_50%",
        Industry="banking",
        AnnualRevenue=20.5,
        Renewal__c="2026-03-04",
        Regions__c="APAC",
        CreatedDate=NOW_MS - DAY_MS,
        Code__c="ABC",
    )
    org.add("Account", Name="ÉMILE", CreatedDate=NOW_MS - 40 * DAY_MS)
    return org


A, B, E = "Alpha", "beta_50%", "ÉMILE"


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Name = 'ALPHA'", [A]),
        ("Name = 'émile'", [E]),
        ("Name != 'alpha'", [B, E]),
        ("Industry = 'Banking'", [B]),
        ("Industry != 'Media'", [B, E]),
        ("NOT Industry = 'Media'", [B, E]),
        ("Industry = null", [E]),
        ("Industry = ''", [E]),
        ("Industry != null", [A, B]),
        ("Industry <> NULL", [A, B]),
        ("Industry IN ('media', 'Energy')", [A]),
        ("Industry IN ('media', null)", [A, E]),
        ("Industry NOT IN ('media')", [B, E]),
        ("Name IN ('émile', 'alpha')", [A, E]),
        ("Name LIKE 'a%'", [A]),
        ("Name LIKE '_eta%'", [B]),
        (r"Name LIKE '%\_50\%'", [B]),
        (r"Name LIKE '%\_5\_'", []),
        ("Name LIKE 'éM%'", [E]),
        ("NOT Industry LIKE 'm%'", [B, E]),
        ("Name > 'b' AND Name < 'c'", [B]),
        ("Name >= 'Alpha' AND Name <= 'alpha'", [A]),
        ("Code__c = 'abc'", [A]),
        ("AnnualRevenue = 10", [A]),
        ("AnnualRevenue > 10", [B]),
        ("AnnualRevenue >= 10.0", [A, B]),
        ("AnnualRevenue <= 2.05e1", [A, B]),
        ("NOT AnnualRevenue > 10", [A, E]),
        ("AnnualRevenue < -1", []),
        ("Active__c = true", [A]),
        ("Active__c != TRUE", [B, E]),
        ("Renewal__c = 2026-03-03", [A]),
        ("Renewal__c > 2026-03-03", [B]),
        ("Renewal__c = TODAY", [A]),
        ("Renewal__c = TOMORROW", [B]),
        ("Renewal__c > TODAY", [B]),
        ("Renewal__c <= TODAY", [A]),
        ("Renewal__c != TODAY", [B, E]),
        ("CreatedDate = TODAY", [A]),
        ("CreatedDate = YESTERDAY", [B]),
        ("CreatedDate >= YESTERDAY", [A, B]),
        ("CreatedDate < YESTERDAY", [E]),
        ("CreatedDate = LAST_N_DAYS:7", [A, B]),
        ("CreatedDate < LAST_N_DAYS:7", [E]),
        ("CreatedDate >= 2026-03-03T12:04:05Z", [A]),
        ("CreatedDate >= 2026-03-03T12:04:05.000001Z", [A]),
        ("CreatedDate > 2026-03-03T12:04:05.000Z", []),
        ("CreatedDate = 2026-03-03T14:04:05+02:00", [A]),
        ("CALENDAR_MONTH(CreatedDate) = 1", [E]),
        ("DAY_ONLY(CreatedDate) = 2026-03-02", [B]),
        ("Regions__c INCLUDES ('emea')", [A]),
        ("Regions__c INCLUDES ('AMER;EMEA', 'APAC')", [A, B]),
        ("Regions__c INCLUDES ('AMER;APAC')", []),
        ("Regions__c EXCLUDES ('AMER')", [B, E]),
        ("Regions__c = 'APAC'", [B]),
        ("Owner.Name = 'ann'", [A]),
        ("Owner.Name = null", [B, E]),
        ("Owner.Name != 'Ann'", [B, E]),
        ("Parent.Active__c = false", [A, B, E]),
        ("(Name = 'alpha' OR Name = 'émile') AND NOT (Active__c = true OR Name = 'x')", [E]),
        ("NOT (Name = 'alpha' AND Active__c = true)", [B, E]),
        ("NOT NOT Name = 'alpha'", [A]),
    ],
)
def test_conditions(accounts: Any, condition: str, names: list[str]) -> None:
    assert sorted(accounts.column(f"SELECT Name FROM Account WHERE {condition}")) == names


def test_ids_of_either_length(org: Any) -> None:
    record_id = org.add("Account", Name="a")
    org.add("Account", Name="b")
    for written in (record_id, record_id[:15], record_id.lower(), record_id.upper()):
        assert org.column(f"SELECT Name FROM Account WHERE Id = '{written}'") == ["a"]
    assert org.column(f"SELECT Name FROM Account WHERE Id > '{record_id[:15]}'") == ["b"]
    assert org.column(f"SELECT Name FROM Account WHERE Id NOT IN ('{record_id}')") == ["b"]


@pytest.mark.parametrize("text", [":", "(", ")", ".", ",", "=", "SELECT", "null", "AND", "';"])
def test_text_that_looks_like_syntax(org: Any, text: str) -> None:
    org.add("Account", Name=text)
    literal = quoted(text)
    assert org.column(f"SELECT Name FROM Account WHERE Name = {literal}") == [text]
    assert org.column(f"SELECT Name FROM Account WHERE Name IN ({literal}, {literal})") == [text]
    assert org.column(f"SELECT Name FROM Account WHERE NOT Name LIKE {literal}") == []


def test_semi_and_anti_joins(org: Any) -> None:
    with_contact = org.add("Account", Name="with")
    org.add("Account", Name="without")
    org.add("Contact", LastName="x", AccountId=with_contact)
    org.add("Contact", LastName="orphan")
    org.add("Contact", LastName="gone", IsDeleted=1, AccountId=with_contact)
    select = "SELECT Name FROM Account WHERE Id"
    assert org.column(f"{select} IN (SELECT AccountId FROM Contact)") == ["with"]
    assert org.column(f"{select} NOT IN (SELECT AccountId FROM Contact)") == ["without"]
    assert org.column(f"{select} IN (SELECT AccountId FROM Contact WHERE LastName = 'gone')") == []
    assert org.column(
        "SELECT LastName FROM Contact WHERE AccountId IN (SELECT Id FROM Account c WHERE "
        "c.Name LIKE 'w%')"
    ) == ["x"]


def test_order(accounts: Any) -> None:
    def names(order: str) -> list[str]:
        found: list[str] = accounts.column(f"SELECT Name FROM Account ORDER BY {order}")
        return found

    assert names("AnnualRevenue") == [E, A, B]
    assert names("AnnualRevenue DESC") == [E, B, A]
    assert names("AnnualRevenue ASC NULLS LAST") == [A, B, E]
    assert names("AnnualRevenue DESC NULLS LAST") == [B, A, E]
    assert names("Owner.Name NULLS LAST, Name DESC") == [A, E, B]
    # By the order of the picklist, not of the alphabet.
    assert names("Industry NULLS LAST") == [A, B, E]


@pytest.mark.parametrize(
    ("condition", "code", "message"),
    [
        ("AnnualRevenue = '1'", "INVALID_FIELD", "of type double and should not be enclosed"),
        ("NumberOfEmployees = true", "INVALID_FIELD", "of type int and should not be enclosed"),
        ("Name = 3999", "INVALID_FIELD", "of type string and should be enclosed in quotes"),
        ("Active__c = 'true'", "INVALID_FIELD", "of type boolean and should not be enclosed"),
        ("Renewal__c = '2026-01-01'", "INVALID_FIELD", "of type date and should not"),
        ("Renewal__c = 2026-01-01T00:00:00Z", "INVALID_FIELD", "of type date and should not"),
        ("CreatedDate = 2026-01-01", "INVALID_FIELD", "of type dateTime and should not"),
        ("Description = 'x'", "INVALID_FIELD", "'Description' can not be filtered in a query"),
        ("BillingAddress = 'x'", "INVALID_FIELD", "Address fields can only be filtered using"),
        ("Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("Id LIKE 'abc%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
        ("Active__c > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on boolean"),
        ("Name INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "only valid on multipicklist"),
        ("AnnualRevenue LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("Name = Industry", "MALFORMED_QUERY", "Bind variables only allowed in Apex code"),
        ("Name > null", "INVALID_FIELD", "must be of type string"),
        ("Renewal__c = 2026-02-30", "MALFORMED_QUERY", "Invalid date: 2026-02-30"),
        ("CreatedDate = LAST_N_DAYS:99999999", "MALFORMED_QUERY", "Invalid date: LAST_N_DAYS"),
        ("CreatedDate IN (TODAY)", "MALFORMED_QUERY", "unexpected token: 'TODAY'"),
        (
            "Name = 'x' OR Id IN (SELECT AccountId FROM Contact)",
            "MALFORMED_QUERY",
            "Semi join sub-selects are only allowed at the top level",
        ),
        (
            "Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT WhoId FROM Task))",
            "MALFORMED_QUERY",
            "Nesting of semi join sub-selects is not supported",
        ),
        (
            "Id IN (SELECT ParentId FROM Account)",
            "MALFORMED_QUERY",
            "should not be on the same object type",
        ),
        ("Id IN (SELECT LastName FROM Contact)", "MALFORMED_QUERY", "select one Id"),
        ("Id IN (SELECT Id, AccountId FROM Contact)", "MALFORMED_QUERY", "select one Id"),
        ("Name IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "left operand 'Name'"),
        (
            "Id IN (SELECT AccountId FROM Contact LIMIT 1)",
            "MALFORMED_QUERY",
            "cannot use ORDER BY, LIMIT",
        ),
    ],
)
def test_refusals(org: Any, condition: str, code: str, message: str) -> None:
    with pytest.raises(SoqlError) as refused:
        org.compile(f"SELECT Id FROM Account WHERE {condition}")
    assert refused.value.code == code
    assert message in refused.value.message
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("soql", "index"),
    [
        (
            (
                "SELECT Name FROM Account WHERE SystemModstamp >= 2026-01-01T00:00:00Z "
                "ORDER BY SystemModstamp, Id"
            ),
            "by_stamp",
        ),
        ("SELECT Name FROM Account WHERE SystemModstamp >= YESTERDAY", "by_stamp"),
        ("SELECT Name FROM Account WHERE Id IN ('001000000000001','001000000000002')", "autoindex"),
        ("SELECT Name FROM Account WHERE Id > '001000000000001' ORDER BY Id LIMIT 9", "autoindex"),
        ("SELECT Name FROM Account WHERE Customer_Number__c IN ('a', 'b')", "by_number"),
        ("SELECT Name FROM Account WHERE Customer_Number__c = 'a'", "by_number"),
    ],
)
def test_indexes_serve(org: Any, soql: str, index: str) -> None:
    org.connection.execute("CREATE INDEX by_stamp ON Account (SystemModstamp, Id)")
    org.connection.execute("CREATE INDEX by_number ON Account (Customer_Number__c COLLATE NOCASE)")
    query = org.compile(soql)
    plan = " ".join(
        row[3]
        for row in org.connection.execute(f"EXPLAIN QUERY PLAN {query.json_sql()}", query.params)
    )
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "SCAN" not in plan
