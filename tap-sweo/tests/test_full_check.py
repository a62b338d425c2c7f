"""Full checks in slices, and what a person paused."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from crosswalk.ledger import schema
from sqlalchemy import insert
from sweo_sandbox.sweo.versions import parse_version
from sweo_sandbox.testing import Sandbox

CHECK = {"full_check": True, "check_every_hours": 0}


@pytest.fixture(autouse=True)
def _attributes(sandbox: Sandbox) -> None:
    sandbox.workspace.attributes.create(
        {"name": "health_score", "model": "company", "data_type": "float"}, 0
    )


def people(sandbox: Sandbox, count: int) -> list[str]:
    made = []
    for number in range(count):
        body = {"role": "user", "email": f"p{number}@x.io"}
        made.append(str(sandbox.workspace.contacts.create(body)["id"]))
    sandbox.advance(60)
    return made


def company(sandbox: Sandbox, key: str, contact: str | None) -> str:
    record_id = str(sandbox.workspace.companies.upsert({"company_id": key})["id"])
    if contact:
        sandbox.workspace.memberships.attach(contact, record_id)
    return record_id


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["_source"]["id"] for record in records]


def slices(run: Any, **settings: Any) -> list[Any]:
    """Run until the check has ended."""
    runs = [run(**CHECK, **settings)]
    while not runs[-1].state["full_check"].get("ended"):
        assert len(runs) < 20
        runs.append(run(**CHECK, **settings))
    return runs


def test_a_check_reads_every_record_once_in_slices(run: Any, sandbox: Sandbox, book: Any) -> None:
    made = people(sandbox, 400)
    companies = [company(sandbox, f"A{n}", made[n]) for n in range(5)]
    sandbox.advance(60)
    runs = slices(run, slice_records=3)
    assert [len(r.records("accounts")) for r in runs] == [3, 2, 0, 0][: len(runs)]
    assert sorted(i for r in runs for i in ids(r.records("accounts"))) == sorted(companies)
    contacts = [i for r in runs for i in ids(r.records("contacts"))]
    assert len(contacts) == 400
    assert set(contacts) == set(made)
    bookmarks = run.state["bookmarks"]
    assert bookmarks["contacts"]["whole"]
    assert "position" not in bookmarks["contacts"]


def test_companies_are_scanned_four_times_at_most(run: Any, sandbox: Sandbox, book: Any) -> None:
    made = people(sandbox, 21)
    companies = [company(sandbox, f"A{n}", each) for n, each in enumerate(made)]
    sandbox.advance(60)
    runs = slices(run, slice_records=1)
    records = [len(r.records("accounts")) for r in runs]
    assert [count for count in records if count] == [6, 6, 6, 3]
    assert sum(records) == len(companies)


def test_progress_is_told_to_whoever_started_the_check(
    run: Any, sandbox: Sandbox, book: Any, tmp_path: Path
) -> None:
    made = people(sandbox, 400)
    company(sandbox, "A1", made[0])
    file = tmp_path / "progress"
    slices(run, slice_records=200, progress_file=str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    contacts = [line for line in lines if line.get("mapping") == "contacts"]
    assert {"mapping": "contacts", "read": 300, "total": 400, "checked": False} in contacts
    assert contacts[-1] == {"mapping": "contacts", "read": 400, "total": 400, "checked": True}
    accounts = [line for line in lines if line.get("mapping") == "accounts"]
    assert accounts[-1] == {"mapping": "accounts", "read": 1, "total": 1, "checked": True}
    assert [line for line in lines if "check" in line][-1]["ended"]
    assert "calls" in lines[-1]


def test_a_company_that_no_list_shows_is_read_by_id(run: Any, sandbox: Sandbox, book: Any) -> None:
    (person,) = people(sandbox, 1)
    listed, lonely = company(sandbox, "A1", person), company(sandbox, "A2", None)
    gone, unlinked = company(sandbox, "A3", None), company(sandbox, "A4", None)
    book.link("accounts", listed, lonely, gone)
    sandbox.workspace.companies.delete(gone)
    (checked,) = slices(run)
    records = {r["_source"]["id"]: r for r in checked.records("accounts")}
    assert set(records) == {listed, lonely, gone}
    assert records[lonely]["company_id"] == "A2"
    assert records[gone]["_source"]["deleted"] is True
    assert unlinked not in records
    assert run.calls()["GET /companies/{id}"] == 2


@pytest.mark.parametrize("slice_records", [20_000, 100])
def test_deleted_and_merged_contacts_are_found(
    run: Any, sandbox: Sandbox, book: Any, slice_records: int
) -> None:
    made = people(sandbox, 5)
    body = {"role": "lead", "email": "lead@x.io"}
    lead = str(sandbox.workspace.contacts.create(body)["id"])
    book.link("contacts", *made, lead)
    sandbox.workspace.contacts.delete(made[0])
    body = {"from": lead, "into": made[1], "skip_duplicate_validation": True}
    sandbox.workspace.contacts.merge(body, parse_version("2.16", "2.16"))
    sandbox.advance(60)
    people_more = [
        str(sandbox.workspace.contacts.create({"role": "user", "email": f"m{n}@x.io"})["id"])
        for n in range(200)
    ]
    runs = slices(run, slice_records=slice_records)
    records = {r["_source"]["id"]: r["_source"] for x in runs for r in x.records("contacts")}
    assert set(records) == {*made, lead, *people_more}
    assert records[made[0]]["deleted"] is True
    assert records[lead]["deleted"] is True
    assert records[lead]["merged_into"] == made[1]
    assert not records[made[2]].get("deleted")


def test_a_check_leaves_ordinary_state_and_the_revisit_list_alone(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    made = people(sandbox, 2)
    book.owe("contacts", made[0])
    slices(run)
    assert all("revisit" not in r["_source"] for r in run.run.records("contacts"))
    assert len(book.ledger.revisits("to_salesforce", "contacts")) == 1
    rested = run(full_check=True)
    assert not [line for line in rested.lines if line["type"] != "STATE"]
    assert run.calls() == {}


def test_a_taken_scan_leaves_companies_to_the_next_run(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    (person,) = people(sandbox, 1)
    there = company(sandbox, "A1", person)
    sandbox.fault("sweo", "status", endpoint="/companies/scroll", status=400, times=1)
    first = run(**CHECK)
    assert ids(first.records("contacts")) == [person]
    assert "ended" not in first.state["full_check"]
    second = run(**CHECK)
    assert ids(second.records("accounts")) == [there]
    assert not second.records("contacts")
    assert second.state["full_check"]["ended"]


def test_a_cursor_that_is_not_taken_any_more_begins_the_stream_anew(
    run: Any, sandbox: Sandbox, book: Any
) -> None:
    made = people(sandbox, 200)
    first = run(**CHECK, slice_records=100)
    assert len(first.records("contacts")) == 150
    run.state["bookmarks"]["contacts"]["position"]["cursor"] = "stale"
    second = run(**CHECK)
    assert set(ids(second.records("contacts"))) == set(made)


def pause(book: Any, *names: str) -> None:
    with book.ledger.engine.begin() as connection:
        for name in names:
            connection.execute(insert(schema.pause).values(mapping=name, since="2026-01-01"))


def test_a_paused_mapping_is_not_read_and_keeps_its_bookmark(
    run: Any, sandbox: Sandbox, book: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    people(sandbox, 1)
    first = run().state
    pause(book, "contacts")
    people_then = str(sandbox.workspace.contacts.create({"role": "user", "email": "n@x.io"})["id"])
    company(sandbox, "A1", people_then)
    sandbox.advance(60)
    second = run()
    assert not second.records("contacts")
    assert second.records("accounts")
    assert second.state["bookmarks"]["contacts"] == first["bookmarks"]["contacts"]
    assert sum("Paused" in record.message for record in caplog.records) == 1


def test_everything_paused_makes_no_call(run: Any, sandbox: Sandbox, book: Any) -> None:
    people(sandbox, 1)
    run()
    pause(book, "*")
    run()
    assert run.calls() == {}
