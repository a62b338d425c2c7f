"""What somebody changed on the side that only receives a field. A full check looks for it.

Here X is the receiving side: its records show what it holds of the fields that flow to it only.
What was last written there stands in the ledger, as a hash.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping as MappingOf, Sequence
from typing import Final

from crosswalk.ledger import Link
from crosswalk.ledger.clock import seconds_of
from crosswalk.ledger.commit import Commit, RevisitRow
from crosswalk.mapping import Field, Mapping
from crosswalk.values import Canonical
from crosswalk.wire import HELD, SOURCE

from singer_runtime.context import RunContext
from singer_runtime.incoming import Record
from singer_runtime.rules import DRIFTED

REASON: Final = "drifted"


class Drift:
    """The drift of one stream: counted, told, and put back where the field is enforced."""

    def __init__(self, run: RunContext, mapping: Mapping) -> None:
        self.run = run
        self.mapping = mapping
        self._fields = {field.on(run.x): field for field in mapping.held_on(run.x)}
        self._numbers: dict[str, list[str]] = defaultdict(list)
        for row in run.ledger.field_rows(mapping.name):
            for name, field in self._fields.items():
                if (row.salesforce, row.sweo, row.direction) == (
                    field.salesforce,
                    field.sweo,
                    field.direction.value,
                ):
                    self._numbers[name].append(str(row.number))
        self._left: Counter[str] = Counter()

    def look(self, records: Sequence[Record]) -> None:
        """Take what X holds out of the records, and compare it with what was written there.

        An enforced field's owner is called for by the revisit list: the other pipeline writes
        its value again.
        """
        run = self.run
        seen = {
            record[SOURCE]["id"]: (record.pop(HELD), record[SOURCE]["modified_at"])
            for record in records
            if HELD in record
        }
        if not seen:
            return
        doubts = run.ledger.open_intents(self.mapping.name)
        batch = Commit(run.direction, self.mapping.name, run.run_id)
        for record_id, link in run.ledger.links(self.mapping.name, run.x, list(seen)).items():
            held, modified_at = seen[record_id]
            written = link.written[run.x]
            if link.id in doubts or (written and seconds_of(modified_at) < seconds_of(written)):
                continue  # our own write is under way, or younger than this reading
            drifted = self._drifted(link, held)
            run.counts.drifted += len(drifted)
            enforced = {number: field for number, field in drifted.items() if field.enforce}
            self._left.update(f.on(run.x) for f in drifted.values() if not f.enforce)
            if enforced:
                link.base[run.y].update(dict.fromkeys(enforced, DRIFTED))
                batch.links.append(link)
                batch.revisits.append(
                    RevisitRow(run.opposite, self.mapping.name, link.id_on(run.y), REASON)
                )
        run.writer.commit(batch)

    def _drifted(self, link: Link, held: MappingOf[str, Canonical]) -> dict[str, Field]:
        """By the field's number: what is not as it was written."""
        base, found = link.base[self.run.x], dict[str, Field]()
        for name, value in held.items():
            number = next((n for n in reversed(self._numbers.get(name, ())) if n in base), None)
            if number is not None and base[number] != self.run.hashes.of_value(value):
                found[number] = self._fields[name]
        return found

    def tell(self) -> None:
        """Say, once a stream, what has drifted and stays."""
        if self._left:
            named = ", ".join(f"{name} ({count:,})" for name, count in sorted(self._left.items()))
            self.run.log(
                f"{self.mapping.name}: somebody changed these in {self.run.x.value.capitalize()}, "
                f"which only receives them: {named}; `enforce: true` puts them back."
            )
