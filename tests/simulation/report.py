"""What a thousand lives came to: per fault how often it struck, and what the runs made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from simulation.lives import Life

SHOWN = ("recovered", "deferred", "conflicts", "quarantined", "unlinked", "created")


def tables(lives: Sequence[Life]) -> list[Table]:
    """Per kind of trouble: strokes, lives, and the outcomes in the lives that it struck."""
    kinds = sorted({name for life in lives for name in life.struck if not name.startswith("run ")})
    trouble = Table("what struck", "times", "lives", "runs that failed and were repeated", *SHOWN)
    for kind in kinds:
        here = [life for life in lives if life.struck[kind]]
        led_to: Counter[str] = sum((life.led_to for life in here), Counter())
        trouble.add_row(
            kind,
            f"{sum(life.struck[kind] for life in here):,}",
            f"{len(here):,}",
            f"{sum(_unfinished(life) for life in here):,}",
            *(f"{led_to[name]:,}" for name in SHOWN),
            end_section=kind == kinds[-1],
        )
    everything: Counter[str] = sum((life.led_to for life in lives), Counter())
    trouble.add_row(
        "all lives",
        f"{sum(sum(life.struck[kind] for kind in kinds) for life in lives):,}",
        f"{len(lives):,}",
        f"{sum(_unfinished(life) for life in lives):,}",
        *(f"{everything[name]:,}" for name in SHOWN),
    )
    ends = Table("how runs ended", "times")
    ended: Counter[str] = sum((life.struck for life in lives), Counter())
    for name, times in sorted(ended.items()):
        if name.startswith("run "):
            ends.add_row(name.removeprefix("run "), f"{times:,}")
    return [trouble, ends]


def _unfinished(life: Life) -> int:
    return sum(
        times
        for name, times in life.struck.items()
        if name.startswith("run ") and name != "run finished"
    )
