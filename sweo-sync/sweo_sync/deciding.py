"""What a person decides: `retry`, `resolve`, `restore`."""

from __future__ import annotations

import click
from crosswalk.ledger import operate
from crosswalk.mapping import Side

from sweo_sync.options import shared_options
from sweo_sync.project import Project, record_ids
from sweo_sync.show import SIDE_NAMES, emit


@click.command()
@click.option("--mapping", help="This mapping only.")
@click.option("--record", metavar="ID", help="One record, by its id on either side.")
@shared_options
def retry(project: Project, as_json: bool, mapping: str | None, record: str | None) -> None:
    """Let the next run try what is in quarantine, instead of waiting for its time."""
    with project.ledger() as ledger:
        name = project.known(ledger, mapping) if mapping else None
        count = operate.retry(ledger, name, record_ids(record))
    if as_json:
        emit({"records": count})
        return
    click.echo(
        f"The next run tries {count:,} record{'' if count == 1 else 's'}."
        if count
        else "There is nothing of it in quarantine."
    )


@click.command()
@click.argument("conflict", type=int)
@click.option(
    "--take",
    metavar="salesforce|sweo|VALUE",
    help="The side whose value stands, or a third value for both sides.",
)
@click.option("--value", help="A third value, even if it reads salesforce or sweo.")
@shared_options
def resolve(
    project: Project, as_json: bool, conflict: int, take: str | None, value: str | None
) -> None:
    """Decide a conflict, by its number in `sweo-sync conflicts`; the next runs write it.

    The decision is for the two values shown there: if either is edited meanwhile, it lapses.
    Spell a value as true or false, 12.5, 2026-01-31, 2026-01-31T08:00:00Z, or options as a;b;
    an empty one empties the field.
    """
    if (take is None) == (value is None):
        raise click.UsageError("Give either --take or --value.")
    side = next((each for each in Side if take == each.value), None)
    with project.ledger() as ledger:
        if side is not None:
            decided = operate.resolve(ledger, conflict, side)
        else:
            spelled = value if value is not None else take or ""
            decided = operate.resolve_with_value(ledger, conflict, spelled)
    if as_json:
        emit({"conflict": decided.id, "winner": side.value if side else None, "status": "decided"})
        return
    what = f"{SIDE_NAMES[side]}'s value stands" if side else "your value goes to both sides"
    click.echo(
        f"Conflict {decided.id} ({decided.mapping}, {decided.fields[Side.SALESFORCE]}): {what}; "
        "the next run of each pipeline writes it."
    )


@click.command()
@click.argument("change", type=int)
@shared_options
def restore(project: Project, as_json: bool, change: int) -> None:
    """Put back the value that a change replaced, by its number in `sweo-sync log`.

    For fields that flow both ways; the next runs write it to both sides, unless somebody edits
    the field first.
    """
    with project.ledger() as ledger:
        undone = operate.restore(ledger, change)
    if as_json:
        emit({"change": undone.id, "status": "decided"})
        return
    click.echo(
        f"The value from before change {undone.id} ({undone.mapping}, {undone.field}) goes back "
        "to both sides with the next run of each pipeline."
    )
