from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from sweo_sandbox.salesforce.describe import FIELD_DEFAULTS

Client = Any
RECORDED = ["Account", "Contact", "Lead", "Opportunity", "Case", "Event"]


def facts(name: str) -> dict[str, Any]:
    package = resources.files("sweo_sandbox.salesforce")
    return json.loads((package / "describes" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RECORDED)
def test_a_described_field_says_what_the_recording_says(client: Client, name: str) -> None:
    described = client.get(f"/sobjects/{name.lower()}/describe").json()
    fields = {each["name"]: each for each in described["fields"]}
    recorded = facts(name)
    for entry in recorded["fields"]:
        expected = {**FIELD_DEFAULTS, **entry}
        got = dict(fields[entry["name"]])
        values = [each["value"] for each in got.pop("picklistValues")]
        assert values == [each["value"] for each in expected.pop("picklistValues")]
        assert got == expected
    assert list(described["fields"][0]) == list(FIELD_DEFAULTS)
    assert described["keyPrefix"] == recorded["keyPrefix"]
    for flag, value in recorded["flags"].items():
        assert described[flag] == value, flag


def test_relationships_are_known_on_both_sides(client: Client) -> None:
    account = client.get("/sobjects/Account/describe").json()
    children = {(c["childSObject"], c["field"]): c for c in account["childRelationships"]}
    assert children["Contact", "AccountId"]["relationshipName"] == "Contacts"
    assert children["Contact", "AccountId"]["cascadeDelete"] is True
    assert children["Opportunity", "AccountId"]["relationshipName"] == "Opportunities"


def test_describes_are_conditional(client: Client) -> None:
    for path in ("/sobjects", "/sobjects/Account/describe"):
        first = client.get(path)
        tag = first.headers["ETag"]
        known = client.get(path, headers={"If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b"")
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
        since = client.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]})
        assert since.status_code == 304
