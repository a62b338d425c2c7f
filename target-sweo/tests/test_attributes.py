from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.loader import load_config
from crosswalk.mapping import Mapping
from sweo_client import SweoClient
from sweo_sandbox.testing import Sandbox
from target_sweo.attributes import Attributes, new_field, origin_of

Field = Callable[..., FieldType]


def mapping(*names: str, create: tuple[str, ...] = (), **match: str) -> Mapping:
    fields = [
        {"salesforce": f"F{n}__c", "sweo": name, **({"create": True} if name in create else {})}
        for n, name in enumerate(names)
    ]
    declared = {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": match or {"salesforce": "Number__c", "sweo": "company_id"},
        "fields": fields,
    }
    return load_config(mappings=[declared], environ={}).mappings[0]


@pytest.fixture
def attributes(client: SweoClient) -> Attributes:
    return Attributes(client, logging.getLogger("test"))


def made(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    found = sandbox.workspace.attributes.all("company", include_archived=False)
    return {a.name: a.view(sandbox.workspace.admin_id) for a in found}


@pytest.mark.parametrize(
    ("kind", "more", "wanted"),
    [
        ("string", {"length": 80}, "string"),
        ("textarea", {"length": 32_000}, "string"),
        ("boolean", {}, "boolean"),
        ("int", {}, "integer"),
        ("double", {"precision": 18, "scale": 0}, "integer"),
        ("currency", {"precision": 18, "scale": 2}, "float"),
        ("percent", {"precision": 5, "scale": 2}, "float"),
        ("date", {}, "date"),
        ("datetime", {}, "date"),
        ("picklist", {"options": ("a", "b")}, "string"),
        ("picklist", {"options": ("a", "b"), "restricted": True}, "options"),
        ("picklist", {"options": ("a",), "restricted": True}, "string"),
        ("multipicklist", {"options": ("a", "b"), "restricted": True}, "string"),
        ("reference", {"length": 18}, "string"),
        ("email", {"length": 80}, "string"),
    ],
)
def test_a_new_attribute_has_the_type_that_holds_the_value(
    salesforce_field: Field, kind: str, more: dict[str, Any], wanted: str
) -> None:
    assert new_field("x", salesforce_field("X__c", kind, **more)).type == wanted


def test_what_is_missing_is_made_once_in_one_call_each(
    attributes: Attributes, sandbox: Sandbox, salesforce_field: Field
) -> None:
    incoming = {
        "name": salesforce_field("Name", "string"),
        "health_score": salesforce_field("Health__c", "double", precision=5, scale=2),
        "renewal": salesforce_field("Renewal__c", "date"),
        "tier": salesforce_field("Plan__c", "picklist", restricted=True, options=("a", "b")),
    }
    types = attributes.ensure(mapping(*incoming), incoming)
    assert set(types) == {*incoming, "company_id"}
    assert {n: t.type for n, t in types.items() if t.custom} == {
        "health_score": "float",
        "renewal": "date",
        "tier": "options",
    }
    assert types["tier"].options == ("a", "b")
    assert set(made(sandbox)) == {"health_score", "renewal", "tier"}
    assert made(sandbox)["tier"]["description"] == "From Salesforce Account.F3__c, by Sweo Sync."
    assert sandbox.calls("sweo")["writes"] == 3
    sandbox.reset_calls()
    attributes.ensure(mapping(*incoming), incoming)
    assert sandbox.calls("sweo")["total"] == 0


def test_an_address_of_several_says_so() -> None:
    names = ["Account.BillingAddress", "MailingAddress"]
    entry = {"first_of": names, "sweo": "address", "missing_parts": "address_missing"}
    declared = {
        "name": "contacts",
        "salesforce": "Contact",
        "sweo": "contact",
        "match": {"salesforce": "Email", "sweo": "email"},
        "fields": [entry],
    }
    (of,) = load_config(mappings=[declared], environ={}).mappings
    places = "Contact.Account.BillingAddress, else Contact.MailingAddress"
    assert origin_of(of, "address") == f"From Salesforce {places}, by Sweo Sync."
    assert "(the parts that are missing)" in origin_of(of, "address_missing")


def test_every_mistake_is_told_at_once_and_nothing_is_made(
    attributes: Attributes, sandbox: Sandbox, salesforce_field: Field
) -> None:
    sandbox.workspace.attributes.create(
        {"name": "is_partner", "model": "company", "data_type": "boolean"}, 0
    )
    sandbox.workspace.attributes.create(
        {"name": "segment_name", "model": "contact", "data_type": "string"}, 0
    )
    incoming = {
        "industri": salesforce_field("Industry", "string"),
        "user_count": salesforce_field("Users__c", "int"),
        "is_partner": salesforce_field("Renewal__c", "date"),
        "segment_name": salesforce_field("Segment__c", "string"),
        "fine": salesforce_field("Fine__c", "string"),
    }
    with pytest.raises(FatalError) as refusal:
        attributes.ensure(mapping(*incoming), incoming)
    text = str(refusal.value)
    assert "`industri` does not exist in Sweo and is close to `industry`" in text
    assert "create: true" in text
    assert "`user_count` cannot be written" in text
    assert "`is_partner` is boolean in Sweo" in text
    assert "`segment_name` is the name of an attribute of the other model" in text
    assert "fine" not in text
    assert sandbox.calls("sweo")["writes"] == 0


def test_a_name_close_to_another_is_made_where_that_is_meant(
    attributes: Attributes, sandbox: Sandbox, salesforce_field: Field
) -> None:
    incoming = {"industri": salesforce_field("Industry", "string")}
    attributes.ensure(mapping("industri", create=("industri",)), incoming)
    assert "industri" in made(sandbox)


def test_an_archived_attribute_of_the_name_is_used_again(
    attributes: Attributes, sandbox: Sandbox, salesforce_field: Field
) -> None:
    old = sandbox.workspace.attributes.create(
        {"name": "health_score", "model": "company", "data_type": "float"}, 0
    )
    sandbox.workspace.attributes.create(
        {"name": "health_scores", "model": "company", "data_type": "string"}, 0
    )
    sandbox.workspace.attributes.update(old.id, {"archived": True}, 0)
    incoming = {"health_score": salesforce_field("Health__c", "double", precision=5, scale=2)}
    attributes.ensure(mapping("health_score"), incoming)
    assert made(sandbox)["health_score"]["id"] == old.id
    assert sandbox.calls("sweo")["by_endpoint"]["PUT /data_attributes/{id}"] == 1


def test_an_attribute_whose_answer_was_lost_is_looked_for(
    attributes: Attributes, sandbox: Sandbox, salesforce_field: Field
) -> None:
    sandbox.fault("sweo", "reset_after", endpoint="POST /data_attributes", times=1)
    incoming = {"health_score": salesforce_field("Health__c", "double", precision=5, scale=2)}
    assert attributes.ensure(mapping("health_score"), incoming)["health_score"].type == "float"
    assert sandbox.calls("sweo")["writes"] == 1


def test_the_match_field_may_be_mapped_although_it_never_changes(
    attributes: Attributes, salesforce_field: Field
) -> None:
    incoming = {"company_id": salesforce_field("Number__c", "string")}
    assert not attributes.ensure(mapping("company_id"), incoming)["company_id"].writable


def test_a_match_field_that_nobody_makes_is_told(
    attributes: Attributes, salesforce_field: Field
) -> None:
    incoming = {"name": salesforce_field("Name", "string")}
    with pytest.raises(FatalError, match="`domain_key`, the match field"):
        attributes.ensure(mapping("name", salesforce="Number__c", sweo="domain_key"), incoming)
