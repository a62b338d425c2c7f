"""The first of several sources; the address of the account, else the contact's own."""

from __future__ import annotations

from typing import Any

import pytest
from crosswalk.errors import FatalError
from pipelines import TO_SWEO, Pipelines
from world import World

LINE = {
    "first_of": ["Account.BillingAddress", "MailingAddress"],
    "sweo": "address",
    "missing_parts": "address_missing",
}
BILLING = {
    "BillingStreet": "1 High St\nUnit 2",
    "BillingCity": "Leeds",
    "BillingState": "Yorkshire",
    "BillingPostalCode": "LS1",
    "BillingCountry": "UK",
}


def people(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": "contacts",
            "salesforce": "Contact",
            "sweo": "contact",
            "match": {"salesforce": "Email", "sweo": "email", "normalise": "email"},
            "fields": list(lines or [LINE]),
        }
    ]


def told(world: World, person: str) -> tuple[Any, Any]:
    custom = world.person_now(person)["custom_attributes"]
    return custom.get("address"), custom.get("address_missing")


@pytest.mark.parametrize("bulk", [False, True])
def test_the_accounts_address_comes_first_then_the_contacts(
    world: World, pipelines: Pipelines, bulk: bool
) -> None:
    if bulk:
        # Bulk API 2.0 refuses to select an address; its parts are read all the same.
        pipelines.settings["tap-salesforce"] = {"bulk_threshold_rows": 0, "bulk_poll_seconds": 0}
    pipelines.mappings = people()
    account = world.account("C-1", **BILLING)
    world.contact("ada@x.test", AccountId=account, MailingCity="Paris")
    world.contact("grace@x.test", MailingStreet="5 rue X", MailingCity="Paris")
    world.contact("alan@x.test", AccountId=world.account("C-2"))
    ada, grace, alan = (world.person(f"{name}@x.test") for name in ("ada", "grace", "alan"))
    pipelines.sync()
    pipelines.sync()
    assert told(world, ada) == ("1 High St, Unit 2, Leeds, Yorkshire, LS1, UK", None)
    assert told(world, grace) == ("5 rue X, Paris", "postal code, state")
    assert told(world, alan) == (None, "postal code, state, city, street")
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == 0


def test_a_change_of_the_account_brings_its_contacts(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings = people()
    account = world.account("C-1", **BILLING)
    contact = world.contact("ada@x.test", AccountId=account, MailingCity="Paris")
    ada = world.person("ada@x.test")
    pipelines.sync()
    world.sandbox.advance(3600)
    world.edit_salesforce("Account", account, BillingPostalCode=None)
    pipelines.sync()
    assert told(world, ada) == ("1 High St, Unit 2, Leeds, Yorkshire, UK", "postal code")
    world.sandbox.advance(3600)
    world.edit_salesforce("Contact", contact, AccountId=None)
    pipelines.sync()
    assert told(world, ada) == ("Paris", "postal code, state, street")


def test_the_first_value_of_plain_fields(world: World, pipelines: Pipelines) -> None:
    line = {"first_of": ["MobilePhone", "HomePhone"], "sweo": "best_phone"}
    pipelines.mappings = people(line)
    world.contact("ada@x.test", HomePhone="2")
    contact = world.contact("grace@x.test", MobilePhone="1", HomePhone="2")
    ada, grace = world.person("ada@x.test"), world.person("grace@x.test")
    pipelines.sync()
    pipelines.sync()
    assert world.person_now(ada)["custom_attributes"]["best_phone"] == "2"
    assert world.person_now(grace)["custom_attributes"]["best_phone"] == "1"
    world.edit_salesforce("Contact", contact, MobilePhone=None, HomePhone=None)
    pipelines.sync()
    assert world.person_now(grace)["custom_attributes"].get("best_phone") is None


def test_what_cannot_be_read_as_a_whole_is_not_taken_for_empty(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = people()
    world.contact("ada@x.test", MailingCity="Paris")
    ada = world.person("ada@x.test")
    pipelines.sync()
    world.sandbox.org.hide_field("Contact", "MailingCity")
    contact = world.contact("b@x.test")
    assert contact
    for row in world.sandbox.org.rows("Contact"):
        world.edit_salesforce("Contact", row["Id"], MailingStreet="6 rue Y")
    pipelines.sync()
    assert told(world, ada)[0] == "Paris"


def test_fields_of_two_kinds_stop_the_run(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings = people({"first_of": ["Birthdate", "Title"], "sweo": "thing"})
    world.contact("ada@x.test")
    with pytest.raises(FatalError, match="Birthdate is date, Title is string"):
        pipelines.tap(TO_SWEO)
