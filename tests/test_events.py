"""Data events of linked people become completed Tasks, each once."""

from __future__ import annotations

from typing import Any

import pytest
from crosswalk.errors import FatalError, RetryLaterError
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import command, recipe
from sweo_sandbox.salesforce.rules import ValidationRule
from sweo_sandbox.testing import Sandbox
from world import World


def make_key(pipelines: Pipelines) -> None:
    """Let `sweo-sync setup` make the field that tells events apart."""
    token = pipelines.sandbox.env()["SALESFORCE_ACCESS_TOKEN"]
    done = command(pipelines, "setup", "--apply", SALESFORCE_SETUP_ACCESS_TOKEN=token)["done"]
    assert done["made"] == ["Activity.Sweo_Event_Key__c"]
    assert "Task.Sweo_Event_Key__c" in done["granted"]


@pytest.fixture
def ada(world: World, pipelines: Pipelines) -> tuple[str, str]:
    """A contact and a person, linked, with the recipe's field configs."""
    pipelines.mappings = recipe("05")
    make_key(pipelines)
    account = world.account("C-1")
    contact = world.contact("ada@x.test", Title="Countess", AccountId=account)
    person = world.person("ada@x.test")
    for _ in range(2):
        pipelines.sync()
    world.sandbox.advance(60)
    return contact, person


def does(sandbox: Sandbox, person: str, name: str, at: int | None = None, **metadata: Any) -> int:
    moment = at or sandbox.clock_sweo.now_ms() // 1000
    event = {"event_name": name, "created_at": moment, "id": person, "metadata": metadata}
    sandbox.workspace.events.submit(event)
    return moment


def tasks(world: World) -> list[dict[str, Any]]:
    return [dict(row) for row in world.sandbox.org.rows("Task")]


