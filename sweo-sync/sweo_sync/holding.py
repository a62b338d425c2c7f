"""Stopping and going on: `pause`, `resume`, `approve`."""

from __future__ import annotations

import click
from crosswalk.ledger import operate
from crosswalk.ledger.report import EVERYTHING
from crosswalk.ledger.runs import approve as approve_run

from sweo_sync.options import shared_options
from sweo_sync.project import Project
from sweo_sync.show import DIRECTION_NAMES, emit


@click.command()
@click.argument("mapping", required=False)
@shared_options
def pause(project: Project, as_json: bool, mapping: str | None) -> None:
    """Hold one mapping, or all of them; running pipelines see it at their next batch."""
    with project.ledger() as ledger:
        operate.pause(ledger, project.known(ledger, mapping) if mapping else EVERYTHING)
    if as_json:
        emit({"paused": mapping or EVERYTHING})
        return
    click.echo(f"{mapping or 'Everything'} is paused; `sweo-sync resume` lets it go on.")


@click.command()
@click.argument("mapping", required=False)
@shared_options
def resume(project: Project, as_json: bool, mapping: str | None) -> None:
    """Let one mapping go on, or everything that is held."""
    with project.ledger() as ledger:
        name = project.known(ledger, mapping) if mapping else EVERYTHING
        freed = operate.resume(ledger, name)
        still = EVERYTHING in ledger.paused()
    if as_json:
        emit({"resumed": freed, "everything_paused": still})
        return
    if still:
        click.echo("Everything is still paused; `sweo-sync resume` without a name lets it go on.")
    elif freed:
        named = ", ".join("everything" if each == EVERYTHING else each for each in freed)
        click.echo(f"Resumed: {named}.")
    else:
        click.echo("Nothing was paused.")


@click.command()
@click.argument("run")
@shared_options
def approve(project: Project, as_json: bool, run: str) -> None:
    """Let the next run of a direction write more than `max_writes` and `max_clears` allow.

    RUN is the run that stopped and named this command. The approval is for one run.
    """
    with project.ledger() as ledger:
        direction = approve_run(ledger, run)
    if as_json:
        emit({"run": run, "direction": direction})
        return
    click.echo(f"The next run {DIRECTION_NAMES[direction]} writes without limits, once.")
