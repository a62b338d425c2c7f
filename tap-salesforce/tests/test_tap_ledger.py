"""What the ledger adds: records that are owed, a first link, another ledger."""

from __future__ import annotations

import pytest
from crosswalk.ledger import Ledger, schema
from sqlalchemy import insert

EARLY = "2000-01-01T00:00:00Z"


@pytest.fixture
def ledger(tmp_path, settings):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    settings["ledger_url"] = url
    opened = Ledger.open(url)
    yield opened
    opened.close()


def _owe(ledger, mapping: str, record_id: str) -> int:
    with ledger.engine.begin() as connection:
        row = {
            "direction": "to_sweo",
            "mapping": mapping,
            "source_id": record_id,
            "reason": "test",
            "not_before": EARLY,
            "added_at": EARLY,
        }
        return connection.execute(insert(schema.revisit).values(**row)).inserted_primary_key[0]


def _account(sandbox, number: int, **values):
    return sandbox.org.insert(
        "Account", {"Name": f"Acme {number}", "Customer_Number__c": f"C{number}", **values}
    )


def test_owed_records_carry_their_numbers_and_move_no_bookmark(sandbox, run_tap, ledger) -> None:
    old = _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    numbers = [_owe(ledger, "accounts", old), _owe(ledger, "accounts", old)]
    run = run_tap(first.state)
    (record,) = run.records("accounts")
    assert record["_source"]["revisit"] == numbers
    assert record["Name"] == "Acme 1"
    assert "at" not in run.state["bookmarks"]["accounts"]


def test_an_owed_record_that_changed_anyway_is_read_once(sandbox, run_tap, ledger) -> None:
    record_id = _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    number = _owe(ledger, "accounts", record_id)
    sandbox.org.update("Account", record_id, {"Name": "New"})
    run = run_tap(first.state)
    (record,) = run.records("accounts")
    assert record["_source"]["revisit"] == [number]
    assert run.calls == 1


def test_an_owed_record_that_is_gone_is_passed_on_as_deleted(sandbox, run_tap, ledger) -> None:
    record_id = _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    sandbox.org.delete("Account", record_id, hard=True)
    _owe(ledger, "accounts", record_id)
    (record,) = run_tap(first.state).records("accounts")
    assert record["_source"]["deleted"] is True
    assert record["_source"]["revisit"]
    assert "Name" not in record


def test_the_ledgers_id_is_kept_and_another_ledger_means_a_full_read(
    sandbox, run_tap, ledger, tmp_path
) -> None:
    record_id = _account(sandbox, 1)
    sandbox.advance(3600)
    first = run_tap()
    assert first.state["bookmarks"]["accounts"]["ledger"] == ledger.id
    sandbox.advance(3600)
    assert run_tap(first.state).records("accounts") == []
    other = f"sqlite:///{tmp_path / 'other.db'}"
    Ledger.open(other).close()
    again = run_tap(first.state, ledger_url=other)
    assert again.ids("accounts") == {record_id}
    assert again.schema("accounts")["x-sweo"]["full"] is True


def test_a_state_from_before_the_ledger_is_adopted_once_it_was_filled(
    sandbox, run_tap, ledger, settings
) -> None:
    _account(sandbox, 1)
    sandbox.advance(3600)
    url = settings.pop("ledger_url")
    first = run_tap()
    assert "ledger" not in first.state["bookmarks"]["accounts"]
    sandbox.advance(3600)
    assert len(run_tap(first.state, ledger_url=url).records("accounts")) == 1
    for mapping in ("accounts", "contacts"):
        ledger.note_progress("to_sweo", mapping, whole_at="2026-01-01T00:00:00Z")
    assert run_tap(first.state, ledger_url=url).records("accounts") == []


def test_a_new_field_reads_linked_rows_only(sandbox, run_tap, ledger, accounts, contacts) -> None:
    linked, _ = _account(sandbox, 1), _account(sandbox, 2)
    _link(ledger, linked)
    sandbox.advance(3600)
    first = run_tap()
    sandbox.advance(3600)
    accounts["fields"] += [{"salesforce": "Site", "sweo": "site"}]
    run = run_tap(first.state, mappings=[accounts, contacts])
    assert run.ids("accounts") == {linked}


def _link(ledger, record_id: str) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(
            insert(schema.link).values(
                mapping="accounts",
                salesforce_id=record_id,
                sweo_id="sweo-1",
                linked_at=EARLY,
                run_id="test",
            )
        )