def test_a_named_event_becomes_one_completed_task_and_no_other_one_does(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    contact, person = ada
    world.sandbox.workspace_settings.timezone = "America/New_York"
    at = does(world.sandbox, person, "checklist completed", checklist="Setup", steps=3)
    does(world.sandbox, person, "page viewed")
    run = pipelines.run(TO_SALESFORCE)
    assert run.counts["events"] == 1
    [task] = tasks(world)
    assert (task["WhoId"], task["WhatId"]) == (contact, None)
    assert (task["Subject"], task["Status"], task["IsClosed"]) == (
        "checklist completed",
        "Completed",
        1,
    )
    told = task["Description"].splitlines()
    assert told[1:] == ["checklist: Setup", "steps: 3"]
    assert told[0].endswith("Z")
    assert len(task["Sweo_Event_Key__c"]) == 64
    assert at
    for _ in range(2):
        world.sandbox.advance(5)
        world.sandbox.reset_calls()
        pipelines.sync()
        assert world.calls("salesforce")["writes"] == world.calls("sweo")["writes"] == 0
    assert len(tasks(world)) == 1
    [row, *_] = command(pipelines, "log")
    assert (row["outcome"], row["new"], row["salesforce_id"]) == (
        "event",
        "checklist completed",
        contact,
    )


def test_what_is_quiet_costs_one_search_and_each_person_who_changed_one_call(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    pipelines.mappings = pipelines.mappings[:1]
    pipelines.run(TO_SALESFORCE)
    world.sandbox.advance(3_600)
    pipelines.run(TO_SALESFORCE)
    without = {**pipelines.mappings[0]}
    del without["events"]
    totals = []
    for mapping in (pipelines.mappings[0], without):
        pipelines.mappings = [mapping]
        world.sandbox.advance(3_600)
        world.sandbox.reset_calls()
        pipelines.run(TO_SALESFORCE)
        totals.append(world.calls("sweo")["total"])
        assert world.calls("salesforce")["total"] == 0
    assert totals[0] == totals[1] + 1


def test_what_a_dead_run_wrote_is_written_once(
    world: World, pipelines: Pipelines, ada: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from crosswalk.ledger import commit

    does(world.sandbox, ada[1], "flow started")
    with monkeypatch.context() as patch:
        patch.setattr(commit, "_note_events", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipelines.run(TO_SALESFORCE)
    [task] = tasks(world)
    pipelines.run(TO_SALESFORCE)
    assert [each["Id"] for each in tasks(world)] == [task["Id"]]
    assert pipelines.is_quiet()


def test_an_event_whose_answer_is_lost_is_sent_again_or_read_again(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    faults = world.sandbox.faults("salesforce")
    does(world.sandbox, ada[1], "flow started")
    faults.add("reset_after", endpoint="*/composite/sobjects/Task/*", times=1)
    assert pipelines.run(TO_SALESFORCE).counts["events"] == 1
    assert len(tasks(world)) == 1
    world.sandbox.advance(60)
    does(world.sandbox, ada[1], "flow started")
    faults.add("reset_before", endpoint="*/composite/sobjects/Task/*", probability=1.0)
    with pytest.raises(RetryLaterError):
        pipelines.run(TO_SALESFORCE)
    faults.clear()
    assert pipelines.run(TO_SALESFORCE).counts["events"] == 1
    assert len(tasks(world)) == 2
    assert pipelines.is_quiet()


def test_people_who_are_linked_later_bring_what_they_did_since_events_are_on(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    person = world.person("new@x.test")
    does(world.sandbox, person, "checklist completed", at=int(1e9))
    does(world.sandbox, person, "checklist completed")
    pipelines.sync()
    assert not tasks(world), "nobody knows yet whose timeline it is"
    world.sandbox.advance(3_600)
    contact = world.contact("new@x.test")
    for _ in range(2):
        pipelines.sync()
    assert [task["WhoId"] for task in tasks(world)] == [contact]
    assert pipelines.is_quiet()


def test_a_run_out_of_calls_leaves_the_rest_to_the_next(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    for number in range(3):
        world.contact(f"p{number}@x.test")
        world.person(f"p{number}@x.test")
    for _ in range(2):
        pipelines.sync()
    world.sandbox.advance(3_600)
    pipelines.run(TO_SALESFORCE)
    everybody = world.sandbox.workspace.all_contacts({"per_page": 150})["data"]
    for person in everybody:
        world.sandbox.advance(2)
        does(world.sandbox, person["id"], "flow started")
    pipelines.settings["tap-sweo"] = {"max_event_calls": 4}  # two for each mapping
    found = []
    while len(found) < 5 and sum(found) < len(everybody):
        world.sandbox.advance(60)
        found.append(pipelines.run(TO_SALESFORCE).counts.get("events", 0))
    assert found == [2, 2]
    del pipelines.settings["tap-sweo"]
    pipelines.sync()
    assert len(tasks(world)) == len(everybody) == 4
    assert pipelines.is_quiet()


def test_calls_for_new_people_and_for_people_without_events_are_counted_and_go_on(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    pipelines.mappings = pipelines.mappings[:1]
    people = [world.person(f"p{number}@x.test") for number in range(5)]
    for number in range(5):
        world.contact(f"p{number}@x.test")
    does(world.sandbox, people[4], "flow started")
    pipelines.settings["tap-sweo"] = {"max_event_calls": 2}
    pipelines.run(TO_SWEO)
    asked, found = [], []
    while len(found) < 8 and sum(found) < 1:
        world.sandbox.advance(60)
        path = world.sandbox.calls("sweo")["by_endpoint"].get("GET /events", 0)
        found.append(pipelines.run(TO_SALESFORCE).counts.get("events", 0))
        asked.append(world.sandbox.calls("sweo")["by_endpoint"].get("GET /events", 0) - path)
    assert sum(found) == 1
    assert max(asked) == 2
    assert len(tasks(world)) == 1


def test_an_event_of_the_second_of_a_poll_and_one_that_comes_late_are_carried(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    pipelines.mappings = pipelines.mappings[:1]
    at = does(world.sandbox, ada[1], "flow started")
    assert pipelines.run(TO_SALESFORCE).counts["events"] == 1
    world.sandbox.workspace.database.execute(
        "INSERT INTO event (contact_id, name, created_at, metadata) VALUES (?, ?, ?, '{}')",
        [ada[1], "checklist completed", at],
    )
    world.sandbox.advance(300)
    assert pipelines.run(TO_SALESFORCE).counts["events"] == 1
    for _ in range(2):
        world.sandbox.advance(7_200)
        pipelines.run(TO_SALESFORCE)
    does(world.sandbox, ada[1], "flow started", at=at + 3_600)
    assert pipelines.run(TO_SALESFORCE).counts["events"] == 1
    assert len(tasks(world)) == 3


def test_a_pair_that_waits_for_a_word_gets_its_tasks_once_it_is_accepted(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = [{**recipe("05")[0], "first_link": "ask"}]
    make_key(pipelines)
    world.attribute("contact", "job_title", "string")
    world.contact("ada@x.test", Title="Countess")
    person = world.person("ada@x.test", custom_attributes={"job_title": "Analyst"})
    for _ in range(2):
        pipelines.sync()
    world.sandbox.advance(60)
    does(world.sandbox, person, "flow started")
    pipelines.sync()
    assert not tasks(world)
    command(pipelines, "review", "accept", "--all")
    for _ in range(2):
        world.sandbox.advance(3_600)
        pipelines.sync()
    assert [task["Subject"] for task in tasks(world)] == ["flow started"]
    assert pipelines.is_quiet()


def test_a_refused_event_is_told_and_not_sent_again(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    world.sandbox.org.validation_rules.append(
        ValidationRule("Task", "Subject", "flow.*", "No flows here.")
    )
    does(world.sandbox, ada[1], "flow started")
    assert pipelines.run(TO_SALESFORCE).counts["events_left_out"] == 1
    world.sandbox.advance(60)
    does(world.sandbox, ada[1], "checklist completed")
    world.sandbox.reset_calls()
    run = pipelines.run(TO_SALESFORCE)
    assert (run.counts["events"], run.counts.get("events_left_out")) == (1, None)
    assert [task["Subject"] for task in tasks(world)] == ["checklist completed"]


def test_a_lost_state_or_a_lost_ledger_makes_no_task_twice(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    does(world.sandbox, ada[1], "flow started")
    pipelines.sync()
    pipelines.state.clear()
    for _ in range(2):
        pipelines.sync()
    assert len(tasks(world)) == 1
    world.sandbox.advance(60)
    does(world.sandbox, ada[1], "checklist completed")
    (pipelines.folder / "ledger.db").rename(pipelines.folder / "lost.db")
    for _ in range(3):
        pipelines.sync()
    assert sorted(task["Subject"] for task in tasks(world)) == [
        "checklist completed",
        "flow started",
    ]
    assert pipelines.is_quiet()


def test_every_event_of_leads_up_to_the_days_limit(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    pipelines.mappings[1]["events_per_day"] = 2
    lead = world.sandbox.org.insert(
        "Lead", {"LastName": "Bob", "Company": "x", "Email": "bob@x.test"}
    )
    person = world.person("bob@x.test", role="lead")
    for _ in range(2):
        pipelines.sync()
    for name in ("one", "two", "three"):
        world.sandbox.advance(2)
        does(world.sandbox, person, name)
    run = pipelines.run(TO_SALESFORCE)
    assert (run.counts["events"], run.counts["events_left_out"]) == (2, 1)
    assert [(t["WhoId"], t["Subject"]) for t in tasks(world)] == [(lead, "one"), (lead, "two")]


def test_the_account_is_named_where_it_is_wanted(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    pipelines.mappings[0]["events_on_account"] = True
    does(world.sandbox, ada[1], "flow started")
    pipelines.run(TO_SALESFORCE)
    [task] = tasks(world)
    assert task["WhatId"] == world.row("Contact", ada[0])["AccountId"]


def test_without_the_keys_field_the_run_names_the_command_that_makes_it(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = recipe("05")[:1]
    world.contact("ada@x.test", Title="Countess")
    person = world.person("ada@x.test")
    for _ in range(2):
        pipelines.sync()
    world.sandbox.advance(60)
    does(world.sandbox, person, "flow started")
    with pytest.raises(FatalError, match=r"Activity\.Sweo_Event_Key__c.*`sweo-sync setup`"):
        pipelines.run(TO_SALESFORCE)
    told = command(pipelines, "doctor", exit_code=2)["findings"]
    assert any(f["check"] == "events" and f["todo"] == "run `sweo-sync setup`" for f in told)
    assert not tasks(world)
    setup = command(pipelines, "setup", "--folder", str(pipelines.folder / "sf"))
    [key] = [each for each in setup["fields"] if each["name"] == "Sweo_Event_Key__c"]
    assert (key["sobject"], key["exists"]) == ("Task", False)
    made = list((pipelines.folder / "sf").rglob("*"))
    assert any("objects/Activity/fields/Sweo_Event_Key__c" in str(path) for path in made)
    make_key(pipelines)
    pipelines.run(TO_SALESFORCE)
    assert [task["Subject"] for task in tasks(world)] == ["flow started"]
    [found] = [
        f["found"]
        for f in command(pipelines, "doctor", exit_code=1)["findings"]
        if f["check"] == "events"
    ]
    assert "1 Tasks (0.0 MB)" in found


def test_a_plan_foretells_the_tasks(
    world: World, pipelines: Pipelines, ada: tuple[str, str]
) -> None:
    does(world.sandbox, ada[1], "flow started")
    lines = pipelines.map(TO_SALESFORCE, pipelines.tap(TO_SALESFORCE))
    pipelines.settings["target-salesforce"] = {"dry_run": True}
    assert pipelines.target(TO_SALESFORCE, lines).counts["events"] == 1
    assert not tasks(world)
    del pipelines.settings["target-salesforce"]
    pipelines.run(TO_SALESFORCE)
    assert len(tasks(world)) == 1
    pipelines.run(TO_SWEO)
    assert pipelines.is_quiet()
