"""A doctor run on broken set-ups names the one true cause in each."""

from __future__ import annotations

import json
import typing as t

import pytest
from click.testing import CliRunner
from sweo_sandbox.salesforce.automation import declare_flow, declare_trigger
from sweo_sandbox.testing import running_sandbox
from sweo_sync.cli import main

CHECKS = "failure", "warning"
COUNT = 6
MAPPINGS = """
mappings:
- name: accounts
  salesforce: Account
  sweo: company
  match: {salesforce: Customer_Number__c, sweo: company_id}
  fields:
  - {salesforce: Name, sweo: name}
  - {salesforce: Industry, sweo: industry, direction: both}
  - {salesforce: Health__c, sweo: size, direction: to_salesforce}
- name: contacts
  salesforce: Contact
  sweo: contact
  match: {salesforce: Email, sweo: email, normalise: email}
  fields:
  - {salesforce: Phone, sweo: phone, direction: both}
"""
ACCOUNTS, CONTACTS = MAPPINGS.split("- name: contacts")


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox() as running:
        yield running


@pytest.fixture
def clinic(sandbox, empty, monkeypatch):
    """Six accounts with a contact each, alike on both sides, nothing linked yet."""
    sandbox.reset()
    sandbox.workspace.settings.companies_enabled = True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.ca_bundle)
    empty.environ.update(sandbox.env())
    desk = Clinic(empty, sandbox)
    desk.declare(MAPPINGS)
    return desk


class Clinic:
    def __init__(self, desk, sandbox) -> None:
        self.desk, self.sandbox = desk, sandbox
        self.environ = desk.environ
        self.accounts: list[str] = []
        self.companies: list[str] = []

    def declare(self, yaml: str) -> None:
        with open(self.environ["SWEO_SYNC_MAPPING_FILE"], "w") as file:
            file.write(yaml)

    def fill(self, *, companies: bool = True, **account: object) -> Clinic:
        org, workspace = self.sandbox.org, self.sandbox.workspace
        for number in range(COUNT):
            name, site = f"Firm Number{number} Ltd.", f"https://www.firm{number}.example/home"
            values = {"Name": name, "Website": site, "Customer_Number__c": f"C-{number}"}
            values |= {key: str(value).format(n=number) for key, value in account.items()}
            account_id = org.insert("Account", values)
            email = f"ada@firm{number}.example"
            org.insert("Contact", {"LastName": "Ada", "Email": email, "AccountId": account_id})
            person = workspace.contacts.create({"role": "user", "email": email})
            self.accounts.append(account_id)
            if companies:
                company = workspace.companies.upsert(
                    {"company_id": f"C-{number}", "name": name, "website": f"firm{number}.example"}
                )
                workspace.memberships.attach(person["id"], company["id"])
                self.companies.append(company["id"])
        return self

    def run(self) -> dict[str, t.Any]:
        done = CliRunner().invoke(main, ["doctor", "--json"], env=self.environ)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        report: dict[str, t.Any] = json.loads(done.stdout)
        assert report["exit_code"] == done.exit_code
        assert report["calls"] <= 40
        return report

    def bad(self) -> list[dict[str, t.Any]]:
        """The findings that are worse than fine."""
        return [f for f in self.run()["findings"] if f["level"] in CHECKS]

    def the_cause(self) -> dict[str, t.Any]:
        """The one finding that is worse than fine."""
        report = self.run()
        bad = [f for f in report["findings"] if f["level"] in CHECKS]
        assert len(bad) == 1, [(f["check"], f["mapping"], f["found"]) for f in bad]
        assert bad[0]["todo"]
        assert report["cause"] == bad[0]
        assert report["exit_code"] == {"warning": 1, "failure": 2}[bad[0]["level"]]
        return bad[0]


def test_a_set_up_that_is_fine(clinic):
    report = clinic.fill().run()
    assert report["exit_code"] == 0, [f for f in report["findings"] if f["level"] in CHECKS]
    text = clinic.desk.run("doctor").output
    assert "All is well" in text
    assert "6 of 6 sampled companies have a partner" in text
    calls = clinic.sandbox.calls("sweo"), clinic.sandbox.calls("salesforce")
    assert [each["writes"] for each in calls] == [0, 0]
    assert sum(each["total"] for each in calls) <= 2 * report["calls"] + 1


def test_1_a_wrong_token(clinic):
    clinic.fill()
    clinic.environ["SWEO_ACCESS_TOKEN"] = "wrong"
    cause = clinic.the_cause()
    assert cause["check"] == "logins"
    assert "SWEO_ACCESS_TOKEN" in cause["found"]


def test_2_a_wrong_secret(clinic):
    clinic.fill()
    clinic.environ.pop("SALESFORCE_ACCESS_TOKEN")
    clinic.environ["SALESFORCE_CLIENT_SECRET"] = "wrong"
    cause = clinic.the_cause()
    assert cause["check"] == "logins"
    assert "Salesforce" in cause["found"]


