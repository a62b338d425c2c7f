"""What one look came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from crosswalk.errors import SyncError


class Level(str, Enum):
    """How bad it is. ``SKIPPED`` could not be looked at, because of what another check found."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and the one thing to do about it.

    ``paste`` are lines for ``meltano.yml``. ``examples`` are ids, never values.
    """

    check: str
    level: Level
    found: str
    todo: str | None = None
    mapping: str | None = None
    paste: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class UnavailableError(SyncError):
    """What a check needs could not be had, for a reason that another check reports."""


def cause_of(findings: Sequence[Finding]) -> Finding | None:
    """What to see to first: the first failure, else the first warning. Checks stand in an order in
    which an earlier trouble explains later ones.
    """
    for level in (Level.FAILURE, Level.WARNING):
        found = next((finding for finding in findings if finding.level is level), None)
        if found is not None:
            return found
    return None


def exit_code_of(findings: list[Finding]) -> int:
    """0 fine, 1 warnings, 2 failures."""
    levels = {finding.level for finding in findings}
    if Level.FAILURE in levels:
        return 2
    return 1 if Level.WARNING in levels else 0
