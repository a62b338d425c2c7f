"""Giving the connection up: `disconnect`."""

from __future__ import annotations

import os
from typing import Final

import click
from crosswalk.errors import FatalError, SyncError
from crosswalk.ledger import operate
from crosswalk.ledger.disconnecting import note_disconnected
from crosswalk.ledger.report import status
from salesforce_client.revoking import Revoked, revoke_tokens

from sweo_sync.credentials import salesforce_settings
from sweo_sync.options import shared_options
from sweo_sync.project import Project
from sweo_sync.show import emit

SWEO_BY_HAND: Final = (
    "Sweo's API cannot revoke a token: remove the app in the workspace's Developer Hub, or give it "
    "a new token there, which ends the old one."
)
APP_BY_HAND: Final = (
    "The app's secret or key can still open sessions: switch the app off in Salesforce's Setup, "
    "under External Client App Manager, or rotate its secret."
)
VARIABLES_BY_HAND: Final = (
    "Take SALESFORCE_* and SWEO_ACCESS_TOKEN out of the place where you keep secrets."
)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared_options
def disconnect(project: Project, as_json: bool, yes: bool) -> None:
    """Revoke the Salesforce tokens and hold everything; no record and no row of the ledger changes.

    Everything is paused first, so that running pipelines stop at their next batch. The tokens in
    SALESFORCE_* are revoked then. Sweo has no way to revoke a token by its API: what is left to do
    by hand is said. `sweo-sync resume` connects again, once there are new credentials.
    """
    with project.ledger() as ledger:
        if not yes:
            pairs = sum(each.pairs for each in status(ledger).mappings)
            click.confirm(
                f"Revoke the Salesforce tokens and hold everything? {pairs:,} pairs and all data "
                "stay as they are.",
                abort=True,
                err=True,
            )
        operate.pause(ledger)
        note_disconnected(ledger)
    settings = salesforce_settings(os.environ)
    try:
        revoked = revoke_tokens(settings) if settings else []
    except SyncError as error:
        raise FatalError(
            f"Everything is paused, but not every token was revoked: {error}"
        ) from None
    by_hand = [SWEO_BY_HAND, VARIABLES_BY_HAND]
    if {"client_secret", "private_key"} & set(settings):
        by_hand.insert(0, APP_BY_HAND)
    if as_json:
        emit({"paused": True, "revoked": revoked, "by_hand": by_hand})
        return
    click.echo("Everything is paused.")
    for line in (*_told(revoked), *by_hand):
        click.echo(line)
    click.echo("To connect again: new credentials, then `sweo-sync resume`.")


def _told(revoked: list[Revoked]) -> list[str]:
    if not revoked:
        return ["No Salesforce token is in SALESFORCE_*, so that none was revoked."]
    return [
        f"Salesforce: {each.what} is revoked."
        if each.was_good
        else f"Salesforce: {each.what} was good no more."
        for each in revoked
    ]
