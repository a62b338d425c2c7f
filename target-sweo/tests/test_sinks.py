from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Config, Mapping
from crosswalk.wire import StreamNote
from singer_runtime.destination import Attachment, Creation, Presence, Result, Write
from sweo_client import SweoClient
from sweo_sandbox.testing import Sandbox
from target_sweo.sinks import SweoDestination

Field = Callable[..., FieldType]
NOBODY = "0" * 24


def note(name: str) -> StreamNote:
    return StreamNote(mapping=name, side="salesforce", object=name)


def mapping_of(config: Config, name: str) -> Mapping:
    found = config.mapping(name)
    assert found is not None
    return found


@pytest.fixture
def accounts(
    config: Config, destination: SweoDestination, salesforce_field: Field, sandbox: Sandbox
) -> Mapping:
    mapping = mapping_of(config, "accounts")
    destination.prepare(
        mapping,
        note("accounts"),
        {
            "name": salesforce_field("Name", "string", length=255),
            "industry": salesforce_field("Industry", "picklist"),
            "health_score": salesforce_field("Health__c", "double", precision=5, scale=2),
            "tier": salesforce_field(
                "Plan__c", "picklist", restricted=True, options=("Free", "Pro")
            ),
        },
    )
    sandbox.reset_calls()
    return mapping


@pytest.fixture
def contacts(
    config: Config, destination: SweoDestination, salesforce_field: Field, sandbox: Sandbox
) -> Mapping:
    mapping = mapping_of(config, "contacts")
    incoming = {
        "name": salesforce_field("Name", "string", length=121),
        "phone": salesforce_field("Phone", "phone", length=40),
    }
    destination.prepare(mapping, note("contacts"), incoming)
    sandbox.reset_calls()
    return mapping


def company(sandbox: Sandbox, key: str = "A1", **more: Any) -> str:
    return str(sandbox.workspace.companies.upsert({"company_id": key, "name": key, **more})["id"])


def test_nothing_is_called_before_it_is_asked_for(
    destination: SweoDestination, sandbox: Sandbox
) -> None:
    assert sandbox.calls("sweo")["total"] == destination.calls() == 0


def test_the_workspace_tells_its_id_and_zone(
    destination: SweoDestination, sandbox: Sandbox
) -> None:
    assert destination.instance() == sandbox.workspace_settings.workspace_id
    assert destination.timezone() == "America/Los_Angeles"
    assert sandbox.calls("sweo")["total"] == 1


