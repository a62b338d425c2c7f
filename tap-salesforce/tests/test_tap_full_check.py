"""Full checks in slices, and what a person paused."""

from __future__ import annotations

import json
import logging
import re

import pytest
from crosswalk.ledger import Ledger, schema
from crosswalk.ledger.commit import Commit, RevisitRow, Writer
from singer_runtime import full_check
from sqlalchemy import insert

CHECK = {"full_check": True, "check_every_hours": 0}


@pytest.fixture
def ledger(tmp_path, settings):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    settings["ledger_url"] = url
    opened = Ledger.open(url)
    yield opened
    opened.close()


def _accounts(sandbox, count: int) -> list[str]:
    rows = [{"Name": f"A{n}", "Customer_Number__c": f"N{n}"} for n in range(count)]
    return sandbox.org.bulk_load("Account", rows)


def _link(ledger, *record_ids: str) -> None:
    for record_id in record_ids:
        assert Writer(ledger).open_link("accounts", record_id, f"sweo-{record_id}", "run")


def _slices(run_tap, **settings):
    """Run until the check has ended; every run's records of both streams."""
    state, runs = None, []
    while not (state or {}).get("full_check", {}).get("ended"):
        assert len(runs) < 20
        runs.append(run_tap(state, **CHECK, **settings))
        state = runs[-1].state
    return runs


def test_a_check_reads_every_record_once_in_slices(sandbox, run_tap, ledger) -> None:
    ids = _accounts(sandbox, 25)
    people = sandbox.org.bulk_load("Contact", [{"LastName": f"P{n}"} for n in range(7)])
    runs = _slices(run_tap, slice_records=10)
    assert [len(run.records("accounts")) for run in runs] == [10, 10, 5, 0][: len(runs)]
    seen = [r["_source"]["id"] for run in runs for r in run.records("accounts")]
    assert sorted(seen) == sorted(ids)
    assert {r["_source"]["id"] for run in runs for r in run.records("contacts")} == set(people)
    assert all(run.schema("accounts")["x-sweo"]["full"] for run in runs[:3])
    whole = runs[-1].state["bookmarks"]["accounts"]["whole"]
    assert whole <= runs[-1].state["full_check"]["ended"]


def test_a_small_org_is_checked_in_one_run_of_few_calls(sandbox, run_tap, ledger) -> None:
    _accounts(sandbox, 3)
    (run,) = _slices(run_tap)
    assert len(run.records("accounts")) == 3
    assert run.calls == 3  # describes, related describes, queries
    rested = run_tap(run.state, full_check=True)
    assert rested.calls == 0
    assert not [m for m in rested.messages if m["type"] != "STATE"]
    again = run_tap(run.state, **CHECK)
    assert len(again.records("accounts")) == 3
    assert again.calls == 1, "the plan of the last check is remembered"


def test_a_record_edited_during_the_check_is_read_as_it_is_now(sandbox, run_tap, ledger) -> None:
    ids = _accounts(sandbox, 20)
    first = run_tap(**CHECK, slice_records=10)
    sandbox.advance(60)
    edited = ids[0]
    sandbox.org.update("Account", edited, {"Name": "Edited"})
    second = run_tap(first.state, **CHECK, slice_records=15)
    assert second.ids("accounts") == set(ids[10:]) | {edited}
    assert second.records("accounts")[-1]["Name"] == "Edited"


def test_bulk_results_are_read_on_by_later_slices(sandbox, run_tap, ledger, accounts) -> None:
    ids = _accounts(sandbox, 30_000)
    runs = _slices(run_tap, mappings=[accounts], slice_records=20_000)
    assert [len(run.records("accounts")) for run in runs] == [25_000, 5_000]
    assert {i for run in runs for i in run.ids("accounts")} == set(ids)
    assert runs[1].calls == 3  # describes, a poll, a page of results


def test_linked_rows_that_are_gone_are_passed_on_and_hidden_ones_stay(
    sandbox, run_tap, ledger, caplog
) -> None:
    there, purged, hidden, purged_long_ago = _accounts(sandbox, 4)
    _link(ledger, there, purged, hidden, purged_long_ago)
    sandbox.org.delete("Account", purged_long_ago, hard=True)
    sandbox.advance(40 * 86_400)
    sandbox.org.delete("Account", purged, hard=True)
    sandbox.org.hide_row(hidden)
    sandbox.advance(3600)
    (run,) = _slices(run_tap)
    gone = [r["_source"]["id"] for r in run.records("accounts") if r["_source"].get("deleted")]
    assert gone == [purged]
    assert run.ids("accounts") == {there, purged}, "not seen is never deleted"
    assert "2 linked records were not found" in caplog.text


