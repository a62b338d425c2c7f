"""Every value that a field ever held, who put it there, and whether any was lost.

Each value a person writes is unique, so that a lost or an invented value can be told from the
history alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
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
    sent: dict[str, list[int]] = field(default_factory=dict)
    """By Sweo id, the steps at which a write of the sync changed it."""
    modified: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By Salesforce id, (step, second) of every change of the row's LastModifiedDate."""
    step: int = 0

    def observe(self, side: str, record_id: str, values: dict[str, Any], author: str) -> bool:
        """Note what the fields hold; whether any of them is new."""
        new = False
        for name, value in values.items():
            line = self.held.setdefault((side, record_id, name), [])
            if not line or line[-1].value != value:
                line.append(Held(value, author, self.step))
                new = True
        return new

    def observe_time(self, record_id: str, second: int) -> None:
        line = self.modified.setdefault(record_id, [])
        if not line or line[-1][1] != second:
            line.append((self.step, second))

    def reached(self, side: str, record_id: str, name: str, value: Any) -> bool:
        return any(held.value == value for held in self.held.get((side, record_id, name), []))

    def overwritten_by_sync(self, key: Key) -> list[Held]:
        """Values of persons that a write of the sync ended."""
        line = self.held.get(key, [])
        return [
            former
            for former, later in pairwise(line)
            if former.author == PERSON
            and later.author == SYNC
            and not self._in_window(key, former, later)
        ]

    def _in_window(self, key: Key, edit: Held, write: Held) -> bool:
        """Whether the edit landed between the last reading by id and the write behind it.

        No API of Sweo can close this window. Salesforce closes it to a second: an edit in the
        very second of the change that was read does not show. The promise names both.
        """
        before = [step for step in self.reads.get(key[1], []) if step < write.step]
        if not before or before[-1] >= edit.step:
            return False
        if key[0] == "sweo":
            # What was sent once may not be sent again over an edit that came behind it.
            return not any(before[-1] < step < edit.step for step in self.sent.get(key[1], []))
        changes = self.modified.get(key[1], [])
        read = [second for step, second in changes if step <= before[-1]]
        since = [second for step, second in changes if before[-1] < step < write.step]
        return not any(second != read[-1] for second in since)

    def invented(self, key: Key, twin: Key) -> list[Any]:
        """Values that the sync wrote and no person ever put on the other side."""
        persons = {held.value for held in self.held.get(twin, [])}
        return [
            held.value
            for held in self.held.get(key, [])
            if held.author == SYNC and held.value is not None and held.value not in persons
        ]

    def erased(self, key: Key, twin: Key) -> list[Any]:
        """Values of persons that the sync emptied although the other side never held any."""
        return [
            former.value
            for former, later in pairwise(self.held.get(key, []))
            if former.author == PERSON
            and later.author == SYNC
            and later.value is None
            and all(
                held.value is None for held in self.held.get(twin, []) if held.step <= later.step
            )
        ]

    def reverted(self, key: Key) -> list[tuple[Any, Any]]:
        """A person's value that the sync replaced by the very value the person had replaced.

        That value had come from the other side and nobody touched it there since (no value is
        written twice), so no policy can ask for it again. Pairs of (the person's, the sync's).
        """
        line = self.held.get(key, [])
        found = []
        for place in range(2, len(line)):
            former, mine, back = line[place - 2 : place + 1]
            # Who puts back the value before is not told from who never saw the write.
            put_back = place > 2 and line[place - 3].value == mine.value
            if (
                mine.author == PERSON
                and back.author == SYNC
                and back.value is not None
                and back.value == former.value
                and not put_back
            ):
                found.append((mine.value, back.value))
        return found
