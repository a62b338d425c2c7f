"""No run changes more than it may: what a stream would write is counted before its first write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from crosswalk.errors import FatalError
from crosswalk.ledger import Link
from crosswalk.merge import ABSENT

from singer_runtime.incoming import Incoming
from singer_runtime.rules import RuleBook

_EXAMPLES = 5


class TooMuchError(FatalError):
    """A run would change more than it may; a person has to approve it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many records a run may write in one mapping, and how many writes may empty a field."""

    max_writes: int
    max_clears: int


@dataclass
class Gate:
    """Holds back everything that differs until the stream has ended and is within its limits.

    Holding costs memory for as many records as may be written, and no more: the record that
    exceeds a limit ends the run.
    """

    limits: Limits
    book: RuleBook
    held: list[Incoming] = field(default_factory=list)
    writes: int = 0
    clears: int = 0
    examples: list[str] = field(default_factory=list)

    def hold(self, todo: Iterable[Incoming], links: dict[str, Link]) -> None:
        """Count what these records would write, and keep them.

        Raises:
            TooMuchError: with the count, examples by record and field, and the way on.
        """
        for each in todo:
            fields = self._fields_to_write(each, links.get(each.id))
            if fields:
                self.writes += 1
                if len(self.examples) < _EXAMPLES:
                    self.examples.append(f"{each.id} ({', '.join(fields)})")
            self.held.append(each)
        run, name = self.book.run, self.book.mapping.name
        if self.writes > self.limits.max_writes:
            self._stop(f"write at least {self.writes:,} records", "max_writes", run.run_id, name)
        if self.clears > self.limits.max_clears:
            self._stop(f"empty at least {self.clears:,} fields", "max_clears", run.run_id, name)

    def _fields_to_write(self, each: Incoming, link: Link | None) -> list[str]:
        if link is None:
            return ["new"] if self.book.may_create else []
        base = link.base[self.book.run.x]
        changed = [
            rule
            for rule in self.book.rules
            if rule.name in each.values and self.book.differs(rule, each.values[rule.name], base)
        ]
        self.clears += sum(
            each.values[rule.name] is None and self.book.base_x(rule, base) is not ABSENT
            for rule in changed
        )
        return [rule.name for rule in changed]

    def _stop(self, what: str, setting: str, run_id: str, mapping: str) -> None:
        raise TooMuchError(
            f"This run would {what} of {mapping} on the {self.book.run.y.value} side, more than "
            f"{setting} allows; nothing of {mapping} was written. Examples: "
            f"{'; '.join(self.examples)}. If that is right, run `sweo-sync approve {run_id}` "
            "and run again."
        )

    def take(self, size: int) -> Iterable[Sequence[Incoming]]:
        """What was held, in batches."""
        held, self.held = self.held, []
        for start in range(0, len(held), size):
            yield held[start : start + size]
