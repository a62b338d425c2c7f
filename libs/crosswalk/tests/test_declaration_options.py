"""What a mapping says besides its fields, and the fields that nobody has to write."""

from __future__ import annotations

import pytest
from crosswalk.condition import pairs_brackets
from crosswalk.loader import load_config
from crosswalk.mapping import Direction, Events, Field, FirstLink, Mapping, Only, Side
from crosswalk.problems import MappingErrors


def entry(
    salesforce: str = "Contact", sweo: str = "contact", **changes: object
) -> dict[str, object]:
    mapping: dict[str, object] = {
        "name": "people",
        "salesforce": salesforce,
        "sweo": sweo,
        "match": {"salesforce": "Email", "sweo": "email", "normalise": "email"},
    }
    return mapping | changes


ACCOUNTS = entry(
    "Account",
    "company",
    name="accounts",
    match={"salesforce": "Customer_Number__c", "sweo": "company_id"},
)


def read(*mappings: dict[str, object]) -> tuple[Mapping, ...]:
    return load_config(mappings=list(mappings), environ={}).mappings


def mistakes(*mappings: dict[str, object]) -> list[str]:
    with pytest.raises(MappingErrors) as caught:
        load_config(mappings=list(mappings), environ={})
    return [str(mistake) for mistake in caught.value.mistakes]


def pairs(fields: tuple[Field, ...]) -> list[tuple[str, str]]:
    return [(field.salesforce, field.sweo) for field in fields]


def test_people_and_companies_have_fields_without_a_line_of_config() -> None:
    people, accounts = read(entry(), ACCOUNTS)
    assert pairs(people.fields) == [("Email", "email"), ("Name", "name"), ("Phone", "phone")]
    assert pairs(accounts.fields) == [("Name", "name"), ("Website", "website")]
    assert all(field.direction is Direction.TO_SWEO for field in people.fields)
    assert people.flowing_to(Side.SALESFORCE) == ()


def test_new_salesforce_records_are_given_the_default_fields() -> None:
    (people,) = read(entry(create=["salesforce"]))
    assert pairs(people.flowing_to(Side.SALESFORCE)) == pairs(people.fields)
    assert people.read_from(Side.SWEO) == ("email", "name", "phone")


def test_a_line_of_its_own_takes_the_place_of_a_default() -> None:
    fields = [
        {"salesforce": "Formal_Name__c", "sweo": "name"},
        {"salesforce": "Phone", "sweo": "phone", "direction": "both"},
        {"salesforce": "Email", "sweo": "billing_email", "direction": "to_salesforce"},
    ]
    (people,) = read(entry(fields=fields, create=["salesforce"]))
    implied = [field for field in people.fields if field.implied]
    assert pairs(tuple(implied)) == [("Email", "email")]
    assert not implied[0].at_create, "billing_email flows into Email"


def test_a_last_name_of_its_own_is_not_overwritten_by_the_default_name() -> None:
    fields = [{"salesforce": "LastName", "sweo": "surname", "direction": "to_salesforce"}]
    (people,) = read(entry(fields=fields, create=["salesforce"]))
    assert ("Name", "name") not in pairs(people.flowing_to(Side.SALESFORCE))
    assert ("Name", "name") in pairs(people.flowing_to(Side.SWEO))


def test_defaults_can_be_left_out_and_other_objects_have_none() -> None:
    line = [{"salesforce": "Title", "sweo": "job"}]
    (people,) = read(entry(defaults=False, fields=line))
    assert pairs(people.fields) == [("Title", "job")]
    (deals,) = read(entry("Opportunity", "company", fields=line))
    assert pairs(deals.fields) == [("Title", "job")]


