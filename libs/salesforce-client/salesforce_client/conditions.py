"""The SOQL condition of a filter (``only.salesforce``): what it reads, and what the org says of it.

Nobody parses it here: the org alone knows what it takes. Only the names that reach over a
relationship are picked out, because their changes do not mark the record as changed.
"""

from __future__ import annotations

import re
from typing import Final

from crosswalk.condition import without_texts
from crosswalk.errors import FatalError, SyncError
from crosswalk.mapping import Mapping, Side

from salesforce_client.errors import RequestRefusedError

_INNERMOST: Final = re.compile(r"\([^()]*\)")
_SELECT: Final = re.compile(r"\(\s*SELECT\b", re.IGNORECASE)
_DOTTED: Final = re.compile(r"(?<![\w.:-])[A-Za-z]\w*(?:\.[A-Za-z]\w*)+")
_ABOUT_THE_QUERY: Final = frozenset(
    {
        "INVALID_FIELD",
        "INVALID_QUERY_FILTER_OPERATOR",
        "INVALID_TYPE",
        "MALFORMED_QUERY",
        "QUERY_TOO_COMPLICATED",
    }
)


def where_of(condition: str) -> str:
    """A condition as it stands beside others, joined by AND.

    Salesforce takes a sub-select at the top level only, and beside no OR: a condition that has
    one needs no brackets and gets none.
    """
    return condition if _SELECT.search(without_texts(condition)) else f"({condition})"


def related_names(condition: str) -> tuple[str, ...]:
    """The names of related fields (``Account.Industry``) that a condition reads, in its order.

    What stands in a sub-select belongs to another object.
    """
    text, found = without_texts(condition), 1
    while found:
        text, found = _INNERMOST.subn(_unwrapped, text)
    return tuple(dict.fromkeys(_DOTTED.findall(text)))


def _unwrapped(brackets: re.Match[str]) -> str:
    return " " if _SELECT.match(brackets[0]) else f" {brackets[0][1:-1]} "


def refusal_of(mapping: Mapping, refusal: RequestRefusedError) -> SyncError:
    """A refused query of this mapping as an error; where its filter is to blame, in one sentence
    with the filter's place and the org's own words, which quote the query and no value.
    """
    condition = mapping.only.salesforce
    if condition is None or refusal.code not in _ABOUT_THE_QUERY:
        return refusal.sorted()
    return FatalError(
        f"{mapping.only.place(mapping.name, Side.SALESFORCE)}: Salesforce does not take this "
        f"condition: {words_of(refusal)}"
    )


def words_of(refusal: RequestRefusedError) -> str:
    """What the org said of a query, on one line: without the excerpt and the mark below it."""
    told = refusal.errors[0].message if refusal.errors else ""
    _, found, behind = told.partition("ERROR at Row:")
    text = " ".join((behind.partition("\n")[2] if found else told).split()) or refusal.code
    return text if text.endswith(".") else f"{text}."
