"""The command `sweo-sync`: what an operator asks of the ledger and tells it."""

from __future__ import annotations

import click

from sweo_sync.checking import check
from sweo_sync.deciding import resolve, restore, retry
from sweo_sync.disconnecting import disconnect
from sweo_sync.doctor.command import doctor
from sweo_sync.full_check.command import full_check
from sweo_sync.holding import approve, pause, resume
from sweo_sync.keeping import adopt, forget
from sweo_sync.options import OneSentence
from sweo_sync.plan.command import plan
from sweo_sync.reading import conflicts, links, log, quarantine
from sweo_sync.reviewing import review
from sweo_sync.setup.command import setup
from sweo_sync.standing import status


@click.group(cls=OneSentence, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sweo-sync-operator", prog_name="sweo-sync")
def main() -> None:
    """Watch and steer the sync between a Salesforce org and a Sweo workspace.

    Under Meltano (`meltano invoke sweo-sync …`) the ledger and the field configs are found by
    themselves; elsewhere name them with --ledger and --mapping-file.

    Commands read or change the ledger only: what you decide is written by the next run of the
    pipelines. Three do more: `setup --apply` makes fields in the org, `full-check` runs the
    pipelines, `disconnect` revokes tokens. Exit codes: 0 done, 1 it could not be done or `check`
    found a mistake, 2 the command was mistyped; `doctor`, `plan` and `full-check` have codes of
    their own.
    """


for command in (
    status,
    log,
    quarantine,
    retry,
    conflicts,
    resolve,
    restore,
    review,
    links,
    pause,
    resume,
    approve,
    disconnect,
    check,
    doctor,
    setup,
    plan,
    full_check,
    forget,
    adopt,
):
    main.add_command(command)