def test_the_first_of_several_keys_fills_the_side_that_lacks_it() -> None:
    match = [
        {"salesforce": "Sweo_Id__c", "sweo": "external_id"},
        {"salesforce": "Email", "sweo": "email"},
    ]
    (people,) = read(entry(match=match))
    (key,) = [field for field in people.fields if field.fills]
    assert (key.salesforce, key.sweo, key.direction) == (
        "Sweo_Id__c",
        "external_id",
        Direction.BOTH,
    )
    line = [{"salesforce": "Sweo_Id__c", "sweo": "external_id"}]
    (mapped,) = read(entry(match=match, fields=line))
    assert not any(field.fills for field in mapped.fields)
    (read_only,) = read(entry(match=match, org="emea"))
    assert [f.direction for f in read_only.fields if f.fills] == [Direction.TO_SWEO]


def test_first_of_reads_every_part_of_every_address() -> None:
    line = {
        "first_of": ["Account.BillingAddress", "MailingAddress"],
        "sweo": "address",
        "missing_parts": "address_missing",
    }
    (people,) = read(entry(fields=[line], defaults=False))
    address, missing = people.fields
    assert (address.sweo, missing.sweo) == ("address", "address_missing")
    assert missing.missing_parts
    assert not address.missing_parts
    read_names = people.read_from(Side.SALESFORCE)
    assert read_names[:5] == tuple(
        f"Account.Billing{part}" for part in ("Street", "City", "State", "PostalCode", "Country")
    )
    assert len(read_names) == 11, "both addresses, each part once, and the match field"


def test_what_is_said_of_a_mapping_arrives() -> None:
    leads, people = read(
        entry("Lead", "lead", name="leads", becomes="people"),
        entry(
            only={"salesforce": " Type__c = 'Customer' ", "sweo": {"segments": ["Paying"]}},
            create=["salesforce"],
            set={"RecordTypeId": "012000000000001AAA"},
            first_link="ask",
            events=["checklist completed"],
            events_on_account=True,
        ),
    )
    assert leads.becomes == "people"
    assert people.only == Only("Type__c = 'Customer'", ("Paying",))
    assert people.only.limits(Side.SWEO)
    assert not leads.only.limits(Side.SWEO)
    assert people.constants == {"RecordTypeId": "012000000000001AAA"}
    assert people.first_link is FirstLink.ASK
    assert people.events == Events(("checklist completed",), on_account=True)
    assert people.events.wants("checklist completed")
    assert not people.events.wants("other")


def test_every_event_has_a_limit() -> None:
    (people,) = read(entry(events="*", events_per_day=1000))
    assert people.events == Events(("*",), per_day=1000)
    assert people.events.wants("anything")


def test_enforce_is_said_once_or_by_field() -> None:
    fields = [
        {"salesforce": "Title", "sweo": "job"},
        {"salesforce": "Fax", "sweo": "fax", "enforce": False},
        {"salesforce": "Phone", "sweo": "phone", "direction": "both"},
    ]
    (people,) = read(entry(enforce=True, fields=fields, defaults=False))
    assert [field.enforce for field in people.fields] == [True, False, False]


def test_leads_come_before_what_they_become_and_parents_before_children() -> None:
    config = load_config(
        mappings=[
            entry(parent={"salesforce": "AccountId", "mapping": "accounts"}),
            entry("Lead", "lead", name="leads", becomes="people"),
            ACCOUNTS,
        ],
        environ={},
    )
    names = [mapping.name for mapping in config.enabled]
    assert names.index("people") == 2


