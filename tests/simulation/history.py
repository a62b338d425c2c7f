"""Every value that a field ever held, who put it there, and whether any was lost.

Each value a person writes is unique, so that a lost or an invented value can be told from the
history alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PERSON, SYNC = "person", "sync"

Key = tuple[str, str, str]
"""side, record id, field."""


@dataclass(frozen=True)
class Held:
    """A value, who wrote it, and at which step of the simulation."""

    value: Any
    author: str
    step: int


@dataclass
class History:
    """What each field held, in order."""

    held: dict[Key, list[Held]] = field(default_factory=dict)
    reads: dict[str, list[int]] = field(default_factory=dict)
    """By record id, the steps at which the pipeline that writes it read it by id."""
    step: int = 0

    def observe(self, side: str, record_id: str, values: dict[str, Any], author: str) -> None:
        for name, value in values.items():
            line = self.held.setdefault((side, record_id, name), [])
            if not line or line[-1].value != value:
                line.append(Held(value, author, self.step))

    def reached(self, side: str, record_id: str, name: str, value: Any) -> bool:
        return any(held.value == value for held in self.held.get((side, record_id, name), []))

    def overwritten_by_sync(self, key: Key) -> list[Held]:
        """Values of persons that a write of the sync ended."""
        line = self.held.get(key, [])
        return [
            former
            for former, later in zip(line, line[1:], strict=False)
            if former.author == PERSON
            and later.author == SYNC
            and not self._in_window(key[1], former, later)
        ]

    def _in_window(self, record_id: str, edit: Held, write: Held) -> bool:
        """Whether the edit landed between the last reading by id and the write behind it.

        No API of Sweo can close this window; the promise names it.
        """
        before = [step for step in self.reads.get(record_id, []) if step < write.step]
        return bool(before) and before[-1] < edit.step

    def invented(self, key: Key, twin: Key) -> list[Any]:
        """Values that the sync wrote and no person ever put on the other side."""
        persons = {held.value for held in self.held.get(twin, [])}
        return [
            held.value
            for held in self.held.get(key, [])
            if held.author == SYNC and held.value is not None and held.value not in persons
        ]
