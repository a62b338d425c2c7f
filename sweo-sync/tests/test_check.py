from __future__ import annotations

import textwrap
import typing as t

import pytest
from sweo_sandbox.testing import running_sandbox

if t.TYPE_CHECKING:
    from pathlib import Path

GOOD = """
mappings:
- name: accounts
  salesforce: Account
  sweo: company
  match: {salesforce: Customer_Number__c, sweo: company_id}
  fields:
  - {salesforce: Name, sweo: name}
  - {salesforce: Industry, sweo: industry, direction: both}
  - {salesforce: Owner.Email, sweo: account_owner}
  - {salesforce: ARR__c, sweo: arr}
"""


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sides(sandbox, empty, monkeypatch):
    """The command with both sides in its environment."""
    empty.environ.update(sandbox.env())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.ca_bundle)
    return empty


def _declare(desk, yaml: str) -> None:
    with open(desk.environ["SWEO_SYNC_MAPPING_FILE"], "w") as file:
        file.write(yaml)


def _mistakes(desk) -> dict[str, str]:
    report = desk.json("check", exit_code=1)
    return {m["field"] or m["mapping"]: f"{m['wrong']}; {m['right']}" for m in report["mistakes"]}


def test_mistakes_of_shape_come_all_at_once_without_a_call(empty):
    _declare(empty, GOOD.replace("direction: both", "direction: up").replace("Name,", "Nome,,"))
    told = empty.run("check", exit_code=1).output
    assert "not YAML" in told
    _declare(empty, GOOD.replace("direction: both", "direction: up") + "  conflikt: ask\n")
    report = empty.json("check", exit_code=1)
    assert len(report["mistakes"]) == 2
    assert all(mistake["line"] for mistake in report["mistakes"])


def test_without_credentials_only_the_shape_is_checked(empty):
    _declare(empty, GOOD)
    report = empty.json("check")
    assert report["ok"]
    assert {side["state"] for side in report["sides"].values()} == {"not checked"}
    assert "SWEO_ACCESS_TOKEN is not set" in empty.run("check").output


def test_both_sides_agree(sides):
    _declare(sides, GOOD)
    report = sides.json("check")
    assert report["ok"], report
    fields = {each["sweo"]: each for each in report["fields"]}
    assert fields["industry"]["salesforce_type"] == "picklist"
    assert fields["industry"]["sweo_type"] == "string"
    assert fields["arr"]["note"] == "the next run makes it in Sweo"
    assert "in order" in sides.run("check").output


def test_everything_that_only_the_sides_know_comes_at_once(sides, sandbox):
    sandbox.workspace.attributes.create(
        {"name": "region_code", "model": "company", "data_type": "string"}, 0
    )
    _declare(
        sides,
        textwrap.dedent("""
        mappings:
        - name: accounts
          salesforce: Account
          sweo: company
          match: {salesforce: Customer_Numbr__c, sweo: company_id}
          fields:
          - {salesforce: Industri, sweo: industry}
          - {salesforce: CreatedDate, sweo: made, direction: both}
          - {salesforce: Rating, sweo: region_cod}
          - {salesforce: Site, sweo: session_count}
          - {salesforce: Is_Reference__c, sweo: size}
          - {salesforce: Description, sweo: nothing_here, direction: to_salesforce}
        - name: ghosts
          salesforce: Ghost__c
          sweo: contact
          match: {salesforce: Email, sweo: email}
          fields:
          - {salesforce: Phone, sweo: phone}
        """),
    )
    found = _mistakes(sides)
    assert "did you mean Industry?" in found["Industri"]
    assert "cannot be written by this user" in found["CreatedDate"]
    assert "close to region_code" in found["region_cod"]
    assert "cannot be written in Sweo" in found["session_count"]
    assert "cannot meet to_sweo" in found["Is_Reference__c"]
    assert "does not exist in Sweo" in found["nothing_here"]
    assert "Customer_Numbr__c" in found["accounts"]
    assert "no object Ghost__c" in found["ghosts"]
    assert len(found) == 8
    assert sandbox.calls("sweo")["writes"] == 0
    assert sandbox.calls("salesforce")["writes"] == 0
    told = sides.run("check", exit_code=1).output
    assert "mappings.yml:8: mapping accounts, field Industri: " in told


def test_offline_calls_nobody(sides, sandbox):
    _declare(sides, GOOD)
    sandbox.reset_calls()
    sides.run("check", "--offline")
    assert sandbox.calls("sweo")["total"] == sandbox.calls("salesforce")["total"] == 0


def test_one_side_that_refuses_does_not_hide_what_the_other_says(sides):
    _declare(sides, GOOD.replace("Industry", "Industri"))
    sides.environ["SWEO_ACCESS_TOKEN"] = "wrong"
    report = sides.json("check", exit_code=1)
    assert report["sides"]["sweo"]["state"] == "failed"
    assert "SWEO_ACCESS_TOKEN" in report["sides"]["sweo"]["why"]
    assert [mistake["field"] for mistake in report["mistakes"]] == ["Industri"]


def test_the_environment_guards_against_the_wrong_host(sides):
    _declare(sides, GOOD)
    sides.environ["MELTANO_ENVIRONMENT"] = "prod"
    report = sides.json("check", exit_code=1)
    assert "loopback" in report["sides"]["salesforce"]["why"]


def test_no_mappings_at_all(tmp_path: Path, empty):
    empty.environ["SWEO_SYNC_MAPPING_FILE"] = ""
    assert "no mappings" in empty.run("check", exit_code=1).stderr


def test_adopt_asks_the_org_itself(sides, sandbox):
    org = sides.json("adopt", "--yes")["org"]
    assert org.startswith("00D")
    assert len(org) == 18


def test_an_org_is_asked_about_its_own_mappings_alone(sides):
    emea = GOOD.removeprefix("\nmappings:\n").replace("name: accounts", "name: accounts-emea")
    emea = emea.replace("direction: both", "direction: to_sweo").replace("ARR__c", "Emea__c")
    _declare(sides, GOOD + emea + "  org: emea\n")
    report = sides.json("check")
    assert {field["mapping"] for field in report["fields"]} == {"accounts"}
    assert "--org emea" in report["sides"]["the org emea"]["why"]
    wrong = sides.json("check", "--org", "emea", exit_code=1)
    assert {mistake["mapping"] for mistake in wrong["mistakes"]} == {"accounts-emea"}
    assert "did you mean emea?" in sides.run("check", "--org", "emae", exit_code=1).stderr
    found = sides.json("doctor", "--org", "emea", exit_code=2)["findings"]
    assert any("Emea__c" in finding["found"] for finding in found)
