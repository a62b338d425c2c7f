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

    def _close(self, link: Link, *, keep_base: bool = True) -> None:
        reason = f"deleted on {self.run.x.value}"
        self.run.writer.close_link(link, reason, keep_base=keep_base)

    def carry_out(self, batch: Commit) -> None:
        """Archive or clear the halves whose other half was deleted (``on_delete``).

        The link is closed once that is done; where nobody knows whether it was, the record is
        read again and it is done again, which changes nothing more.
        """
        bereaved, self._bereaved = self._bereaved, []
        if not bereaved:
            return
        self.book.prepare()
        bereaved = self._inside(bereaved)
        ids = [link.id_on(self.run.y) for _, link in bereaved]
        if self.mapping.on_delete is OnDelete.ARCHIVE:
            outcomes = self.run.destination.archive(self.mapping, ids)
        else:
            empty = self._emptied()
            outcomes = self.run.destination.update(self.mapping, [Write(i, empty) for i in ids])
        for (incoming, link), outcome in zip(bereaved, outcomes, strict=True):
            if outcome.result in (Result.WRITTEN, Result.GONE):
                done = f"{self.mapping.on_delete.value} on delete"
                cleared = self.mapping.on_delete is OnDelete.CLEAR
                batch.changes += self._agreed_values(link, done, cleared=cleared)
                # What we emptied is nobody's edit: an undeleted X must not be emptied by it.
                self._close(link, keep_base=False)
            elif outcome.result is Result.REFUSED:
                self.run.counts.quarantined += 1
                batch.quarantined.append(self._refusal(incoming, outcome))
            else:
                self.run.counts.deferred += 1
                batch.revisits.append(
                    RevisitRow(self.run.direction, self.mapping.name, incoming.id, "not sent")
                )

    def _inside(self, bereaved: list[tuple[Incoming, Link]]) -> list[tuple[Incoming, Link]]:
        """Those whose halves a filter lets be written; the others only lose their link."""
        if not self.mapping.only.limits(self.run.y):
            return bereaved
        ids = [link.id_on(self.run.y) for _, link in bereaved]
        inside = self.run.destination.inside(self.mapping, ids)
        for _, link in bereaved:
            if link.id_on(self.run.y) not in inside:
                self._close(link)
        return [each for each in bereaved if each[1].id_on(self.run.y) in inside]

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
            untouched = incoming.outside or self.book.only_reads
            if self.mapping.on_delete is OnDelete.UNLINK or untouched:
                self._close(link)
            else:
                self._bereaved.append((incoming, link))
            return
        self._follow(link, self.run.x, incoming.merged_into, batch)

    def gone(self, incoming: Incoming, link: Link, merged_into: str | None, batch: Commit) -> None:
        """The half on Y turned out to be gone when a change of X was about to be written.

        Where ``on_delete`` gives X up as well, that is the other pipeline's to do: it reads the
        half by id and finds the same. Otherwise the link ends or moves, and X waits under its
        keys for whoever takes that half's place.
        """
        run = self.run
        if merged_into is None and self.mapping.on_delete is not OnDelete.UNLINK:
            batch.revisits.append(
                RevisitRow(run.opposite, self.mapping.name, link.id_on(run.y), "deleted")
            )
            return
        run.counts.unlinked += 1
        if merged_into is not None:
            self._follow(link, run.y, merged_into, batch)
            return
        run.writer.close_link(link, f"deleted on {run.y.value}")
        self.pairing.wait(incoming, batch)

    def _follow(self, link: Link, side: Side, survivor: str, batch: Commit) -> None:
        """Move a link whose half on ``side`` was merged to the survivor, if that one is free.

        The new link has no base: the two meet anew, and what the pair had agreed on stays in the
        sync log.
        """
        run = self.run
        run.writer.close_link(link, "merged")
        batch.changes += self._agreed_values(link, "merged away")
        heir = self.mapping.becomes
        if heir and side is Side.SWEO and run.ledger.links(heir, side, [survivor]):
            return  # the user goes with a contact already; the lead has no say in it
        ids = {each: link.id_on(each) for each in Side} | {side: survivor}
        moved = run.writer.open_link(
            self.mapping.name,
            ids[Side.SALESFORCE],
            ids[Side.SWEO],
            run.run_id,
            link.key_hash,
        )
        if moved is not None:
            run.counts.linked += 1
            for direction, owed in ((run.direction, run.x), (run.opposite, run.y)):
                batch.revisits.append(
                    RevisitRow(direction, self.mapping.name, moved.id_on(owed), "merged")
                )

    def _agreed_values(self, link: Link, outcome: str, *, cleared: bool = False) -> list[ChangeRow]:
        rules = {rule.number: rule for rule in self.book.rules if rule.two_way and rule.number}
        return [
            ChangeRow(
                mapping=self.mapping.name,
                salesforce_id=link.salesforce_id,
                sweo_id=link.sweo_id,
                field=rule.name,
                side=self.run.y,
                old=link.base[self.run.y][number],
                new=None if cleared else link.base[self.run.y][number],
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
