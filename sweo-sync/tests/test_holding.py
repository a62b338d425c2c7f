from __future__ import annotations

from crosswalk.ledger.runs import take_approval


def test_pause_and_resume_one_mapping(desk):
    desk.run("pause", "accounts")
    assert desk.ledger.paused() == {"accounts"}
    (accounts, contacts) = desk.json("status")["mappings"]
    assert accounts["paused_since"]
    assert contacts["paused_since"] is None
    desk.run("pause", "accounts")
    assert desk.json("resume", "accounts") == {"resumed": ["accounts"], "everything_paused": False}
    assert desk.ledger.paused() == set()


def test_pause_everything(desk):
    desk.run("pause")
    assert "Everything is paused" in desk.run("status").output
    assert "still paused" in desk.run("resume", "accounts").output
    desk.run("pause", "contacts")
    assert set(desk.json("resume")["resumed"]) == {"*", "contacts"}
    assert desk.ledger.paused() == set()
    assert "Nothing was paused" in desk.run("resume").output


def test_an_unknown_mapping_is_not_paused(desk):
    assert "did you mean contacts?" in desk.run("pause", "contact", exit_code=1).stderr
    assert desk.ledger.paused() == set()


def test_approve_is_for_the_next_run_of_that_direction_only(desk):
    told = desk.run("approve", "run1").output
    assert "Salesforce to Sweo" in told
    assert not take_approval(desk.ledger, "to_salesforce")
    assert take_approval(desk.ledger, "to_sweo")
    assert not take_approval(desk.ledger, "to_sweo")


def test_approve_of_no_run(desk):
    assert "no run nine" in desk.run("approve", "nine", exit_code=1).stderr
