"""Rows that are gone: deleted, merged, purged; and rows that are left out."""

from __future__ import annotations

import logging

import pytest
from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger
from crosswalk.ledger.commit import Writer
from sweo_sandbox.salesforce import lifecycle

DAY = 86_400


def _account(sandbox, number: int, **values) -> str:
    return sandbox.org.insert(
        "Account", {"Name": f"Acme {number}", "Customer_Number__c": f"C{number}", **values}
    )


def test_a_purged_row_comes_as_deleted_for_no_extra_call(sandbox, run_tap) -> None:
    record_id = _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.delete("Account", record_id, hard=True)
    sandbox.advance(120)
    run = run_tap(first.state)
    (record,) = run.records("accounts")
    assert record == {"_source": record["_source"]}
    assert (record["_source"]["id"], record["_source"]["deleted"]) == (record_id, True)
    assert run.calls == 1
    assert "at" not in run.state["bookmarks"]["accounts"]


def test_a_row_of_the_recycle_bin_comes_once_and_an_undeleted_one_lives(sandbox, run_tap) -> None:
    binned, restored = _account(sandbox, 1), _account(sandbox, 2)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.delete("Account", binned)
    sandbox.org.delete("Account", restored)
    sandbox.advance(120)
    lifecycle.undelete(sandbox.org, sandbox.org.schema.sobjects["account"], restored)
    sandbox.advance(120)
    records = {r["_source"]["id"]: r for r in run_tap(first.state).records("accounts")}
    assert len(records) == 2
    assert records[binned]["_source"]["deleted"] is True
    assert "deleted" not in records[restored]["_source"]


def test_a_merged_row_names_its_survivor(sandbox, run_tap) -> None:
    master, loser = _account(sandbox, 1), _account(sandbox, 2)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    lifecycle.merge(sandbox.org, sandbox.org.schema.sobjects["account"], master, [loser])
    sandbox.advance(120)
    records = {r["_source"]["id"]: r["_source"] for r in run_tap(first.state).records("accounts")}
    assert records[loser]["deleted"] is True
    assert records[loser]["merged_into"] == master
    assert "deleted" not in records[master]


def test_only_linked_rows_of_the_delete_log_are_passed_on(sandbox, run_tap, tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = Ledger.open(url)
    linked, other = _account(sandbox, 1), _account(sandbox, 2)
    assert Writer(ledger).open_link("accounts", linked, "sweo-1", "run")
    sandbox.advance(3600)
    first = run_tap(ledger_url=url)
    sandbox.advance(3600)
    for record_id in (linked, other):
        sandbox.org.delete("Account", record_id, hard=True)
    sandbox.advance(120)
    assert run_tap(first.state, ledger_url=url).ids("accounts") == {linked}
    ledger.close()


def test_after_a_long_stop_the_log_is_asked_as_far_back_as_it_goes(sandbox, run_tap) -> None:
    early, late = _account(sandbox, 1), _account(sandbox, 2)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(DAY)
    sandbox.org.delete("Account", early, hard=True)
    sandbox.advance(30 * DAY)
    sandbox.org.delete("Account", late, hard=True)
    sandbox.advance(3600)
    assert run_tap(first.state).ids("accounts") == {late}


def test_a_log_that_is_refused_ends_nothing(sandbox, run_tap, caplog, monkeypatch) -> None:
    record_id = _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.update("Account", record_id, {"Name": "New"})
    # A start before the log begins is what the API refuses.
    monkeypatch.setattr("salesforce_client.deleted.LOG_DAYS", 1_000)
    state = first.state
    for bookmark in state["bookmarks"].values():
        bookmark["watermark"] = "2024-01-01T00:00:00Z"
    run = run_tap(state)
    assert run.records("accounts")[0]["Name"] == "New"
    assert "INVALID_REPLICATION_DATE" in caplog.text
    assert "next full check" in caplog.text


def _add_field(sandbox, sobject: str, **facts) -> None:
    org = sandbox.org
    known = org.schema.sobjects[sobject.lower()]
    with org.store.transaction():
        org.schema_add_field(sobject, {"label": facts["name"], **facts})
        org.store.create_table(known)
    org.schema_changed()


def test_person_accounts_are_left_out_and_counted(sandbox, run_tap, caplog) -> None:
    caplog.set_level(logging.INFO)
    facts = {"createable": True, "updateable": True, "nillable": False}
    _add_field(sandbox, "Account", name="IsPersonAccount", type="boolean", **facts)
    business = _account(sandbox, 1)
    _account(sandbox, 2, IsPersonAccount=True)
    run = run_tap()
    assert run.ids("accounts") == {business}
    assert "accounts: 1 person accounts are left out" in caplog.text
    sandbox.advance(3600)
    caplog.clear()
    idle = run_tap(run_tap(run.state).state)
    assert idle.calls == 1
    assert "person accounts" not in caplog.text


def test_an_encrypted_field_matches_nothing(sandbox, run_tap, accounts) -> None:
    _add_field(sandbox, "Account", name="Secret__c", type="string", length=80, encrypted=True)
    accounts["match"] = {"salesforce": "Secret__c", "sweo": "company_id"}
    with pytest.raises(FatalError, match="Secret__c is encrypted"):
        run_tap(mappings=[accounts])
