"""A person's name goes out in the two parts that Salesforce takes."""

from __future__ import annotations

import pytest
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side
from hypothesis import given, strategies as st
from salesforce_client.fields import Description
from salesforce_client.person_names import split_name, writable_name


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Ada", None, "Ada"),
        ("Ada  King Lovelace ", "Ada  King", "Lovelace"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_name_is_split_at_its_last_space(
    name: str | None, first: str | None, last: str | None
) -> None:
    assert split_name("Lead", {"Name": name, "Title": "Countess"}) == {
        "Title": "Countess",
        "FirstName": first,
        "LastName": last,
    }


def test_the_name_of_a_thing_stays_whole() -> None:
    assert split_name("Account", {"Name": "Acme Ltd"}) == {"Name": "Acme Ltd"}


@given(st.lists(st.text("abc", min_size=1), min_size=1).map(" ".join))
def test_the_parts_make_the_name_again(name: str) -> None:
    parts = split_name("Contact", {"Name": name})
    assert " ".join(str(parts[k]) for k in ("FirstName", "LastName") if parts[k]) == name


@pytest.mark.parametrize(("sobject", "writable"), [("Contact", True), ("Account", False)])
def test_a_persons_name_can_be_written_where_both_parts_can(sobject: str, writable: bool) -> None:
    def field(name: str, *, writable: bool) -> FieldType:
        return FieldType(side=Side.SALESFORCE, name=name, type="string", writable=writable)

    parts = {n.lower(): field(n, writable=True) for n in ("FirstName", "LastName")}
    description = Description(sobject, parts, {})
    assert writable_name(description, field("Name", writable=False)).writable is writable
