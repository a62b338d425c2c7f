from __future__ import annotations

import time
from typing import Any

import pytest
from crosswalk.errors import FatalError
from crosswalk.ledger import FIRST_EXCHANGE, Ledger
from sweo_client.clock import iso
from sweo_sandbox.sweo.versions import parse_version
from sweo_sandbox.testing import Sandbox
from tap_sweo.streams import SweoStream

HOUR = 3_600.0


@pytest.fixture(autouse=True)
def _attributes(sandbox: Sandbox) -> None:
    sandbox.workspace.attributes.create(
        {"name": "health_score", "model": "company", "data_type": "float"}, 0
    )


def person(sandbox: Sandbox, key: str, **more: Any) -> str:
    body = {"role": "user", "email": f"{key}@x.io", **more}
    return str(sandbox.workspace.contacts.create(body)["id"])


def company(sandbox: Sandbox, key: str, *, seen: bool = True, **more: Any) -> str:
    record_id = str(sandbox.workspace.companies.upsert({"company_id": key, **more})["id"])
    if seen:
        sandbox.workspace.memberships.attach(person(sandbox, f"of-{key}"), record_id)
    return record_id


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["_source"]["id"] for record in records]


def test_a_first_run_reads_everything_oldest_first(run: Any, sandbox: Sandbox) -> None:
    made = []
    for n in range(4):
        made.append(person(sandbox, f"p{n}", phone=f"+{n}"))
        sandbox.advance(60)
    where = company(sandbox, "A1", seen=False, industry="Steel")
    sandbox.workspace.memberships.attach(made[3], where)
    first = run()
    assert ids(first.records("contacts")) == made
    assert first.records("contacts")[0]["phone"] == "+0"
    assert first.records("contacts")[0]["email"] == "p0@x.io"
    (account,) = first.records("accounts")
    assert (account["industry"], account["company_id"]) == ("Steel", "A1")
    assert "name" not in account
    source = account["_source"]
    assert source["read_at"] == source["modified_at"]
    note = first.schema("accounts")["x-sweo"]
    assert note["full"]
    assert note["instance"] == sandbox.workspace_settings.workspace_id
    assert note["timezone"] == "America/Los_Angeles"
    assert first.schema("accounts")["properties"]["health_score"]["x-sweo"]["type"] == "float"
    assert run.calls() == {
        "GET /me": 1,
        "GET /data_attributes": 1,
        "GET /companies/scroll": 2,
        "POST /contacts/search": 1,
    }


def test_an_idle_run_is_one_search_page(run: Any, sandbox: Sandbox) -> None:
    for n in range(200):
        person(sandbox, f"p{n}")
    sandbox.advance(HOUR)
    run()
    assert len(run.run.records("contacts")) == 200
    sandbox.advance(HOUR)
    run(company_scan_minutes=10_000)
    assert run.calls() == {"POST /contacts/search": 1}
    assert not run.run.records("contacts")
    assert "full" not in run.run.schema("contacts")["x-sweo"]


def test_changes_come_with_the_overlap_and_nothing_older(run: Any, sandbox: Sandbox) -> None:
    old, late = person(sandbox, "old"), person(sandbox, "late")
    sandbox.advance(HOUR)
    near = person(sandbox, "near")
    first = run()
    sandbox.advance(60)
    sandbox.workspace.contacts.update(late, {"phone": "+7"})
    run()
    assert ids(run.run.records("contacts")) == [near, late]
    assert run.run.records("contacts")[1]["phone"] == "+7"
    sandbox.advance(HOUR)
    run()
    # What was read a moment ago is read once more, and then no longer.
    assert ids(run.run.records("contacts")) == [near, late]
    sandbox.advance(HOUR)
    run()
    assert not run.run.records("contacts")
    assert old in ids(first.records("contacts"))


@pytest.mark.parametrize("version", ["2.16", "Preview"])
def test_both_versions_bring_the_same(run: Any, sandbox: Sandbox, version: str) -> None:
    changed, quiet = company(sandbox, "A1"), company(sandbox, "A2")
    sandbox.advance(HOUR)
    run(sweo_version=version)
    assert set(ids(run.run.records("accounts"))) == {changed, quiet}
    sandbox.advance(HOUR)
    sandbox.workspace.companies.update(changed, {"industry": "Steel"})
    run(sweo_version=version)
    assert ids(run.run.records("accounts")) == [changed]
    searched = "POST /companies/search" in run.calls()
    assert searched == (version == "Preview")


def test_users_and_leads_are_told_apart(run: Any, sandbox: Sandbox) -> None:
    person(sandbox, "user")
    lead = str(sandbox.workspace.contacts.create({"role": "lead", "email": "l@x.io"})["id"])
    run.mappings = [{**run.mappings[1], "sweo": "lead", "salesforce": "Lead"}]
    assert ids(run().records("contacts")) == [lead]


