from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from sweo_sandbox.soql import SoqlError, quoted
from sweo_sandbox.soql.parser import parse
from sweo_sandbox.soql.tokens import like_pattern_of, text_of, tokenize
from sweo_sandbox.soql.tree import (
    And,
    Call,
    Comparison,
    FieldPath,
    Literal,
    Not,
    Or,
    SelectedChildren,
    SelectedField,
    SelectedFields,
    SelectedTypeOf,
)


def where(condition: str) -> object:
    return parse(f"SELECT Id FROM Account WHERE {condition}").where


def test_every_clause_in_its_place() -> None:
    query = parse(
        "select Id, a.Owner.Name from Account a using scope mine where Name = 'x' "
        "with SECURITY_ENFORCED order by Name desc nulls last, Id limit 5 offset 7 "
        "for view for reference all rows"
    )
    assert query.source == "Account"
    assert query.alias == "a"
    assert query.scope == "mine"
    assert [o.descending for o in query.order_by] == [True, False]
    assert [o.nulls_last for o in query.order_by] == [True, False]
    assert (query.limit, query.offset) == (5, 7)
    assert query.for_clauses == ("VIEW", "REFERENCE")
    assert query.all_rows


def test_groups() -> None:
    query = parse(
        "SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry, CALENDAR_YEAR(CreatedDate) "
        "HAVING COUNT(Id) > 1"
    )
    count = query.select[1]
    assert isinstance(count, SelectedField)
    assert count.alias == "n"
    assert isinstance(count.operand, Call)
    assert len(query.group_by) == 2
    assert isinstance(query.having, Comparison)


def test_select_items() -> None:
    query = parse(
        "SELECT FIELDS(standard), TYPEOF What WHEN Account THEN Phone, Name ELSE Name END, "
        "(SELECT Id FROM Contacts) FROM Task"
    )
    fields, typeof, children = query.select
    assert isinstance(fields, SelectedFields)
    assert fields.group == "STANDARD"
    assert isinstance(typeof, SelectedTypeOf)
    assert [len(branch.fields) for branch in typeof.branches] == [2]
    assert isinstance(children, SelectedChildren)


def test_count_alone() -> None:
    assert parse("SELECT COUNT() FROM Account").counts_rows
    with pytest.raises(SoqlError):
        parse("SELECT Id, COUNT() FROM Account")


def test_parentheses_and_not() -> None:
    condition = where("A = 1 AND (B = 2 OR NOT C = 3)")
    assert isinstance(condition, And)
    inner = condition.conditions[1]
    assert isinstance(inner, Or)
    assert isinstance(inner.conditions[1], Not)


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">=", "LIKE", "like"])
def test_operators(operator: str) -> None:
    condition = where(f"Name {operator} 'x'")
    assert isinstance(condition, Comparison)
    assert condition.operator == operator.upper()


def test_unequal_has_two_spellings() -> None:
    condition = where("Name<>'x'")
    assert isinstance(condition, Comparison)
    assert condition.operator == "!="


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("'a'", "string"),
        ("-1.5e3", "number"),
        ("+7", "number"),
        ("true", "boolean"),
        ("NULL", "null"),
        ("2026-01-02", "date"),
        ("2026-01-02T03:04:05Z", "datetime"),
        ("2026-01-02T03:04:05.123456+05:30", "datetime"),
        ("2026-01-02T03:04:05.1-0800", "datetime"),
        ("today", "range"),
        ("LAST_N_DAYS:30", "range"),
        ("N_FISCAL_QUARTERS_AGO:2", "range"),
        ("Other__c", "name"),
    ],
)
def test_literals(text: str, kind: str) -> None:
    condition = where(f"Name = {text}")
    assert isinstance(condition, Comparison)
    assert isinstance(condition.value, Literal)
    assert condition.value.kind == kind


def test_relationships_may_be_named_like_keywords() -> None:
    field = parse("SELECT Group.Name, Order.Limit FROM GroupMember").select[0]
    assert isinstance(field, SelectedField)
    assert isinstance(field.operand, FieldPath)
    assert field.operand.parts == ("Group", "Name")


@pytest.mark.parametrize(
    ("soql", "token", "column"),
    [
        ("SELECT Id, FROM Account", "FROM", 12),
        ("SELECT Id FROM Account WHERE", "<EOF>", 29),
        ("SELECT Id FROM Account LIMIT -1", "-1", 30),
        ("SELECT Id FROM Account LIMIT 1.5", "1.5", 30),
        ("SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3", "OR", 46),
        ("SELECT Id FROM Account WHERE A IS NULL", "IS", 32),
        ("SELECT Id FROM Account WHERE A = ", "<EOF>", 34),
        ("SELECT Id FROM Account ORDER Name", "Name", 30),
        ("SELECT Id FROM Account LIMIT 1 WHERE A = 1", "WHERE", 32),
        ("SELECT Id FROM Account GROUP BY ROLLUP(Industry), A B", "B", 53),
        ("SELECT Id FROM Account; DROP TABLE Account", None, 23),
        ("SELECT Id FROM Account, Contact", ",", 23),
        ("SELECT Id FROM Account UPDATE TRACKING", "UPDATE", 24),
        ("SELECT Id FROM Account USING SCOPE team", "team", 36),
        ("SELECT Id FROM Account WHERE A = LAST_N_DAYS", "<EOF>", 45),
        ("SELECT * FROM Account", None, 8),
        ("DELETE FROM Account", "DELETE", 1),
        ("", "<EOF>", 1),
    ],
)
def test_unexpected_tokens_are_named_with_their_place(
    soql: str, token: str | None, column: int
) -> None:
    with pytest.raises(SoqlError) as refused:
        parse(soql)
    assert refused.value.code == "MALFORMED_QUERY"
    assert f"ERROR at Row:1:Column:{column}\n" in refused.value.message
    if token is not None:
        assert refused.value.message.endswith(f"unexpected token: '{token}'")


def test_bind_variables_are_refused() -> None:
    with pytest.raises(SoqlError, match="Bind variables only allowed in Apex code"):
        where("Name = :name")


@pytest.mark.parametrize("raw", [r"'a\xb'", r"'\u12'", "'open", r"'\ud83d'"])
def test_bad_strings(raw: str) -> None:
    with pytest.raises(SoqlError) as refused:
        where(f"Name = {raw}")
    assert refused.value.code == "MALFORMED_QUERY"


def test_depth_is_bounded() -> None:
    for soql in ("(" * 5000 + "A = 1", "NOT " * 5000 + "A = 1", "F(" * 5000 + "A"):
        with pytest.raises(SoqlError):
            where(soql)


def test_offset_is_bounded() -> None:
    with pytest.raises(SoqlError) as refused:
        parse("SELECT Id FROM Account OFFSET 2001")
    assert refused.value.code == "NUMBER_OUTSIDE_VALID_RANGE"
    assert refused.value.message == "Maximum SOQL offset allowed is 2000"


def test_length_is_bounded() -> None:
    with pytest.raises(SoqlError):
        parse("SELECT Id FROM Account" + " " * 100_000)


@given(st.text())
def test_quoted_text_reads_back(text: str) -> None:
    (token, _) = tokenize(quoted(text))
    assert text_of(token.text) == text


def test_escapes() -> None:
    assert text_of(r"\'\"\\\n\t\r\b\f\u00e9\ud83d\ude00\%\_") == "'\"\\\n\t\r\b\fé😀%_"
    assert like_pattern_of(r"50\%\_x\\%") == r"50\%\_x\\%"
