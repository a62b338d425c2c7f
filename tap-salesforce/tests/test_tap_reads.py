from __future__ import annotations

import pytest
from crosswalk.errors import FatalError


def _account(sandbox, number: int, **values):
    return sandbox.org.insert(
        "Account", {"Name": f"Acme {number}", "Customer_Number__c": f"C{number}", **values}
    )


def test_a_first_run_reads_everything(sandbox, run_tap) -> None:
    account = _account(sandbox, 1, Industry="Energy", Seats__c=5, ARR__c=10.5)
    contact = sandbox.org.insert(
        "Contact",
        {"FirstName": "Ada", "LastName": "Lovelace", "Email": "ada@a.test", "AccountId": account},
    )
    run = run_tap()
    record = next(r for r in run.records("accounts") if r["_source"]["id"] == account)
    assert record["Name"] == "Acme 1"
    assert record["Is_Reference__c"] is False
    assert record["Seats__c"] == 5
    assert record["Renewal_Date__c"] is None
    assert "@" in record["Owner.Email"]
    assert "Health__c" not in record, "it flows to Salesforce only"
    assert list(record)[-1] == "_source"
    person = next(r for r in run.records("contacts") if r["_source"]["id"] == contact)
    assert (person["Name"], person["Account.Industry"]) == ("Ada Lovelace", "Energy")
    assert person["AccountId"] == account
    note = run.schema("accounts")["x-sweo"]
    assert (note["mapping"], note["side"], note["object"]) == ("accounts", "salesforce", "Account")
    assert note["full"] is True
    assert note["instance"].startswith("00D")
    assert run.schema("accounts")["properties"]["Owner.Email"]["x-sweo"]["type"] == "email"


def test_parents_come_before_their_children(sandbox, run_tap) -> None:
    _account(sandbox, 1)
    sandbox.org.insert("Contact", {"LastName": "L", "Email": "l@a.test"})
    run = run_tap()
    streams = [m["stream"] for m in run.messages if m["type"] == "SCHEMA"]
    assert streams == ["accounts", "contacts"]


def test_an_idle_run_is_one_call(sandbox, run_tap) -> None:
    _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    idle = run_tap(run_tap(first.state).state)
    assert idle.calls == 1
    assert sandbox.calls("salesforce")["by_endpoint"]["POST /composite"] == 1
    assert idle.records("accounts") == []
    assert "full" not in idle.schema("accounts")["x-sweo"]


def test_only_what_changed_is_read_again(sandbox, run_tap) -> None:
    first_id, second_id = _account(sandbox, 1), _account(sandbox, 2)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.update("Account", first_id, {"Name": "New"})
    run = run_tap(first.state)
    assert run.ids("accounts") == {first_id}
    assert second_id not in run.ids("accounts")
    watermark = run.state["bookmarks"]["accounts"]["watermark"]
    assert watermark > first.state["bookmarks"]["accounts"]["watermark"]
    assert run.state["bookmarks"]["accounts"]["whole"]


def test_a_row_committed_late_is_inside_the_overlap(sandbox, run_tap) -> None:
    first = run_tap()
    sandbox.advance(-300)
    late = _account(sandbox, 9)
    sandbox.advance(600)
    assert run_tap(first.state).ids("accounts") == {late}


def test_a_deleted_row_says_so(sandbox, run_tap) -> None:
    record_id = _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.delete("Account", record_id)
    (record,) = run_tap(first.state).records("accounts")
    assert record["_source"]["deleted"] is True


def test_a_relatives_change_brings_its_children_and_moves_no_bookmark(sandbox, run_tap) -> None:
    account = _account(sandbox, 1, Industry="Energy")
    contact = sandbox.org.insert(
        "Contact", {"LastName": "L", "Email": "l@a.test", "AccountId": account}
    )
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.update("Account", account, {"Industry": "Banking"})
    run = run_tap(first.state)
    (record,) = run.records("contacts")
    assert record["_source"]["id"] == contact
    assert record["Account.Industry"] == "Banking"
    assert "at" not in run.state["bookmarks"]["contacts"]


def test_unknown_fields_are_named_all_at_once_with_the_nearest(
    sandbox, run_tap, accounts, contacts
) -> None:
    accounts["fields"] += [
        {"salesforce": "Industri", "sweo": "x"},
        {"salesforce": "Ownr.Email", "sweo": "y"},
    ]
    contacts["fields"] += [{"salesforce": "Fone", "sweo": "z"}]
    with pytest.raises(FatalError) as caught:
        run_tap(mappings=[accounts, contacts])
    text = str(caught.value)
    assert "no field Industri" in text
    assert "did you mean Industry?" in text
    assert "relationship Ownr" in text
    assert "no field Fone" in text


def test_an_unknown_object_is_named(sandbox, run_tap, accounts) -> None:
    accounts["salesforce"] = "Acount"
    with pytest.raises(FatalError, match="no object Acount"):
        run_tap(mappings=[accounts])


def test_a_field_hidden_today_is_absent_not_empty(sandbox, run_tap, caplog) -> None:
    record_id = _account(sandbox, 1, Industry="Energy")
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.hide_field("Account", "Industry")
    sandbox.org.update("Account", record_id, {"Name": "New"})
    second = run_tap(first.state)
    (record,) = second.records("accounts")
    assert "Industry" not in record
    assert record["Name"] == "New"
    assert "hides Industry" in caplog.text
    caplog.clear()
    sandbox.org.hide_field("Account", "Industry", hidden=False)
    sandbox.advance(3600)
    third = run_tap(second.state)
    assert "Industry" in third.schema("accounts")["properties"]
    assert any(r["_source"].get("backfill") for r in third.records("accounts"))


