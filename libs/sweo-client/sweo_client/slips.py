"""Slips of the pen in attribute names: an attribute that is made by mistake stays for ever."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def slip_of(name: str, existing: Iterable[str]) -> str | None:
    """An existing name that ``name``, which does not exist, may be a slip of.

    At most two edits away, and a third of the name: else every name of three letters would be
    near. Case does not count.
    """
    allowed = min(2, len(name) // 3)
    folded = name.casefold()
    near = [other for other in existing if 0 <= edits(folded, other.casefold(), allowed) <= allowed]
    best = difflib.get_close_matches(name, near, n=1, cutoff=0.0)
    return best[0] if best else None


def edits(one: str, other: str, allowed: int) -> int:
    """Insertions, deletions, replacements between two words; -1 where more than ``allowed``."""
    if abs(len(one) - len(other)) > allowed:
        return -1
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1] if row[-1] <= allowed else -1
