from __future__ import annotations

import re

import pytest
from crosswalk.loader import load_config
from crosswalk.mapping import Mapping
from crosswalk.naming import is_made_for, salesforce_field_name
from crosswalk.problems import MappingErrors
from hypothesis import given, strategies as st

# Letters, digits and single underscores; begins with a letter, ends with no underscore.
_TAKEN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")


def _mapping(*fields: dict[str, object], **changes: object) -> Mapping:
    declared = {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "AccountNumber", "sweo": "company_id"},
        "fields": list(fields),
        **changes,
    }
    return load_config(mappings=[declared], environ={}).mappings[0]


@given(st.sampled_from(["company", "contact", "user", "lead"]), st.text(min_size=1))
def test_every_attribute_gets_a_name_that_salesforce_takes(sweo_object, attribute):
    name = salesforce_field_name(sweo_object, attribute)
    developer_name = name.removesuffix("__c")
    assert name.endswith("__c")
    assert len(developer_name) <= 40
    assert _TAKEN.fullmatch(developer_name)
    assert name == salesforce_field_name(sweo_object, attribute)


def test_names():
    assert salesforce_field_name("company", "health_score") == "sweo_company_health_score__c"
    assert salesforce_field_name("contact", "Plan (new)", "acme") == "acme_contact_Plan_new__c"
    long = salesforce_field_name("company", "the_number_of_seats_that_were_ordered")
    other = salesforce_field_name("company", "the_number_of_seats_that_were_used")
    assert long.startswith("sweo_company_the_number_of_seats")
    assert len(long) == len(other) == 43
    assert long[:-8] == other[:-8]
    assert long != other
    assert salesforce_field_name("company", "売上") != salesforce_field_name("company", "人数")


def test_a_field_without_a_salesforce_name_gets_one():
    mapping = _mapping(
        {"salesforce": "Name", "sweo": "name"},
        {"sweo": "health_score", "direction": "to_salesforce"},
        {"sweo": "seats", "direction": "both"},
        prefix="acme",
    )
    declared = [field for field in mapping.fields if not field.implied]
    assert [field.salesforce for field in declared] == [
        "Name",
        "acme_company_health_score__c",
        "acme_company_seats__c",
    ]
    assert [is_made_for(field, mapping) for field in declared] == [False, True, True]


def test_a_field_that_flows_to_sweo_only_needs_its_name():
    with pytest.raises(MappingErrors, match="salesforce is missing"):
        _mapping({"sweo": "health_score"})


def test_two_attributes_that_would_share_a_field_are_told():
    with pytest.raises(MappingErrors, match="two fields flow into sweo_company_a_b__c"):
        _mapping(
            {"sweo": "a b", "direction": "to_salesforce"},
            {"sweo": "a-b", "direction": "to_salesforce"},
        )


@pytest.mark.parametrize("prefix", ["", "1a", "a_b", "a" * 16, 7])
def test_a_prefix_that_cannot_begin_a_name(prefix):
    with pytest.raises(MappingErrors, match="prefix cannot begin"):
        _mapping({"sweo": "seats", "direction": "both"}, prefix=prefix)
