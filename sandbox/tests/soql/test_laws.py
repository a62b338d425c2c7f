"""Laws: no input but a SoqlError, and the same rows as plain Python finds."""

from __future__ import annotations

import json
import operator as operators
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sweo_sandbox.soql import SoqlError, quoted
from sweo_sandbox.soql.tokens import MAX_QUERY_CHARACTERS

_WORDS = """
SELECT FROM WHERE AND OR NOT IN LIKE INCLUDES EXCLUDES NULL TRUE ORDER BY GROUP HAVING LIMIT OFFSET
FOR VIEW ALL ROWS USING SCOPE mine WITH SECURITY_ENFORCED TYPEOF WHEN THEN ELSE END NULLS FIRST
LAST ASC DESC AS FIELDS COUNT SUM MAX toLabel CALENDAR_YEAR DAY_ONLY TODAY LAST_N_DAYS THIS_MONTH
Id Name Industry AnnualRevenue Active__c Renewal__c Regions__c BillingAddress Owner Parent Account
Contact Contacts Task Who What Lead Email CreatedDate Nope ( ) , . : = != <> < <= > >= ' \\ 1 -2.5
0 1e400 'x' 'a%' '001000000000001AAA' 2026-01-02 2026-01-02T03:04:05.5Z 9999-12-31 # ; ü
"""

fuzz = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def answer(org: Any, soql: str) -> None:
    """Compiles and, if that is allowed, runs every statement."""
    try:
        query = org.compile(soql)
    except SoqlError:
        return
    org.connection.execute(query.count_sql, query.params).fetchall()
    if query.is_count:
        return
    for row in org.connection.execute(query.json_sql("62.0"), query.params):
        assert isinstance(query.record(row), dict)
    if not (query.has_compound or query.has_child_queries or query.has_typeof):
        org.connection.execute(query.csv_sql(), query.params).fetchall()


@pytest.fixture(scope="module")
def filled(shared_org: Any) -> Any:
    owner = shared_org.add("User", Name="Ann")
    account = shared_org.add("Account", Name="Acme", OwnerId=owner, AnnualRevenue=1.5)
    contact = shared_org.add("Contact", LastName="Doe", AccountId=account)
    shared_org.add("Task", Subject="x", WhoId=contact, WhatId=account)
    return shared_org


@fuzz
@given(st.text(max_size=60))
def test_any_text_is_answered_or_refused(filled: Any, soql: str) -> None:
    answer(filled, soql)
    answer(filled, f"SELECT Id FROM Account WHERE {soql}")
    answer(filled, f"SELECT {soql} FROM Account")


@fuzz
@given(
    st.lists(st.sampled_from(_WORDS.split()), max_size=14),
    st.sampled_from(["Account", "Task", "Lead"]),
)
def test_any_words_are_answered_or_refused(filled: Any, words: list[str], sobject: str) -> None:
    text = " ".join(words)
    answer(filled, text)
    answer(filled, f"SELECT Id FROM {sobject} {text}")
    answer(filled, f"SELECT Id FROM {sobject} WHERE {text}")
    answer(filled, f"SELECT Id, {text} FROM {sobject}")


_FIELDS = ["Id", "Name", "Industry", "AnnualRevenue", "Active__c", "Renewal__c", "CreatedDate"]
_PATHS = [*_FIELDS, "BillingAddress", "Owner.Name", "Parent.Owner.Email", "Regions__c", "OwnerId"]
_LITERALS = ["'x'", "null", "1", "true", "2026-01-02", "2026-01-02T03:04:05Z", "THIS_YEAR", "''"]
_OPERATORS = ["=", "!=", "<", ">=", "LIKE"]
_AGGREGATES = ["COUNT(Id)", "SUM(AnnualRevenue)", "MAX(Name)", "COUNT_DISTINCT(Owner.Name)"]


