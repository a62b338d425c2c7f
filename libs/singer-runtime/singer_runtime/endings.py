"""How links end: a deleted half, a merged record, a match value that changed."""

from __future__ import annotations

from contextlib import suppress

from crosswalk.ledger import Link, Quarantined
from crosswalk.ledger.commit import ChangeRow, Commit, RevisitRow
from crosswalk.mapping import OnDelete, OnRematch, Side
from crosswalk.values import Raw, Refused

from singer_runtime.context import RunContext
from singer_runtime.destination import Outcome, Result, Write
from singer_runtime.incoming import Incoming
from singer_runtime.pairing import Pairing
from singer_runtime.rules import RuleBook


class Endings:
    """Ends or moves the links of one stream."""

    def __init__(self, run: RunContext, book: RuleBook, pairing: Pairing) -> None:
        self.run = run
        self.book = book
        self.mapping = book.mapping
        self.pairing = pairing
        self._bereaved: list[tuple[Incoming, Link]] = []

    def _close(self, link: Link) -> None:
        self.run.writer.close_link(link, f"deleted on {self.run.x.value}")

    def carry_out(self, batch: Commit) -> None:
        """Archive or clear the halves whose other half was deleted (``on_delete``).

        The link is closed once that is done; where nobody knows whether it was, the record is
        read again and it is done again, which changes nothing more.
        """
        bereaved, self._bereaved = self._bereaved, []
        if not bereaved:
            return
        self.book.prepare()
        ids = [link.id_on(self.run.y) for _, link in bereaved]
        if self.mapping.on_delete is OnDelete.ARCHIVE:
            outcomes = self.run.destination.archive(self.mapping, ids)
        else:
            empty = self._emptied()
            outcomes = self.run.destination.update(self.mapping, [Write(i, empty) for i in ids])
        for (incoming, link), outcome in zip(bereaved, outcomes, strict=True):
            if outcome.result in (Result.WRITTEN, Result.GONE):
                done = f"{self.mapping.on_delete.value} on delete"
                batch.changes += self._agreed_values(link, done)
                self._close(link)
            elif outcome.result is Result.REFUSED:
                self.run.counts.quarantined += 1
                batch.quarantined.append(self._refusal(incoming, outcome))
            else:
                self.run.counts.deferred += 1
                batch.revisits.append(
                    RevisitRow(self.run.direction, self.mapping.name, incoming.id, "not sent")
                )

    def _refusal(self, incoming: Incoming, outcome: Outcome) -> Quarantined:
        return Quarantined(
            mapping=self.mapping.name,
            source_id=incoming.id,
            field="",
            code=outcome.error_code or "REFUSED",
            message=outcome.error_message or "The other half could not be given up.",
            remedy=outcome.remedy or "Do it by hand, or set on_delete: unlink.",
        )

    def _emptied(self) -> dict[str, Raw]:
        """Every field that takes an empty value, emptied."""
        values: dict[str, Raw] = {}
        for rule in self.book.rules:
            assert rule.render is not None  # noqa: S101 - the book is prepared by now
            with suppress(Refused):
                values[rule.name] = rule.render(None).raw
        return values

    def deleted(self, incoming: Incoming, link: Link | None, batch: Commit) -> None:
        """A record of X is gone: its link ends, the other half stays as it is.

        Where it was merged into another, the link moves to the survivor if that one is free; what
        the pair agreed on stays in the sync log.
        """
        batch.no_longer_waiting.append((self.run.x, incoming.id))
        if link is None:
            return
        self.run.counts.unlinked += 1
        if incoming.merged_into is None:
            if self.mapping.on_delete is OnDelete.UNLINK:
                self._close(link)
            else:
                self._bereaved.append((incoming, link))
            return
        self.run.writer.close_link(link, "merged")
        batch.changes += self._agreed_values(link, "merged away")
        survivor = {self.run.x: incoming.merged_into, self.run.y: link.id_on(self.run.y)}
        moved = self.run.writer.open_link(
            self.mapping.name,
            survivor[Side.SALESFORCE],
            survivor[Side.SWEO],
            self.run.run_id,
            link.key_hash,
        )
        if moved is not None:
            self.run.counts.linked += 1
            for direction, side in (
                (self.run.direction, self.run.x),
                (self.run.opposite, self.run.y),
            ):
                batch.revisits.append(
                    RevisitRow(direction, self.mapping.name, moved.id_on(side), "merged")
                )

    def _agreed_values(self, link: Link, outcome: str) -> list[ChangeRow]:
        rules = {rule.number: rule for rule in self.book.rules if rule.two_way and rule.number}
        return [
            ChangeRow(
                mapping=self.mapping.name,
                salesforce_id=link.salesforce_id,
                sweo_id=link.sweo_id,
                field=rule.name,
                side=self.run.y,
                old=link.base[self.run.y][number],
                new=link.base[self.run.y][number],
                outcome=outcome,
            )
            for number, rule in rules.items()
            if number in link.base[self.run.y]
        ]

    def rematched(self, each: Incoming, link: Link, batch: Commit) -> bool:
        """Whether a changed match value breaks the link (``on_rematch: unlink``).

        Otherwise the link stays and remembers the new key.
        """
        key = self.pairing.main_hash(each)
        if key is None or link.key_hash is None or key == link.key_hash:
            return False
        if self.mapping.on_rematch is OnRematch.KEEP:
            link.key_hash = key
            batch.links.append(link)
            return False
        self.run.writer.close_link(link, "rematched")
        self.run.counts.unlinked += 1
        return True
