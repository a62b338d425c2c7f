"""Two Salesforce orgs feed one workspace: the primary one takes product edits, the other gives."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from crosswalk.errors import FatalError
from crosswalk.identity import OrgAccount, company_id_for
from crosswalk.ledger import Ledger
from crosswalk.ledger.report import status
from crosswalk.ledger.usage import TAP_SALESFORCE, calls_within_a_day, tap_of
from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines, Run
from sweo_sandbox.testing import Sandbox, running_sandbox
from world import World


@pytest.fixture(scope="module")
def second_sandbox(session_sandbox: Sandbox) -> Iterator[Sandbox]:
    with running_sandbox(only="salesforce", org_number=2) as running:
        assert running.ca_bundle == session_sandbox.ca_bundle
        yield running


@dataclass
class Emea:
    """The second org: its records, and the pipeline that reads it."""

    sandbox: Sandbox
    primary: Pipelines

    def __post_init__(self) -> None:
        self.pipelines = copy.copy(self.primary)
        self.pipelines.state = {}
        self.pipelines.settings = {"tap-salesforce": self.login() | {"org": "emea"}}

    def login(self) -> dict[str, Any]:
        env = self.sandbox.env()
        names = ("login_url", "client_id", "client_secret")
        return {name: env[f"SALESFORCE_{name.upper()}"] for name in names}

    def account(self, number: str, **values: Any) -> str:
        values.setdefault("Name", f"Emea {number}")
        return self.sandbox.org.insert("Account", {"Customer_Number__c": number, **values})

    def run(self) -> Run:
        self.sandbox.advance(2)
        return self.pipelines.run(TO_SWEO)

    def advance(self, seconds: float) -> None:
        """Let time go by on every side."""
        self.sandbox.advance(seconds)
        self.primary.sandbox.advance(seconds)

    def calls(self) -> int:
        return self.sandbox.calls("salesforce")["total"]


def mapping(name: str, org: str | None = None, **options: Any) -> dict[str, Any]:
    both = {} if org else {"direction": "both"}
    return {
        "name": name,
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
        "create": ["sweo"],
        "fields": [
            {"salesforce": "Name", "sweo": "name"},
            {"salesforce": "Industry", "sweo": "industry", **both},
        ],
        **({"org": org} if org else {}),
        **options,
    }


@pytest.fixture
def emea(second_sandbox: Sandbox, pipelines: Pipelines) -> Emea:
    second_sandbox.reset()
    pipelines.mappings[:] = [mapping("accounts"), mapping("accounts-emea", "emea")]
    return Emea(second_sandbox, pipelines)


def company_of(pipelines: Pipelines, name: str, account: str) -> str:
    return pipelines.ledger.links(name, Side.SALESFORCE, [account])[account].sweo_id


def test_both_orgs_feed_the_workspace_and_product_edits_reach_the_primary_alone(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    here = world.account("C-1", Industry="Banking")
    there = emea.account("E-1", Industry="Energy")
    assert here[:3] == there[:3] == "001"
    assert here != there
    pipelines.run(TO_SWEO)
    assert emea.calls() == 0, "the tap of the primary org reads the primary org"
    world.sandbox.reset_calls()
    emea.run()
    assert world.calls("salesforce")["total"] == 0
    ours = company_of(pipelines, "accounts", here)
    theirs = company_of(pipelines, "accounts-emea", there)
    assert world.company_now(ours)["name"] == "Account C-1"
    assert world.company_now(theirs)["name"] == "Emea E-1"
    for company in (ours, theirs):
        world.sandbox.workspace.memberships.attach(world.person(f"{company}@x.test"), company)
    pipelines.run(TO_SALESFORCE)

    emea.advance(60)
    world.edit_company(ours, industry="Retail")
    world.edit_company(theirs, industry="Retail")
    emea.sandbox.reset_calls()
    run = pipelines.run(TO_SALESFORCE)
    assert run.counts["updated"] == 1
    assert world.row("Account", here)["Industry"] == "Retail"
    row = emea.sandbox.org.row("Account", there)
    assert row is not None
    assert row["Industry"] == "Energy"
    assert emea.calls() == 0

    emea.advance(60)
    emea.sandbox.org.update("Account", there, {"Name": "Renamed"})
    emea.run()
    assert world.company_now(theirs)["name"] == "Renamed"
    emea.advance(60)
    world.sandbox.reset_calls()
    emea.run()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


def test_records_of_two_orgs_may_have_one_id(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    here = world.account("C-1", Industry="Banking")
    there = emea.account("E-1", Industry="Energy")
    emea.sandbox.org.set_columns("Account", there, {"Id": here})
    pipelines.run(TO_SWEO)
    emea.run()
    ours = company_of(pipelines, "accounts", here)
    theirs = company_of(pipelines, "accounts-emea", here)
    assert ours != theirs
    emea.advance(60)
    emea.sandbox.org.update("Account", here, {"Name": "Renamed"})
    emea.run()
    assert world.company_now(ours)["name"] == "Account C-1"
    assert world.company_now(theirs)["name"] == "Renamed"
    emea.advance(60)
    emea.sandbox.org.delete("Account", here)
    assert emea.run().counts["unlinked"] == 1
    assert company_of(pipelines, "accounts", here) == ours
    assert pipelines.is_quiet()


def test_the_pipeline_to_salesforce_pairs_records_of_the_other_org_without_asking_any_org(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    pipelines.mappings[1]["create"] = []
    there = emea.account("E-1", Name="There", Industry="Energy")
    emea.run()
    pipelines.sync()
    emea.advance(3600)
    company = world.company("E-1", name="Here")
    world.sandbox.reset_calls()
    emea.sandbox.reset_calls()
    run = pipelines.run(TO_SALESFORCE)
    assert run.counts["linked"] == 1
    assert world.calls("salesforce") | {"logins": 0} == {
        "total": 0, "reads": 0, "writes": 0, "logins": 0, "by_endpoint": {}
    }  # fmt: skip
    assert emea.calls() == 0
    assert company_of(pipelines, "accounts-emea", there) == company
    assert world.company_now(company)["name"] == "Here"
    emea.run()
    assert world.company_now(company)["name"] == "There"
    emea.advance(60)
    world.sandbox.reset_calls()
    emea.run()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


def test_the_primary_org_is_not_asked_for_keys_of_an_org_that_was_never_read(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    world.company("E-1", name="Here")
    pipelines.run(TO_SWEO)
    world.sandbox.reset_calls()
    pipelines.run(TO_SALESFORCE)
    assert world.calls("salesforce")["total"] == emea.calls() == 0
    there = emea.account("E-1", Name="There")
    assert emea.run().counts["linked"] == 1
    assert world.company_now(company_of(pipelines, "accounts-emea", there))["name"] == "There"


@pytest.mark.parametrize("on_delete", ["archive", "clear"])
def test_a_company_that_is_gone_ends_the_link_and_leaves_the_other_org_alone(
    world: World, pipelines: Pipelines, emea: Emea, on_delete: str
) -> None:
    pipelines.mappings[1]["on_delete"] = on_delete
    there = emea.account("E-1", Industry="Energy")
    company = world.company("E-1")
    emea.run()
    pipelines.run(TO_SALESFORCE)
    emea.advance(60)
    world.sandbox.workspace.companies.delete(company)
    world.sandbox.reset_calls()
    emea.sandbox.reset_calls()
    checking = copy.copy(pipelines)
    checking.state = {}
    checking.settings = {"tap-sweo": {"full_check": True, "check_every_hours": 0}}
    assert checking.run(TO_SALESFORCE).counts["unlinked"] == 1
    assert world.calls("salesforce")["total"] == emea.calls() == 0
    row = emea.sandbox.org.row("Account", there)
    assert row is not None
    assert (row["Industry"], row["IsDeleted"]) == ("Energy", 0)


def test_contacts_of_the_other_org_belong_to_its_accounts(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    pipelines.mappings.append(
        {
            "name": "contacts-emea",
            "org": "emea",
            "salesforce": "Contact",
            "sweo": "user",
            "match": {"salesforce": "Email", "sweo": "email"},
            "parent": {"salesforce": "AccountId", "mapping": "accounts-emea"},
            "create": ["sweo"],
            "fields": [{"salesforce": "Title", "sweo": "job_title"}],
        }
    )
    there = emea.account("E-1")
    emea.sandbox.org.insert(
        "Contact", {"LastName": "Person", "Email": "ada@x.test", "AccountId": there}
    )
    emea.run()
    person = world.sandbox.workspace.all_contacts({"per_page": 5})["data"][0]
    company = company_of(pipelines, "accounts-emea", there)
    assert [each["id"] for each in person["companies"]["data"]] == [company]


def test_the_full_check_of_the_other_org_has_a_state_of_its_own(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    there = emea.account("E-1", Industry="Energy")
    world.account("C-1")
    emea.run()
    pipelines.run(TO_SWEO)
    emea.advance(3600)
    emea.run()
    emea.advance(3600)
    emea.sandbox.org.set_columns("Account", there, {"Industry": "Banking"})
    before = copy.deepcopy(emea.pipelines.state)
    checking = copy.copy(emea.pipelines)
    checking.state = {}
    checking.settings = {
        "tap-salesforce": emea.pipelines.settings["tap-salesforce"]
        | {"full_check": True, "check_every_hours": 0}
    }
    world.sandbox.reset_calls()
    run = checking.run(TO_SWEO)
    assert "ended" in run.state["full_check"]
    assert set(run.state["bookmarks"]) == {"accounts-emea"}
    assert world.calls("salesforce")["total"] == 0
    company = company_of(pipelines, "accounts-emea", there)
    assert world.company_now(company)["industry"] == "Banking"
    assert emea.pipelines.state == before


def test_a_filter_of_the_other_org_is_asked_there(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    pipelines.mappings[1]["only"] = {"salesforce": "Type = 'Customer - Direct'"}
    emea.account("E-1", Type="Customer - Direct")
    emea.account("E-2", Type="Prospect")
    assert emea.run().counts["created"] == 1
    company = world.sandbox.workspace.companies.find(company_id="E-1")
    world.edit_company(company["id"], industry="Retail")
    world.sandbox.reset_calls()
    pipelines.run(TO_SALESFORCE)
    assert world.calls("salesforce")["total"] == 0


# which org is which


def test_an_org_under_the_name_of_another_is_refused(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    world.account("C-1")
    emea.account("E-1")
    pipelines.run(TO_SWEO)
    swapped = copy.copy(emea.pipelines)
    swapped.settings = {"tap-salesforce": {"org": "emea"}}
    world.sandbox.reset_calls()
    with pytest.raises(FatalError, match="which this ledger knows as the Salesforce org"):
        swapped.run(TO_SWEO)
    assert world.calls("sweo")["writes"] == 0
    emea.run()
    stranger = copy.copy(pipelines)
    stranger.settings = {"tap-salesforce": emea.login()}
    with pytest.raises(FatalError, match="This ledger belongs to the Salesforce org 00D"):
        stranger.run(TO_SWEO)
    ids = {
        None: world.sandbox.org.organization_id, "emea": emea.sandbox.org.organization_id
    }  # fmt: skip
    report = status(pipelines.ledger)
    assert report.instances[Side.SALESFORCE] == ids[None]
    assert report.other_orgs == {"emea": ids["emea"]}


def test_an_org_that_no_mapping_names_is_refused(pipelines: Pipelines, emea: Emea) -> None:
    emea.pipelines.settings["tap-salesforce"]["org"] = "emae"
    with pytest.raises(FatalError, match=r"No mapping is of the org emae .*did you mean emea\?"):
        emea.run()


def test_a_tap_whose_org_has_no_mapping_reads_nothing(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    world.account("C-1")
    del pipelines.mappings[0]
    world.sandbox.reset_calls()
    assert b'"SCHEMA"' not in pipelines.tap(TO_SWEO)
    pipelines.mappings[0]["enabled"] = False
    assert b'"SCHEMA"' not in emea.pipelines.tap(TO_SWEO)
    assert world.calls("salesforce")["total"] == emea.calls() == 0


def test_calls_are_counted_org_by_org(world: World, pipelines: Pipelines, emea: Emea) -> None:
    world.account("C-1")
    emea.account("E-1")
    emea.sandbox.reset_calls()
    world.sandbox.reset_calls()
    pipelines.run(TO_SWEO)
    emea.run()
    ledger: Ledger = pipelines.ledger
    assert calls_within_a_day(ledger, tap_of("emea")) == emea.calls() > 0
    assert calls_within_a_day(ledger, TAP_SALESFORCE) == world.calls("salesforce")["total"] > 0
    spent = emea.calls()
    pipelines.settings["tap-salesforce"] = {"daily_api_calls": spent + 1}
    pipelines.run(TO_SWEO)
    emea.pipelines.settings["tap-salesforce"]["daily_api_calls"] = spent
    with pytest.raises(Exception, match="daily_api_calls"):
        emea.run()


# identity tokens


def test_a_token_names_the_company_that_the_sync_made(
    world: World, pipelines: Pipelines, emea: Emea
) -> None:
    pipelines.mappings[0]["match"] = {"salesforce": "Id", "sweo": "company_id"}
    here, there = world.account("C-1"), emea.account("E-1")
    pipelines.run(TO_SWEO)
    emea.run()
    secret = world.sandbox.workspace.messenger.create_secret(
        {"name": "backend", "supports_web": True}
    )["secret"]
    belongs = {
        "u1": ([OrgAccount("emea", there, "E-1"), OrgAccount(None, here[:15])], "accounts", here),
        "u2": ([OrgAccount("emea", there, "E-1")], "accounts-emea", there),
    }
    for user, (accounts, name, account) in belongs.items():
        claims = {"user_id": user, "company": {"id": company_id_for(accounts)}}
        token = jwt.encode(claims, secret, algorithm="HS256")
        opened = world.sandbox.workspace.messenger.open_session({"sweo_user_jwt": token})
        person = world.person_now(opened["contact_id"])
        companies = [each["id"] for each in person["companies"]["data"]]
        assert companies == [company_of(pipelines, name, account)]