@st.composite
def shaped(draw: st.DrawFn) -> str:
    """Queries that are mostly well-formed."""
    condition = st.builds(
        "{} {} {}".format,
        st.sampled_from(_PATHS),
        st.sampled_from(_OPERATORS),
        st.sampled_from(_LITERALS),
    )
    conditions = st.recursive(
        condition,
        lambda inner: st.one_of(
            st.builds("NOT ({})".format, inner),
            st.lists(inner, min_size=2, max_size=3).map(lambda c: f"({' AND '.join(c)})"),
            st.lists(inner, min_size=2, max_size=3).map(lambda c: f"({' OR '.join(c)})"),
        ),
        max_leaves=4,
    )
    selected = draw(st.lists(st.sampled_from(_PATHS), min_size=1, max_size=4, unique=True))
    grouped = draw(st.booleans())
    if grouped:
        groups = selected[:2]
        selected = [*groups, draw(st.sampled_from(_AGGREGATES))]
    soql = f"SELECT {', '.join(selected)} FROM Account"
    if draw(st.booleans()):
        soql += f" WHERE {draw(conditions)}"
    if grouped:
        soql += f" GROUP BY {', '.join(groups)}"
    if draw(st.booleans()):
        soql += f" ORDER BY {draw(st.sampled_from([*_PATHS, *_AGGREGATES]))} DESC NULLS LAST"
    return soql + draw(st.sampled_from(["", " LIMIT 1", " LIMIT 2 OFFSET 1"]))


@fuzz
@given(shaped())
def test_shaped_queries_are_answered_or_refused(filled: Any, soql: str) -> None:
    answer(filled, soql)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300))
def test_a_quoted_value_finds_its_record(filled: Any, text: str) -> None:
    soql = f"SELECT Name FROM Account WHERE Name = {quoted(text)}"
    if len(soql) > MAX_QUERY_CHARACTERS:
        return
    filled.connection.execute("SAVEPOINT one")
    try:
        filled.add("Account", Name=text or None)
        assert (text or None) in filled.column(soql)
    finally:
        filled.connection.execute("ROLLBACK TO one")


# What the answers must be, in plain Python.

_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "Industry": st.sampled_from([None, "a", "A", "b", "ab", "é", "É", "a%"]),
            "AnnualRevenue": st.sampled_from([None, 0.0, 1.5, -2.0]),
            "Active__c": st.booleans(),
            "Renewal__c": st.sampled_from([None, "2026-03-02", "2026-03-03", "2026-04-01"]),
        }
    ),
    max_size=8,
)
_Row = dict[str, Any]
_Oracle = Callable[[_Row], bool]


def _key(row: _Row) -> str:
    return json.dumps(row, sort_keys=True)


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


def _compare(field: str, operator: str, wanted: Any) -> _Oracle:
    def test(row: _Row) -> bool:
        have = row[field]
        if operator in ("=", "!="):
            return bool(_fold(have) == _fold(wanted)) == (operator == "=")
        if have is None:
            return False
        return _ORDERED[operator](have, wanted)

    return test


def _like(pattern: str) -> _Oracle:
    expression = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    return lambda row: bool(
        row["Industry"] is not None
        and re.fullmatch(expression, row["Industry"], re.IGNORECASE | re.DOTALL)
    )


_EQUALITY, _ORDER = ["=", "!="], ["=", "!=", "<", "<=", ">", ">="]
_leaf = st.one_of(
    st.tuples(st.just("Industry"), st.sampled_from(_EQUALITY), st.sampled_from([None, "a", "É"])),
    st.tuples(st.just("AnnualRevenue"), st.sampled_from(_ORDER), st.sampled_from([0, 1.5, -2])),
    st.tuples(st.just("AnnualRevenue"), st.sampled_from(_EQUALITY), st.none()),
    st.tuples(st.just("Active__c"), st.sampled_from(_EQUALITY), st.booleans()),
    st.tuples(
        st.just("Renewal__c"), st.sampled_from(_ORDER), st.sampled_from(["2026-03-03", "TODAY"])
    ),
    st.tuples(st.just("Industry"), st.just("LIKE"), st.sampled_from(["a%", "_", "%b", "é%"])),
    st.tuples(
        st.just("Industry"),
        st.sampled_from(["IN", "NOT IN"]),
        st.lists(st.sampled_from([None, "a", "b", "é"]), min_size=1, max_size=3),
    ),
).map(lambda leaf: _written(*leaf))