def test_an_update_is_one_call_a_record_and_answers_what_is_held(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    ids = [company(sandbox, f"A{n}") for n in range(20)]
    writes = [
        Write(i, {"name": f"N{n}", "health_score": n / 4, "industry": None})
        for n, i in enumerate(ids)
    ]
    outcomes = destination.update(accounts, writes)
    assert [o.result for o in outcomes] == [Result.WRITTEN] * 20
    assert [o.id for o in outcomes] == ids
    assert outcomes[5].answered == {"name": "N5", "health_score": 1.25, "industry": None}
    assert outcomes[5].answered_at
    assert outcomes[5].modified_at
    assert outcomes[5].answered_at >= outcomes[5].modified_at
    assert sandbox.calls("sweo")["writes"] == sandbox.calls("sweo")["total"] == 20
    shown = sandbox.workspace.companies.get(ids[5])
    assert shown["custom_attributes"] == {"health_score": 1.25}


def test_a_refused_row_names_its_field_and_stops_no_other(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    first, second = company(sandbox, "A1"), company(sandbox, "A2")
    bad, good, gone = destination.update(
        accounts,
        [
            Write(first, {"tier": "Platinum", "name": "x"}),
            Write(second, {"tier": "Pro"}),
            Write(NOBODY, {"name": "x"}),
        ],
    )
    assert (bad.result, bad.error_fields) == (Result.REFUSED, ("tier",))
    assert bad.remedy
    assert "Platinum" not in str(bad.error_message)
    assert good.result is Result.WRITTEN
    assert gone.result is Result.GONE


def test_a_lost_answer_is_unknown_and_the_write_is_not_repeated(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    record_id = company(sandbox)
    sandbox.fault("sweo", "reset_after", endpoint="PUT /companies/*", times=1)
    (outcome,) = destination.update(accounts, [Write(record_id, {"name": "New"})])
    assert outcome.result is Result.UNKNOWN
    assert sandbox.calls("sweo")["writes"] == 1
    assert sandbox.workspace.companies.get(record_id)["name"] == "New"


@pytest.mark.parametrize("status", [429, 503])
def test_what_was_surely_not_applied_is_written_in_the_end(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox, status: int
) -> None:
    record_id = company(sandbox)
    destination._client._pace._sleep = lambda _: None
    sandbox.fault("sweo", "status", status=status, endpoint="PUT /companies/*", times=1)
    (outcome,) = destination.update(accounts, [Write(record_id, {"name": "New"})])
    assert outcome.result is Result.WRITTEN


def test_a_lost_token_in_mid_batch_keeps_what_was_written(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    ids = [company(sandbox, f"A{n}") for n in range(12)]
    sandbox.fault("sweo", "status", status=401, endpoint="PUT /companies/*", nth=5)
    outcomes = destination.update(accounts, [Write(i, {"name": "New"}) for i in ids])
    written = [o.id for o in outcomes if o.result is Result.WRITTEN]
    assert 4 <= len(written) < 12
    assert {o.result for o in outcomes} == {Result.WRITTEN, Result.NOT_SENT}
    assert {i for i in ids if sandbox.workspace.companies.get(i)["name"] == "New"} == set(written)
    with pytest.raises(FatalError, match="SWEO_ACCESS_TOKEN"):
        destination.update(accounts, [Write(ids[0], {"name": "Newer"})])


def test_a_wrong_token_is_one_sentence(
    config: Config, sandbox: Sandbox, client: SweoClient
) -> None:
    sandbox.fault("sweo", "status", status=401)
    with pytest.raises(FatalError, match="SWEO_ACCESS_TOKEN"):
        SweoDestination(client).instance()


def test_reading_is_by_id_and_tells_what_is_gone(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    record_id = company(sandbox, "A1", custom_attributes={"health_score": 2.5})
    found = destination.read(accounts, [record_id, NOBODY], ["name", "health_score", "tier"])
    there = found[record_id]
    assert there.values == {"name": "A1", "health_score": 2.5, "tier": None}
    assert there.keys == ("A1",)
    assert there.read_at
    assert there.modified_at
    assert there.read_at >= there.modified_at
    assert found[NOBODY].presence is Presence.DELETED
    assert sandbox.calls("sweo")["total"] == 2


def test_a_merged_contact_tells_its_survivor(
    destination: SweoDestination, contacts: Mapping, sandbox: Sandbox
) -> None:
    people = sandbox.workspace.contacts
    lead = people.create({"role": "lead", "email": "ann@x.io"})["id"]
    user = people.create({"role": "user", "email": "ann@x.io"})["id"]
    destination._client.write("POST", "/contacts/merge", body={"from": lead, "into": user})
    reading = destination.read(contacts, [lead], ["name"])[lead]
    assert reading.presence is Presence.DELETED
    assert reading.merged_into == user
    (outcome,) = destination.update(contacts, [Write(lead, {"name": "x"})])
    assert outcome.result is Result.GONE


def test_a_company_is_made_under_its_key_and_found_by_it(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    creation = Creation("001A", {"name": "Acme", "health_score": 3.5}, ("A1",))
    assert destination.find(accounts, [creation]) == {}
    (outcome,) = destination.create(accounts, [creation])
    assert outcome.result is Result.CREATED
    assert outcome.answered == {"name": "Acme", "health_score": 3.5}
    assert [c.id for c in destination.find(accounts, [creation])["001A"]] == [outcome.id]
    assert sandbox.workspace.companies.get(str(outcome.id))["company_id"] == "A1"


def test_a_company_without_a_key_is_refused_without_a_call(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    (outcome,) = destination.create(accounts, [Creation("001A", {"name": "Acme"}, (None,))])
    assert outcome.result is Result.REFUSED
    assert sandbox.calls("sweo")["total"] == 0


def test_a_company_whose_create_was_lost_is_found_again(
    destination: SweoDestination, accounts: Mapping, sandbox: Sandbox
) -> None:
    creation = Creation("001A", {"name": "Acme"}, ("A1",))
    sandbox.fault("sweo", "reset_after", endpoint="POST /companies", times=1)
    (outcome,) = destination.create(accounts, [creation])
    assert outcome.result is Result.UNKNOWN
    assert len(destination.find(accounts, [creation])["001A"]) == 1


def test_a_user_is_made_with_the_source_id_and_a_second_time_named(
    destination: SweoDestination, contacts: Mapping, sandbox: Sandbox
) -> None:
    creation = Creation("003A", {"name": "Ann Lee"}, ("ann@x.io",))
    assert destination.find(contacts, [creation]) == {}
    (made,) = destination.create(contacts, [creation])
    shown = sandbox.workspace.contacts.get(str(made.id))
    assert (shown["external_id"], shown["email"], shown["role"]) == ("003A", "ann@x.io", "user")
    (again,) = destination.create(contacts, [creation])
    assert (again.result, again.id) == (Result.EXISTS, made.id)
    assert sandbox.calls("sweo")["total"] == 2


def test_an_archived_contact_is_not_linked(
    destination: SweoDestination, contacts: Mapping, sandbox: Sandbox
) -> None:
    person = sandbox.workspace.contacts.create({"role": "user", "email": "ann@x.io"})
    sandbox.workspace.contacts.set_archived(person["id"], archived=True)
    (outcome,) = destination.create(contacts, [Creation("003A", {}, ("ann@x.io",))])
    assert (outcome.result, outcome.error_code) == (Result.REFUSED, "archived_conflict")


def test_a_lead_has_no_external_id_of_ours_and_is_looked_for_by_email(
    config: Config, destination: SweoDestination, salesforce_field: Field, sandbox: Sandbox
) -> None:
    leads = mapping_of(config, "leads")
    destination.prepare(leads, note("leads"), {"name": salesforce_field("Name", "string")})
    sandbox.workspace.contacts.create({"role": "user", "email": "ann@x.io"})
    creation = Creation("00QA", {"name": "Ann"}, ("ann@x.io",))
    assert destination.find(leads, [creation]) == {}
    (made,) = destination.create(leads, [creation])
    shown = sandbox.workspace.contacts.get(str(made.id))
    assert shown["role"] == "lead"
    assert shown["external_id"] != "00QA"
    assert [c.id for c in destination.find(leads, [creation])["00QA"]] == [made.id]
    assert [c.id for c in destination.keys(leads)] == [made.id]


def test_memberships_follow_a_move_and_only_what_we_attached_is_left(
    destination: SweoDestination, contacts: Mapping, sandbox: Sandbox
) -> None:
    old, new, other = (company(sandbox, key) for key in ("old", "new", "other"))
    person = str(sandbox.workspace.contacts.create({"role": "user", "email": "a@x.io"})["id"])
    for where in (old, other):
        sandbox.workspace.memberships.attach(person, where)
    (outcome,) = destination.attach(contacts, [Attachment(person, new, old)])
    assert outcome.result is Result.WRITTEN
    assert sandbox.calls("sweo")["writes"] == 2
    reading = destination.read(contacts, [person], [])[person]
    assert set(reading.parent_ids) == {new, other}
    twice = destination.attach(contacts, [Attachment(person, new, old)] * 2)
    assert {o.result for o in twice} == {Result.WRITTEN}
    (left,) = destination.attach(contacts, [Attachment(person, None, new)])
    assert left.result is Result.WRITTEN
    assert destination.read(contacts, [person], [])[person].parent_ids == (other,)


def test_a_membership_of_what_is_gone_is_told_apart(
    destination: SweoDestination, contacts: Mapping, sandbox: Sandbox
) -> None:
    person = str(sandbox.workspace.contacts.create({"role": "user", "email": "a@x.io"})["id"])
    where = company(sandbox)
    no_company, no_person = destination.attach(
        contacts, [Attachment(person, NOBODY, None), Attachment(NOBODY, where, None)]
    )
    assert (no_company.result, no_company.error_code) == (Result.REFUSED, "company_not_found")
    assert no_person.result is Result.GONE


def test_keys_come_from_search_and_scroll(
    destination: SweoDestination, config: Config, sandbox: Sandbox
) -> None:
    people = sandbox.workspace.contacts
    lead = people.create({"role": "lead", "email": "ann@x.io"})["id"]
    user = people.create({"role": "user", "email": "ann@x.io"})["id"]
    sandbox.workspace.memberships.attach(user, company(sandbox))
    found = list(destination.keys(mapping_of(config, "contacts")))
    assert {(c.id, c.rank) for c in found} == {(lead, 1), (user, 0)}
    assert {c.keys for c in found} == {("ann@x.io",)}
    assert [c.keys for c in destination.keys(mapping_of(config, "accounts"))] == [("A1",)]
    assert set(sandbox.calls("sweo")["by_endpoint"]) == {
        "POST /contacts/search",
        "GET /companies/scroll",
    }
