from __future__ import annotations

from crosswalk.ledger.commit import Writer
from crosswalk.mapping import Side


def _change(desk, name: str) -> str:
    return str(next(row["id"] for row in desk.json("log") if row["field"] == name))


def test_puts_the_old_value_down_for_both_sides(desk):
    desk.run("restore", _change(desk, "Title"))
    pair = desk.ledger.pair("contacts", desk.contact, desk.person)
    (verdict,) = desk.ledger.verdicts([pair.id])[pair.id].values()
    assert (verdict.status, verdict.winner) == ("decided", None)
    assert (verdict.salesforce, verdict.sweo) == ("Countess", "Countess")
    (row,) = (each for each in desk.json("conflicts") if each["mapping"] == "contacts")
    assert row["value"] == {"kind": "text", "value": "Miss"}
    assert row["reason"] == "restored by a person"
    assert {("to_sweo", desk.contact), ("to_salesforce", desk.person)} <= desk.revisits()


def test_not_twice(desk):
    number = _change(desk, "Title")
    desk.run("restore", number)
    assert "stands in conflict" in desk.run("restore", number, exit_code=1).stderr


def test_not_under_an_open_conflict(desk):
    told = desk.run("restore", _change(desk, "industry"), exit_code=1).stderr
    assert "sweo-sync resolve" in told


def test_a_one_way_field_belongs_to_its_source(desk):
    told = desk.run("restore", _change(desk, "name"), exit_code=1).stderr
    assert "set it in Salesforce" in told


def test_an_ended_pair(desk):
    link = desk.ledger.pair("contacts", desk.contact, desk.person)
    Writer(desk.ledger).close_link(link, f"deleted on {Side.SWEO.value}")
    told = desk.run("restore", _change(desk, "Title"), exit_code=1).stderr
    assert "linked no longer" in told


def test_no_such_change(desk):
    assert "no change 99" in desk.run("restore", "99", exit_code=1).stderr
