"""What one run of a target carries through all its streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING

from crosswalk.ledger import Ledger, direction_to
from crosswalk.ledger.commit import Writer
from crosswalk.ledger.hashing import KeyedHash
from crosswalk.ledger.runs import living_holder
from crosswalk.mapping import Config, Side

from singer_runtime.destination import Destination

if TYPE_CHECKING:
    from singer_runtime.limits import Limits


@dataclass(slots=True)
class Counts:
    """What a run came to; ``run.counts`` in the ledger has these names."""

    read: int = 0
    unchanged: int = 0
    linked: int = 0
    created: int = 0
    updated: int = 0
    fields: int = 0
    agreed: int = 0
    attached: int = 0
    conflicts: int = 0
    held: int = 0
    yielded: int = 0
    replaced: int = 0
    quarantined: int = 0
    waiting: int = 0
    left_out: int = 0
    under_review: int = 0
    duplicates: int = 0
    without_key: int = 0
    unlinked: int = 0
    converted: int = 0
    events: int = 0
    events_left_out: int = 0
    merged: int = 0
    deferred: int = 0
    recovered: int = 0
    drifted: int = 0
    put_back: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts that are not zero."""
        named = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: count for name, count in named.items() if count}


@dataclass
class RunContext:
    """One run: where it writes, what it remembers, and how far it has come.

    ``importing`` is True in an initial import, where ``create: import`` counts as always.
    ``limits`` is None where nothing limits a run (sandbox, or approved by a person).
    ``guarded`` asks for conditional writes where two-way fields are written.
    """

    ledger: Ledger
    destination: Destination
    config: Config
    run_id: str
    importing: bool = False
    guarded: bool = True
    limits: Limits | None = None
    log: Callable[[str], None] = print
    counts: Counts = field(default_factory=Counts)

    @cached_property
    def writer(self) -> Writer:
        """The right to write to the ledger."""
        return Writer(self.ledger)

    @cached_property
    def hashes(self) -> KeyedHash:
        """Hashes under this ledger's key."""
        return KeyedHash(self.ledger.remembered("hash_key") or "")

    @property
    def y(self) -> Side:
        """The side that is written to."""
        return self.destination.side

    @property
    def x(self) -> Side:
        """The side that records come from."""
        return self.destination.side.other

    @property
    def direction(self) -> str:
        """This pipeline's name in the ledger."""
        return direction_to(self.y)

    @property
    def opposite(self) -> str:
        """The other pipeline's name in the ledger."""
        return direction_to(self.x)

    def is_running(self, run_id: str) -> bool:
        """Whether the run of that id is at work now, here or elsewhere."""
        if run_id == self.run_id:
            return True
        holder = living_holder(self.ledger, self.opposite)
        return holder is not None and holder.run_id == run_id
