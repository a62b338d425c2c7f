"""The edits between the rounds, and what has to come of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from demo.people import People

MINUTE_SECONDS = 60.0
"""Well above the seconds within which ``newest`` cannot tell two edits apart."""

NEW_NUMBER = "D-0000001"
NEW_EMAIL = "mila@brightwater.example"


class NoActorsError(Exception):
    """The seeded data hold no pair that a scene could be played with."""


@dataclass
class Pair:
    """One linked pair: an account and its company, or a contact and its person."""

    sobject: str
    salesforce_id: str
    kind: str
    sweo_id: str
    name: str


@dataclass
class Scene:
    """What is edited on a pair. ``expected`` has, per field, its names on both sides and its
    value in the end.
    """

    title: str
    rule: str
    pair: Pair
    in_salesforce: dict[str, Any] = field(default_factory=dict)
    in_sweo: dict[str, Any] = field(default_factory=dict)
    expected: list[tuple[str, str, Any]] = field(default_factory=list)


@dataclass
class Ending:
    """What one field of a scene holds on both sides, and whether that is right."""

    scene: Scene
    field: str
    salesforce: Any
    sweo: Any
    right: bool


def write_scenes(people: People) -> list[Scene]:
    """Cast the scenes with linked pairs of the seeded data."""
    companies = _linked_companies(people)
    one, two, three, four = (next(companies) for _ in range(4))
    person = next(_linked_people(people))
    return [
        Scene(
            "Sales moves an account to another industry",
            "it flows to Sweo",
            one,
            in_salesforce={"Industry": "Energy"},
            expected=[("Industry", "industry", "Energy")],
        ),
        Scene(
            "Success corrects a website",
            "it flows to Salesforce",
            two,
            in_sweo={"website": "https://fixed.example"},
            expected=[("Website", "website", "https://fixed.example")],
        ),
        Scene(
            "Different fields of one pair are edited on both sides",
            "both survive",
            three,
            in_salesforce={"Seats__c": 4321},
            in_sweo={"website": "https://new.example"},
            expected=[("Seats__c", "seats", 4321), ("Website", "website", "https://new.example")],
        ),
        Scene(
            "The same field is edited on both sides",
            "conflict: salesforce",
            four,
            in_salesforce={"Industry": "Biotechnology"},
            in_sweo={"industry": "Apparel"},
            expected=[("Industry", "industry", "Biotechnology")],
        ),
        Scene(
            "The same phone number, in Sweo a minute later",
            "conflict: newest",
            person,
            in_salesforce={"Phone": "+1 555 100 1000"},
            in_sweo={"phone": "+1 555 200 2000"},
            expected=[("Phone", "phone", "+1 555 200 2000")],
        ),
    ]


def play(people: People, scenes: list[Scene]) -> None:
    """Edit Salesforce, and a minute later Sweo."""
    for scene in scenes:
        if scene.in_salesforce:
            people.edit_row(scene.pair.sobject, scene.pair.salesforce_id, scene.in_salesforce)
    people.let_time_pass(MINUTE_SECONDS)
    for scene in scenes:
        if scene.in_sweo:
            people.edit_record(scene.pair.kind, scene.pair.sweo_id, scene.in_sweo)


def make_new_customer(people: People) -> None:
    """A customer signs: an account and a contact that Sweo has never heard of."""
    account = people.insert(
        "Account",
        {"Name": "Brightwater", "Customer_Number__c": NEW_NUMBER, "Industry": "Shipping"},
    )
    people.insert(
        "Contact",
        {"FirstName": "Mila", "LastName": "Brandt", "Email": NEW_EMAIL, "AccountId": account},
    )


def endings(people: People, scenes: list[Scene]) -> Iterator[Ending]:
    """Read every scene's fields on both sides."""
    for scene in scenes:
        row = people.row(scene.pair.sobject, scene.pair.salesforce_id)
        record = people.record(scene.pair.kind, scene.pair.sweo_id)
        for salesforce_name, sweo_name, value in scene.expected:
            there = row.get(salesforce_name)
            here = record.get(sweo_name, record["custom_attributes"].get(sweo_name))
            right = there == value and here == value
            yield Ending(scene, salesforce_name, there, here, right)


def new_customer_arrived(people: People) -> bool:
    """Whether Sweo has the new company once, and its person once, as its member."""
    company = people.find_company(NEW_NUMBER)
    found = people.find_contacts(NEW_EMAIL)
    if company is None or len(found) != 1:
        return False
    members = people.record("contacts", found[0]["id"])["companies"]["data"]
    return [member["id"] for member in members] == [company["id"]]


def _linked_companies(people: People) -> Iterator[Pair]:
    soql = (
        "SELECT Id, Name, Customer_Number__c FROM Account WHERE Customer_Number__c != null "
        "ORDER BY Customer_Number__c LIMIT 60"
    )
    for row in people.query(soql):
        company = people.find_company(row["Customer_Number__c"])
        if company is not None and _is_plain(row["Name"]):
            yield Pair("Account", row["Id"], "companies", company["id"], row["Name"])
    raise NoActorsError("Too few linked accounts in the seeded data.")


def _linked_people(people: People) -> Iterator[Pair]:
    soql = (
        "SELECT Id, Name, Email FROM Contact WHERE Email != null AND Phone != null "
        "ORDER BY Email LIMIT 60"
    )
    for row in people.query(soql):
        found = people.find_contacts(row["Email"])
        if len(found) == 1 and _is_plain(row["Name"]):
            yield Pair("Contact", row["Id"], "contacts", found[0]["id"], row["Name"])
    raise NoActorsError("No linked contact in the seeded data.")


def _is_plain(name: str) -> bool:
    return name.isascii() and len(name) <= 40
