from __future__ import annotations

from crosswalk.ledger import Quarantined
from crosswalk.ledger.commit import Commit, Writer


def _fail_again(desk) -> None:
    row = Quarantined("accounts", desk.account, "name", "too_long", "Text over 255.", "Shorten.")
    commit = Commit("to_sweo", "accounts", "run9", quarantined=[row])
    due = desk.ledger.revisits("to_sweo", "accounts")
    commit.revisited += [each.number for each in due]
    Writer(desk.ledger).commit(commit)


def test_lists_code_reason_remedy_and_next_try(desk):
    (row,) = desk.json("quarantine")
    assert (row["code"], row["message"], row["remedy"]) == (
        "too_long",
        "Text over 255.",
        "Shorten.",
    )
    assert row["tries"] == 1
    assert "next run" in desk.run("quarantine").output


def test_a_pair_is_found_by_either_half(desk):
    assert len(desk.json("quarantine", "--record", desk.company)) == 1
    assert desk.json("quarantine", "--record", desk.contact) == []


def test_retry_brings_the_next_try_forward(desk):
    _fail_again(desk)
    assert "in 1" in desk.run("quarantine").output
    assert desk.revisits() == set()
    assert desk.json("retry") == {"records": 1}
    assert desk.revisits() == {("to_sweo", desk.account)}
    assert "next run" in desk.run("quarantine").output
    (row,) = desk.json("quarantine")
    assert row["tries"] == 2


def test_retry_of_another_mapping_leaves_it(desk):
    _fail_again(desk)
    assert desk.json("retry", "--mapping", "contacts") == {"records": 0}
    assert desk.revisits() == set()


def test_a_record_that_went_through_leaves_nothing_of_a_retry(desk):
    _fail_again(desk)
    desk.run("retry")
    healed = Commit("to_sweo", "accounts", "run10", healed=[desk.account])
    Writer(desk.ledger).commit(healed)
    assert desk.revisits() == set()
    assert "Nothing is in quarantine" in desk.run("quarantine").output