def test_a_new_field_is_read_for_old_rows_and_leaves_the_bookmark(
    sandbox, run_tap, accounts, contacts
) -> None:
    record_id = _account(sandbox, 1, Site="HQ")
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    accounts["fields"] += [{"salesforce": "Site", "sweo": "site"}]
    second = run_tap(first.state, mappings=[accounts, contacts])
    (record,) = [r for r in second.records("accounts") if r["_source"]["id"] == record_id]
    assert record["_source"]["backfill"] is True
    assert record["Site"] == "HQ"
    assert "backfill" not in second.state["bookmarks"]["accounts"]
    sandbox.advance(3600)
    assert run_tap(second.state, mappings=[accounts, contacts]).records("accounts") == []


def test_a_field_taken_out_costs_nothing(sandbox, run_tap, accounts, contacts) -> None:
    _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    del accounts["fields"][0]
    second = run_tap(first.state, mappings=[accounts, contacts])
    assert second.records("accounts") == []
    assert second.calls == 1


def test_a_backfill_out_of_time_goes_on_later(sandbox, run_tap, accounts, contacts) -> None:
    ids = sorted(_account(sandbox, number) for number in range(3))
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    accounts["fields"] += [{"salesforce": "Site", "sweo": "site"}]
    seen: list[str] = []
    state = first.state
    for _ in range(3):
        run = run_tap(state, mappings=[accounts, contacts], backfill_minutes=0)
        seen += [r["_source"]["id"] for r in run.records("accounts")]
        state = run.state
    assert [record_id for record_id in seen if record_id in ids] == ids


def test_pages_are_read_to_the_end_and_state_follows_the_last_row(
    sandbox, run_tap, accounts
) -> None:
    ids = sandbox.org.bulk_load(
        "Account", [{"Name": f"A{i}", "Customer_Number__c": f"N{i}"} for i in range(4500)]
    )
    run = run_tap(mappings=[accounts])
    assert run.ids("accounts") >= set(ids)
    middle = run.states[0]["bookmarks"]["accounts"]
    assert middle["at"]["id"]
    assert "watermark" not in middle
    assert middle["began"] == run.state["bookmarks"]["accounts"]["watermark"]


def test_a_read_that_was_cut_off_goes_on_behind_the_last_row(sandbox, run_tap, accounts) -> None:
    ids = sandbox.org.bulk_load(
        "Account", [{"Name": f"A{i}", "Customer_Number__c": f"N{i}"} for i in range(4500)]
    )
    run = run_tap(mappings=[accounts])
    position = next(
        i for i, m in enumerate(run.messages) if m["type"] == "STATE" and "at" in str(m["value"])
    )
    before = {
        m["record"]["_source"]["id"] for m in run.messages[:position] if m["type"] == "RECORD"
    }
    resumed = run_tap(run.messages[position]["value"], mappings=[accounts])
    assert before | resumed.ids("accounts") >= set(ids)
    assert not before & resumed.ids("accounts")
    assert resumed.schema("accounts")["x-sweo"]["full"] is True
    finished = resumed.state["bookmarks"]["accounts"]
    assert finished["watermark"] == run.state["bookmarks"]["accounts"]["watermark"]


def test_many_rows_go_through_bulk_with_the_same_values(sandbox, run_tap, accounts) -> None:
    sandbox.org.bulk_load(
        "Account",
        [
            {"Name": f"A{i}", "Customer_Number__c": f"N{i}", "Seats__c": i, "Is_Reference__c": 1}
            for i in range(9000)
        ],
    )
    by_bulk = run_tap(mappings=[accounts])
    assert sandbox.calls("salesforce")["by_endpoint"]["POST /jobs/query"] == 1
    assert by_bulk.calls == 6, by_bulk.calls  # two describes, a page, a job, a poll, its results
    by_rest = run_tap(mappings=[accounts], bulk_threshold_rows=1_000_000)

    def values(run):
        return {
            r["_source"]["id"]: {**r, "_source": {**r["_source"], "read_at": ""}}
            for r in run.records("accounts")
        }

    assert values(by_bulk) == values(by_rest)
    assert "bulk" not in by_bulk.state["bookmarks"]["accounts"]


def test_a_bulk_job_that_was_cut_off_is_resumed_or_begun_again(sandbox, run_tap, accounts) -> None:
    sandbox.org.bulk_load(
        "Account", [{"Name": f"A{i}", "Customer_Number__c": f"N{i}"} for i in range(9000)]
    )
    run = run_tap(mappings=[accounts])
    job_state = next(s for s in run.states if "bulk" in s["bookmarks"]["accounts"])
    resumed = run_tap(job_state, mappings=[accounts])
    assert resumed.ids("accounts") == run.ids("accounts")
    assert "POST /jobs/query" not in sandbox.calls("salesforce")["by_endpoint"]
    job_state["bookmarks"]["accounts"]["bulk"]["job"] = "750000000000000AAA"
    again = run_tap(job_state, mappings=[accounts])
    assert again.ids("accounts") == run.ids("accounts")


def test_a_wide_mapping_is_read_in_parts_that_join_by_id(
    sandbox, run_tap, monkeypatch, accounts
) -> None:
    record_id = _account(sandbox, 1, Industry="Energy", Seats__c=7)
    monkeypatch.setattr("salesforce_client.soql.Select.split.__defaults__", (250,))
    record = next(
        r
        for r in run_tap(mappings=[accounts]).records("accounts")
        if r["_source"]["id"] == record_id
    )
    assert (record["Name"], record["Industry"], record["Seats__c"]) == ("Acme 1", "Energy", 7)
    assert sandbox.calls("salesforce")["by_endpoint"]["POST /composite/sobjects/Account"] == 1
