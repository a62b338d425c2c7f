"""What may befall one world: drawn from the seed, printed when a life fails."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

FAULTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "salesforce answer lost": ("salesforce", "reset_after", {}),
    "salesforce request lost": ("salesforce", "reset_before", {}),
    "salesforce 503": ("salesforce", "status", {"status": 503}),
    "salesforce 401": ("salesforce", "status", {"status": 401}),
    "salesforce partial": ("salesforce", "partial_success", {}),
    "salesforce row locked": ("salesforce", "UNABLE_TO_LOCK_ROW", {}),
    "salesforce truncated": ("salesforce", "truncate", {}),
    "sweo answer lost": ("sweo", "reset_after", {}),
    "sweo request lost": ("sweo", "reset_before", {}),
    "sweo 429": ("sweo", "status", {"status": 429}),
    "sweo 500": ("sweo", "status", {"status": 500}),
    "sweo 503": ("sweo", "status", {"status": 503}),
    "sweo truncated": ("sweo", "truncate", {}),
}
"""By name: the side, the fault desk's kind, and what else the order says."""

LAG_SECONDS = 150


@dataclass
class Plan:
    """Probabilities are per call unless they say otherwise.

    ``edit`` is a person's edit before, and another after, each call. ``slow`` lets a call take
    minutes, so that a run outlasts the overlap of its reads. ``overlap`` starts a run of the
    other direction inside this one, ``second`` one of the same direction, which the lease must
    turn away. ``tap_killed`` is the share of crashes in a tap that leave the target alive.
    ``old_state`` is per run: STATE is gone, or an older one is used. ``refused`` is the share
    of a Sweo field's values that Salesforce cannot take. ``deletes`` is the share of deeds that
    delete a contact on one side. ``limits`` counts a run's writes before its first one, as
    outside of a sandbox environment. ``ticks`` are the seconds that pass before and behind a
    call; whole ones make equal timestamps.
    """

    records: int = 4
    runs: int = 8
    edit: float = 0.15
    crash_at_call: float = 0.01
    crash_at_commit: float = 0.01
    crash_at_state: float = 0.02
    tap_killed: float = 0.5
    overlap: float = 0.03
    second: float = 0.0
    slow: float = 0.0
    old_state: float = 0.0
    refused: float = 0.0
    moves: float = 0.0
    deletes: float = 0.0
    creates: bool = False
    limits: bool = True
    ticks: tuple[float, ...] = (0.01, 0.2, 1.1)
    faults: dict[str, float] = field(default_factory=dict)
    index_lag_seconds: int = 0
    overlap_minutes: int = 10
    skew_seconds: int = 0
    policies: tuple[str, str] = ("salesforce", "newest")

    @classmethod
    def drawn(cls, chance: random.Random) -> Plan:
        """A plan that exercises a few kinds of trouble at once."""
        faults = {}
        for kind in FAULTS:
            if chance.random() < 0.4:
                faults[kind] = chance.choice((0.01, 0.03, 0.08))
        policies = ("salesforce", "sweo", "newest")
        lag = chance.choice((0, 0, LAG_SECONDS))
        return cls(
            records=chance.choice((1, 2, 4)),
            edit=chance.choice((0.05, 0.15, 0.4)),
            crash_at_call=chance.choice((0.0, 0.02, 0.05)),
            crash_at_commit=chance.choice((0.0, 0.02, 0.05)),
            crash_at_state=chance.choice((0.0, 0.1)),
            overlap=chance.choice((0.0, 0.05)),
            second=chance.choice((0.0, 0.0, 0.03)),
            slow=chance.choice((0.0, 0.0, 0.05)),
            old_state=chance.choice((0.0, 0.0, 0.1)),
            refused=chance.choice((0.0, 0.0, 0.15)),
            moves=chance.choice((0.0, 0.2)),
            deletes=chance.choice((0.0, 0.0, 0.03)),
            creates=chance.random() < 0.4,
            limits=chance.random() < 0.5,
            ticks=chance.choice(((0.01, 0.2, 1.1), (0.0, 0.0, 1.0))),
            faults=faults,
            index_lag_seconds=lag,
            overlap_minutes=10 if lag else chance.choice((10, 0, 0)),
            skew_seconds=chance.choice((0, 0, 30, -30)),
            policies=(chance.choice(policies), chance.choice(policies)),
        )