def test_both_logins_are_told_at_once(clinic):
    clinic.environ |= {"SWEO_ACCESS_TOKEN": "wrong", "SALESFORCE_ACCESS_TOKEN": "wrong"}
    clinic.environ["SALESFORCE_CLIENT_SECRET"] = "wrong"
    assert [finding["check"] for finding in clinic.bad()] == ["logins", "logins"]


def test_3_no_api_calls_left(clinic):
    clinic.fill()
    clinic.sandbox.fault("salesforce", "REQUEST_LIMIT_EXCEEDED", endpoint="*")
    try:
        cause = clinic.the_cause()
    finally:
        clinic.sandbox.clear_faults()
    assert cause["check"] == "API access and limits"
    assert "REQUEST_LIMIT_EXCEEDED" in cause["found"]


def test_4_a_field_that_field_level_security_hides(clinic):
    clinic.fill()
    clinic.sandbox.org.hide_field("Account", "Industry")
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("permissions", "accounts")
    assert "field-level security" in cause["found"]
    assert "Industry" in cause["todo"]


def test_5_a_field_that_may_be_read_only(clinic):
    org = clinic.fill().sandbox.org
    with org.store.transaction():
        org.store.writer.execute(
            'UPDATE "FieldPermissions" SET "PermissionsEdit" = 0 '
            "WHERE \"Field\" = 'Account.Health__c'"
        )
    org.security.forget()
    cause = clinic.the_cause()
    assert cause["check"] == "permissions"
    assert "may not edit Account.Health__c" in cause["found"]


def test_6_companies_that_are_switched_off(clinic):
    clinic.fill().sandbox.workspace.settings.companies_enabled = False
    assert clinic.the_cause()["check"] == "companies enabled"


def test_7_no_companies(clinic):
    clinic.fill(companies=False)
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("Sweo records", "accounts")
    assert "no companies" in cause["found"]


def test_8_companies_that_nobody_updates(clinic):
    workspace = clinic.fill().sandbox.workspace
    with workspace.database.transaction():
        workspace.database.execute("UPDATE company SET created_at = 1.7e9, updated_at = 1.7e9")
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("Sweo records", "accounts")
    assert "in the last 30 days" in cause["found"]


def test_9_accounts_that_nobody_edits(clinic):
    clinic.fill()
    for account in clinic.accounts:
        clinic.sandbox.org.set_columns("Account", account, {"SystemModstamp": 1_700_000_000_000})
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("Salesforce records", "accounts")


def test_10_a_match_key_that_nobody_filled(clinic):
    clinic.fill(Customer_Number__c="", AccountNumber="C-{n}")
    cause = clinic.the_cause()
    assert cause["check"] == "match keys"
    assert (
        "0 of the 6 latest Account records in Salesforce have Customer_Number__c"
        in (cause["found"])
    )
    hint = next(f for f in clinic.run()["findings"] if f["paste"])
    assert hint["level"] == "skipped"
    assert hint["paste"][0] == "match: {salesforce: AccountNumber, sweo: company_id}"


def test_11_match_fields_that_never_meet(clinic):
    clinic.fill(Customer_Number__c="OLD-{n}", AccountNumber="C-{n}")
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("identity mappings", "accounts")
    assert "AccountNumber = company_id: 6 of 6 (100%)" in cause["found"]
    assert "match: {salesforce: Website, sweo: website, normalise: domain}" in cause["paste"]
    assert "match: {salesforce: Name, sweo: name}" in cause["paste"]
    example = cause["examples"][0].split(" = ")
    assert example[0] in clinic.accounts
    assert example[1] in clinic.companies
    clinic.declare(
        MAPPINGS.replace("match: {salesforce: Customer_Number__c, sweo: company_id}",
                         cause["paste"][0], 1)
    )  # fmt: skip
    assert not clinic.bad()


def test_duplicates_are_counted_and_not_suggested_first(clinic):
    clinic.fill(Customer_Number__c="OLD-{n}", AccountNumber="C-{n}", Website="https://one.example")
    clinic.sandbox.org.insert("Account", {"Name": "Twin", "AccountNumber": "C-0"})
    found = clinic.the_cause()["found"]
    assert "AccountNumber = company_id: 5 of 6 (83%) have one partner, 1 duplicates" in found
    assert "Website" not in found


def test_names_that_agree_without_legal_forms(clinic):
    clinic.fill(Customer_Number__c="OLD-{n}", Name="Firm number{n}, LIMITED", Website="")
    cause = clinic.the_cause()
    assert "Names would agree for 6 of 6 without legal forms" in cause["found"]
    assert not cause["paste"]


