"""What `setup` grants is enough for both pipelines, and no grant of it can be spared."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from pipelines import Pipelines
from recipes import command
from sweo_sandbox.testing import Sandbox
from sweo_sync.cli import main
from world import World

USER = "least@sandbox.example"


@pytest.fixture
def least(world: World, pipelines: Pipelines) -> Pipelines:
    """The project's own field configs, and a user of the profile for integrations."""
    org = world.sandbox.org
    org.add_user(USER)
    with org.store.transaction():
        # The sandbox comes with a set of this name, which grants everything.
        org.store.writer.execute(
            """UPDATE "PermissionSet" SET "Name" = 'Everything' WHERE "Name" = 'Sweo_Sync'"""
        )
    token = world.sandbox.env()["SALESFORCE_ACCESS_TOKEN"]
    done = command(
        pipelines, "setup", "--apply", "--assign", USER, SALESFORCE_SETUP_ACCESS_TOKEN=token
    )["done"]
    assert done["permission_set_made"]
    assert done["assigned"]
    own = {
        "access_token": _session(world.sandbox),
        "instance_url": world.sandbox.salesforce_url,
        "client_id": None,
        "client_secret": None,
    }
    pipelines.settings = {"tap-salesforce": own, "target-salesforce": own}
    return pipelines


def _session(sandbox: Sandbox) -> str:
    user = sandbox.org.user_named(USER)
    assert user is not None
    return str(sandbox.org.sessions.open(user))


def ask(pipelines: Pipelines, name: str, exit_code: int = 0) -> Any:
    gone: dict[str, Any] = dict.fromkeys(
        f"SALESFORCE_{each}" for each in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
    )
    token = pipelines.settings["tap-salesforce"]["access_token"]
    return command(pipelines, name, exit_code=exit_code, SALESFORCE_ACCESS_TOKEN=token, **gone)


def test_it_is_enough(world: World, least: Pipelines) -> None:
    account = world.account("C-1", Industry="Banking", Website="https://acme.test")
    company = world.company("C-1", custom_attributes={"health_score": 7})
    contact = world.contact("ada@x.test", AccountId=account, Title="Countess")
    person = world.person("ada@x.test", custom_attributes={"nps": 9})
    assert ask(least, "doctor")["exit_code"] == 0
    for _ in range(3):
        least.sync()
    assert world.company_now(company)["industry"] == "Banking"
    assert "@" in world.company_now(company)["custom_attributes"]["account_owner"]
    held = world.person_now(person)["custom_attributes"]
    assert (held["job_title"], held["company_industry"]) == ("Countess", "Banking")
    assert world.row("Account", account)["Health__c"] == 7
    assert world.row("Contact", contact)["NPS__c"] == 9
    world.sandbox.advance(60)
    world.sandbox.org.delete("Contact", contact, hard=True)
    world.sandbox.advance(60)
    assert least.sync()[0].counts["unlinked"] == 1


def test_no_grant_can_be_spared(world: World, least: Pipelines) -> None:
    org = world.sandbox.org
    (own,) = org.rows("PermissionSet", Name="Sweo_Sync")
    fields = org.rows("FieldPermissions", ParentId=own["Id"])
    objects = org.rows("ObjectPermissions", ParentId=own["Id"])
    assert {row["SobjectType"] for row in objects} == {"Account", "Contact"}
    assert not any(row["PermissionsCreate"] or row["PermissionsDelete"] for row in objects)
    assert ask(least, "check")["ok"]
    spared = [
        (row.get("Field") or row["SobjectType"], right)
        for table, rows in (("FieldPermissions", fields), ("ObjectPermissions", objects))
        for row in rows
        for right in ("PermissionsRead", "PermissionsEdit")
        if row[right] and _does_without(least, table, row, right)
    ]
    assert spared == []


def _does_without(least: Pipelines, table: str, row: dict[str, Any], right: str) -> bool:
    org, keys = least.sandbox.org, ("PermissionsRead", "PermissionsEdit")

    def put(values: dict[str, Any]) -> None:
        with org.store.transaction():
            for name, value in values.items():
                org.store.writer.execute(
                    f'UPDATE "{table}" SET "{name}" = ? WHERE "Id" = ?', (value, row["Id"])
                )
        org.security.forget()
        org.schema_changed()

    # Without Read there is no Edit either.
    put({right: 0} if right == "PermissionsEdit" else dict.fromkeys(keys, 0))
    try:
        environ = {"SALESFORCE_ACCESS_TOKEN": least.settings["tap-salesforce"]["access_token"]}
        return not _complains(least, environ)
    finally:
        put({name: row[name] for name in keys})


def _complains(least: Pipelines, environ: dict[str, str]) -> bool:
    file = least.folder / "recipe.yml"
    variables: dict[str, Any] = {
        **dict.fromkeys(("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT")),
        **least.sandbox.env(),
        **environ,
        "SWEO_SYNC_MAPPING_FILE": str(file),
    }
    return CliRunner().invoke(main, ["check"], env=variables).exit_code == 1
