from __future__ import annotations

from pathlib import Path

import pytest
from crosswalk.ledger import IntendedField, Intent, Quarantined
from crosswalk.ledger.commit import Commit, Writer
from crosswalk.ledger.hashing import KeyedHash
from crosswalk.mapping import Side
from sqlalchemy import text


def _all_text(desk) -> str:
    """Every byte that the database keeps, its log included."""
    desk.ledger.close()
    file = Path(desk.url.removeprefix("sqlite:///"))
    return "".join(
        each.read_bytes().decode("latin-1") for each in file.parent.glob(f"{file.name}*")
    )


@pytest.mark.parametrize("name", ["Ada@Example.com", "003000000000001", "6f0000000000000000000002"])
def test_erases_values_by_email_and_by_either_id(desk, name):
    assert "Countess" in _all_text(desk)
    report = desk.json("forget", name, "--yes")
    assert report["erased"] == {"links": 1, "changes": 1, "conflicts": 0, "quarantine": 0}
    kept = _all_text(desk)
    assert "Countess" not in kept
    assert "Miss" not in kept
    assert "Media" in kept  # nobody else's values go


def test_leaves_hashes_that_tell_whether_a_value_is_still_the_agreed_one(desk):
    desk.run("forget", desk.contact, "--yes")
    hashes = KeyedHash(desk.ledger.remembered("hash_key"))
    link = desk.ledger.pair("contacts", desk.contact, desk.person)
    for side in Side:
        assert list(link.base[side].values()) == [hashes.of_value("Countess")]
    assert "(erased)" in desk.run("log", "--record", desk.contact).output


def test_twice_is_once(desk):
    desk.run("forget", desk.contact, "--yes")
    before = desk.ledger.pair("contacts", desk.contact, desk.person).base
    desk.run("forget", desk.contact, "--yes")
    assert desk.ledger.pair("contacts", desk.contact, desk.person).base == before


def test_a_value_that_is_the_email_is_found(desk):
    link = desk.ledger.pair("accounts", desk.account, desk.company)
    (number,) = link.base[Side.SWEO]
    link.base[Side.SWEO][number] = "Boss@Example.com"
    Writer(desk.ledger).commit(Commit("to_sweo", "accounts", "run3", links=[link]))
    report = desk.json("forget", "boss@example.com", "--yes")
    assert ["accounts", desk.account] in report["records"]
    assert report["erased"]["conflicts"] == 1
    assert desk.json("conflicts") == []
    kept = _all_text(desk)
    assert "Boss@Example.com" not in kept
    assert "Energy" not in kept


def test_messages_of_quarantine_go_too(desk):
    row = Quarantined("contacts", desk.contact, "job_title", "refused", "Secret words.", "Mend it.")
    Writer(desk.ledger).commit(Commit("to_sweo", "contacts", "run3", quarantined=[row]))
    desk.run("forget", desk.email, "--yes")
    assert desk.json("quarantine", "--mapping", "contacts")[0]["message"] == "(erased)"


def test_a_write_in_doubt_needs_its_values(desk):
    link = desk.ledger.pair("contacts", desk.contact, desk.person)
    doubt = Intent(
        0, link.id, "contacts", "to_sweo", desk.contact, "run3",
        {"1": IntendedField("a", "b", "a")}, desk.ledger.now(),
    )  # fmt: skip
    Writer(desk.ledger).put_intents([doubt])
    assert "in doubt" in desk.run("forget", desk.contact, "--yes", exit_code=1).stderr
    assert "Countess" in _all_text(desk)


def test_asks_first_and_nothing_goes_on_a_no(desk):
    desk.run("forget", desk.contact, answer="n\n", exit_code=1)
    assert "Countess" in _all_text(desk)


def test_a_stranger(desk):
    assert "knows nobody" in desk.run("forget", "x@example.com", "--yes").output


def test_an_erased_change_is_not_restored(desk):
    number = str(desk.json("log", "--record", desk.contact)[0]["id"])
    desk.run("forget", desk.contact, "--yes")
    assert "erased" in desk.run("restore", number, exit_code=1).stderr


def test_a_run_that_read_the_pair_before_does_not_write_it_back(desk):
    link = desk.ledger.pair("contacts", desk.contact, desk.person)
    desk.run("forget", desk.contact, "--yes")
    lost = Writer(desk.ledger).commit(Commit("to_sweo", "contacts", "run3", links=[link]))
    assert lost == [link]
    with desk.ledger.reader.connect() as connection:
        bases = connection.execute(text("SELECT base_sweo FROM link")).scalars().all()
    assert not any("Countess" in base for base in bases)
