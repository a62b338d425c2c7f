"""What the ledger keeps and whom it belongs to: `forget`, `adopt`."""

from __future__ import annotations

import os

import click
from crosswalk.errors import FatalError
from crosswalk.ledger import operate
from crosswalk.ledger.erasure import forget as erase, traces_of
from crosswalk.mapping import Side

from sweo_sync.credentials import salesforce_connection
from sweo_sync.options import shared_options
from sweo_sync.project import Project, record_ids
from sweo_sync.show import emit


@click.command()
@click.argument("person", metavar="EMAIL|ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared_options
def forget(project: Project, as_json: bool, person: str, yes: bool) -> None:
    """Erase a person's values from the ledger and leave keyed hashes.

    Delete the person in Salesforce and in Sweo first: a record that is still there is read
    again, and its values are remembered again. Values of the past are restored no more.
    """
    with project.ledger() as ledger:
        mappings = () if project.ledger_url else project.config.mappings
        traces = {
            trace for name in record_ids(person) for trace in traces_of(ledger, name, mappings)
        }
        if traces and not yes:
            click.confirm(
                f"Erase all values of {len(traces)} records ({_named(traces)})?",
                abort=True,
                err=True,
            )
        erased = erase(ledger, traces)
    if as_json:
        emit({"records": sorted(traces), "erased": erased})
        return
    if not traces:
        click.echo("The ledger knows nobody by that name.")
        return
    click.echo(
        f"Erased the values of {_named(traces)}: {erased.links} pairs, {erased.changes} changes, "
        f"{erased.conflicts} conflicts, {erased.quarantine} rows of quarantine."
    )


def _named(traces: set[tuple[str, str]]) -> str:
    return ", ".join(f"{mapping} {record_id}" for mapping, record_id in sorted(traces))


@click.command()
@click.option("--org", metavar="ID", help="The org's id. Default: the one that SALESFORCE_* opens.")
@click.option("--name", help="With --org: one besides the primary one, as the mappings name it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared_options
def adopt(project: Project, as_json: bool, org: str | None, name: str | None, yes: bool) -> None:
    """Bind the ledger to the new id that a refreshed Salesforce sandbox has.

    A refresh keeps the ids of records. Never adopt another org: its records have other ids, and
    what the ledger remembers would be wrong for all of them.
    """
    if name and not org:
        raise click.UsageError("--name goes with --org.")
    with project.ledger() as ledger:
        former = ledger.instance(Side.SALESFORCE, name)
        if name and former is None:
            raise FatalError(f"The ledger knows no org by the name {name}.")
        if org is None:
            connection = salesforce_connection(os.environ)
            if connection is None:
                raise FatalError("Name the org by --org, or set the SALESFORCE_* variables.")
            org = connection.org_id
        org = _org_id(org)
        if org == former:
            click.echo(f"The ledger belongs to {org} already.", err=True)
        else:
            if not yes:
                click.confirm(
                    f"The ledger belongs to the org {former or '(none yet)'}. Is {org} the same "
                    "org after a refresh?",
                    abort=True,
                    err=True,
                )
            operate.adopt(ledger, Side.SALESFORCE, org, name)
    if as_json:
        emit({"former": former, "org": org})
    elif org != former:
        click.echo(f"The ledger belongs to {org} now.")


def _org_id(text: str) -> str:
    long_form = record_ids(text)[-1]
    if not (long_form.startswith("00D") and len(long_form) == 18 and long_form.isalnum()):
        raise FatalError("An org's id begins with 00D and has 15 or 18 letters and digits.")
    return long_form
