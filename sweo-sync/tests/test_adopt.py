from __future__ import annotations

import pytest
from crosswalk.errors import FatalError
from crosswalk.mapping import Side

OLD, NEW = "00D000000000001EAA", "00D000000000002EAA"


def test_binds_the_ledger_to_the_new_id(desk):
    desk.ledger.bind(Side.SALESFORCE, OLD)
    with pytest.raises(FatalError, match="sweo-sync adopt"):
        desk.ledger.bind(Side.SALESFORCE, NEW)
    assert desk.json("adopt", "--org", NEW, "--yes") == {"former": OLD, "org": NEW}
    desk.ledger.bind(Side.SALESFORCE, NEW)


def test_asks_first(desk):
    desk.ledger.bind(Side.SALESFORCE, OLD)
    desk.run("adopt", "--org", NEW, answer="n\n", exit_code=1)
    assert desk.ledger.instance(Side.SALESFORCE) == OLD


def test_an_id_of_something_else(desk):
    assert "00D" in desk.run("adopt", "--org", desk.account, "--yes", exit_code=1).stderr


def test_no_id_and_no_credentials(desk):
    assert "SALESFORCE_" in desk.run("adopt", "--yes", exit_code=1).stderr


def test_one_org_of_several_is_named(desk):
    desk.ledger.bind(Side.SALESFORCE, OLD)
    desk.ledger.bind(Side.SALESFORCE, "00D000000000003EAA", "emea")
    told = {"former": "00D000000000003EAA", "org": NEW}
    assert desk.json("adopt", "--org", NEW, "--name", "emea", "--yes") == told
    assert desk.ledger.instance(Side.SALESFORCE) == OLD
    assert desk.ledger.instance(Side.SALESFORCE, "emea") == NEW
    assert "emae" in desk.run("adopt", "--org", NEW, "--name", "emae", exit_code=1).stderr
    assert "--org" in desk.run("adopt", "--name", "emea", exit_code=2).stderr
