"""A ledger and a STATE belong to one org and one workspace; a refreshed sandbox org is adopted."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from crosswalk.errors import FatalError
from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from sweo_sandbox.testing import Sandbox, running_sandbox
from sweo_sync.cli import main
from world import World

REFRESHED = "00DDn0000000999MAA"
SALESFORCE = ("login_url", "client_id", "client_secret")


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[Sandbox, Sandbox]]:
    """Another org, and another workspace."""
    with (
        running_sandbox(only="salesforce", org_number=2) as org,
        running_sandbox(
            only="sweo", workspace_id="sweosbx2", access_token="another-sweo-access-token"
        ) as workspace,
    ):
        yield org, workspace


@pytest.fixture
def pairs(world: World, pipelines: Pipelines) -> list[tuple[str, str]]:
    """Accounts and their companies, linked and quiet, with an edit on each side."""
    made = [(world.account(f"C-{n}", Industry="Banking"), world.company(f"C-{n}")) for n in (1, 2)]
    person = world.contact("ada@x.test", Title="Countess"), world.person("ada@x.test")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(60)
    world.edit_salesforce("Account", made[0][0], Industry="Energy")
    world.edit_company(made[1][1], industry="Retail")
    world.sandbox.advance(5)
    world.sandbox.reset_calls()
    return [*made, person]


def writes(world: World, elsewhere: Sandbox | None = None, side: str = "salesforce") -> int:
    """Writes to both sides, and to that side of another sandbox."""
    calls = [world.calls("sweo"), world.calls("salesforce")]
    if elsewhere is not None:
        calls.append(dict(elsewhere.calls(side)))  # type: ignore[arg-type]
    return sum(int(each["writes"]) for each in calls)


def is_refused(pipelines: Pipelines, direction: str, says: str) -> None:
    before = copy.deepcopy(pipelines.state)
    with pytest.raises(FatalError, match=says):
        pipelines.run(direction)
    assert pipelines.state == before


def test_credentials_of_another_org_write_into_neither(
    world: World,
    pipelines: Pipelines,
    pairs: list[tuple[str, str]],
    elsewhere: tuple[Sandbox, Sandbox],
) -> None:
    org, _ = elsewhere
    own = org.env()
    other = {name: own[f"SALESFORCE_{name.upper()}"] for name in SALESFORCE}
    pipelines.settings = {"tap-salesforce": other, "target-salesforce": other}
    org.org.insert("Account", {"Name": "Foreign", "Customer_Number__c": "C-1"})
    org.reset_calls()
    for direction in (TO_SWEO, TO_SALESFORCE):
        is_refused(pipelines, direction, r"belongs to the Salesforce org 00D.*SWEO_LEDGER_URL")
    assert writes(world, org) == 0
    pipelines.settings = {}
    _converges(world, pipelines, pairs)


def test_credentials_of_another_workspace_write_into_neither(
    world: World,
    pipelines: Pipelines,
    pairs: list[tuple[str, str]],
    elsewhere: tuple[Sandbox, Sandbox],
) -> None:
    _, workspace = elsewhere
    token = workspace.workspace_settings.access_token
    other = {"api_url": workspace.sweo_url, "access_token": token}
    pipelines.settings = {"tap-sweo": other, "target-sweo": other}
    person = workspace.workspace.contacts.create({"role": "user", "email": "ada@x.test"})
    assert person
    workspace.reset_calls()
    for direction in (TO_SWEO, TO_SALESFORCE):
        is_refused(pipelines, direction, "belongs to the Sweo workspace sweosbx1")
    assert writes(world, workspace, "sweo") == 0
    pipelines.settings = {}
    _converges(world, pipelines, pairs)


def _converges(world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]) -> None:
    """The edits arrive, one write each; nothing is made twice, and then all is quiet."""
    world.sandbox.reset_calls()
    pipelines.sync()
    pipelines.sync()
    (first, second, _) = pairs
    assert world.company_now(first[1])["industry"] == "Energy"
    assert world.row("Account", second[0])["Industry"] == "Retail"
    assert world.calls("sweo")["writes"] == 1
    assert world.calls("salesforce")["writes"] == 1
    assert len(list(world.sandbox.org.rows("Account"))) == 2
    assert world.sandbox.workspace.database.number("SELECT count(*) FROM company") == 2
    world.sandbox.advance(60)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert writes(world) == 0


def adopt(pipelines: Pipelines, *args: str, answer: str | None = None) -> Result:
    environ: dict[str, Any] = {
        **dict.fromkeys(("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT")),
        **pipelines.sandbox.env(),
        # The session of before the refresh is no more.
        "SALESFORCE_ACCESS_TOKEN": None,
        "SALESFORCE_REFRESH_TOKEN": None,
        "SWEO_LEDGER_URL": pipelines.ledger_url,
    }
    return CliRunner().invoke(main, ["adopt", *args], env=environ, input=answer)


def refresh(sandbox: Sandbox) -> str:
    """As the vendor refreshes a sandbox org: records keep their ids, the org gets another, users'
    addresses end in ``.invalid`` and every session ends. Returns the former id.
    """
    org, former = sandbox.org, str(sandbox.org.organization_id)
    with org.store.transaction():
        org.store.writer.execute('UPDATE "Organization" SET "Id" = ?', (REFRESHED,))
        org.store.writer.execute('UPDATE "User" SET "Email" = "Email" || \'.invalid\'')
    org.store.set_meta("organization_id", REFRESHED)
    org.organization_id = REFRESHED
    org.end_all_sessions()
    return former


def test_a_refreshed_org_is_refused_until_it_is_adopted_and_then_converges(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    former = refresh(world.sandbox)
    for direction in (TO_SWEO, TO_SALESFORCE):
        is_refused(pipelines, direction, f"{former}, but.*{REFRESHED}.*`sweo-sync adopt`")
    assert writes(world) == 0

    declined = adopt(pipelines, answer="n\n")
    assert declined.exit_code == 1
    assert f"Is {REFRESHED} the same org after a refresh?" in declined.stderr
    is_refused(pipelines, TO_SWEO, "sweo-sync adopt")
    done = adopt(pipelines, "--yes")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"The ledger belongs to {REFRESHED} now.\n"

    links = pipelines.ledger.links("accounts", Side.SALESFORCE, [pair[0] for pair in pairs])
    # Owners' addresses are data that the refresh changed; here they are left as they were.
    for mapping in pipelines.mappings:
        mapping["fields"] = [f for f in mapping["fields"] if f["salesforce"] != "Owner.Email"]
    _converges(world, pipelines, pairs)
    after = pipelines.ledger.links("accounts", Side.SALESFORCE, [pair[0] for pair in pairs])
    assert {i: link.sweo_id for i, link in after.items()} == {
        i: link.sweo_id for i, link in links.items()
    }
