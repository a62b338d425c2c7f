"""What a query is refused with, worded and laid out as the vendor does it.

Wordings and the layout were compared with messages that users of real orgs quote in public
reports. The layout shows the row that holds the mistake, cut to five tokens on each side.
"""

from __future__ import annotations

import re

MALFORMED_QUERY = "MALFORMED_QUERY"
INVALID_FIELD = "INVALID_FIELD"
INVALID_TYPE = "INVALID_TYPE"
INVALID_QUERY_FILTER_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"
NUMBER_OUTSIDE_VALID_RANGE = "NUMBER_OUTSIDE_VALID_RANGE"

_WINDOW_TOKENS = 5
_ROUGH_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[\w.:+\-]+|[^\s\w]")


class SoqlError(Exception):
    """A refusal as the REST API words it: ``code`` is its errorCode, ``status`` its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def located(code: str, soql: str, position: int, message: str) -> SoqlError:
    """An error that points at ``position`` (0-based) of the query, in the vendor's layout."""
    row_start = soql.rfind("\n", 0, position) + 1
    row_end = soql.find("\n", position)
    row = soql[row_start : row_end if row_end >= 0 else len(soql)]
    column = position - row_start
    excerpt, caret = _window(row, column)
    row_number = soql.count("\n", 0, position) + 1
    return SoqlError(
        code,
        f"\n{excerpt}\n{' ' * caret}^\nERROR at Row:{row_number}:Column:{column + 1}\n{message}",
    )


def malformed(soql: str, position: int, message: str) -> SoqlError:
    """MALFORMED_QUERY at a position."""
    return located(MALFORMED_QUERY, soql, position, message)


def unexpected_token(soql: str, position: int, text: str) -> SoqlError:
    """The parser's refusal of a token."""
    return malformed(soql, position, f"unexpected token: '{text}'")


def no_such_column(soql: str, position: int, name: str, sobject: str) -> SoqlError:
    """INVALID_FIELD for a field that does not exist, or that field-level security hides."""
    return located(
        INVALID_FIELD,
        soql,
        position,
        f"No such column '{name}' on entity '{sobject}'. If you are attempting to use a custom "
        "field, be sure to append the '__c' after the custom field name. Please reference your "
        "WSDL or the describe call for the appropriate names.",
    )


def no_such_relationship(soql: str, position: int, name: str) -> SoqlError:
    """INVALID_FIELD for a dotted path whose relationship does not exist."""
    return located(
        INVALID_FIELD,
        soql,
        position,
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a "
        "custom relationship, be sure to append the '__r' after the custom relationship name. "
        "Please reference your WSDL or the describe call for the appropriate names.",
    )


def no_such_child_relationship(soql: str, position: int, name: str) -> SoqlError:
    """INVALID_TYPE for a subquery over a relationship that does not exist."""
    return located(
        INVALID_TYPE,
        soql,
        position,
        f"Didn't understand relationship '{name}' in FROM part of query call. If you are "
        "attempting to use a custom relationship, be sure to append the '__r' after the custom "
        "relationship name. Please reference your WSDL or the describe call for the appropriate "
        "names.",
    )


def no_such_sobject(soql: str, position: int, name: str) -> SoqlError:
    """INVALID_TYPE for an object that does not exist."""
    return located(
        INVALID_TYPE,
        soql,
        position,
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, "
        "be sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names.",
    )


def _window(row: str, column: int) -> tuple[str, int]:
    spans = [match.span() for match in _ROUGH_TOKEN.finditer(row)]
    at = next((index for index, span in enumerate(spans) if span[1] > column), len(spans))
    near = spans[max(0, at - _WINDOW_TOKENS) : at + _WINDOW_TOKENS + 1]
    while near and row[near[0][0]] == "," and near[0][0] != column:
        near = near[1:]
    while near and row[near[-1][0]] == "," and near[-1][0] != column:
        near = near[:-1]
    if not near:
        return row, column
    start = min(near[0][0], column)
    return row[start : near[-1][1]], column - start