def test_a_taken_scroll_leaves_companies_out_of_this_run_only(
    run: Any, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    where = company(sandbox, "A1")
    sandbox.workspace.scroll.page(None)
    run()
    assert not run.run.records("accounts")
    assert run.run.records("contacts")
    assert "since" not in run.state["bookmarks"]["accounts"]
    sandbox.advance(61)
    run()
    assert ids(run.run.records("accounts")) == [where]
    assert run.run.schema("accounts")["x-sweo"]["full"]


def test_companies_are_scanned_now_and_then(run: Any, sandbox: Sandbox) -> None:
    company(sandbox, "A1")
    run()
    run(company_scan_minutes=15)
    assert "GET /companies/scroll" not in run.calls()
    earlier = int(time.time()) - 16 * 60
    run.state["bookmarks"]["accounts"]["scanned_at"] = iso(earlier)
    run(company_scan_minutes=15)
    assert run.calls()["GET /companies/scroll"] == 2


def test_a_revisited_record_is_read_by_id_and_moves_no_bookmark(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    hidden = company(sandbox, "A1", seen=False, industry="Steel")
    gone = company(sandbox, "A2", seen=False)
    sandbox.advance(HOUR)
    run()
    since = run.state["bookmarks"]["accounts"]["since"]
    sandbox.advance(60)
    sandbox.workspace.companies.delete(gone)
    book.owe("accounts", hidden, gone)
    run(company_scan_minutes=10_000)
    there, deleted = run.run.records("accounts")
    assert there["industry"] == "Steel"
    assert there["_source"]["revisit"] == [1]
    assert there["_source"]["read_at"] >= there["_source"]["modified_at"]
    assert set(deleted) == {"_source"}
    assert deleted["_source"]["deleted"]
    assert deleted["_source"]["revisit"] == [2]
    assert run.calls()["GET /companies/{id}"] == 2
    assert "GET /companies/scroll" not in run.calls()
    assert run.state["bookmarks"]["accounts"]["since"] == since


def test_a_changed_record_that_is_owed_leaves_once_and_fresh(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    someone = person(sandbox, "p1")
    sandbox.advance(HOUR)
    run()
    sandbox.advance(HOUR)
    sandbox.workspace.contacts.update(someone, {"phone": "+1"})
    book.owe("contacts", someone)
    book.owe("contacts", someone)
    run()
    (record,) = run.run.records("contacts")
    assert record["_source"]["revisit"] == [1, 2]
    assert run.calls()["GET /contacts/{id}"] == 1


def test_a_merged_contact_is_passed_on_with_its_survivor(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    people = sandbox.workspace.contacts
    lead = str(people.create({"role": "lead", "email": "ann@x.io"})["id"])
    user = person(sandbox, "ann")
    run()
    sandbox.advance(HOUR)
    tap_calls = {"from": lead, "into": user}
    people.merge(tap_calls, parse_version("2.16", "2.16"))
    book.owe("contacts", lead)
    run()
    deleted = [r for r in run.run.records("contacts") if r["_source"].get("deleted")]
    assert [r["_source"]["merged_into"] for r in deleted] == [user]


def test_a_long_revisit_list_is_read_in_full(run: Any, sandbox: Sandbox, book: Any) -> None:
    people = [person(sandbox, f"p{n}") for n in range(40)]
    sandbox.advance(HOUR)
    run()
    sandbox.advance(HOUR)
    book.owe("contacts", *people[:30], reason=FIRST_EXCHANGE)
    run()
    found = run.run.records("contacts")
    assert set(ids(found)) == set(people[:30])
    assert all(record["_source"]["revisit"] for record in found)
    assert run.calls()["POST /contacts/search"] == 1
    assert "GET /contacts/{id}" not in run.calls()


def test_a_new_field_backfills_linked_records_only(run: Any, sandbox: Sandbox, book: Any) -> None:
    people = [person(sandbox, f"p{n}", name=f"N{n}") for n in range(6)]
    sandbox.advance(HOUR)
    run()
    sandbox.advance(HOUR)
    book.link("contacts", *people[:4])
    run.mappings[1]["fields"].append(
        {"salesforce": "Nickname__c", "sweo": "name", "direction": "to_salesforce"}
    )
    run()
    found = run.run.records("contacts")
    assert sorted(ids(found)) == sorted(people[:4])
    assert all(record["_source"]["backfill"] for record in found)
    assert {record["name"] for record in found} == {"N0", "N1", "N2", "N3"}
    assert "backfill" not in run.state["bookmarks"]["contacts"]
    run()
    assert not run.run.records("contacts")


def test_a_backfill_that_takes_too_long_goes_on_in_the_next_run(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    people = [person(sandbox, f"p{n}") for n in range(3)]
    sandbox.advance(HOUR)
    run()
    sandbox.advance(HOUR)
    book.link("contacts", *people)
    run.mappings[1]["fields"].append(
        {"salesforce": "Nickname__c", "sweo": "name", "direction": "to_salesforce"}
    )
    seen: list[str] = []
    for _ in range(3):
        run(backfill_minutes=0)
        assert len(run.run.records("contacts")) == 1
        seen += ids(run.run.records("contacts"))
    assert sorted(seen) == sorted(people)
    run(backfill_minutes=0)
    assert not run.run.records("contacts")


def test_live_changes_come_before_the_backfill(run: Any, sandbox: Sandbox, book: Any) -> None:
    first, second = person(sandbox, "p1"), person(sandbox, "p2")
    sandbox.advance(HOUR)
    run()
    sandbox.advance(HOUR)
    book.link("contacts", first, second)
    sandbox.workspace.contacts.update(second, {"phone": "+1"})
    run.mappings[1]["fields"].append(
        {"salesforce": "Nickname__c", "sweo": "name", "direction": "to_salesforce"}
    )
    run()
    live, *rest = run.run.records("contacts")
    assert live["_source"]["id"] == second
    assert "backfill" not in live["_source"]
    assert all(record["_source"]["backfill"] for record in rest)


def test_an_attribute_that_the_other_direction_makes_is_awaited(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    where = company(sandbox, "A1")
    run.mappings[0]["fields"].append(
        {"salesforce": "Seats__c", "sweo": "seats", "direction": "both"}
    )
    run()
    assert "seats" not in run.run.records("accounts")[0]
    assert "seats" not in run.run.schema("accounts")["properties"]
    book.link("accounts", where)
    sandbox.advance(HOUR)
    sandbox.workspace.attributes.create(
        {"name": "seats", "model": "company", "data_type": "integer"}, 0
    )
    sandbox.workspace.companies.update(where, {"custom_attributes": {"seats": 7}})
    run()
    assert run.run.records("accounts")[0]["seats"] == 7


def test_attributes_that_do_not_exist_are_told_all_at_once(run: Any, sandbox: Sandbox) -> None:
    run.mappings[0]["fields"] += [
        {"salesforce": "A__c", "sweo": "helth_score", "direction": "to_salesforce"},
        {"salesforce": "B__c", "sweo": "nothing_like_it", "direction": "to_salesforce"},
    ]
    run.mappings[1]["fields"].append(
        {"salesforce": "C__c", "sweo": "fone", "direction": "to_salesforce"}
    )
    tap_error = None
    try:
        run()
    except FatalError as error:
        tap_error = str(error)
    except IndexError:
        pytest.fail("the tap ended without an error")
    assert tap_error is not None
    assert "`helth_score`" in tap_error
    assert "did you mean `health_score`" in tap_error
    assert "`nothing_like_it`" in tap_error
    assert "did you mean `phone`" in tap_error
    assert not run.run.lines


def test_an_unknown_ledger_means_a_full_read(run: Any, sandbox: Sandbox, tmp_path: Any) -> None:
    Ledger.open(run.ledger_url).close()
    someone = person(sandbox, "p1")
    sandbox.advance(HOUR)
    run()
    sandbox.advance(HOUR)
    run()
    assert not run.run.records("contacts")
    run.ledger_url = f"sqlite:///{tmp_path}/other.db"
    Ledger.open(run.ledger_url).close()
    run()
    assert ids(run.run.records("contacts")) == [someone]
    assert run.run.schema("contacts")["x-sweo"]["full"]


def test_a_ledger_that_the_target_makes_meanwhile_is_no_stranger(
    run: Any, sandbox: Sandbox, tmp_path: Any
) -> None:
    person(sandbox, "p1")
    sandbox.advance(HOUR)
    run()
    assert run.state["bookmarks"]["contacts"]["ledger"] is None
    ledger = Ledger.open(run.ledger_url)
    run()
    assert not run.run.records("contacts")
    assert run.state["bookmarks"]["contacts"]["ledger"] == ledger.id
    ledger.close()
    (tmp_path / "ledger.db").unlink()
    run()
    assert len(run.run.records("contacts")) == 1


def test_another_workspace_is_refused(run: Any, sandbox: Sandbox) -> None:
    person(sandbox, "p1")
    run()
    for mark in run.state["bookmarks"].values():
        mark["instance"] = "someone-else"
    run.state = run.state
    with pytest.raises(FatalError, match="someone-else"):
        run()


def test_an_interrupted_read_goes_on_where_it_stopped(
    run: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = []
    for n in range(6):
        people.append(person(sandbox, f"p{n}"))
        sandbox.advance(HOUR)
    monkeypatch.setattr(SweoStream, "STATE_MSG_FREQUENCY", 2)
    whole = run()
    middle = whole.states[-3]
    assert middle["bookmarks"]["contacts"]["complete"] is False
    assert "whole" not in middle["bookmarks"]["contacts"]
    run.state = middle
    rest = run()
    assert ids(rest.records("contacts"))[-1] == people[-1]
    assert 1 < len(rest.records("contacts")) < 6
    assert rest.schema("contacts")["x-sweo"]["full"]
    assert rest.state["bookmarks"]["contacts"]["whole"]


def test_faults_of_the_network_change_nothing(run: Any, sandbox: Sandbox) -> None:
    made = [person(sandbox, f"p{n}") for n in range(320)]
    sandbox.fault("sweo", "reset_after", endpoint="POST /contacts/search", nth=2)
    sandbox.fault("sweo", "status", status=500, endpoint="POST /contacts/search", nth=4)
    sandbox.fault("sweo", "truncate", endpoint="GET /data_attributes", nth=1)
    run()
    assert sorted(ids(run.run.records("contacts"))) == sorted(made)
    sandbox.clear_faults()
