"""The demo's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crosswalk.ledger.listings import ConflictReport
from crosswalk.ledger.report import MappingReport
from crosswalk.mapping import Side
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.rounds import Leg
from demo.scenes import Ending, Scene

NAMES = {Side.SALESFORCE: "Salesforce", Side.SWEO: "Sweo"}


def _table(title: str, *columns: str, numbers: Sequence[str] = ()) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, title_style="bold", title_justify="left")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column == columns[0] and bool(numbers),
        )
    return table


def round_table(title: str, legs: Sequence[Leg]) -> Table:
    """What both pipelines did in one round."""
    numbers = (
        "records\nread",
        "pairs\nlinked",
        "records\nmade",
        "fields\nmoved",
        "conflicts",
        "calls to\nSalesforce",
        "calls\nto Sweo",
        "of these\nwrites",
        "seconds",
    )
    table = _table(title, "pipeline", *numbers, numbers=numbers)
    for leg in legs:
        table.add_row(
            leg.job,
            *(_number(leg.count(n)) for n in ("read", "linked", "created", "fields", "conflicts")),
            _number(leg.calls["salesforce"]["total"]),
            _number(leg.calls["sweo"]["total"]),
            _number(leg.writes),
            f"{leg.seconds:.0f}",
        )
    return table


def left_aside(console: Console, legs: Iterable[Leg]) -> None:
    """Say what a round did not write, and why."""
    words = {
        "quarantined": "could not be written (quarantine)",
        "duplicates": "share a match value with another record",
        "without_key": "have no match value",
    }
    for leg in legs:
        parts = [f"{leg.count(name):,} {text}" for name, text in words.items() if leg.count(name)]
        if parts:
            console.print(f"  [dim]{leg.job}: left aside, {'; '.join(parts)}.[/dim]")


def scenes_table(scenes: Sequence[Scene]) -> Table:
    """What people edit."""
    table = _table("Meanwhile, people work", "what happens", "record", "in Salesforce", "in Sweo")
    for scene in scenes:
        table.add_row(
            scene.title,
            escape(scene.pair.name),
            _edits(scene.in_salesforce),
            _edits(scene.in_sweo),
        )
    table.add_row("A customer signs", "Brightwater", "new account and contact", "[dim]-[/dim]")
    return table


def endings_table(endings: Sequence[Ending], *, arrived: bool) -> Table:
    """What became of the edits, as both APIs answer now."""
    table = _table(
        "What became of it", "", "record", "field", "Salesforce now", "Sweo now", "because"
    )
    for ending in endings:
        table.add_row(
            _mark(right=ending.right),
            escape(ending.scene.pair.name),
            ending.field,
            _shown(ending.salesforce),
            _shown(ending.sweo),
            ending.scene.rule,
        )
    there = "made once, with its contact" if arrived else "not there"
    table.add_row(
        _mark(right=arrived), "Brightwater", "", "signed", there, escape("create: [sweo]")
    )
    return table


def conflicts_table(conflicts: Sequence[ConflictReport]) -> Table:
    """Who won, and which value was kept for a restore."""
    table = _table("Conflicts", "field", "before", "in Salesforce", "in Sweo", "won")
    for each in conflicts:
        table.add_row(
            f"{each.mapping}.{each.fields[Side.SALESFORCE]}",
            _shown(each.base.get(Side.SALESFORCE)),
            _shown(each.values[Side.SALESFORCE]),
            _shown(each.values[Side.SWEO]),
            NAMES[each.winner] if each.winner else "open",
        )
    return table


def pairs_table(mappings: Sequence[MappingReport]) -> Table:
    """How each mapping stands at the end."""
    numbers = (
        "pairs",
        "waiting in\nSalesforce",
        "waiting\nin Sweo",
        "in\nquarantine",
        "open\nconflicts",
    )
    table = _table("Where it stands", "mapping", *numbers, numbers=numbers)
    for each in mappings:
        table.add_row(
            each.mapping,
            f"{each.pairs:,}",
            _number(each.waiting[Side.SALESFORCE]),
            _number(each.waiting[Side.SWEO]),
            _number(each.quarantined),
            _number(each.open_conflicts),
        )
    return table


def _edits(values: dict[str, object]) -> str:
    return "\n".join(f"{name} = {_shown(v)}" for name, v in values.items()) or "[dim]-[/dim]"


def _shown(value: object) -> str:
    if value is None:
        return "[dim](empty)[/dim]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return escape(str(value))


def _mark(*, right: bool) -> str:
    return "[green]✓[/green]" if right else "[red]✗[/red]"


def _number(count: int) -> str:
    return f"{count:,}" if count else "[dim]0[/dim]"
