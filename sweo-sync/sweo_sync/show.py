"""What a person sees: tables, ages, values made safe for a terminal. Machines get JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Final

import click
import msgspec
from crosswalk.ledger.clock import parse_stamp
from crosswalk.ledger.erasure import ERASED, is_erased
from crosswalk.mapping import TASK_BYTES, Side
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

SIDE_NAMES: Final = {Side.SALESFORCE: "Salesforce", Side.SWEO: "Sweo"}
DIRECTION_NAMES: Final = {"to_sweo": "Salesforce to Sweo", "to_salesforce": "Sweo to Salesforce"}
_COUNT_WORDS: Final = {
    "created": "created",
    "linked": "linked",
    "updated": "records changed",
    "fields": "fields changed",
    "attached": "attached to their company",
    "converted": "leads became contacts",
    "merged": "people merged",
    "events": "events put on timelines",
    "unlinked": "links ended",
    "conflicts": "conflicts decided",
    "held": "held for a decision",
    "under_review": "pairs waiting for a word",
    "drifted": "changed where they are only received",
    "put_back": "put back",
    "quarantined": "refused",
    "waiting": "waiting for their other half",
    "left_out": "left out by a filter",
    "events_left_out": "events left out",
    "duplicates": "duplicates left out",
    "without_key": "without a match value",
    "deferred": "put off",
    "unchanged": "unchanged",
    "read": "read",
}
"""What the counts of a run are called, the weightiest first."""
_LONGEST_VALUE: Final = 60
_FOLDED: Final = frozenset(
    {
        *("from", "to", "value", "agreed before", "agreed in Salesforce", "agreed in Sweo"),
        *("why", "what to do", "note", "did", "outcome"),
    }
)
"""Columns of prose and values, which give way where a terminal is narrow; ids do not."""
_PIPE_COLUMNS: Final = 200
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def console() -> Console:
    """Standard output; a pipe has no width, so that nothing is cut there."""
    has_width = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(
        file=sys.stdout,
        width=None if has_width else _PIPE_COLUMNS,
        highlight=False,
        markup=False,
    )


def emit(value: object) -> None:
    """Print a value as JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(plain(value)), indent=2).decode())


def plain(value: object) -> Any:
    """Dataclasses, enums and what holds them as plain JSON values."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    return value


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers stand to the right, a cell is never read as markup."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    shown = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for place, name in enumerate(columns):
        numeric = any(cells) and all(_is_number(row[place]) for row in cells)
        shown.add_column(
            name,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=name not in _FOLDED,
        )
    for row in cells:
        shown.add_row(*row)
    console().print(shown)


def _cell(value: object) -> Text:
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    return Text("" if value is None else str(value))


def _is_number(cell: Text) -> bool:
    return cell.plain.replace(",", "").isdigit() or not cell.plain


def value_text(value: object) -> str:
    """A field's value on one line: cut where it is long, without characters that steer a
    terminal.
    """
    if value is None:
        return "(empty)"
    if is_erased(value):
        return ERASED
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    safe = "".join(c if c.isprintable() else "␣" for c in text)
    return safe if len(safe) <= _LONGEST_VALUE else safe[: _LONGEST_VALUE - 1] + "…"


def counts_text(counts: Mapping[str, int]) -> str:
    """The counts of a run that are not zero: ``1 created, 2 linked``."""
    named = [
        f"{counts[name]:,} {words}" for name, words in _COUNT_WORDS.items() if counts.get(name)
    ]
    return ", ".join(named)


def storage_text(tasks: int) -> str:
    """``1,200 Tasks (2.3 MB)``: what they take of the org's storage, also once archived."""
    return f"{tasks:,} Tasks ({tasks * TASK_BYTES / 1_048_576:,.1f} MB)"


def time_text(stamp: str | None) -> str:
    """A stamp in UTC to the second; empty where there is none."""
    if not stamp:
        return ""
    return parse_stamp(stamp).astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def age_text(stamp: str | None, now: datetime) -> str:
    """How long ago a stamp was, in its one or two largest units."""
    if not stamp:
        return "never"
    return duration_text((now - parse_stamp(stamp)).total_seconds())


def duration_text(seconds: float) -> str:
    """``3 min 20 s``, ``2 d 4 h``."""
    left = max(int(seconds), 0)
    parts: list[str] = []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
