"""`sweo-sync disconnect`: tokens are revoked, nothing runs, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result
from crosswalk.ledger import schema
from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from sqlalchemy import select
from sweo_sync.cli import main
from world import World

KEPT = ("link", "change", "waiting", "revisit", "quarantine", "conflict", "field")


@pytest.fixture
def linked(world: World, pipelines: Pipelines) -> Pipelines:
    world.account("C-1", Industry="Banking")
    world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(60)
    return pipelines


def run(pipelines: Pipelines, *args: str, answer: str | None = None, **variables: Any) -> Result:
    environ = {
        **dict.fromkeys(("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT")),
        **pipelines.sandbox.env(),
        "SWEO_LEDGER_URL": pipelines.ledger_url,
        **variables,
    }
    return CliRunner().invoke(main, list(args), env=environ, input=answer)


def rows(pipelines: Pipelines) -> dict[str, Any]:
    ledger = pipelines.ledger
    with ledger.engine.connect() as connection:
        found = {
            name: [tuple(row) for row in connection.execute(select(schema.metadata.tables[name]))]
            for name in KEPT
        }
    ledger.close()
    return found


def test_it_asks_before_it_does_anything(linked: Pipelines) -> None:
    result = run(linked, "disconnect", answer="n\n")
    assert result.exit_code == 1
    assert "1 pairs and all data stay as they are" in result.stderr
    assert not linked.ledger.paused()
    token = linked.sandbox.env()["SALESFORCE_ACCESS_TOKEN"]
    assert linked.sandbox.org.sessions.user_of(token)


def test_tokens_are_revoked_and_everything_else_stays(
    world: World, linked: Pipelines, caplog: pytest.LogCaptureFixture
) -> None:
    org, refresh = world.sandbox.org, world.sandbox.org.sessions.refresh_token
    token = world.sandbox.env()["SALESFORCE_ACCESS_TOKEN"]
    of_refresh = org.sessions.open(org.integration_user_id, refreshed=True)
    before = rows(linked)
    world.sandbox.reset_calls()
    gone: dict[str, Any] = {"SALESFORCE_CLIENT_SECRET": None}
    result = run(linked, "disconnect", "--yes", SALESFORCE_REFRESH_TOKEN=refresh, **gone)
    assert result.exit_code == 0, result.output
    assert "Salesforce: the access token is revoked." in result.stdout
    assert "Salesforce: the refresh token is revoked." in result.stdout
    assert "Sweo's API cannot revoke a token: remove the app" in result.stdout
    assert "rotate its secret" not in result.stdout
    assert token not in result.output
    assert refresh not in result.output
    assert org.sessions.user_of(token) is None
    assert org.sessions.user_of(of_refresh) is None
    assert org.sessions.refresh_token != refresh
    assert world.calls("salesforce")["total"] == world.calls("sweo")["total"] == 0
    assert rows(linked) == before

    for direction in (TO_SWEO, TO_SALESFORCE):
        linked.run(direction)
    sentence = "put new credentials into SALESFORCE_* and SWEO_ACCESS_TOKEN, then run `sweo-sync"
    assert caplog.text.count(sentence) == 2
    assert world.calls("salesforce")["total"] == world.calls("sweo")["total"] == 0
    assert sentence in run(linked, "status").stdout
    assert rows(linked) == before


def test_resume_connects_again_and_nothing_was_lost(world: World, linked: Pipelines) -> None:
    assert run(linked, "disconnect", "--yes").exit_code == 0
    account = next(iter(world.sandbox.org.rows("Account")))["Id"]
    world.edit_salesforce("Account", account, Industry="Energy")
    linked.sync()
    assert run(linked, "resume").exit_code == 0
    assert "Disconnected" not in run(linked, "status").stdout
    linked.sync()
    links = linked.ledger.links("accounts", Side.SALESFORCE, [account])
    assert world.company_now(links[account].sweo_id)["industry"] == "Energy"


def test_a_secret_is_no_token_and_what_is_left_to_do_is_said(linked: Pipelines) -> None:
    gone: dict[str, Any] = {
        "SALESFORCE_ACCESS_TOKEN": None,
        "SALESFORCE_INSTANCE_URL": None,
        "SALESFORCE_REFRESH_TOKEN": None,
    }
    result = run(linked, "disconnect", "--yes", **gone)
    assert "Salesforce: the app's session is revoked." in result.stdout
    assert "rotate its secret" in result.stdout
    told = run(linked, "disconnect", "--yes", "--json", SALESFORCE_CLIENT_ID=None, **gone)
    assert told.exit_code == 0
    assert '"revoked": []' in told.stdout


def test_where_salesforce_does_not_answer_everything_is_paused_all_the_same(
    world: World, linked: Pipelines
) -> None:
    world.sandbox.fault("salesforce", "status", status=503, endpoint="*oauth2/revoke*")
    try:
        result = run(linked, "disconnect", "--yes")
    finally:
        world.sandbox.clear_faults()
    assert result.exit_code == 1
    assert result.stderr.startswith("Everything is paused, but not every token was revoked:")
    assert len(result.stderr.splitlines()) == 1
    assert linked.ledger.paused() == {"*"}
