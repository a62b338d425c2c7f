from __future__ import annotations

import pytest


def test_types_are_shown_as_the_contract_has_them(client):
    shown = {
        kind: client.attribute("company", f"a {kind}", kind)["data_type"]
        for kind in ("string", "integer", "float", "boolean", "datetime", "date")
    }
    assert shown == {
        "string": "string",
        "integer": "integer",
        "float": "float",
        "boolean": "boolean",
        "datetime": "date",
        "date": "date",
    }
    options = [{"value": "1-10"}, {"value": "11-50"}]
    made = client.attribute("company", "band", "options", options=options)
    assert (made["data_type"], made["options"]) == ("string", ["1-10", "11-50"])
    assert made["full_name"] == "custom_attributes.band"


@pytest.mark.parametrize(
    ("data_type", "good", "bad"),
    [
        ("string", ["", "x" * 255, "🚀"], ["x" * 256, 5, True, {}, []]),
        ("integer", [0, -5, 5.0, 2**53], [5.5, "5", True, 2**63]),
        ("float", [0.5, -3, 1e10], ["1", False, 1e300]),
        ("boolean", [True, False], [0, "true"]),
        ("datetime", [0, 1_790_000_000], ["2026-01-01", 1.5, True]),
        ("date", [1_790_000_000], ["2026-01-01"]),
    ],
)
def test_values_of_another_type_are_refused(client, data_type, good, bad):
    client.attribute("contact", "it", data_type)
    contact = client.contact(email="a@b.example")
    path = f"/contacts/{contact['id']}"
    for value in good:
        shown = client.ok("PUT", path, json={"custom_attributes": {"it": value}})
        assert shown["custom_attributes"]["it"] == value
    for value in bad:
        refusal = client.error("PUT", path, json={"custom_attributes": {"it": value}})
        assert refusal[:2] == (400, "parameter_invalid")
        assert "'it'" in refusal[2]
    assert client.ok("GET", path)["custom_attributes"] == {"it": good[-1]}


def test_a_description_is_kept_and_changed(client):
    made = client.attribute("company", "tier", "string", description="How much they pay")
    assert made["description"] == "How much they pay"
    client.ok("PUT", f"/data_attributes/{made['id']}", json={"description": "What they pay"})
    listed = client.ok("GET", "/data_attributes?model=company")["data"]
    shown = next(each for each in listed if each["name"] == "tier")
    assert shown["description"] == "What they pay"


def test_null_takes_a_value_away_and_others_stay(client):
    client.attribute("contact", "one", "integer")
    client.attribute("contact", "two", "integer")
    contact = client.contact(email="a@b.example", custom_attributes={"one": 1, "two": 2})
    body = {"custom_attributes": {"one": None}}
    shown = client.ok("PUT", f"/contacts/{contact['id']}", json=body)
    assert shown["custom_attributes"] == {"two": 2}


def test_only_options_are_taken(client):
    client.attribute("company", "band", "options", options=[{"value": "a"}, {"value": "b"}])
    client.company("c1", custom_attributes={"band": "a"})
    body = {"company_id": "c1", "custom_attributes": {"band": "c"}}
    assert client.error("POST", "/companies", json=body)[:2] == (400, "parameter_invalid")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"name": "!nv@l!d", "model": "company", "data_type": "string"},
            (
                "Your name for this attribute must only contain alphanumeric characters, "
                "currency symbols, and hyphens"
            ),
        ),
        ({"name": "x", "model": "company", "data_type": "mithril"}, "Data Type isn't an option"),
        (
            {"name": "x", "model": "deal", "data_type": "string"},
            "The Data Attribute model field must be either contact or company",
        ),
        (
            {"name": "ring", "model": "contact", "data_type": "integer"},
            (
                "You already have 'ring' in your company data. "
                "To save this as new people data, use a different name."
            ),
        ),
        (
            {"name": "Ring", "model": "company", "data_type": "string"},
            (
                "You already have 'Ring' in your company data. "
                "To save this as new company data, use a different name."
            ),
        ),
    ],
)
def test_names_and_types_that_cannot_be(client, body, message):
    client.attribute("company", "ring", "string")
    refusal = client.error("POST", "/data_attributes", json=body)
    assert refusal == (400, "parameter_invalid", message)


def test_options_need_two_and_a_list(client):
    body = {"name": "x", "model": "company", "data_type": "options"}
    for options in (None, {"value": "a"}, [{"value": "a"}], ["a", "b"]):
        refusal = client.error("POST", "/data_attributes", json={**body, "options": options})
        assert refusal[:2] == (400, "parameter_invalid")


def test_the_type_stays_and_an_archived_attribute_takes_no_values(client):
    made = client.attribute("company", "ring", "integer")
    path = f"/data_attributes/{made['id']}"
    client.ok("PUT", path, json={"archived": True, "description": "old"})
    listed = client.ok("GET", "/data_attributes?model=company")["data"]
    assert "ring" not in [a["name"] for a in listed]
    archived = client.ok("GET", "/data_attributes?model=company&include_archived=true")["data"]
    assert archived[-1]["archived"] is True
    body = {"company_id": "c", "custom_attributes": {"ring": 1}}
    assert client.error("POST", "/companies", json=body)[0] == 400
    client.ok("PUT", path, json={"archived": False})
    client.company("c", custom_attributes={"ring": 1})
    unknown = client.error("PUT", "/data_attributes/99", json={})
    assert unknown[:2] == (404, "field_not_found")
    assert client.error("PUT", "/data_attributes/x", json={})[0] == 404


def test_standard_attributes_are_listed_by_model(client):
    company = client.ok("GET", "/data_attributes?model=company")["data"]
    assert {"name", "plan.name", "updated_at"} <= {a["full_name"] for a in company}
    both = client.ok("GET", "/data_attributes")["data"]
    assert {a["model"] for a in both} == {"contact", "company"}
    assert client.error("GET", "/data_attributes?model=deal")[0] == 400


def test_a_workspace_holds_250_custom_attributes(client, workspace):
    with workspace.database.transaction():
        for number in range(250):
            body = {"name": f"n{number}", "model": "contact", "data_type": "string"}
            workspace.attributes.create(body, 1)
    body = {"name": "one more", "model": "contact", "data_type": "string"}
    assert "limit of 250" in client.error("POST", "/data_attributes", json=body)[2]
