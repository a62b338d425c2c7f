"""Fields of Sweo attributes that have none: written as a project, or made through the API."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest
from salesforce_client.describe import describe
from sweo_sandbox.testing import running_sandbox
from sweo_sync.credentials import salesforce_connection

MAPPINGS = """
mappings:
- name: accounts
  salesforce: Account
  sweo: company
  match: {salesforce: Customer_Number__c, sweo: company_id}
  fields:
  - {salesforce: Name, sweo: name}
  - {sweo: size, direction: to_salesforce}
  - {sweo: score, direction: to_salesforce}
  - {sweo: is_trial, direction: both}
  - {sweo: went_live, direction: to_salesforce}
  - {sweo: tier, direction: to_salesforce}
  - {sweo: website, direction: both}
"""
ATTRIBUTES = {
    "score": {"data_type": "float"},
    "is_trial": {"data_type": "boolean"},
    "went_live": {"data_type": "datetime"},
    "tier": {"data_type": "options", "options": [{"value": "Gold"}, {"value": "Silver"}]},
}
TYPES = {
    "sweo_company_size__c": "double",
    "sweo_company_score__c": "double",
    "sweo_company_is_trial__c": "boolean",
    "sweo_company_went_live__c": "datetime",
    "sweo_company_tier__c": "picklist",
    "sweo_company_website__c": "string",
}
SPACE = "{http://soap.sforce.com/2006/04/metadata}"


@pytest.fixture
def desk(empty, monkeypatch, tmp_path):
    """A command with both sides in its environment, and attributes of every type in Sweo."""
    with running_sandbox() as sandbox:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.ca_bundle)
        empty.environ.update(sandbox.env())
        for name, facts in ATTRIBUTES.items():
            sandbox.workspace.attributes.create({"name": name, "model": "company", **facts}, 0)
        with open(empty.environ["SWEO_SYNC_MAPPING_FILE"], "w") as file:
            file.write(MAPPINGS)
        empty.sandbox = sandbox
        empty.folder = tmp_path / "salesforce"
        yield empty


def _apply(desk, *more: str):
    token = desk.environ["SALESFORCE_ACCESS_TOKEN"]
    desk.environ["SALESFORCE_SETUP_ACCESS_TOKEN"] = token
    return desk.json("setup", "--apply", *more)


def _fields(desk) -> dict[str, str]:
    """The made fields as the integration user sees them, by name."""
    found = describe(salesforce_connection(desk.environ), ["Account"])["Account"].fields.values()
    return {f.name: f.type for f in found if f.name.startswith("sweo_") and f.writable}


def test_a_project_to_review(desk):
    report = desk.json("setup", "--folder", str(desk.folder))
    assert {each["name"] for each in report["fields"]} == set(TYPES)
    assert not any(each["exists"] for each in report["fields"])
    source = desk.folder / "force-app/main/default"
    field = Xml.parse(source / "objects/Account/fields/sweo_company_tier__c.field-meta.xml")
    assert field.getroot().tag == f"{SPACE}CustomField"
    assert field.findtext(f"{SPACE}type") == "Picklist"
    assert [value.text for value in field.iter(f"{SPACE}fullName")][-2:] == ["Gold", "Silver"]
    grants = Xml.parse(source / "permissionsets/Sweo_Sync.permissionset-meta.xml")
    editable = {
        each.findtext(f"{SPACE}field"): each.findtext(f"{SPACE}editable")
        for each in grants.iter(f"{SPACE}fieldPermissions")
    }
    made = dict.fromkeys((f"Account.{name}" for name in TYPES), "true")
    assert editable == {**made, "Account.Customer_Number__c": "false"}
    (account,) = grants.iter(f"{SPACE}objectPermissions")
    assert {each.tag.removeprefix(SPACE): each.text for each in account} == {
        "allowCreate": "false",
        "allowDelete": "false",
        "allowEdit": "true",
        "allowRead": "true",
        "modifyAllRecords": "false",
        "object": "Account",
        "viewAllRecords": "true",
    }
    assert desk.sandbox.calls("salesforce")["writes"] == 0
    assert "6 to make" in desk.run("setup", "--folder", str(desk.folder)).output


def test_the_project_is_safe_to_repeat_and_keeps_what_people_added(desk):
    desk.run("setup", "--folder", str(desk.folder))
    grants = desk.folder / "force-app/main/default/permissionsets/Sweo_Sync.permissionset-meta.xml"
    own = "<objectPermissions><allowRead>true</allowRead><object>Case</object>"
    own += "</objectPermissions></PermissionSet>"
    grants.write_text(grants.read_text().replace("</PermissionSet>", own))
    first = desk.json("setup", "--folder", str(desk.folder))
    assert first["files"] in ([], [str(grants)])  # indentation at most
    assert "<object>Case</object>" in grants.read_text()
    assert desk.json("setup", "--folder", str(desk.folder))["files"] == []


def test_apply_makes_grants_and_can_be_repeated(desk):
    assert _fields(desk) == {}
    report = _apply(desk)
    assert len(report["done"]["made"]) == len(report["done"]["granted"]) == len(TYPES)
    assert report["done"]["objects"] == ["Account"]
    assert report["unseen_by_the_integration_user"] == []
    assert _fields(desk) == TYPES
    desk.sandbox.reset_calls()
    again = _apply(desk)
    assert again["done"]["made"] == again["done"]["granted"] == []
    assert desk.sandbox.calls("salesforce")["writes"] == 0
    assert {each["exists"] for each in again["fields"]} == {True}


def test_apply_goes_on_where_it_broke_off(desk):
    token = desk.environ["SALESFORCE_ACCESS_TOKEN"]
    desk.environ["SALESFORCE_SETUP_ACCESS_TOKEN"] = token
    desk.sandbox.fault("salesforce", "reset_after", endpoint="*CustomField*", times=1, nth=3)
    told = desk.run("setup", "--apply", exit_code=1).stderr
    assert "run the command again" in told
    desk.sandbox.clear_faults()
    _apply(desk)
    assert _fields(desk) == TYPES


def test_apply_assigns_the_permission_set(desk):
    org = desk.sandbox.org
    with org.store.transaction():
        org.store.writer.execute(
            'DELETE FROM "PermissionSetAssignment" WHERE "AssigneeId" = ?',
            (org.integration_user_id,),
        )
    org.security.forget()
    told = _apply(desk)["unseen_by_the_integration_user"]
    assert sorted(told) == sorted(f"Account.{name}" for name in TYPES)
    report = _apply(desk, "--assign", org.settings.username)
    assert report["done"]["assigned"]
    assert report["unseen_by_the_integration_user"] == []
    assert "no user" in desk.run("setup", "--apply", "--assign", "ghost", exit_code=1).stderr


@pytest.mark.parametrize("seen", [True, False])
def test_another_type_is_an_error_that_says_so(desk, seen):
    connection = salesforce_connection(desk.environ)
    body = {
        "FullName": "Account.sweo_company_size__c",
        "Metadata": {"label": "Size", "type": "Text", "length": 20},
    }
    connection.write("POST", "tooling/sobjects/CustomField", body=body)
    if seen:
        grant = {"Field": "Account.sweo_company_size__c", "PermissionsRead": True}
        found = connection.read(
            "query", params={"q": "SELECT Id FROM PermissionSet WHERE Name = 'Sweo_Sync'"}
        )
        grant |= {"SobjectType": "Account", "ParentId": found.body["records"][0]["Id"]}
        connection.write("POST", "sobjects/FieldPermissions", body=grant)
        told = desk.run("setup", "--folder", str(desk.folder), exit_code=1).stderr
        assert "of the type string, and size (integer) needs double" in told
        assert not desk.folder.exists()
    desk.environ["SALESFORCE_SETUP_ACCESS_TOKEN"] = desk.environ["SALESFORCE_ACCESS_TOKEN"]
    told = desk.run("setup", "--apply", exit_code=1).stderr
    assert "of the type string, and size (integer) needs double" in told


def test_an_attribute_that_nobody_knows(desk):
    desk.sandbox.workspace.attributes.create(
        {"name": "other", "model": "company", "data_type": "string"}, 0
    )
    with open(desk.environ["SWEO_SYNC_MAPPING_FILE"], "w") as file:
        file.write(MAPPINGS + "  - {sweo: no_such_thing, direction: to_salesforce}\n")
    told = desk.run("setup", "--folder", str(desk.folder), exit_code=1).stderr
    assert "no_such_thing does not exist in Sweo" in told


def test_without_the_admins_token(desk):
    assert "SALESFORCE_SETUP_ACCESS_TOKEN" in desk.run("setup", "--apply", exit_code=1).stderr


def test_without_salesforce_credentials_the_project_is_written_all_the_same(desk):
    for name in list(desk.environ):
        if name.startswith("SALESFORCE_"):
            desk.environ[name] = ""
    report = desk.json("setup", "--folder", str(desk.folder))
    assert {each["exists"] for each in report["fields"]} == {None}
    assert len(report["files"]) == len(TYPES) + 2