def test_12_types_that_cannot_meet(clinic):
    clinic.fill()
    clinic.declare(MAPPINGS.replace("salesforce: Health__c", "salesforce: Is_Reference__c", 1))
    cause = clinic.the_cause()
    assert cause["check"] == "field types"
    assert "Is_Reference__c (boolean) and size (integer)" in cause["found"]


def test_13_a_mapped_formula(clinic):
    clinic.fill()
    clinic.declare(MAPPINGS + "  - {salesforce: Account_Customer_Number__c, sweo: customer}\n")
    cause = clinic.the_cause()
    assert (cause["check"], cause["level"]) == ("formula fields", "warning")
    assert clinic.run()["exit_code"] == 1


FLOW = {
    "start": {"object": "Account", "triggerType": "RecordBeforeSave"},
    "assignments": [
        {
            "assignmentItems": [
                {
                    "assignToReference": "$Record.Industry",
                    "operator": "Assign",
                    "value": {"stringValue": "Media"},
                }
            ]
        }
    ],
}


def test_17_a_flow_that_rewrites_a_two_way_field(clinic):
    clinic.fill()
    declare_flow(clinic.sandbox.org, "Set_Industry", FLOW)
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("flows and triggers", "accounts")
    assert "flow Set_Industry rewrites Industry of Account" in cause["found"]
    clinic.declare(MAPPINGS.replace("direction: both", "direction: to_sweo", 1))
    assert not clinic.bad()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("for (Account a : Trigger.new) { a.Industry = 'Media'; }", "rewrites Industry"),
        ("for (Account a : Trigger.new) { if (a.Industry == 'Media') a.Rating = 'Hot'; }", None),
        ("Cleaner.clean(Trigger.new);", "cannot be read here, and may rewrite Industry"),
    ],
)
def test_18_a_trigger_that_rewrites_a_two_way_field(clinic, body, told):
    clinic.fill()
    declare_trigger(
        clinic.sandbox.org,
        "Clean",
        "Account",
        f"trigger Clean on Account (before update) {{{body}}}",
    )
    declare_trigger(
        clinic.sandbox.org, "Other", "Lead", "trigger Other on Lead { l.Industry = 1; }"
    )
    if told is None:
        assert not clinic.bad()
        return
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("flows and triggers", "accounts")
    assert f"trigger Clean {told}" in cause["found"]


def test_who_may_not_see_flows_is_told_how_to_look(clinic):
    org = clinic.fill().sandbox.org
    with org.store.transaction():
        org.store.writer.execute('UPDATE "PermissionSet" SET "PermissionsCustomizeApplication" = 0')
    org.security.forget()
    found = [f for f in clinic.run()["findings"] if f["check"] == "flows and triggers"]
    assert {finding["level"] for finding in found} == {"skipped"}
    assert "View Setup" in found[0]["found"]


def test_14_a_clock_that_is_off(clinic):
    clinic.fill()
    clinic.sandbox.clock_salesforce.skew(-400)
    cause = clinic.the_cause()
    assert cause["check"] == "clocks"
    assert "Salesforce's clock is 6 min 4" in cause["found"]
    clinic.sandbox.clock_salesforce.skew(0)


def test_15_a_mistyped_attribute(clinic):
    clinic.fill()
    clinic.declare(MAPPINGS.replace("sweo: size", "sweo: sise"))
    cause = clinic.the_cause()
    assert cause["check"] == "Sweo attributes"
    assert "size" in cause["todo"]


def test_16_an_object_that_nobody_may_see(clinic):
    clinic.fill()
    clinic.declare(MAPPINGS.replace("salesforce: Contact", "salesforce: Ghost__c"))
    cause = clinic.the_cause()
    assert (cause["check"], cause["mapping"]) == ("permissions", "contacts")


def test_what_to_see_to_first_stands_first(clinic):
    clinic.fill()
    clinic.environ["SWEO_ACCESS_TOKEN"] = "wrong"
    lines = clinic.desk.run("doctor", exit_code=2).output.splitlines()
    assert lines[0] == "First of all"
    assert lines[1].startswith("✗ logins: Sweo:")
    assert lines[2].strip().startswith("to do: mend SWEO_ACCESS_TOKEN")


def test_mistakes_of_shape_do_not_hide_the_logins(clinic):
    clinic.declare(MAPPINGS.replace("direction: both", "direction: up", 1))
    clinic.environ["SWEO_ACCESS_TOKEN"] = "wrong"
    assert [finding["check"] for finding in clinic.bad()] == ["field configs", "logins"]


def test_a_field_that_setup_makes_names_that_command(clinic):
    clinic.fill()
    clinic.declare(MAPPINGS + "  - {sweo: name, direction: to_salesforce}\n")
    cause = clinic.the_cause()
    assert cause["check"] == "permissions"
    assert "sweo-sync setup" in cause["todo"]
