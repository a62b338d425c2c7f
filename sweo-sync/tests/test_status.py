from __future__ import annotations

import typing as t

from crosswalk.ledger.runs import Lease, begin_run

if t.TYPE_CHECKING:
    from pathlib import Path


def test_tells_runs_pairs_and_what_is_open(desk):
    report = desk.json("status")
    to_sweo, to_salesforce = report["directions"]
    assert (to_sweo["last"]["id"], to_sweo["last"]["outcome"]) == ("run1", "finished")
    assert to_sweo["last"]["counts"] == {"read": 5, "updated": 2}
    assert to_sweo["last"]["calls"] == 12
    assert 0 <= to_sweo["lag_seconds"] < 60
    assert to_sweo["owed"] == 1  # the quarantined record, tried at once
    assert to_salesforce["last"] is None
    assert to_salesforce["lag_seconds"] is None
    accounts, contacts = report["mappings"]
    assert (accounts["mapping"], accounts["pairs"], accounts["quarantined"]) == ("accounts", 1, 1)
    assert accounts["waiting"] == {"salesforce": 0, "sweo": 1}
    assert (accounts["open_conflicts"], contacts["open_conflicts"]) == (1, 0)


def test_table_says_what_to_look_at_and_shows_no_value(desk):
    shown = desk.run("status").output
    assert "Salesforce to Sweo" in shown
    assert "sweo-sync conflicts" in shown
    assert "sweo-sync quarantine" in shown
    assert "Media" not in shown
    assert "Acme" not in shown


def test_a_run_that_ended_without_a_word_is_told_from_one_at_work(desk):
    begin_run(desk.ledger, "run3", "to_salesforce")
    assert desk.json("status")["directions"][1]["last"]["outcome"] == "killed"
    lease = Lease(desk.ledger, "to_salesforce", "run3")
    lease.acquire(heartbeat=False)
    report = desk.json("status")["directions"][1]
    assert report["last"]["outcome"] == "running"
    assert report["holder"]["run_id"] == "run3"
    assert "runs now: run run3" in desk.run("status").output
    lease.release()


def test_declared_mappings_are_listed_before_they_have_pairs(empty):
    rows = empty.json("status")["mappings"]
    assert [(row["mapping"], row["pairs"]) for row in rows] == [("accounts", 0), ("contacts", 0)]


def test_no_ledger_yet(tmp_path: Path, empty):
    empty.environ["SWEO_LEDGER_URL"] = f"sqlite:///{tmp_path}/none.db"
    told = empty.run("status", exit_code=1)
    assert "the first run of a pipeline makes it" in told.stderr
    assert not (tmp_path / "none.db").exists()


def test_no_place_for_a_ledger(empty):
    empty.environ["SWEO_LEDGER_URL"] = ""
    assert "SWEO_LEDGER_URL" in empty.run("status", exit_code=1).stderr


def test_a_damaged_ledger_is_one_sentence(tmp_path: Path, empty):
    (tmp_path / "bad.db").write_bytes(b"not a database at all" * 100)
    empty.environ["SWEO_LEDGER_URL"] = f"sqlite:///{tmp_path}/bad.db"
    told = empty.run("status", exit_code=1)
    assert "damaged" in told.stderr
    assert "Traceback" not in told.output


def test_ledger_option_needs_no_field_configs(desk):
    desk.environ["SWEO_SYNC_MAPPING_FILE"] = ""
    desk.environ["SWEO_LEDGER_URL"] = ""
    report = desk.json("status", "--ledger", desk.url)
    assert [row["mapping"] for row in report["mappings"]] == ["accounts", "contacts"]
