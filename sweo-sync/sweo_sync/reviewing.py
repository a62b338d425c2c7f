"""Pairs that wait for a word before their first exchange: `review` and what is said there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click
from crosswalk.errors import FatalError
from crosswalk.ledger import Review
from crosswalk.ledger.reviewing import ReviewFilter, ReviewReport, decide, reviews
from crosswalk.mapping import Side

from sweo_sync.options import OneSentence, shared_options
from sweo_sync.project import Project, record_ids
from sweo_sync.show import console, emit, table, value_text

_SAID: Final = {
    Review.ACCEPTED: "accepted; the next runs exchange them, and Salesforce's values stand",
    Review.DECLINED: "declined; they are left alone until `sweo-sync review ask`",
    Review.OPEN: "asked about again; the next run compares them anew",
}


def _filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--field", help="Pairs of which this field differs, by its name on a side."),
        click.option("--record", metavar="ID", help="One record, by its id on either side."),
        click.option("--mapping", help="This mapping only."),
    ):
        command = option(command)
    return command


@click.group(cls=OneSentence, invoke_without_command=True)
@_filter_options
@click.option("--declined", is_flag=True, help="What was declined, in place of what is open.")
@shared_options
@click.pass_context
def review(
    context: click.Context,
    project: Project,
    as_json: bool,
    mapping: str | None,
    record: str | None,
    field: str | None,
    declined: bool,
) -> None:
    """Pairs whose first exchange waits for a word (`first_link: ask`), with both values. Shows
    values.

    They carry the same key and differ. Nothing moves between them until `review accept`;
    `review decline` leaves them alone for good.
    """
    if context.invoked_subcommand is not None:
        if mapping or record or field or declined:
            raise click.UsageError(f"Options stand behind `review {context.invoked_subcommand}`.")
        return
    found = _found(project, (), mapping, record, field, declined=declined)
    if as_json:
        emit(found)
        return
    if not found:
        console().print("Nothing was declined." if declined else "No pair waits for a word.")
        return
    for each in found:
        _print(each)
    verbs = "ask" if declined else "accept"
    console().print(f"Decide with: sweo-sync review {verbs} {found[0].id}")


def _print(each: ReviewReport) -> None:
    table(
        f"{each.id}: {each.mapping}, Salesforce {each.salesforce_id}, Sweo {each.sweo_id}",
        ("Salesforce field", "Sweo field", "in Salesforce", "in Sweo"),
        [
            (
                difference.fields[Side.SALESFORCE],
                difference.fields[Side.SWEO],
                value_text(difference.values[Side.SALESFORCE]),
                value_text(difference.values[Side.SWEO]),
            )
            for difference in each.differences
        ],
    )


def _found(
    project: Project,
    numbers: tuple[int, ...],
    mapping: str | None,
    record: str | None,
    field: str | None,
    *,
    declined: bool = False,
) -> list[ReviewReport]:
    with project.ledger() as ledger:
        name = project.known(ledger, mapping) if mapping else None
        return reviews(ledger, ReviewFilter(numbers, name, record_ids(record), field, declined))


def _decision(verdict: Review, name: str, told: str, *, of: Review | None = None) -> click.Command:
    def decided(
        project: Project,
        as_json: bool,
        numbers: tuple[int, ...],
        mapping: str | None,
        record: str | None,
        field: str | None,
        everything: bool,
    ) -> None:
        if not (numbers or mapping or record or field or everything):
            raise click.UsageError("Name pairs by number or by an option, or give --all.")
        found = [] if of is Review.DECLINED else _found(project, numbers, mapping, record, field)
        if of is not Review.OPEN:
            found += _found(project, numbers, mapping, record, field, declined=True)
        unknown = sorted(set(numbers) - {each.id for each in found})
        if unknown:
            raise FatalError(
                f"No pair {', '.join(map(str, unknown))} is there to {name}; `sweo-sync review` "
                "lists those that wait, `review --declined` the others."
            )
        with project.ledger() as ledger:
            count = decide(ledger, found, verdict)
        if as_json:
            emit({"pairs": count, "review": verdict})
            return
        plural = "" if count == 1 else "s"
        click.echo(
            f"{count:,} pair{plural} {_SAID[verdict]}." if count else "There is no such pair."
        )

    decided.__doc__ = told
    command = shared_options(decided)
    command = click.option("--all", "everything", is_flag=True, help="Every pair.")(command)
    command = click.argument("numbers", nargs=-1, type=int)(_filter_options(command))
    return click.command(name)(command)


for each in (
    _decision(
        Review.ACCEPTED,
        "accept",
        "Let pairs meet: Salesforce's values stand where two differ, and they sync from then on.",
    ),
    _decision(Review.DECLINED, "decline", "Leave pairs alone until `review ask`.", of=Review.OPEN),
    _decision(Review.OPEN, "ask", "Ask about declined pairs again.", of=Review.DECLINED),
):
    review.add_command(each)
