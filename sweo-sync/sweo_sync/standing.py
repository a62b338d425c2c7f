"""How the sync stands: `status`."""

from __future__ import annotations

import click
from crosswalk.ledger.clock import parse_stamp
from crosswalk.ledger.disconnecting import how_to_connect
from crosswalk.ledger.report import DirectionReport, RunReport, StatusReport, status as status_of
from crosswalk.mapping import Side

from sweo_sync.options import shared_options
from sweo_sync.project import Project
from sweo_sync.show import DIRECTION_NAMES, age_text, console, emit, plain, table, time_text


@click.command()
@shared_options
def status(project: Project, as_json: bool) -> None:
    """How things stand: last runs, lag, pairs, and everything owed, held or open.

    Lag is the age of the last run that finished. "owed" counts records that the next run reads
    again whatever their timestamps say; "waiting" those whose other half was not seen yet.
    """
    with project.ledger() as ledger:
        report = status_of(ledger, project.declared)
        disconnected = how_to_connect(ledger)
    if as_json:
        emit(_for_machines(report))
        return
    _print_directions(report)
    _print_mappings(report)
    for line in _advice(report, disconnected):
        console().print(line, soft_wrap=True)


def _for_machines(report: StatusReport) -> dict[str, object]:
    now = parse_stamp(report.at)
    shown: dict[str, object] = plain(report)
    shown["directions"] = [
        {
            **plain(each),
            "lag_seconds": (
                (now - parse_stamp(each.finished.ended_at)).total_seconds()
                if each.finished and each.finished.ended_at
                else None
            ),
        }
        for each in report.directions
    ]
    return shown


def _print_directions(report: StatusReport) -> None:
    now = parse_stamp(report.at)
    table(
        "Runs",
        ("direction", "last run", "started (UTC)", "outcome", "lag", "did", "calls", "owed"),
        [
            (
                DIRECTION_NAMES[each.direction],
                each.last.id if each.last else "none yet",
                time_text(each.last.started_at) if each.last else "",
                each.last.outcome if each.last else "",
                age_text(each.finished.ended_at if each.finished else None, now),
                _did(each.last),
                each.last.calls if each.last else None,
                _owed(each),
            )
            for each in report.directions
        ],
    )


def _did(run: RunReport | None) -> str:
    if run is None:
        return ""
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in run.counts.items())


def _owed(each: DirectionReport) -> str:
    later = f" (+{each.later:,} later)" if each.later else ""
    return f"{each.owed:,}{later}"


def _print_mappings(report: StatusReport) -> None:
    table(
        "Mappings",
        (
            "mapping",
            "pairs",
            "waiting: Salesforce",
            "Sweo",
            "quarantine",
            "conflicts: open",
            "decided",
            "paused since (UTC)",
        ),
        [
            (
                each.mapping,
                each.pairs,
                each.waiting[Side.SALESFORCE],
                each.waiting[Side.SWEO],
                each.quarantined,
                each.open_conflicts,
                each.decided_conflicts,
                time_text(each.paused_since or report.paused_since),
            )
            for each in report.mappings
        ],
    )


def _advice(report: StatusReport, disconnected: str | None) -> list[str]:
    lines = []
    for each in report.directions:
        if each.holder:
            lines.append(
                f"{DIRECTION_NAMES[each.direction]} runs now: run {each.holder.run_id}, process "
                f"{each.holder.pid} on {each.holder.host}, since {time_text(each.holder.since)}."
            )
        elif each.last and each.last.outcome == "killed":
            lines.append(
                f"{DIRECTION_NAMES[each.direction]}: run {each.last.id} ended without a word; the "
                "next run takes up what it left."
            )
    if any(each.quarantined for each in report.mappings):
        lines.append("`sweo-sync quarantine` tells what could not be written, and why.")
    if any(each.open_conflicts for each in report.mappings):
        lines.append("`sweo-sync conflicts` lists what waits for your decision.")
    if any(each.under_review for each in report.mappings):
        lines.append("`sweo-sync review` lists pairs that wait for your word before they meet.")
    if disconnected:
        lines.append(disconnected)
    elif report.paused_since:
        lines.append("Everything is paused; `sweo-sync resume` lets it go on.")
    return lines