def test_a_check_leaves_the_revisit_list_alone(sandbox, run_tap, ledger) -> None:
    (record_id,) = _accounts(sandbox, 1)
    rows = [RevisitRow("to_sweo", "accounts", record_id, "test")]
    Writer(ledger).commit(Commit("to_sweo", "accounts", "run", revisits=rows))
    (run,) = _slices(run_tap)
    (record,) = run.records("accounts")
    assert "revisit" not in record["_source"]
    assert len(ledger.revisits("to_sweo", "accounts")) == 1


def test_another_ledger_begins_the_check_anew(sandbox, run_tap, ledger, tmp_path) -> None:
    ids = _accounts(sandbox, 20)
    first = run_tap(**CHECK, slice_records=10)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    Ledger.open(other).close()
    again = run_tap(first.state, **CHECK, ledger_url=other, slice_records=15)
    assert len(again.records("accounts")) == 15
    rest = run_tap(again.state, **CHECK, ledger_url=other)
    assert again.ids("accounts") | rest.ids("accounts") == set(ids)
    assert len(rest.records("accounts")) == 5


def _pause(ledger, *names: str) -> None:
    with ledger.engine.begin() as connection:
        for name in names:
            connection.execute(insert(schema.pause).values(mapping=name, since="2026-01-01"))


def test_a_paused_mapping_is_not_read_and_keeps_its_bookmark(
    sandbox, run_tap, ledger, caplog
) -> None:
    caplog.set_level(logging.INFO)
    _accounts(sandbox, 1)
    first = run_tap()
    sandbox.advance(3600)
    _accounts(sandbox, 1)
    sandbox.org.insert("Contact", {"LastName": "L"})
    _pause(ledger, "accounts")
    caplog.clear()
    second = run_tap(first.state)
    assert second.records("accounts") == []
    assert len(second.records("contacts")) == 1
    assert second.state["bookmarks"]["accounts"] == first.state["bookmarks"]["accounts"]
    assert [r.message for r in caplog.records if "Paused" in r.message] == [
        "Paused, so not read: accounts. `sweo-sync resume` lets them go on from where they are."
    ]


def test_everything_paused_makes_no_call(sandbox, run_tap, ledger) -> None:
    _pause(ledger, "*")
    run = run_tap()
    assert run.calls == 0
    assert run.messages == []


def test_a_check_of_one_mapping_begins_anew_where_it_was_of_all(sandbox, run_tap, ledger) -> None:
    _accounts(sandbox, 5)
    sandbox.org.bulk_load("Contact", [{"LastName": "P"}])
    whole = run_tap(**CHECK, slice_records=2)
    one = run_tap(whole.state, **CHECK, check_mapping="contacts")
    assert not one.ids("accounts")
    assert len(one.ids("contacts")) == 1
    assert one.state["full_check"]["only"] == "contacts"
    assert one.state["full_check"]["ended"]
    again = run_tap(one.state, full_check=True)
    assert len(again.ids("accounts")) == 5, "that check was of contacts alone"


def test_progress_is_told_to_whoever_started_the_check(sandbox, run_tap, ledger, tmp_path) -> None:
    _accounts(sandbox, 5)
    file = tmp_path / "progress"
    first = run_tap(**CHECK, slice_records=2, progress_file=str(file))
    second = run_tap(first.state, **CHECK, progress_file=str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    began = first.state["full_check"]["began"]
    assert lines[0] == {"check": began, "ended": False, "rests": False}
    assert [line for line in lines if "check" in line][-1]["ended"]
    accounts = [line for line in lines if line.get("mapping") == "accounts"]
    assert accounts[0] == {"mapping": "accounts", "read": 0, "total": None, "checked": False}
    assert {"mapping": "accounts", "read": 2, "total": 5, "checked": False} in accounts
    assert accounts[-1] == {"mapping": "accounts", "read": 5, "total": 5, "checked": True}
    assert lines[-1] == {"calls": second.calls}


def test_the_log_says_how_far_it_has_come(sandbox, run_tap, ledger, caplog, monkeypatch) -> None:
    monkeypatch.setattr(full_check, "LOG_SECONDS", 0)
    caplog.set_level(logging.INFO)
    _accounts(sandbox, 5)
    run_tap(**CHECK)
    line = next(text for text in caplog.messages if "2 of 5" in text)
    assert re.fullmatch(
        r"Full check of accounts: 2 of 5 records \(40%\), [\d,]+ a second, [\d,]+ s left\.", line
    )