def _written(field: str, operator: str, wanted: Any) -> tuple[str, _Oracle]:
    if operator == "LIKE":
        return f"{field} LIKE '{wanted}'", _like(wanted)
    if isinstance(wanted, list):
        listed = ", ".join("null" if w is None else f"'{w}'" for w in wanted)
        members = {_fold(w) for w in wanted}
        return (
            f"{field} {operator} ({listed})",
            lambda row: (_fold(row[field]) in members) == (operator == "IN"),
        )
    if wanted is None or isinstance(wanted, bool):
        return f"{field} {operator} {json.dumps(wanted)}", _compare(field, operator, wanted)
    if field == "Renewal__c":
        return f"{field} {operator} {wanted}", _compare(field, operator, "2026-03-03")
    text = f"'{wanted}'" if isinstance(wanted, str) else str(wanted)
    return f"{field} {operator} {text}", _compare(field, operator, wanted)


def _joined(word: str, parts: list[tuple[str, _Oracle]]) -> tuple[str, _Oracle]:
    combine = all if word == "AND" else any
    return (
        "(" + f" {word} ".join(text for text, _ in parts) + ")",
        lambda row: combine(oracle(row) for _, oracle in parts),
    )


_conditions = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        inner.map(lambda part: (f"NOT {part[0]}", lambda row: not part[1](row))),
        st.builds(_joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)


@fuzz
@given(_ROWS, _conditions)
def test_conditions_find_what_plain_python_finds(
    filled: Any, rows: list[_Row], condition: tuple[str, _Oracle]
) -> None:
    text, oracle = condition
    filled.connection.execute("SAVEPOINT two")
    try:
        for row in rows:
            filled.add("Account", Name="row", **{**row, "Active__c": int(row["Active__c"])})
        found = filled.records(
            "SELECT Industry, AnnualRevenue, Active__c, Renewal__c FROM Account "
            f"WHERE Name = 'row' AND ({text})"
        )
    finally:
        filled.connection.execute("ROLLBACK TO two")
    for record in found:
        record.pop("attributes")
    expected = [row for row in rows if oracle(row)]
    assert sorted(map(_key, found)) == sorted(map(_key, expected))


_CLAUSES = {
    "WHERE": st.sampled_from(
        ["WHERE Name = 'x'", "WHERE Active__c = true", "WHERE Name LIKE 'a%'"]
    ),
    "ORDER BY": st.sampled_from(["ORDER BY Name DESC", "ORDER BY CreatedDate NULLS LAST, Id"]),
    "LIMIT": st.sampled_from(["LIMIT 3", "LIMIT 0"]),
    "OFFSET": st.just("OFFSET 2"),
    "FOR": st.sampled_from(["FOR VIEW", "FOR REFERENCE"]),
    "ALL ROWS": st.just("ALL ROWS"),
}


def meaning(org: Any, soql: str) -> Any:
    """All that a query makes its caller do, or None if it is refused."""
    try:
        query = org.compile(soql)
    except SoqlError:
        return None
    return query.json_sql("62.0"), query.count_sql, query.params, query.for_clauses


@fuzz
@given(st.fixed_dictionaries({}, optional=_CLAUSES), st.data())
def test_no_clause_is_passed_over(filled: Any, clauses: dict[str, str], data: Any) -> None:
    written = [clauses[name] for name in _CLAUSES if name in clauses]
    whole = meaning(filled, " ".join(["SELECT Id, Name FROM Account", *written]))
    if not written or whole is None:
        return
    left_out = data.draw(st.integers(0, len(written) - 1))
    rest = written[:left_out] + written[left_out + 1 :]
    assert meaning(filled, " ".join(["SELECT Id, Name FROM Account", *rest])) != whole
