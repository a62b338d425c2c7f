from __future__ import annotations

from typing import Any

import pytest
from sweo_sandbox.soql import SoqlError


@pytest.fixture
def filled(org: Any) -> Any:
    for name, industry, revenue, created in [
        ("a", "Media", 1.0, 0),
        ("b", "Media", 2.5, 0),
        ("A", "Energy", None, 31_536_000_000),
        ("d", None, 4.0, 0),
    ]:
        org.add("Account", Name=name, Industry=industry, AnnualRevenue=revenue, CreatedDate=created)
    return org


def plain(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert all(r.pop("attributes") == {"type": "AggregateResult"} for r in records)
    return records


def test_overall(filled: Any) -> None:
    soql = (
        "SELECT COUNT(Id), COUNT(Industry) known, COUNT_DISTINCT(Name), SUM(AnnualRevenue), "
        "AVG(AnnualRevenue), MIN(Name) low, MAX(CreatedDate) late FROM Account"
    )
    assert plain(filled.records(soql)) == [
        {
            "expr0": 4,
            "known": 3,
            "expr1": 3,
            "expr2": 7.5,
            "expr3": 2.5,
            "low": "a",
            "late": "1971-01-01T00:00:00.000+0000",
        }
    ]


def test_groups(filled: Any) -> None:
    soql = (
        "SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry ORDER BY COUNT(Id) DESC, "
        "Industry NULLS LAST"
    )
    assert plain(filled.records(soql)) == [
        {"Industry": "Media", "n": 2},
        {"Industry": "Energy", "n": 1},
        {"Industry": None, "n": 1},
    ]


def test_having(filled: Any) -> None:
    soql = (
        "SELECT Industry FROM Account GROUP BY Industry "
        "HAVING SUM(AnnualRevenue) > 3 AND Industry != null"
    )
    assert plain(filled.records(soql)) == [{"Industry": "Media"}]


def test_date_functions(filled: Any) -> None:
    soql = (
        "SELECT CALENDAR_YEAR(CreatedDate), COUNT(Id) FROM Account "
        "GROUP BY CALENDAR_YEAR(CreatedDate) ORDER BY CALENDAR_YEAR(CreatedDate)"
    )
    assert plain(filled.records(soql)) == [
        {"expr0": 1970, "expr1": 3},
        {"expr0": 1971, "expr1": 1},
    ]


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("CALENDAR_YEAR", 2026),
        ("CALENDAR_QUARTER", 1),
        ("CALENDAR_MONTH", 3),
        ("DAY_IN_MONTH", 3),
        ("DAY_IN_WEEK", 3),
        ("DAY_IN_YEAR", 62),
        ("FISCAL_QUARTER", 1),
        ("HOUR_IN_DAY", 12),
        ("WEEK_IN_MONTH", 1),
        ("WEEK_IN_YEAR", 9),
        ("DAY_ONLY", "2026-03-03"),
    ],
)
def test_every_date_function(org: Any, function: str, value: object) -> None:
    org.add("Account", Name="a")
    call = f"{function}(convertTimezone(CreatedDate))"
    assert org.column(f"SELECT {call} FROM Account GROUP BY {call}") == [value]
    assert org.count(f"SELECT COUNT() FROM Account WHERE {function}(CreatedDate) = {value}") == 1


def test_groups_by_parent(filled: Any) -> None:
    account = filled.add("Account", Name="Parent")
    filled.add("Contact", AccountId=account)
    soql = "SELECT Account.Name, COUNT(Id) FROM Contact GROUP BY Account.Name"
    assert plain(filled.records(soql)) == [{"Name": "Parent", "expr0": 1}]


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        ("SELECT Name, COUNT(Id) FROM Account", "Field must be grouped or aggregated: Name"),
        (
            "SELECT COUNT(Id) FROM Account GROUP BY Industry ORDER BY Name",
            "Ordered field must be grouped or aggregated: Name",
        ),
        ("SELECT SUM(Name) FROM Account", "field Name does not support aggregate operator SUM"),
        ("SELECT COUNT(Id) n, COUNT(Name) n FROM Account", "duplicate alias: n"),
        ("SELECT COUNT(Id) FROM Account LIMIT 1", "cannot also use LIMIT"),
        ("SELECT Id FROM Account WHERE COUNT(Id) > 1", "unexpected token: 'COUNT'"),
        ("SELECT Id FROM Account HAVING COUNT(Id) > 1", "unexpected token: 'HAVING'"),
        ("SELECT (SELECT COUNT(Id) FROM Contacts) FROM Account", "only root queries support"),
        ("SELECT CALENDAR_YEAR(CreatedDate) FROM Account", "Field must be grouped or aggregated"),
        ("SELECT COUNT(Id) FROM Account GROUP BY Description", "can not be grouped"),
        ("SELECT CALENDAR_YEAR(Name) FROM Account GROUP BY Name", "does not support CALENDAR_YEAR"),
        ("SELECT SUM() FROM Account", "unexpected token: 'SUM'"),
        ("SELECT FORMAT(AnnualRevenue) FROM Account", "unexpected token: 'FORMAT'"),
        ("SELECT convertCurrency(AnnualRevenue) FROM Account", "unexpected token"),
        ("SELECT COUNT(Id) FROM Account GROUP BY ROLLUP(Industry)", "unexpected token: 'ROLLUP'"),
    ],
)
def test_refusals(org: Any, soql: str, message: str) -> None:
    with pytest.raises(SoqlError) as refused:
        org.compile(soql)
    assert refused.value.code == "MALFORMED_QUERY"
    assert message in refused.value.message
