from __future__ import annotations

from typing import Any

import pytest
from crosswalk.fieldtype import FieldType
from sweo_client.fields import STANDARD, body_of, companies_of, field_types, model_of, reader


def attribute(name: str, data_type: str = "string", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "model": "company",
        "data_type": data_type,
        "custom": True,
        "archived": False,
        "api_writable": True,
        **more,
    }


def types(*attributes: dict[str, Any]) -> dict[str, FieldType]:
    return field_types("company", attributes)


def test_custom_attributes_join_the_standard_ones() -> None:
    found = types(attribute("health", "float"), attribute("old", archived=True))
    assert found["health"].type == "float"
    assert found["health"].custom
    assert found["name"].length == 255
    assert "old" not in found


def test_the_other_model_is_left_out() -> None:
    assert "health" not in types(attribute("health", model="contact"))


def test_a_standard_name_means_the_standard_attribute() -> None:
    assert not types(attribute("industry"))["industry"].custom


def test_a_list_attribute_has_its_options() -> None:
    for options in (["a", "b"], [{"value": "a"}, {"value": "b"}]):
        field = types(attribute("tier", options=options))["tier"]
        assert (field.type, field.options, field.restricted) == ("options", ("a", "b"), True)


def test_what_the_api_does_not_take_is_not_writable() -> None:
    company = STANDARD["company"]
    assert not company["company_id"].writable
    assert company["company_id"].createable
    assert not company["updated_at"].createable
    assert not types(attribute("computed", api_writable=False))["computed"].writable


@pytest.mark.parametrize(
    ("record", "name", "value"),
    [
        ({"name": "Acme"}, "name", "Acme"),
        ({}, "size", None),
        ({"plan": {"type": "plan", "id": "1", "name": "Pro"}}, "plan", "Pro"),
        ({"plan": {}}, "plan", None),
        ({"custom_attributes": {"health": 4.5}}, "health", 4.5),
        ({"custom_attributes": {}}, "health", None),
        ({"custom_attributes": None}, "health", None),
    ],
)
def test_a_value_is_read_by_name(record: dict[str, Any], name: str, value: object) -> None:
    field = types(attribute("health", "float"))[name]
    assert reader("company", field)(record) == value


def test_a_place_is_read_out_of_the_location() -> None:
    field = STANDARD["contact"]["location.city"]
    assert reader("contact", field)({"location": {"city": "Dublin"}}) == "Dublin"
    assert reader("contact", field)({}) is None


def test_a_body_has_custom_attributes_inside() -> None:
    known = types(attribute("health", "float"))
    assert body_of({"name": "Acme", "health": None}, known) == {
        "name": "Acme",
        "custom_attributes": {"health": None},
    }
    assert body_of({"name": "Acme"}, known) == {"name": "Acme"}


def test_the_companies_of_a_contact_are_read_under_either_name() -> None:
    for key in ("data", "companies"):
        assert companies_of({"companies": {key: [{"id": "c1"}]}}) == ("c1",)
    assert companies_of({}) == ()


def test_users_and_leads_are_contacts() -> None:
    assert [model_of(o) for o in ("company", "contact", "user", "lead")] == [
        "company",
        *["contact"] * 3,
    ]