ADDRESS = {"first_of": ["MailingAddress"], "sweo": "address"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"only": "Type = 'x'"}, "only is not a map"),
        ({"only": {"salesforce": ""}}, "only.salesforce is not a SOQL condition"),
        ({"only": {"salesforce": "A = 1) OR (B = 2"}}, "brackets of only.salesforce do not pair"),
        ({"only": {"salesforce": "(A = 1 OR B = 2"}}, "brackets of only.salesforce do not pair"),
        ({"only": {"salesforce": "(A = ')'"}}, "brackets of only.salesforce do not pair"),
        ({"only": {"sweo": "Paying"}}, "only.sweo names no segments"),
        ({"only": {"sweo": {"segments": []}}}, "segments is not a list of names"),
        ({"only": {"swoe": {}}}, "did you mean sweo?"),
        ({"set": {"RecordTypeId": "012"}}, "none are made"),
        ({"set": {"A.B": "x"}, "create": ["salesforce"]}, "not a field of the object itself"),
        ({"set": {"A__c": [1]}, "create": ["salesforce"]}, "no plain value"),
        ({"set": "x", "create": ["salesforce"]}, "set is not a map"),
        ({"becomes": "people"}, "a Contact is never converted"),
        ({"events": []}, "events is not a list of names"),
        ({"events": "*"}, "every event needs a limit"),
        ({"events": "*", "events_per_day": 0}, "is not a number of Tasks"),
        ({"events_per_day": 5}, "events_per_day without events"),
        ({"first_link": "wait"}, "unknown first_link"),
        ({"org": "two words"}, "cannot be the name of an org"),
        ({"org": "emea", "create": ["salesforce"]}, "which is only read"),
        ({"org": "emea", "events": ["x"]}, "events writes to the org emea"),
        (
            {"fields": [{"salesforce": "A", "sweo": "a", "direction": "both", "enforce": True}]},
            "is not enforced on one side",
        ),
        (
            {"fields": [{**ADDRESS, "salesforce": "Title"}]},
            "first_of and salesforce stand together",
        ),
        ({"fields": [{**ADDRESS, "direction": "both"}]}, "first_of flows to Sweo only"),
        ({"fields": [{**ADDRESS, "first_of": "MailingAddress"}]}, "first_of is not a list"),
        ({"fields": [{**ADDRESS, "first_of": ["MailingAddress", "Phone"]}]}, "mixes addresses"),
        (
            {"fields": [{"first_of": ["Phone"], "sweo": "tel", "missing_parts": "gap"}]},
            "missing_parts is for addresses",
        ),
        (
            {"fields": [{"salesforce": "Phone", "sweo": "tel", "missing_parts": "gap"}]},
            "missing_parts is for addresses",
        ),
        ({"fields": [{"salesforce": "MailingAddress", "sweo": "address"}]}, "is a compound"),
        ({"fields": [{**ADDRESS, "first_of": ["a'b"]}]}, "not the API name of a Salesforce"),
    ],
)
def test_one_mistake(changes: dict[str, object], expected: str) -> None:
    found = mistakes(entry(**changes))
    assert len(found) == 1, found
    assert expected in found[0]


def test_events_of_what_has_no_timeline() -> None:
    (found,) = mistakes({**ACCOUNTS, "events": ["x"]})
    assert "cannot stand on the timeline of Account" in found
    (lead,) = mistakes(
        entry("Lead", "lead", events=["x"], events_on_account=True),
    )
    assert "a Task of a lead takes no account" in lead


def test_mistakes_about_what_leads_become() -> None:
    leads = entry("Lead", "lead", name="leads", becomes="peple")
    (unknown,) = mistakes(leads, entry())
    assert "leads become peple, which is no mapping; did you mean people?" in unknown
    (company,) = mistakes({**leads, "becomes": "accounts"}, ACCOUNTS)
    assert "accounts is a mapping of Account records" in company
    (lead,) = mistakes({**leads, "becomes": "people"}, entry(sweo="lead"))
    assert "people is a mapping of Sweo leads" in lead
    (org,) = mistakes({**leads, "becomes": "people"}, entry(org="emea"))
    assert "people is in another org" in org


def test_a_parent_in_another_org() -> None:
    parent = {"salesforce": "AccountId", "mapping": "accounts"}
    (found,) = mistakes(ACCOUNTS, entry(parent=parent, org="emea"))
    assert "the parent accounts is in another org" in found


@pytest.mark.parametrize(
    "condition", ["Name = ':)'", r"Name = 'it\'s (' AND (A = 1 OR B IN (2, 3))", "A = 1"]
)
def test_a_bracket_within_a_text_needs_no_other_half(condition: str) -> None:
    assert pairs_brackets(condition)
