from __future__ import annotations

from crosswalk.addresses import PARTS, composed, is_address, missing_parts, parts_of
from hypothesis import given, strategies as st

PART = st.one_of(st.none(), st.text(max_size=20))
ADDRESS = st.lists(PART, min_size=len(PARTS), max_size=len(PARTS))


def test_the_parts_of_a_compound_are_fields_of_the_same_record() -> None:
    assert parts_of("Account.BillingAddress")[0] == "Account.BillingStreet"
    assert parts_of("Address") == PARTS
    assert parts_of("Industry") == ("Industry",)
    assert not is_address("Account.Email_Address__c")


def test_an_address_is_one_line() -> None:
    parts = ["1 High St\r\nUnit 2", "Leeds", None, " LS1 ", "UK"]
    assert composed(parts) == "1 High St, Unit 2, Leeds, LS1, UK"
    assert missing_parts(parts) == "state"
    assert composed([None] * 5) is None
    assert missing_parts(["s", "c", "st", "p", None]) is None, "a country is not asked for"


@given(ADDRESS)
def test_what_is_missing_is_what_is_not_told(parts: list[str | None]) -> None:
    told, missing = composed(parts), missing_parts(parts)
    empty = [not (part or "").strip() for part in parts]
    assert (told is None) == all(empty)
    assert (missing is None) == (not any(empty[:4]))
