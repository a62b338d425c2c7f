"""What to seed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """How much to make. The same plan gives the same data, apart from ids and the present."""

    accounts: int
    contacts: int
    random_seed: int = 1
