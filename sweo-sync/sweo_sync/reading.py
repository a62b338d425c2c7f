"""Looking things up: `log`, `quarantine`, `conflicts`, `links`."""

from __future__ import annotations

import click
from crosswalk.ledger.clock import parse_stamp
from crosswalk.ledger.listings import (
    ChangeFilter,
    ConflictReport,
    PairReport,
    changes,
    conflicts as conflicts_of,
    pairs_of,
    quarantine as quarantine_of,
)
from crosswalk.mapping import Direction, Side

from sweo_sync.options import shared_options, since
from sweo_sync.project import Project, record_ids
from sweo_sync.show import (
    SIDE_NAMES,
    console,
    duration_text,
    emit,
    table,
    time_text,
    value_text,
)


@click.command()
@click.option("--mapping", help="Changes of this mapping only.")
@click.option("--record", metavar="ID", help="Changes of one record, by its id on either side.")
@click.option("--field", help="Changes of one field, by its name on either side.")
@click.option("--run", metavar="ID", help="Changes that one run made.")
@click.option("--since", "age", metavar="TIME", help="Such as 30m, 2h, 3d or 2026-01-31T08:00.")
@click.option("--outcome", help="Such as written, created or 'won a conflict'.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
@shared_options
def log(
    *,
    project: Project,
    as_json: bool,
    mapping: str | None,
    record: str | None,
    field: str | None,
    run: str | None,
    age: str | None,
    outcome: str | None,
    limit: int,
) -> None:
    """Who changed what, from what, to what: the newest first. Shows values.

    "by" is the side that the value came from, "in" the one that was written. The number in the
    first column is what `restore` takes.
    """
    with project.ledger() as ledger:
        wanted = ChangeFilter(
            mapping=project.known(ledger, mapping) if mapping else None,
            record=record_ids(record),
            field=field,
            run=run,
            since=since(age, ledger.clock()),
            outcome=outcome,
            limit=limit,
        )
        found = changes(ledger, wanted)
    if as_json:
        emit(found)
        return
    table(
        "Changes",
        (
            "change",
            "at (UTC)",
            "run",
            "mapping",
            "record",
            "by",
            "in",
            "field",
            "from",
            "to",
            "outcome",
        ),
        [
            (
                str(each.id),
                time_text(each.at),
                each.run_id,
                each.mapping,
                each.salesforce_id if each.side is Side.SALESFORCE else each.sweo_id,
                SIDE_NAMES[each.side.other],
                SIDE_NAMES[each.side],
                each.field,
                value_text(each.old),
                value_text(each.new),
                each.outcome,
            )
            for each in found
        ],
    )
    if len(found) == limit:
        console().print(f"The newest {limit:,}; --limit shows more.")


@click.command()
@click.option("--mapping", help="This mapping only.")
@click.option("--record", metavar="ID", help="One record, by its id on either side.")
@shared_options
def quarantine(project: Project, as_json: bool, mapping: str | None, record: str | None) -> None:
    """What could not be written: the code, why, what to do, and when it is tried next.

    Everything here is tried again by itself; a row disappears once its record goes through.
    """
    with project.ledger() as ledger:
        name = project.known(ledger, mapping) if mapping else None
        found = quarantine_of(ledger, name, record_ids(record))
        now = ledger.clock()
    if as_json:
        emit(found)
        return
    if not found:
        console().print("Nothing is in quarantine.")
        return
    table(
        "Quarantine",
        ("mapping", "record", "not in", "field", "code", "why", "what to do", "tries", "next"),
        [
            (
                each.mapping,
                each.source_id,
                "Sweo" if each.direction == "to_sweo" else "Salesforce",
                each.field or "(record)",
                each.code,
                each.message,
                each.remedy,
                each.tries,
                _until((parse_stamp(each.next_at) - now).total_seconds()),
            )
            for each in found
        ],
    )


def _until(seconds: float) -> str:
    return "next run" if seconds <= 0 else f"in {duration_text(seconds)}"


@click.command()
@click.option("--all", "settled", is_flag=True, help="Settled ones too, as long as they are kept.")
@click.option("--record", metavar="ID", help="One record, by its id on either side.")
@shared_options
def conflicts(project: Project, as_json: bool, settled: bool, record: str | None) -> None:
    """Fields that were edited on both sides: what was agreed, both values, both times. Shows
    values.

    `open` waits for `sweo-sync resolve`; `decided` is written by the next run.
    """
    with project.ledger() as ledger:
        found = conflicts_of(ledger, settled=settled, record=record_ids(record))
    if as_json:
        emit(found)
        return
    if not found:
        console().print("No conflict stands." if not settled else "There were no conflicts.")
        return
    for each in found:
        _print_conflict(each)
    open_ones = [each.id for each in found if each.status == "open"]
    if open_ones:
        console().print(f"Decide with: sweo-sync resolve {open_ones[0]} --take salesforce")


def _print_conflict(each: ConflictReport) -> None:
    table(
        f"Conflict {each.id}, {each.mapping}: {_verdict(each)}",
        ("side", "record", "field", "agreed before", "value", "edited (UTC)", "by"),
        [
            (
                SIDE_NAMES[side],
                each.salesforce_id if side is Side.SALESFORCE else each.sweo_id,
                each.fields[side],
                value_text(each.base[side]),
                value_text(each.values[side]),
                time_text(each.edited_at[side]),
                each.edited_by[side],
            )
            for side in Side
        ],
    )


def _verdict(each: ConflictReport) -> str:
    if each.value is not None:
        return f"{each.status}: {value_text(each.value.get('value'))} ({each.reason})"
    if each.winner:
        return f"{each.status}: {SIDE_NAMES[each.winner]} ({each.reason})"
    return f"{each.status} ({each.reason})"


@click.command()
@click.option("--record", metavar="ID", required=True, help="Its id on either side.")
@shared_options
def links(project: Project, as_json: bool, record: str) -> None:
    """How a pair stands: its two ids, what was agreed on each field, what is open. Shows values.

    Of a field that flows one way the ledger keeps a hash only.
    """
    ids = record_ids(record)
    with project.ledger() as ledger:
        pairs = pairs_of(ledger, ids)
        stuck = quarantine_of(ledger, record=ids)
        disputes = conflicts_of(ledger, record=ids)
    if as_json:
        shown = [_pair_for_machines(pair) for pair in pairs]
        emit({"pairs": shown, "conflicts": disputes, "quarantine": stuck})
        return
    if not pairs:
        console().print(f"The ledger knows no pair of the record {record}.")
    for pair in pairs:
        _print_pair(pair)
    for each in disputes:
        console().print(f"{each.fields[Side.SALESFORCE]} stands in conflict {each.id}.")
    for row in stuck:
        console().print(f"In quarantine: {row.field or 'the record'}: {row.code}: {row.message}")


def _pair_for_machines(pair: PairReport) -> dict[str, object]:
    link = pair.link
    return {
        "mapping": link.mapping,
        "salesforce_id": link.salesforce_id,
        "sweo_id": link.sweo_id,
        "linked_at": pair.linked_at,
        "ended": link.closed,
        "fields": pair.standings,
    }


def _print_pair(pair: PairReport) -> None:
    link = pair.link
    ended = f", ended: {link.closed}" if link.closed else ""
    table(
        f"{link.mapping}: Salesforce {link.salesforce_id}, Sweo {link.sweo_id}, linked "
        f"{time_text(pair.linked_at)}{ended}",
        ("Salesforce field", "Sweo field", "flows", "agreed in Salesforce", "agreed in Sweo"),
        [
            (
                each.fields[Side.SALESFORCE],
                each.fields[Side.SWEO],
                each.direction.value.replace("_", " "),
                *(
                    value_text(each.agreed[side]) if each.direction is Direction.BOTH else "(hash)"
                    for side in Side
                ),
            )
            for each in pair.standings
        ],
    )
