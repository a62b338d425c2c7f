from __future__ import annotations

import pytest
from crosswalk.ledger.commit import Commit, Writer
from crosswalk.mapping import Side


def _conflict(desk) -> int:
    return int(desk.json("conflicts")[0]["id"])


def _verdict(desk):
    pair = desk.ledger.pair("accounts", desk.account, desk.company)
    (verdict,) = desk.ledger.verdicts([pair.id])[pair.id].values()
    return verdict


def test_shows_base_both_values_times_and_who(desk):
    (row,) = desk.json("conflicts")
    assert row["base"] == {"salesforce": "Media", "sweo": "Media"}
    assert row["values"] == {"salesforce": "Energy", "sweo": "[red]Retail"}
    assert row["edited_by"]["salesforce"] == "005000000000001AAA"
    shown = desk.run("conflicts").output
    assert "[red]Retail" in shown  # a value is no markup
    assert "2026-01-02 03:04:05" in shown


@pytest.mark.parametrize("side", list(Side))
def test_resolve_with_a_side_decides_and_calls_both_pipelines(desk, side):
    desk.run("resolve", str(_conflict(desk)), "--take", side.value)
    verdict = _verdict(desk)
    assert (verdict.status, verdict.winner, verdict.value) == ("decided", side, None)
    assert {("to_sweo", desk.account), ("to_salesforce", desk.company)} <= desk.revisits()
    assert desk.json("conflicts")[0]["status"] == "decided"


def test_a_person_may_think_again_until_it_is_written(desk):
    number = str(_conflict(desk))
    desk.run("resolve", number, "--take", "Retail")
    desk.run("resolve", number, "--take", "sweo")
    assert (_verdict(desk).winner, _verdict(desk).value) == (Side.SWEO, None)


def test_resolve_with_a_third_value(desk):
    desk.run("resolve", str(_conflict(desk)), "--take", "Mining")
    (row,) = desk.json("conflicts")
    assert row["value"] == {"kind": "text", "value": "Mining"}
    assert row["winner"] is None
    assert "Mining" in desk.run("conflicts").output


def test_a_value_that_reads_like_a_side(desk):
    desk.run("resolve", str(_conflict(desk)), "--value", "sweo")
    assert desk.json("conflicts")[0]["value"]["value"] == "sweo"


def test_one_of_both_options_is_needed(desk):
    number = str(_conflict(desk))
    desk.run("resolve", number, exit_code=2)
    desk.run("resolve", number, "--take", "sweo", "--value", "x", exit_code=2)


def test_a_settled_conflict_stays_settled(desk):
    number = _conflict(desk)
    Writer(desk.ledger).commit(Commit("to_sweo", "accounts", "run2", settled=[number]))
    told = desk.run("resolve", str(number), "--take", "sweo", exit_code=1)
    assert "settled already" in told.stderr
    assert desk.json("conflicts") == []
    assert [row["id"] for row in desk.json("conflicts", "--all")] == [number]


def test_no_such_conflict(desk):
    assert "no conflict 99" in desk.run("resolve", "99", "--take", "sweo", exit_code=1).stderr


def test_links_tells_the_conflict_and_keeps_one_way_values_to_itself(desk):
    shown = desk.run("links", "--record", desk.company).output
    assert "(hash)" in shown
    assert f"stands in conflict {_conflict(desk)}" in shown
    (pair,) = desk.json("links", "--record", desk.account)["pairs"]
    agreed = {each["fields"]["sweo"]: each["agreed"] for each in pair["fields"]}
    assert agreed == {"name": {}, "industry": {"salesforce": "Media", "sweo": "Media"}}


def test_links_of_an_unknown_record(desk):
    assert "knows no pair" in desk.run("links", "--record", "nobody").output
    assert desk.json("links", "--record", "nobody")["pairs"] == []
