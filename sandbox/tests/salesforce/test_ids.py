from __future__ import annotations

from hypothesis import given, strategies as st
from sweo_sandbox.salesforce import ids

numbers = st.integers(min_value=0, max_value=62**9 - 1)


@given(numbers)
def test_an_id_survives_a_change_of_case(number: int) -> None:
    made = ids.make_id("001", number)
    assert len(made) == 18
    assert ids.to_18(made) == made
    assert ids.to_18(made[:15]) == made
    assert ids.to_18(made.lower()) == made
    assert ids.to_18(made.upper()) == made
    assert ids.number_of(made) == number


@given(numbers, numbers)
def test_ids_sort_as_their_numbers(one: int, other: int) -> None:
    assert (ids.make_id("003", one) < ids.make_id("003", other)) == (one < other)


def test_the_checksum_is_the_vendors() -> None:
    # The id of the recorded org's user, as its describe answers carry it.
    assert ids.to_18("0057e00000RmwSW") == "0057e00000RmwSWAAZ"
    assert ids.to_18("01254000001upcK") == "01254000001upcKAAQ"


@given(st.text(max_size=20))
def test_other_text_is_no_id(text: str) -> None:
    found = ids.to_18(text)
    assert found is None or ids.to_18(found) == found


@given(st.integers(min_value=0, max_value=10**9))
def test_locators_come_back(offset: int) -> None:
    assert ids.from_locator(ids.to_locator(offset)) == offset
    assert ids.from_locator("garbage!") is None
