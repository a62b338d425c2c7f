from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from sweo_sandbox.salesforce import json_body
from sweo_sandbox.salesforce.errors import SalesforceError, json_parser_error

Client = Any
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


VALUE = "expected a valid value (number, String, array, object, 'true', 'false' or 'null')"
MINUS = "expected digit (0-9) to follow minus sign, for valid numeric value"
CONTROL = "has to be escaped using backslash to be included in string value"
UNEXPECTED = "Unexpected character"
BROKEN = {
    "--boundary": f"{UNEXPECTED} ('-' (code 45)) in numeric value: {MINUS} at [line:1, column:3]",
    "{'Name': 1}": (
        f"{UNEXPECTED} (''' (code 39)): was expecting double-quote to start field name "
        "at [line:1, column:3]"
    ),
    '{"Name" 1}': (
        f"{UNEXPECTED} ('1' (code 49)): was expecting a colon to separate field name and value "
        "at [line:1, column:10]"
    ),
    '{"Name": 1\n "Fax": 2}': (
        f"{UNEXPECTED} ('\"' (code 34)): was expecting comma to separate OBJECT entries "
        "at [line:2, column:3]"
    ),
    '{"Name": nope}': (
        "Unrecognized token 'nope': was expecting ('true', 'false' or 'null') "
        "at [line:1, column:14]"
    ),
    '{"Name": "x': (
        "Unexpected end-of-input: was expecting closing quote for a string value "
        "at [line:1, column:12]"
    ),
    '{"Name": "a\tb"}': (
        f"Illegal unquoted character ((CTRL-CHAR, code 9)): {CONTROL} at [line:1, column:13]"
    ),
    "[1,]": f"{UNEXPECTED} (']' (code 93)): {VALUE} at [line:1, column:5]",
    "": "The HTTP entity body is required, but this request has no entity body.",
}


@pytest.mark.parametrize(("body", "message"), BROKEN.items())
def test_a_broken_body_is_told_where_it_breaks(body: str, message: str) -> None:
    with pytest.raises(SalesforceError) as refused:
        json_body.parse(body.encode())
    assert (refused.value.code, refused.value.message) == ("JSON_PARSER_ERROR", message)


@given(values, st.integers(0, 3))
def test_every_value_is_found_where_it_stands(value: Any, indent: int) -> None:
    text = json.dumps({"": [0, {"x": value}]}, indent=indent or None)
    error = json_body.located(json_parser_error("wrong"), text, ("", 1, "x"))
    line, column = (int(part) for part in error.message[:-1].split("line:")[1].split(", column:"))
    lines = text.split("\n")
    rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
    assert json.JSONDecoder().raw_decode(rest)[0] == value


def test_a_wrong_type_is_told_with_its_place(client: Client) -> None:
    body = '{"Name": "x",\n "NumberOfEmployees": [1]}'
    answer = client.call("POST", "/sobjects/Account", data=body)
    assert client.error(answer) == (400, "JSON_PARSER_ERROR")
    assert answer.json()[0]["message"] == (
        "Cannot deserialize instance of int from START_ARRAY value [ or request may be missing a "
        "required field at [line:2, column:23]"
    )
    records = [
        {"attributes": {"type": "Account"}, "Name": "x"},
        {"attributes": {"type": "Account"}, "Name": {"a": 1}},
    ]
    good, bad = client.post("/composite/sobjects", {"records": records}).json()
    assert good["success"]
    (error,) = bad["errors"]
    assert error["statusCode"] == "JSON_PARSER_ERROR"
    assert error["message"].startswith("Cannot deserialize instance of string from START_OBJECT")
    assert "at [line:1, column:" in error["message"]


def test_a_body_of_another_kind_or_with_unknown_keys_is_refused(client: Client) -> None:
    answer = client.call("POST", "/sobjects/Account", data="[]")
    assert answer.json()[0]["message"] == (
        "Can not deserialize SObject out of START_ARRAY token at [line:1, column:1]"
    )
    for path, body in (
        ("/composite/sobjects", {"records": [], "allOrNothing": True}),
        ("/composite", {"compositeRequest": [], "all": True}),
        ("/composite/batch", {"batchRequests": [], "halt": True}),
        ("/composite/sobjects", {"records": [{}], "allOrNone": "yes"}),
    ):
        refused = client.post(path, body)
        assert client.error(refused) == (400, "JSON_PARSER_ERROR"), path
